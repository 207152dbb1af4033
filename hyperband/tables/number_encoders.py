"""Columns of numbers as features: robust scaling with a smooth clip, piecewise-linear bins, random cosines.

Every encoding is elementwise arithmetic of float64 (+, -, *, /, square root, rounding): a row's features have the same
bits whatever rows are beside it, on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband._common.philox import FOURIER, uniform
from hyperband.errors import InputError
from hyperband.tables.fitted_numbers import check_ascending, check_finite

F64 = NDArray[np.float64]

#: Robustly scaled values stay within this distance from 0.
SMOOTH_CLIP = 3.0
#: Beyond this the smooth clip is `SMOOTH_CLIP` in float64, and its square is still far from overflow.
_FAR = 1e9
#: Bins of one column of the view "bins": at least, and at most where there is room. One bin has `ROWS_OF_BIN` rows on
#: average, all columns together have `BINS_OF_ALL` bins, which take about half of a network's time, and all rows
#: together `BIN_VALUES` values.
LEAST_BINS, MOST_BINS = 16, 128
ROWS_OF_BIN, BINS_OF_ALL, BIN_VALUES = 32, 512, 1 << 26
#: Cosines of one column of the view "fourier".
N_COSINES = 8


class NumberEncoder(Protocol):
    """A fitted encoding of columns of numbers."""

    @property
    def n_columns(self) -> int:
        """Columns that it takes."""

    def transform(self, x: F64) -> F64:
        """Features, shape (n_rows, n_features), of values of shape (n_rows, n_columns), NaN where missing."""

    def names(self, columns: Sequence[str]) -> list[str]:
        """Names of the features."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; ``from_dict`` reads it back."""


@dataclass(frozen=True, slots=True)
class RobustClip:
    """Robust scaling and a smooth clip: ``z / sqrt(1 + (z / 3)**2)`` of ``z = scale * (x - median)``.

    The scale is ``1 / (q75 - q25)``; where that width is 0, ``2 / (max - min)``; where that is 0, 0 (Holzmüller,
    Grinsztajn, Steinwart 2024, "Better by default"). A missing value becomes 0, which is the median.

    Parameters
    ----------
    median, scale : tuple of float, one a column

    Raises
    ------
    InputError
        When the lengths differ, or numbers are not finite.

    Examples
    --------
    >>> RobustClip((1.0,), (0.5,)).transform(np.array([[1.0], [9.0], [1e300], [np.nan]]))[:, 0].round(3).tolist()
    [0.0, 2.4, 3.0, 0.0]
    """

    median: tuple[float, ...]
    scale: tuple[float, ...]

    def __post_init__(self) -> None:
        check_finite(self.median, "median", len(self.median))
        check_finite(self.scale, "scale", len(self.median))

    @property
    def n_columns(self) -> int:
        return len(self.median)

    @classmethod
    def fit(cls, x: F64) -> RobustClip:
        """The encoding of columns of shape (n_rows, n_columns), NaN where missing; a value in each.

        Examples
        --------
        >>> RobustClip.fit(np.array([[0.0, 5.0, 1.0], [4.0, 5.0, 1.0], [2.0, 5.0, 1.0], [6.0, 9.0, 1.0]])).scale
        (0.3333333333333333, 1.0, 0.0)
        """
        medians, scales = [], []
        for column in x.T:
            values = column[~np.isnan(column)]
            # Halved, so that differences of the largest floats are finite; exact for all but the smallest.
            low, q25, median, q75, high = np.quantile(values * 0.5, [0.0, 0.25, 0.5, 0.75, 1.0])
            width = 2.0 * (q75 - q25) if q75 > q25 else high - low
            with np.errstate(over="ignore", divide="ignore"):
                scale = 1.0 / width if width > 0 else 0.0
            medians.append(float(2.0 * median))
            scales.append(float(scale) if np.isfinite(scale) else 0.0)
        return cls(tuple(medians), tuple(scales))

    def transform(self, x: F64) -> F64:
        with np.errstate(over="ignore"):
            z = (x - self.median) * self.scale
        np.nan_to_num(z, copy=False, nan=0.0, posinf=_FAR, neginf=-_FAR)
        np.clip(z, -_FAR, _FAR, out=z)
        third = z / SMOOTH_CLIP
        third *= third
        third += 1.0
        np.sqrt(third, out=third)
        z /= third
        return z

    def names(self, columns: Sequence[str]) -> list[str]:
        return list(columns)

    def to_dict(self) -> dict[str, Any]:
        return {"type": "robust", "median": list(self.median), "scale": list(self.scale)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> RobustClip:
        """The encoding that `to_dict` wrote."""
        return cls(tuple(plain["median"]), tuple(plain["scale"]))


@dataclass(frozen=True, slots=True)
class Bins:
    """Piecewise-linear encoding: component t of x is ``(x - edge[t]) / (edge[t + 1] - edge[t])``, clamped to [0, 1].

    The first component is clamped above only and the last one below only, so that values beyond the edges differ
    (Gorishniy, Rubachev, Babenko 2022, "On embeddings for numerical features", section 3.1). A missing value becomes
    the median.

    Parameters
    ----------
    edges : tuple of tuple of float, ascending, at least two a column
    median : tuple of float, one a column

    Raises
    ------
    InputError
        When the lengths differ, numbers are not finite, or edges do not ascend.

    Examples
    --------
    >>> Bins(((0.0, 1.0, 3.0),), (1.0,)).transform(np.array([[-1.0], [0.5], [2.0], [5.0], [np.nan]])).tolist()
    [[-1.0, 0.0], [0.5, 0.0], [1.0, 0.5], [1.0, 2.0], [1.0, 0.0]]
    """

    edges: tuple[tuple[float, ...], ...]
    median: tuple[float, ...]

    def __post_init__(self) -> None:
        check_finite(self.median, "median", len(self.median))
        check_ascending(self.edges, "edges", len(self.median), least=2, strictly=True)

    @property
    def n_columns(self) -> int:
        return len(self.median)

    @classmethod
    def fit(cls, x: F64, n_bins: int | None = None) -> Bins:
        """Edges at quantiles, or at every value where a column has at most ``n_bins + 1`` of them.

        A value that quantiles repeat gets one edge, and the other edges are quantiles of the other values.

        Parameters
        ----------
        x : float64 array, shape (n_rows, n_columns), NaN where missing; at least two values in each column
        n_bins : int, most bins of a column; None: what `bins_of_column` says

        Examples
        --------
        >>> Bins.fit(np.array([[0.0], [1.0], [5.0], [1.0]])).edges
        ((0.0, 1.0, 5.0),)
        """
        if n_bins is None:
            n_bins = bins_of_column([len(np.unique(column[~np.isnan(column)])) for column in x.T], len(x))
        edges, medians = [], []
        for column in x.T:
            values = column[~np.isnan(column)]
            edges.append(tuple(_edges(values, n_bins).tolist()))
            medians.append(float(2.0 * np.quantile(values * 0.5, 0.5)))
        return cls(tuple(edges), tuple(medians))

    def transform(self, x: F64) -> F64:
        out = np.empty((len(x), sum(len(edges) - 1 for edges in self.edges)))
        start = 0
        for j, edges in enumerate(self.edges):
            values = np.where(np.isnan(x[:, j]), self.median[j], x[:, j])
            n, halves = len(edges) - 1, np.array(edges) * 0.5  # halved: differences of the largest floats are finite
            with np.errstate(over="ignore"):
                components = values[:, None] * 0.5 - halves[:-1]
                components /= np.diff(halves)
            np.maximum(components[:, 1:], 0.0, out=components[:, 1:])
            np.minimum(components[:, :-1], 1.0, out=components[:, :-1])
            out[:, start : start + n] = components
            start += n
        return out

    def names(self, columns: Sequence[str]) -> list[str]:
        return [
            f"{name} bin {t + 1}"
            for name, edges in zip(columns, self.edges, strict=True)
            for t in range(len(edges) - 1)
        ]

    def to_dict(self) -> dict[str, Any]:
        return {"type": "bins", "edges": [list(edges) for edges in self.edges], "median": list(self.median)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Bins:
        """The encoding that `to_dict` wrote."""
        return cls(tuple(tuple(edges) for edges in plain["edges"]), tuple(plain["median"]))


def bins_of_column(n_distinct: Sequence[int], n_rows: int) -> int:
    """Most bins of a column, as many as there is room for.

    Parameters
    ----------
    n_distinct : sequence of int, distinct values of each column
    n_rows : int

    Examples
    --------
    >>> bins_of_column([5000] * 8, 10_000), bins_of_column([5000] * 8, 500_000), bins_of_column([800] * 8, 1000)
    (64, 16, 31)
    >>> bins_of_column([5000] * 4 + [3] * 50, 10_000)
    103
    """
    room = min(BINS_OF_ALL, BIN_VALUES // n_rows)
    possible = range(LEAST_BINS, max(LEAST_BINS, min(MOST_BINS, n_rows // ROWS_OF_BIN)) + 1)
    fits = [most for most in possible if sum(min(n - 1, most) for n in n_distinct) <= room]
    return max(fits, default=LEAST_BINS)


def _edges(values: F64, n_bins: int) -> F64:
    distinct = np.unique(values)
    if len(distinct) <= n_bins + 1:
        return distinct
    edges = 2.0 * np.quantile(values * 0.5, np.linspace(0.0, 1.0, n_bins + 1))
    often, counts = np.unique(edges, return_counts=True)
    often = often[counts > 1]
    if len(often):
        others = values[~np.isin(values, often)]
        at = np.linspace(0.0, 1.0, n_bins + 1 - len(often))
        edges = np.concatenate([often, 2.0 * np.quantile(others * 0.5, at)])
    found: F64 = np.unique(edges)
    return found


@dataclass(frozen=True, slots=True)
class Fourier:
    """Robust scaling, and beside each value z its random cosines ``cos(pi w z + b)``, w ~ N(0, 1), b ~ U(-pi, pi).

    A network of smooth units learns slowly what changes quickly along a number; of cosines it learns that at once
    (Rahimi, Recht 2007, "Random features for large-scale kernel machines"; Tancik et al. 2020).

    Parameters
    ----------
    robust : RobustClip
    frequency, phase : tuples of tuples of float, `N_COSINES` a column: w, and b / pi

    Raises
    ------
    InputError
        When the lengths differ, or numbers are not finite.

    Examples
    --------
    >>> fourier = Fourier(RobustClip((0.0,), (1.0,)), ((0.0, 0.0),), ((0.0, 1 / 3),))
    >>> fourier.transform(np.zeros((1, 1))).round(9).tolist()
    [[0.0, 1.0, 0.5]]
    """

    robust: RobustClip
    frequency: tuple[tuple[float, ...], ...]
    phase: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if not len(self.frequency) == len(self.phase) == self.n_columns:
            raise InputError(f"`frequency` and `phase` must have a row a column, {self.n_columns}; they do not.")
        for frequency, phase in zip(self.frequency, self.phase, strict=True):
            check_finite(frequency, "frequency", len(phase))
            check_finite(phase, "phase", len(phase))

    @property
    def n_columns(self) -> int:
        return self.robust.n_columns

    @classmethod
    def fit(cls, x: F64, keys: Sequence[int], seed: int) -> Fourier:
        """Scaling of ``x``, and draws keyed by the seed and each column's key, its position in the table."""
        draws = uniform(seed, FOURIER, list(keys), 2 * N_COSINES)
        normal = NormalDist().inv_cdf
        # Rounded to float32, so that another library's logarithm gives the same numbers.
        frequency = [[float(np.float32(normal(max(u, 2.0**-53)))) for u in row[:N_COSINES]] for row in draws]
        phase = [(2.0 * row[N_COSINES:] - 1.0).tolist() for row in draws]
        return cls(RobustClip.fit(x), tuple(map(tuple, frequency)), tuple(map(tuple, phase)))

    def transform(self, x: F64) -> F64:
        z = self.robust.transform(x)
        out = np.empty((len(x), z.shape[1] + sum(map(len, self.phase))))
        out[:, : z.shape[1]] = z
        start = z.shape[1]
        for j, (frequency, phase) in enumerate(zip(self.frequency, self.phase, strict=True)):  # small arrays: in cache
            out[:, start : start + len(phase)] = cosine_of_half_turns(z[:, j, None] * frequency + phase)
            start += len(phase)
        return out

    def names(self, columns: Sequence[str]) -> list[str]:
        cosines = [
            f"{name} cos {k + 1}" for name, row in zip(columns, self.phase, strict=True) for k in range(len(row))
        ]
        return [*columns, *cosines]

    def to_dict(self) -> dict[str, Any]:
        return {
            "type": "fourier",
            "robust": self.robust.to_dict(),
            "frequency": [list(row) for row in self.frequency],
            "phase": [list(row) for row in self.phase],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Fourier:
        """The encoding that `to_dict` wrote."""
        return cls(
            RobustClip.from_dict(plain["robust"]),
            tuple(map(tuple, plain["frequency"])),
            tuple(map(tuple, plain["phase"])),
        )


#: Coefficients of r**(2 n) in the series of cos(pi r), ascending; for |r| <= 1/2 the error is below 1e-14.
_COSINE = tuple(float(c) for c in np.cumprod([1.0, *(-(np.pi**2) / ((2 * n - 1) * (2 * n)) for n in range(1, 10))]))


def cosine_of_half_turns(u: F64) -> F64:
    """``cos(pi u)`` to within 1e-13 for |u| < 1e3, by additions, multiplications and rounding alone.

    ``np.cos`` gives other bits on another processor, and may give others at the end of an array than in its middle.

    Examples
    --------
    >>> u = np.linspace(-20.0, 20.0, 10001)
    >>> bool(np.abs(cosine_of_half_turns(u) - np.cos(np.pi * u)).max() < 1e-13)
    True
    """
    r = np.abs(u - 2.0 * np.rint(u * 0.5))  # in [0, 1]
    negative = r > 0.5
    np.subtract(1.0, r, out=r, where=negative)
    r *= r
    value = np.full_like(r, _COSINE[-1])
    for coefficient in _COSINE[-2::-1]:
        value *= r
        value += coefficient
    np.negative(value, out=value, where=negative)
    return value
