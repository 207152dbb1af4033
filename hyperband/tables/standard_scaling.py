"""Columns of numbers standardised, heavy tails as normal quantiles: the views "standard" and "quantile"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.tables.fitted_numbers import check_ascending, check_finite, check_positive

F64 = NDArray[np.float64]

#: Treatments of a column.
TWO_VALUED, HEAVY, PLAIN = "two_valued", "heavy", "plain"
#: Most quantiles of a column, and the rows that they are estimated from.
MOST_QUANTILES, QUANTILE_ROWS = 1000, 100_000
#: Shares of rows below a value stay so far from 0 and 1: their normal quantiles are within 5.2.
_EDGE = 1e-7


@dataclass(frozen=True, slots=True)
class Standard:
    """``(x - centre) / scale``; of columns with quantiles, x is first the normal quantile of its share of rows below.

    Parameters
    ----------
    fill : tuple of float, one a column: what a missing value becomes
    quantiles : tuple of tuple of float, one a column
        Ascending values, below which equal shares of the training rows lie; empty where there are none.
    centre : tuple of float, one a column
    half_scale : tuple of float, one a column
        Half of the scale, which is finite for the largest floats too.

    Raises
    ------
    InputError
        When the lengths differ, numbers are not finite, quantiles do not ascend or a scale is not positive.

    Examples
    --------
    >>> Standard((2.0,), ((),), (1.0,), (2.0,)).transform(np.array([[5.0], [1.0], [np.nan]]))[:, 0].tolist()
    [1.0, 0.0, 0.25]
    """

    fill: tuple[float, ...]
    quantiles: tuple[tuple[float, ...], ...]
    centre: tuple[float, ...]
    half_scale: tuple[float, ...]

    def __post_init__(self) -> None:
        n = len(self.fill)
        check_finite(self.fill, "fill", n)
        check_finite(self.centre, "centre", n)
        check_positive(self.half_scale, "half_scale", n)
        check_ascending(self.quantiles, "quantiles", n)

    @property
    def n_columns(self) -> int:
        return len(self.fill)

    @classmethod
    def fit(cls, x: F64, treatments: Sequence[str]) -> Standard:
        """The scaling of columns of shape (n_rows, n_columns), NaN where missing; a value in each.

        A missing value becomes the median, or of two values the more frequent one; where no row misses the value, the
        mean. Columns of two values become 0 and 1.

        Parameters
        ----------
        x : of which the first `QUANTILE_ROWS` rows are a random sample
        treatments : {"two_valued", "heavy", "plain"}, one a column

        Examples
        --------
        >>> Standard.fit(np.array([[3.0, 1.0], [7.0, np.nan], [7.0, 3.0]]), ["two_valued", "plain"]).fill
        (7.0, 2.0)
        """
        columns = [_fit_column(x[:, j], treatment) for j, treatment in enumerate(treatments)]
        fill, quantiles, centre, half_scale = zip(*columns, strict=True)
        return cls(fill, quantiles, centre, half_scale)

    def transform(self, x: F64) -> F64:
        z = np.where(np.isnan(x), self.fill, x)
        for j, quantiles in enumerate(self.quantiles):
            if quantiles:
                z[:, j] = _normal(z[:, j], np.array(quantiles))
        z *= 0.5
        z -= np.multiply(self.centre, 0.5)
        z /= self.half_scale
        return z

    def names(self, columns: Sequence[str]) -> list[str]:
        return list(columns)

    def to_dict(self) -> dict[str, Any]:
        return {
            "type": "standard",
            "fill": list(self.fill),
            "quantiles": [list(quantiles) for quantiles in self.quantiles],
            "centre": list(self.centre),
            "half_scale": list(self.half_scale),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Standard:
        """The scaling that `to_dict` wrote."""
        return cls(
            tuple(plain["fill"]),
            tuple(map(tuple, plain["quantiles"])),
            tuple(plain["centre"]),
            tuple(plain["half_scale"]),
        )


def _fit_column(x: F64, treatment: str) -> tuple[float, tuple[float, ...], float, float]:
    """Fill, quantiles, centre and half of the scale of one column."""
    missing = np.isnan(x)
    values = x[~missing]
    if treatment == TWO_VALUED:
        low, high = float(values.min()), float(values.max())
        fill = low if 2 * np.count_nonzero(values == low) >= len(values) else high
        return fill, (), low, high * 0.5 - low * 0.5
    # The median of a wide table takes seconds: it is for columns that need it.
    fill = float(2.0 * np.median(values * 0.5)) if missing.any() else _moments(values)[0]
    z, quantiles = np.where(missing, fill, x), np.empty(0)
    if treatment == HEAVY:
        shares = np.linspace(0.0, 1.0, min(MOST_QUANTILES, len(z)))
        quantiles = np.maximum.accumulate(2.0 * np.quantile(z[:QUANTILE_ROWS] * 0.5, shares))
        z = _normal(z, quantiles)  # of a column with many equal values they are off centre
    centre, half_scale = _moments(z)
    return fill, tuple(quantiles.tolist()), centre, half_scale or 0.5


def _moments(values: F64) -> tuple[float, float]:
    """The mean, and half of the standard deviation."""
    exponent = int(np.frexp(np.abs(values).max())[1])
    small = np.ldexp(values, -exponent)  # exact, and no sum or square overflows
    return float(np.ldexp(small.mean(), exponent)), float(np.ldexp(small.std(), exponent - 1))


def _normal(x: F64, quantiles: F64) -> F64:
    """The normal quantile of the share of training rows below each value.

    As `sklearn.preprocessing.QuantileTransformer`: of equal quantiles the middle, but 0 and 1 at both ends, however
    often the smallest and largest values occur.
    """
    from scipy.special import ndtri

    shares = np.linspace(0.0, 1.0, len(quantiles))
    below = 0.5 * (np.interp(x, quantiles, shares) - np.interp(-x, -quantiles[::-1], -shares[::-1]))
    below[x >= quantiles[-1]] = 1.0
    below[x <= quantiles[0]] = 0.0
    found: F64 = ndtri(np.clip(below, _EDGE, 1.0 - _EDGE))
    return found
