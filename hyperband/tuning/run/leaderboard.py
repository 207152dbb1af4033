"""Every evaluation of a run, and which of them lead."""

from __future__ import annotations

import math

import numpy as np

from hyperband.tuning.pareto import pareto
from hyperband.tuning.run.evaluation_log import EvaluationLog
from hyperband.tuning.run.validation import ResultColumns
from hyperband.tuning.trial import Result

#: Of one evaluation, the best first: loss, trial, rung, and its row of the log.
Key = tuple[float, int, int, int]


class Leaderboard:
    """The log of evaluations with its leaders kept up to date: O(1) an evaluation.

    Parameters
    ----------
    max_resource : float
    log : EvaluationLog, optional
        What is there already.

    Examples
    --------
    >>> board = Leaderboard(9)
    >>> board.append(Result(0, 0, 0, 9, 0.5), 9)
    >>> board.append(Result(1, 0, 0, 1, 0.25), 1)
    >>> board.best, board.best_at_full
    (1, 0)
    """

    def __init__(self, max_resource: float, log: EvaluationLog | None = None) -> None:
        self.log = EvaluationLog() if log is None else log
        self._max_resource = max_resource
        self._best: Key | None = None
        self._best_at_full: Key | None = None
        self._rank_from(0)

    @property
    def best(self) -> int | None:
        """Row of the smallest finite loss; ties by trial, then rung. None before the first."""
        return None if self._best is None else self._best[-1]

    @property
    def best_at_full(self) -> int | None:
        """Row of the smallest finite loss at the maximal resource."""
        return None if self._best_at_full is None else self._best_at_full[-1]

    @property
    def n_objectives(self) -> set[int]:
        """The number of objectives; an empty set as long as only failures without objectives were told."""
        n = self.log.n_objectives
        return {n} if n > 1 or self._best is not None else set()

    def append(self, result: Result, spent: float) -> None:
        """Add one evaluation; see `EvaluationLog.append`."""
        row = self.log.append(result, spent)
        if math.isfinite(result.loss):
            self._rank((result.loss, result.trial, result.rung, row), result.resource == self._max_resource)

    def extend(self, told: ResultColumns) -> None:
        """Add many evaluations."""
        first = len(self.log)
        self.log.extend(told.whole, told.real, told.metrics, told.objectives, told.spent)
        self._rank_from(first)

    def front(self, resource: float | None) -> list[int]:
        """Rows of the Pareto front, one a trial, in the order of the first objective; see `Run.front`."""
        columns, objectives = self.log.columns(), self.log.objectives
        fits = np.isfinite(objectives).all(axis=1)
        if resource is not None:
            fits &= np.asarray(columns["resource"]) == resource
        rows = np.flatnonzero(fits)
        rows = rows[pareto(objectives[rows])]
        trials = np.asarray(columns["trial"])
        found: dict[int, int] = {}
        for row in rows[np.lexsort((trials[rows], *objectives[rows].T[::-1]))].tolist():
            found.setdefault(int(trials[row]), row)
        return list(found.values())

    def _rank_from(self, first: int) -> None:
        """Take the evaluations from this row on into account."""
        for full in (False, True):
            if (row := self.log.best(first, self._max_resource if full else None)) is not None:
                self._rank((*self.log.rank_key(row), row), full)

    def _rank(self, key: Key, full: bool) -> None:
        if self._best is None or key < self._best:
            self._best = key
        if full and (self._best_at_full is None or key < self._best_at_full):
            self._best_at_full = key
