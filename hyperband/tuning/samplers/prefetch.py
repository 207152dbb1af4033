"""Configurations ahead of need: one call of a vectorised sampler for many trials that are asked for one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperband.tuning.samplers.base import Proposer

if TYPE_CHECKING:
    from hyperband.space import Points, Space

#: Trials of the largest block.
LARGEST = 512


class Prefetch:
    """Proposes blocks of trials where a proposer says that its draws depend on (seed, trial) alone.

    Blocks double while trials are asked for in order, so that a short search draws little that it does not use. Nothing
    here is state: it can all be drawn again.

    Parameters
    ----------
    proposer : Proposer; ``pure`` is read
    space : Space
    """

    def __init__(self, proposer: Proposer, space: Space) -> None:
        self._proposer, self._space = proposer, space
        self.pure: bool = proposer.pure
        self._first = self._end = 0  # trials of the block
        self._points: Points = np.empty((0, space.n_dimensions))
        self._configurations: list[dict[str, Any]] = []

    def propose(self, trials: Sequence[int], resources: Sequence[float]) -> Points:
        """Points of new trials, as the proposer gives them."""
        n = len(trials)
        if not self.pure or n > LARGEST // 2 or trials[-1] - trials[0] != n - 1:
            return self._proposer.propose(trials, resources)
        if not self._first <= trials[0] <= trials[-1] < self._end:
            size = min(LARGEST, max(n, 2 * (self._end - self._first) if trials[0] == self._end else n))
            self._first, self._end = trials[0], trials[0] + size
            self._points = self._proposer.propose(range(self._first, self._end))
            self._configurations = []
        return self._points[trials[0] - self._first : trials[-1] + 1 - self._first]

    def decoded(self, trials: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Configurations of those trials that are in a block, to be handed out once."""
        inside = [trial for trial in trials if self._first <= trial < self._end]
        if inside and not self._configurations:
            self._configurations = self._space.decode(self._points)
        return {trial: dict(self._configurations[trial - self._first]) for trial in inside}
