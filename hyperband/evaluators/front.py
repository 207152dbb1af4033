"""Who trains next when time comes in slices: half of the threads finish what is near, half work on the longest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Front:
    """The networks that are nearest to their goal, as many as finish within a slice, and a few with the most to do.

    Longest first is how an engine keeps every processor busy to the end. In slices that alone would let all networks
    arrive together, at the very end: nothing to promote, nothing to show, nothing to hand over when time is up. Nearest
    first alone would leave the longest one to a single thread at the end. So a slice gets both, and the engine, which
    starts the longest first, gives half of its threads to each. Results do not depend on it, only their order does.

    Parameters
    ----------
    threads : int

    Examples
    --------
    >>> front = Front(threads=2)
    >>> front.choose([6, 7, 8, 9], np.array([5.0, 3.0, 1.0, 2.0]))
    [8, 6]
    >>> front.learn(arrived=1)
    >>> front.choose([6, 7, 8, 9], np.array([5.0, 3.0, 1.0, 2.0]))
    [8, 9, 6]
    """

    def __init__(self, threads: int) -> None:
        self._longest = threads // 2
        self._least = self._near = threads - self._longest

    def choose(self, trials: Sequence[int], work: NDArray[np.float64]) -> list[int]:
        """The trials that train in this slice, the least ``work`` left first."""
        order = np.argsort(work, kind="stable").tolist()
        near, rest = order[: self._near], order[self._near :]
        return [trials[place] for place in near + rest[len(rest) - min(self._longest, len(rest)) :]]

    def learn(self, arrived: int) -> None:
        """More next time when half of them arrived, fewer when none did."""
        if 2 * arrived >= self._near:
            self._near *= 2
        elif arrived == 0:
            self._near = max(self._least, self._near // 2)
