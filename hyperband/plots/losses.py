"""Which losses a scale shows, so that one that diverged does not spoil it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

#: From this ratio of largest to smallest a scale of losses is logarithmic.
WIDE = 100.0


@dataclass(frozen=True, slots=True)
class Range:
    """Losses that a scale shows: from ``low`` to ``top``; ``beyond``: there are larger ones, shown as the largest."""

    low: float
    top: float
    log: bool = False
    beyond: bool = False

    @classmethod
    def of(cls, losses: ArrayLike) -> Range | None:
        """The range of the finite ones; None when there is none.

        The top is at most three times as far above the smallest as nine tenths of them are; half as far again in the
        logarithm, where losses of a hundred-fold range have that scale.

        Examples
        --------
        >>> Range.of([1.0, 2.0, 3.0])
        Range(low=1.0, top=3.0, log=False, beyond=False)
        >>> Range.of([*range(1, 100), 1e30]).beyond
        True
        """
        values = np.asarray(losses, dtype=np.float64).ravel()
        values = values[np.isfinite(values)]
        if not len(values):
            return None
        low, high = float(values.min()), float(values.max())
        most = float(np.quantile(values, 0.9, method="lower"))
        if low > 0 and high / low > WIDE and most / low > WIDE / 10:
            limit = most * (most / low) ** 0.5
            return cls(low, min(high, limit), True, high > limit)
        limit = most + 2 * (most - low) if most > low else high
        return cls(low, min(high, limit), False, high > limit)

    def norm(self) -> Normalize:
        """For colours; a range of one value gets some width."""
        from matplotlib.colors import LogNorm, Normalize

        low, top = self.low, self.top
        if not low < top:
            low, top = low - (abs(low) * 1e-3 or 1e-3), top + (abs(top) * 1e-3 or 1e-3)
        return LogNorm(low, top) if self.log else Normalize(low, top)
