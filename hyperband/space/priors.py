"""Where on an axis good values are expected: densities on [0, 1], as maps of uniform draws and as logarithms.

A normal distribution cut off at the ends of the axis for everything that has an order, weights for what has none. Both
offer the same: ``quantile`` takes uniform draws to draws of the prior, ``log_ratio`` is the logarithm of the density
relative to the uniform one; of a bin, that of its probability relative to its width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError

Column = NDArray[np.float64]

#: Standard deviations that have names, as fractions of the axis.
SPREADS = {"low": 0.5, "medium": 0.25, "high": 0.125}
#: Weights that have names: of the default's option, against 1 of every other.
FAVOURS = {"low": 2.0, "medium": 4.0, "high": 8.0}
#: Narrowest and widest standard deviation: beyond them float64 cannot tell the quantiles apart.
NARROWEST, WIDEST = 1e-6, 1e3
#: Bins narrower than this, in standard deviations, take the density in their middle.
_THIN = 1e-5


@dataclass(frozen=True, slots=True)
class Bell:
    """A normal distribution cut off at 0 and 1.

    Parameters
    ----------
    centre : float in [0, 1]
    spread : float, standard deviation before the cut

    Examples
    --------
    >>> Bell(0.5, 0.125).quantile(np.array([0.0, 0.5, 0.9])).round(3).tolist()
    [0.0, 0.5, 0.66]
    """

    centre: float
    spread: float

    def quantile(self, p: Column) -> Column:
        """Points below which there are these shares of the probability."""
        from scipy.special import ndtr, ndtri

        low, high = ndtr(-self.centre / self.spread), ndtr((1.0 - self.centre) / self.spread)
        share = np.clip(low + p * (high - low), 2.0**-1000, 1.0 - 2.0**-53)
        points: Column = np.clip(self.centre + self.spread * ndtri(share), 0.0, 1.0)
        return points

    def log_ratio(self, u: Column) -> Column:
        """Logarithm of the density at these points."""
        z = (u - self.centre) / self.spread
        return -0.5 * z * z - math.log(math.sqrt(2.0 * math.pi) * self.spread * self._whole())

    def log_ratio_of_bins(self, low: Column, high: Column) -> Column:
        """Logarithm of the probability of each bin [low, high) over its width."""
        from scipy.special import log_ndtr

        a, b = (low - self.centre) / self.spread, (high - self.centre) / self.spread
        # The upper tail is the lower one in the mirror; there the logarithms differ, where 1 - tiny numbers would not.
        mirrored = a + b > 0.0
        low_tail, high_tail = (log_ndtr(np.where(mirrored, one, other)) for one, other in ((-b, a), (-a, b)))
        thin = b - a < _THIN
        mass = high_tail + np.log(-np.expm1(np.where(thin, -1.0, low_tail - high_tail)))
        width = np.where(thin, 1.0, high - low)
        return np.where(thin, self.log_ratio((low + high) / 2.0), mass - math.log(self._whole()) - np.log(width))

    def _whole(self) -> float:
        """What the cut leaves of the probability."""
        from scipy.special import ndtr

        return float(ndtr((1.0 - self.centre) / self.spread) - ndtr(-self.centre / self.spread))


@dataclass(frozen=True, slots=True)
class Weights:
    """A probability for each of n options, which share the axis evenly.

    Parameters
    ----------
    shares : array of float, shape (n,), positive, their sum 1

    Examples
    --------
    >>> Weights(np.array([0.75, 0.25])).quantile(np.array([0.0, 0.375, 0.75])).tolist()
    [0.0, 0.25, 0.5]
    """

    shares: Column

    def quantile(self, p: Column) -> Column:
        """Points below which there are these shares of the probability."""
        n = len(self.shares)
        return np.interp(p, np.append(0.0, np.cumsum(self.shares)), np.arange(n + 1) / n)

    def log_ratio(self, places: NDArray[np.int64]) -> Column:
        """Logarithm of the probability of these options over that of an even choice."""
        ratios: Column = np.log(self.shares * len(self.shares))[places]
        return ratios


def spread_of(prior: Any) -> float | None:
    """Standard deviation of a prior of numbers, as a fraction of the axis; None without a prior.

    Raises
    ------
    InputError
        When it is neither a name of `SPREADS` nor a number in [1e-6, 1000].
    """
    if prior is None:
        return None
    if isinstance(prior, str) and prior in SPREADS:
        return SPREADS[prior]
    number = prior.item() if isinstance(prior, np.generic) else prior
    if isinstance(number, bool) or not isinstance(number, int | float) or not NARROWEST <= number <= WIDEST:
        raise InputError(
            f"`prior` must be None, {', '.join(map(repr, SPREADS))}, or a standard deviation as a fraction of the "
            f"axis, from {NARROWEST} to {WIDEST}; got {prior!r}."
        )
    return float(number)


def weights_of(prior: Any, n: int) -> tuple[float, ...] | str | None:
    """A prior of a choice of n options in plain form.

    Raises
    ------
    InputError
        When it is neither a name of `FAVOURS` nor one positive number an option.
    """
    if prior is None or (isinstance(prior, str) and prior in FAVOURS):
        return None if prior is None else str(prior)
    values = prior.tolist() if isinstance(prior, np.ndarray) else prior
    if isinstance(values, Sequence) and not isinstance(values, str | bytes) and len(values) == n:
        numbers = [v.item() if isinstance(v, np.generic) else v for v in values]
        if all(isinstance(v, int | float) and not isinstance(v, bool) and 0.0 < v < math.inf for v in numbers):
            shares = np.array(numbers, dtype=np.float64)
            shares /= shares.max()
            if (shares / shares.sum() > 0.0).all():
                return tuple(map(float, numbers))
    raise InputError(
        f"`prior` of a Choice must be None, {', '.join(map(repr, FAVOURS))}, or {n} positive weights, one an option; "
        f"got {prior!r}."
    )


def shares_of(weights: Sequence[float]) -> Column:
    """Weights as probabilities."""
    largest = np.array(weights, dtype=np.float64) / max(weights)
    shares: Column = largest / largest.sum()
    return shares
