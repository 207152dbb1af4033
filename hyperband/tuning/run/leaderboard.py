"""Every evaluation of a run, and which of them lead."""

from __future__ import annotations

import math

import numpy as np

from hyperband.tuning.pareto import pareto
from hyperband.tuning.run.evaluation_log import Records
from hyperband.tuning.schedulers.rung_table import F64, I64
from hyperband.tuning.trial import Result

#: Of one evaluation, the best first: loss, trial, rung, and its row of the records.
Key = tuple[float, int, int, int]


class Standings:
    """Records with their leaders kept up to date: O(1) an evaluation.

    Parameters
    ----------
    full : float
        The maximal resource.
    records : Records, optional
        What is there already.

    Examples
    --------
    >>> standings = Standings(9)
    >>> standings.append(Result(0, 0, 0, 9, 0.5), 9)
    >>> standings.append(Result(1, 0, 0, 1, 0.25), 1)
    >>> standings.best, standings.best_at_full
    (1, 0)
    """

    def __init__(self, full: float, records: Records | None = None) -> None:
        self.records = Records() if records is None else records
        self._full = full
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

    def append(self, result: Result, spent: float) -> None:
        """Add one evaluation; see `Records.append`."""
        row = self.records.append(result, spent)
        if math.isfinite(result.loss):
            self._rank((result.loss, result.trial, result.rung, row), result.resource == self._full)

    def extend(self, whole: I64, real: F64, metrics: dict[str, F64], objectives: F64 | None, spent: float) -> None:
        """Add many evaluations; see `Records.extend`."""
        first = len(self.records)
        self.records.extend(whole, real, metrics, objectives, spent)
        self._rank_from(first)

    def front(self, resource: float | None) -> list[int]:
        """Rows of the Pareto front, one a trial, in the order of the first objective; see `Run.front`."""
        columns, objectives = self.records.columns(), self.records.objectives
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
        """Take the records from this row on into account."""
        for full in (False, True):
            if (row := self.records.best(first, self._full if full else None)) is not None:
                self._rank((*self.records.rank_key(row), row), full)

    def _rank(self, key: Key, full: bool) -> None:
        if self._best is None or key < self._best:
            self._best = key
        if full and (self._best_at_full is None or key < self._best_at_full):
            self._best_at_full = key
