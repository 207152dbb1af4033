"""Kernel density estimates over the unit cube: truncated Gaussians on numbers, Aitchison-Aitken on unordered choices.

Every density is relative to the uniform one, so that an inactive parameter counts as 1 everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hyperband.space import Choice, Points, Space

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

#: Normal reference rule: this times standard deviation times n^(-1 / (4 + d)) (Scott 1992; Silverman 1986).
NORMAL_REFERENCE = 1.06
#: Standard deviation of the uniform distribution, where there are too few values to estimate one.
_UNIFORM = math.sqrt(1.0 / 12.0)
#: The normal distribution is tabulated between these; beyond lies less than 1e-15 of it.
_END, _STEPS = 8.0, 8192


@cache
def _table() -> tuple[F64, F64]:
    x = np.linspace(-_END, _END, _STEPS + 1)
    return x, np.array([0.5 * math.erfc(-v / math.sqrt(2.0)) for v in x.tolist()])


def normal_cdf(x: F64) -> F64:
    """Distribution function of the standard normal, from a table: off by less than 2e-7.

    Examples
    --------
    >>> normal_cdf(np.array([-np.inf, 0.0, 1.0])).round(6).tolist()
    [0.0, 0.5, 0.841345]
    """
    return np.interp(x, *_table())


def truncated_mass(centre: F64, width: F64) -> F64:
    """Share of the normal distribution with this mean and standard deviation that lies in [0, 1]."""
    return normal_cdf((1.0 - centre) / width) - normal_cdf(-centre / width)


def truncated_normal(u: F64, centre: F64, width: F64) -> F64:
    """Draws from the normal distribution with this mean and standard deviation, truncated to [0, 1].

    Parameters
    ----------
    u : uniform draws in [0, 1)
    centre : in [0, 1]
    width : greater than 0

    Examples
    --------
    >>> truncated_normal(np.array([0.0, 0.5]), np.array([0.5, 0.5]), np.array([0.1, 0.1])).round(6).tolist()
    [0.0, 0.5]
    """
    x, cdf = _table()
    low = normal_cdf(-centre / width)
    high = normal_cdf((1.0 - centre) / width)
    drawn: F64 = np.clip(centre + width * np.interp(low + u * (high - low), cdf, x), 0.0, 1.0)
    return drawn


@dataclass(frozen=True, slots=True)
class Axes:
    """Which columns of the cube vary, and how.

    Parameters
    ----------
    n_dimensions : int, columns of the space
    numeric : int64 array, columns of numbers and of ordered choices
    steps : float64 array, values on each of them, infinite on real axes
    choices : tuple of (column, number of options), unordered ones
    """

    n_dimensions: int
    numeric: I64
    steps: F64
    choices: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, space: Space) -> Axes:
        """The axes of a space; those with one value alone are left out."""
        choices, numeric = [], []
        for column, parameter in enumerate(space.parameters.values()):
            if parameter.n_values > 1 and isinstance(parameter, Choice) and not parameter.ordered:
                choices.append((column, len(parameter.options)))
            elif parameter.n_values > 1:
                numeric.append((column, parameter.n_values))
        columns = np.array([column for column, _ in numeric], dtype=np.int64)
        return cls(space.n_dimensions, columns, np.array([n for _, n in numeric], dtype=np.float64), tuple(choices))

    @property
    def n_varying(self) -> int:
        """Axes with more than one value."""
        return len(self.numeric) + len(self.choices)


class Density:
    """A sum of kernels, one around each point.

    The kernel of point i at x is the product over the axes on which both are active, relative to the uniform density:
    on an axis of numbers ``N(x; x_i, h^2) / mass of it in [0, 1]``, on an unordered choice of c options (Aitchison &
    Aitken 1976) ``c (1 - h)`` where they agree and ``c h / (c - 1)`` where not. A parameter that is inactive in
    one of them gives 1: the average over a value drawn uniformly.

    The bandwidth h is ``1.06 s n^(-1 / (4 + d))`` with s the standard deviation of the n active values; of a choice
    with shares p_k ``s^2 = (1 - sum p_k^2) / 2``, which is p (1 - p) of two options and does not depend on the order
    of more.

    Parameters
    ----------
    axes : Axes
    points : float64 array, shape (n, n_dimensions), n >= 1, canonical, NaN where inactive
    least : float > 0
        Smallest bandwidth. On an axis with k values at least a quarter of a bin, so that neighbours can be reached.
    """

    def __init__(self, axes: Axes, points: Points, least: float = 1e-3) -> None:
        self._axes, self.points = axes, points
        numeric = points[:, axes.numeric]
        on = ~np.isnan(numeric)
        count = on.sum(axis=0)
        filled = np.where(on, numeric, 0.0)
        mean = filled.sum(axis=0) / np.maximum(count, 1)
        variance = np.where(on, (filled - mean) ** 2, 0.0).sum(axis=0) / np.maximum(count, 1)
        spread = np.where(count >= 2, np.sqrt(variance), _UNIFORM)
        self._exponent = -1.0 / (4.0 + axes.n_varying)
        #: Bandwidths on the axes of numbers.
        self.widths: F64 = np.maximum(self._reference(spread, count), np.maximum(least, 0.25 / axes.steps))
        #: Bandwidths on the unordered choices.
        self.flips = [self._flip(points[:, column], options, least) for column, options in axes.choices]
        # Axis by axis in one piece, and scaled so that the square is the exponent.
        self._scale = self.widths * math.sqrt(2.0)
        self._z = np.ascontiguousarray((np.where(on, numeric, np.nan) / self._scale).T)
        mass = truncated_mass(filled, self.widths)
        self._norms = np.where(on, np.log(self.widths * math.sqrt(2.0 * math.pi) * mass), 0.0)
        self._norm: F64 = self._norms.sum(axis=1)
        self._whole: NDArray[np.bool_] = np.asarray(on.all(axis=0))
        self._tables = [self._table(*choice, flip) for choice, flip in zip(axes.choices, self.flips, strict=True)]

    def log(self, points: Points) -> F64:
        """Logarithm of the density relative to the uniform one, shape (m,); one row does not depend on the others."""
        z = points[:, self._axes.numeric] / self._scale
        kernels = np.repeat(-self._norm[None, :], len(points), axis=0)
        term = np.empty_like(kernels)
        for column in range(z.shape[1]):
            np.subtract(z[:, column, None], self._z[column], out=term)
            term *= term
            off = np.isnan(z[:, column])
            if off.any() or not self._whole[column]:
                term[np.isnan(term)] = 0.0
                kernels[off] += self._norms[:, column]
            kernels -= term
        for (column, options), table in zip(self._axes.choices, self._tables, strict=True):
            kernels += table[_option_or_none(points[:, column], options)]
        top = kernels.max(axis=1)
        kernels -= top[:, None]
        found: F64 = top + np.log(np.exp(kernels, out=kernels).sum(axis=1) / len(self.points))
        return found

    def draw(self, u: F64, factor: float = 1.0) -> Points:
        """Draws from the density with bandwidths ``factor`` times as wide, full points of the cube.

        Parameters
        ----------
        u : float64 array, shape (m, 1 + n_dimensions), uniform draws
        """
        centre = self.points[(u[:, 0] * len(self.points)).astype(np.int64)]
        draws, out = u[:, 1:], np.full(centre.shape, 0.5)
        columns = self._axes.numeric
        known = np.where(np.isnan(centre[:, columns]), 0.5, centre[:, columns])
        near = truncated_normal(draws[:, columns], known, factor * self.widths)
        out[:, columns] = np.where(np.isnan(centre[:, columns]), draws[:, columns], near)
        for (column, options), flip in zip(self._axes.choices, self.flips, strict=True):
            most = 1.0 - 1.0 / options
            out[:, column] = flipped(draws[:, column], centre[:, column], options, min(factor * flip, most))
        return out

    def _reference(self, spread: F64, count: NDArray[np.int64]) -> F64:
        width: F64 = NORMAL_REFERENCE * spread * np.maximum(count, 1) ** self._exponent
        return width

    def _flip(self, column: F64, options: int, least: float) -> float:
        known = column[~np.isnan(column)]
        shares = np.bincount(option_of(known, options), minlength=options) / max(len(known), 1)
        variance = (1.0 - float((shares**2).sum())) / 2.0 if len(known) >= 2 else 0.25
        width = float(self._reference(np.array(math.sqrt(variance)), np.array(len(known))))
        return min(max(width, least), 1.0 - 1.0 / options)

    def _table(self, column: int, options: int, flip: float) -> F64:
        """Log kernels of an unordered choice by option of x, shape (options + 1, n); the last row: inactive."""
        agree, differ = math.log(options * (1.0 - flip)), math.log(options * flip / (options - 1))
        centre = _option_or_none(self.points[:, column], options)
        table = np.where(np.arange(options + 1)[:, None] == centre, agree, differ)
        table[options], table[:, centre == options] = 0.0, 0.0
        return table


def option_of(u: F64, options: int) -> I64:
    """Which option a point of the axis stands for."""
    return np.minimum((u * options).astype(np.int64), options - 1)


def flipped(u: F64, centre: F64, options: int, flip: float | F64) -> F64:
    """Draws of an unordered choice: another option with probability ``flip``, all others alike.

    Parameters
    ----------
    u : uniform draws in [0, 1)
    centre : points of the axis; where NaN, any option is drawn
    """
    known = option_of(np.where(np.isnan(centre), 0.0, centre), options)
    rest = np.clip((u - (1.0 - flip)) / np.maximum(flip, 1e-300), 0.0, 1.0)
    other = np.minimum((rest * (options - 1)).astype(np.int64), options - 2)
    other = np.where(other >= known, other + 1, other)
    chosen = np.where(u < 1.0 - flip, known, other)
    chosen = np.where(np.isnan(centre), option_of(u, options), chosen)
    point: F64 = (chosen + 0.5) / options
    return point


def _option_or_none(u: F64, options: int) -> I64:
    """`option_of`, and ``options`` where inactive."""
    off = np.isnan(u)
    return np.where(off, options, option_of(np.where(off, 0.0, u), options))
