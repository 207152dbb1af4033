"""Which networks train in the next slice of time: those nearest to their goal, and those with the most to do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Work a second of one thread, before any was measured. Too high means only that the first slice is offered more
#: networks than it can train; too low leaves threads without work.
GUESS = 1e10

#: Work offered for each piece that is expected to get done, so that no thread runs out of it.
SPARE = 2.0


class SlicePolicy:
    """Half of the threads get the networks nearest to their goal, the other half those with the most to do.

    An engine starts the longest network first, which keeps every thread busy to the end. In slices, that alone would
    let all networks arrive together at the very end: nothing to promote, to show, or to return when time is up. The
    nearest first alone would leave the longest one to a single thread at the end. Results do not depend on the policy,
    only their order does.

    Parameters
    ----------
    threads : int

    Examples
    --------
    >>> policy = SlicePolicy(threads=2)
    >>> policy.learn(work=16.0, seconds=4.0)                            # each thread did two a second
    >>> policy.choose([6, 7, 8, 9], np.array([50.0, 3.0, 1.0, 4.0]), seconds=1.0)
    [8, 7, 6]
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._longest = threads // 2
        self._rate = GUESS  # work a second and thread

    @property
    def enough(self) -> int:
        """Networks that keep every thread busy."""
        return 2 * self._threads

    def choose(self, trials: Sequence[int], work: NDArray[np.float64], seconds: float) -> list[int]:
        """The trials that train in this slice, the least ``work`` left first."""
        order = np.argsort(work, kind="stable")
        near_threads = self._threads - self._longest
        enough = SPARE * self._rate * seconds * near_threads
        near = max(near_threads, 1 + int(np.searchsorted(np.cumsum(work[order]), enough)))
        rest = order[near:].tolist()
        return [trials[row] for row in order[:near].tolist() + rest[len(rest) - min(self._longest, len(rest)) :]]

    def learn(self, work: float, seconds: float) -> None:
        """Learn the rate from the work done in a slice."""
        if work > 0.0 and seconds > 0.0:
            self._rate = work / seconds / self._threads
