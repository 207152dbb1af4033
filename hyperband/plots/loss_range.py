"""The range of losses that a scale shows, so that one diverged loss does not compress all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

#: Ratio of the largest to the smallest loss from which a scale is logarithmic.
WIDE = 100.0


@dataclass(frozen=True, slots=True)
class LossRange:
    """The losses that a scale shows.

    Parameters
    ----------
    low, top : float, smallest and largest loss on the scale
    log : bool, whether the scale is logarithmic
    beyond : bool, whether there are larger losses, which are shown as ``top``
    """

    low: float
    top: float
    log: bool = False
    beyond: bool = False

    @classmethod
    def of(cls, losses: ArrayLike) -> LossRange | None:
        """The range of the finite losses; None when there are none.

        The top lies at most three times as far above the smallest loss as the 90 % quantile does; on a logarithmic
        scale, at most one and a half times as far in the logarithm.

        Examples
        --------
        >>> LossRange.of([1.0, 2.0, 3.0])
        LossRange(low=1.0, top=3.0, log=False, beyond=False)
        >>> LossRange.of([*range(1, 100), 1e30]).beyond
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
        """The range as a normalisation of colours; a range of a single value is widened."""
        from matplotlib.colors import LogNorm, Normalize

        low, top = self.low, self.top
        if not low < top:
            low, top = low - (abs(low) * 1e-3 or 1e-3), top + (abs(top) * 1e-3 or 1e-3)
        return LogNorm(low, top) if self.log else Normalize(low, top)
