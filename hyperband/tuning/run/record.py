"""What a run has seen so far, to be read: every evaluation, the best of them, and the configurations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband.tuning.incumbent import Incumbent
from hyperband.tuning.run.leaderboard import Leaderboard
from hyperband.tuning.run.proposal_session import ProposalSession
from hyperband.tuning.run.validation import numbered
from hyperband.tuning.trial import Result

if TYPE_CHECKING:
    from hyperband.space import Space


class RunRecord:
    """The part of a `Run` that changes nothing."""

    def __init__(self, space: Space, session: ProposalSession, leaderboard: Leaderboard) -> None:
        self.space, self._session, self._leaderboard = space, session, leaderboard

    @property
    def n_evaluations(self) -> int:
        """Results told so far."""
        return len(self._leaderboard.log)

    @property
    def n_configurations(self) -> int:
        """Configurations handed out so far."""
        return len(self._session.points)

    @property
    def n_objectives(self) -> int:
        """Losses of an evaluation; 1 before the first is told."""
        return self._leaderboard.log.n_objectives

    @property
    def spent(self) -> float:
        """Resource of the results told so far, when trials continue from where they were paused."""
        return self._leaderboard.log.spent

    @property
    def best(self) -> Incumbent | None:
        """Smallest loss seen, at any resource; ties by trial number, then rung. None before the first finite one."""
        row = self._leaderboard.best
        return None if row is None else self._incumbent(row)

    @property
    def best_at_full(self) -> Incumbent | None:
        """Smallest loss seen at the maximal resource; None before the first finite one."""
        row = self._leaderboard.best_at_full
        return None if row is None else self._incumbent(row)

    def front(self, resource: float | None = None) -> list[Incumbent]:
        """The Pareto front: evaluations that no other beats in one objective without losing in another.

        One for each trial, in the order of the first objective; ``resource``: among evaluations at this resource alone.
        """
        return [self._incumbent(row) for row in self._leaderboard.front(resource)]

    @property
    def results(self) -> list[Result]:
        """All results told so far in the order (bracket, rung, trial)."""
        log = self._leaderboard.log
        return [log.result(row) for row in log.order()]

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """The same as arrays: trial, bracket, rung, resource, loss, cost and one column a metric (NaN where absent)."""
        order = self._leaderboard.log.order()
        return {name: values[order] for name, values in self._leaderboard.log.columns().items()}

    @property
    def order(self) -> NDArray[np.int64]:
        """Rows of `columns` in the order in which they were told."""
        return np.argsort(self._leaderboard.log.order(), kind="stable").astype(np.int64)

    def configuration(self, trial: int) -> dict[str, Any]:
        """Parameter values of a trial."""
        return self.configurations(numbered(trial))[0]

    def configurations(self, trials: Sequence[int]) -> list[dict[str, Any]]:
        """Parameter values of trials, decoded together."""
        return self.space.decode(self._session.points.of(trials)) if len(trials) else []

    def _incumbent(self, row: int) -> Incumbent:
        r = self._leaderboard.log.result(row)
        configuration = self.configuration(r.trial)
        return Incumbent(
            r.trial, configuration, r.loss, r.resource, r.bracket, r.rung, r.metrics, objectives=r.objectives
        )
