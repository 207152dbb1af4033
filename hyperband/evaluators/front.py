"""Who trains next when time comes in slices: what is nearly done gets half of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Front:
    """The networks that are nearest to their goal, as many as finish within a slice.

    An engine works on the longest first, so that no processor idles at the end. In slices that alone would let all
    networks arrive together, at the very end: nothing to promote, nothing to show, nothing to hand over when time is
    up. So half of every slice goes to the front. Results do not depend on it, only their order does.

    Parameters
    ----------
    least : int, of networks; the number of threads, or some would idle

    Examples
    --------
    >>> front = Front(least=1)
    >>> front.choose([7, 8, 9], np.array([3.0, 1.0, 2.0]))
    [8]
    >>> front.learn(chosen=1, arrived=1)
    >>> front.choose([7, 8, 9], np.array([3.0, 1.0, 2.0]))
    [8, 9]
    """

    def __init__(self, least: int) -> None:
        self._least = self._n = least

    def choose(self, trials: Sequence[int], work: NDArray[np.float64]) -> list[int]:
        """The trials with the least ``work`` left, the least first."""
        return [trials[place] for place in np.argsort(work, kind="stable")[: self._n].tolist()]

    def learn(self, chosen: int, arrived: int) -> None:
        """More next time when all arrived, fewer when none did."""
        if arrived == chosen >= self._n:
            self._n *= 2
        elif arrived == 0:
            self._n = max(self._least, self._n // 2)
