"""Priors: probability distributions on [0, 1] that say where on an axis good values are expected.

Ordered values have a truncated normal distribution, unordered options have weights. Both offer the same methods.
``quantile`` turns uniform draws into draws of the prior. ``log_ratio`` is the logarithm of the density relative to the
uniform density; for a bin, of the bin's probability relative to its width.
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

#: Named standard deviations, as fractions of the axis.
DEVIATIONS = {"low": 0.5, "medium": 0.25, "high": 0.125}
#: Named weights of the default option; every other option has weight 1.
DEFAULT_WEIGHTS = {"low": 2.0, "medium": 4.0, "high": 8.0}
#: Smallest and largest standard deviation: beyond them float64 does not resolve the quantiles.
NARROWEST, WIDEST = 1e-6, 1e3
#: Bins narrower than this, in standard deviations, use the density in their middle.
_THIN = 1e-5


@dataclass(frozen=True, slots=True)
class TruncatedNormal:
    """A normal distribution truncated to [0, 1].

    Parameters
    ----------
    centre : float in [0, 1], mean before the truncation
    deviation : float, standard deviation before the truncation

    Examples
    --------
    >>> TruncatedNormal(0.5, 0.125).quantile(np.array([0.0, 0.5, 0.9])).round(3).tolist()
    [0.0, 0.5, 0.66]
    """

    centre: float
    deviation: float

    def quantile(self, p: Column) -> Column:
        """Quantiles: points of [0, 1] below which the probability is ``p``, both of shape (n,)."""
        from scipy.special import ndtr, ndtri

        low, high = ndtr(-self.centre / self.deviation), ndtr((1.0 - self.centre) / self.deviation)
        share = np.clip(low + p * (high - low), 2.0**-1000, 1.0 - 2.0**-53)
        points: Column = np.clip(self.centre + self.deviation * ndtri(share), 0.0, 1.0)
        return points

    def log_ratio(self, u: Column) -> Column:
        """Logarithm of the density at points of [0, 1]."""
        z = (u - self.centre) / self.deviation
        return -0.5 * z * z - math.log(math.sqrt(2.0 * math.pi) * self.deviation * self._kept())

    def log_ratio_of_bins(self, low: Column, high: Column) -> Column:
        """Logarithm of the probability of each bin [low, high) divided by its width."""
        from scipy.special import log_ndtr

        a, b = (low - self.centre) / self.deviation, (high - self.centre) / self.deviation
        # Bins of the upper half are mirrored to the lower tail, whose logarithms keep the precision that 1 - p loses.
        mirrored = a + b > 0.0
        low_tail, high_tail = (log_ndtr(np.where(mirrored, one, other)) for one, other in ((-b, a), (-a, b)))
        thin = b - a < _THIN
        mass = high_tail + np.log(-np.expm1(np.where(thin, -1.0, low_tail - high_tail)))
        width = np.where(thin, 1.0, high - low)
        return np.where(thin, self.log_ratio((low + high) / 2.0), mass - math.log(self._kept()) - np.log(width))

    def _kept(self) -> float:
        """Probability that the truncation keeps."""
        from scipy.special import ndtr

        return float(ndtr((1.0 - self.centre) / self.deviation) - ndtr(-self.centre / self.deviation))


@dataclass(frozen=True, slots=True)
class OptionWeights:
    """Probabilities of n options, whose bins on the axis are equally wide.

    Parameters
    ----------
    probabilities : float64 array, shape (n,), positive, with sum 1

    Examples
    --------
    >>> OptionWeights(np.array([0.75, 0.25])).quantile(np.array([0.0, 0.375, 0.75])).tolist()
    [0.0, 0.25, 0.5]
    """

    probabilities: Column

    def quantile(self, p: Column) -> Column:
        """Quantiles: points of [0, 1] below which the probability is ``p``, both of shape (n,)."""
        n = len(self.probabilities)
        return np.interp(p, np.append(0.0, np.cumsum(self.probabilities)), np.arange(n + 1) / n)

    def log_ratio(self, indices: NDArray[np.int64]) -> Column:
        """Logarithm of n times the probability of the options with these indices."""
        ratios: Column = np.log(self.probabilities * len(self.probabilities))[indices]
        return ratios


def deviation_of(prior: Any) -> float | None:
    """Standard deviation of the prior of a numeric axis, as a fraction of the axis; None without a prior.

    Raises
    ------
    InputError
        When ``prior`` is neither a name in `DEVIATIONS` nor a number in [1e-6, 1000].

    Examples
    --------
    >>> deviation_of("medium"), deviation_of(0.1)
    (0.25, 0.1)
    """
    if prior is None:
        return None
    if isinstance(prior, str) and prior in DEVIATIONS:
        return DEVIATIONS[prior]
    number = prior.item() if isinstance(prior, np.generic) else prior
    if isinstance(number, bool) or not isinstance(number, int | float) or not NARROWEST <= number <= WIDEST:
        raise InputError(
            f"`prior` must be None, {', '.join(map(repr, DEVIATIONS))}, or a standard deviation as a fraction of the "
            f"axis, from {NARROWEST} to {WIDEST}; got {prior!r}."
        )
    return float(number)


def weights_of(prior: Any, n: int) -> tuple[float, ...] | str | None:
    """The prior of a choice of n options, checked: a name, a tuple of n floats, or None.

    Raises
    ------
    InputError
        When ``prior`` is neither a name in `DEFAULT_WEIGHTS` nor one positive number an option.

    Examples
    --------
    >>> weights_of([3, 1], 2)
    (3.0, 1.0)
    """
    if prior is None or (isinstance(prior, str) and prior in DEFAULT_WEIGHTS):
        return None if prior is None else str(prior)
    values = prior.tolist() if isinstance(prior, np.ndarray) else prior
    if isinstance(values, Sequence) and not isinstance(values, str | bytes) and len(values) == n:
        numbers = [v.item() if isinstance(v, np.generic) else v for v in values]
        positive = all(isinstance(v, int | float) and not isinstance(v, bool) and 0.0 < v < math.inf for v in numbers)
        if positive and (probabilities_of(numbers) > 0.0).all():
            return tuple(map(float, numbers))
    raise InputError(
        f"`prior` of a Choice must be None, {', '.join(map(repr, DEFAULT_WEIGHTS))}, or {n} positive weights, one an "
        f"option; got {prior!r}."
    )


def probabilities_of(weights: Sequence[float]) -> Column:
    """Positive weights divided by their sum, float64, also where the sum itself would overflow.

    Examples
    --------
    >>> probabilities_of([3.0, 1.0]).tolist()
    [0.75, 0.25]
    """
    relative = np.array(weights, dtype=np.float64) / max(weights)
    probabilities: Column = relative / relative.sum()
    return probabilities
