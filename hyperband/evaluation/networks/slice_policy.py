"""Who trains next when time comes in slices: half of the threads finish what is near, half work on the longest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Work a second that one thread is thought to do before it was seen. Too high only means that more networks are offered
#: to the first slice than it gets done; too low leaves threads without work.
GUESS = 1e10

#: Work offered for each piece that is expected to get done, so that no thread runs out of it.
SPARE = 2.0


class Front:
    """The networks nearest to their goal, as many as keep half of the threads busy, and a few with the most to do.

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
    >>> front.learn(work=16.0, seconds=4.0)                            # each thread did two a second
    >>> front.choose([6, 7, 8, 9], np.array([50.0, 3.0, 1.0, 4.0]), seconds=1.0)
    [8, 7, 6]
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._longest = threads // 2
        self._rate = GUESS  # work a second and thread

    def choose(self, trials: Sequence[int], work: NDArray[np.float64], seconds: float) -> list[int]:
        """The trials that train in this slice, the least ``work`` left first."""
        order = np.argsort(work, kind="stable")
        near_threads = self._threads - self._longest
        enough = SPARE * self._rate * seconds * near_threads
        near = max(near_threads, 1 + int(np.searchsorted(np.cumsum(work[order]), enough)))
        rest = order[near:].tolist()
        return [trials[place] for place in order[:near].tolist() + rest[len(rest) - min(self._longest, len(rest)) :]]

    def learn(self, work: float, seconds: float) -> None:
        """So much was done in the slice."""
        if work > 0.0 and seconds > 0.0:
            self._rate = work / seconds / self._threads
