"""Asynchronous brackets on Python's heaps: for installations without a compiler, and for several objectives."""

from __future__ import annotations

import math
from heapq import heappop, heappush
from typing import Any

import numpy as np

from hyperband.tuning.pareto import ranked
from hyperband.tuning.schedulers.rung_table import F64, I64
from hyperband.tuning.trial import Loss, is_finite

OPEN, PAUSED, OVER, WITHDRAWN = 0, 1, 2, 3  #: status of a trial
UNKNOWN, CLOSED, WRONG_RUNG = 1, 2, 3  #: why a loss is rejected

Row = tuple[float, int]  # loss, trial


class _HeapRung:
    """One rung for one objective; the same algorithm as `AsyncRung` of `csrc/core/async_rungs.hpp`."""

    def __init__(self, numerator: int, denominator: int) -> None:
        self._numerator, self._denominator, self.finished = numerator, denominator, 0
        self._best: list[Row] = []  # negated, so that the worst is in front
        self._rest: list[Row] = []
        self._waiting: list[Row] = []

    def record(self, trial: int, loss: float) -> None:
        self.finished += 1
        if math.isfinite(loss):
            heappush(self._waiting, (loss, trial))
            if self._best and (-loss, -trial) > self._best[0]:
                heappush(self._best, (-loss, -trial))
            else:
                heappush(self._rest, (loss, trial))
        self._fill()

    def _fill(self) -> None:
        share = self.finished * self._denominator // self._numerator
        while len(self._best) > share:
            loss, trial = heappop(self._best)
            heappush(self._rest, (-loss, -trial))
        while len(self._best) < share and self._rest:
            loss, trial = heappop(self._rest)
            heappush(self._best, (-loss, -trial))

    def ready(self) -> bool:
        if not self._waiting or not self._best:
            return False
        loss, trial = self._waiting[0]
        return (-loss, -trial) >= self._best[0]

    def take(self) -> int:
        return heappop(self._waiting)[1]

    def rows(self) -> tuple[I64, F64]:
        rows = sorted([*((-trial, -loss) for loss, trial in self._best), *((t, loss) for loss, t in self._rest)])
        return np.array([t for t, _ in rows], dtype=np.int64), np.array([loss for _, loss in rows])

    def restore(self, finished: int, trials: I64, losses: F64, waiting: set[int]) -> None:
        self.finished = finished
        self._best, self._rest, self._waiting = [], [], []
        for loss, trial in zip(losses.tolist(), trials.tolist(), strict=True):
            heappush(self._rest, (loss, trial))
            if trial in waiting:
                heappush(self._waiting, (loss, trial))
        self._fill()


class _FrontRung:
    """A rung ranked by several objectives: again when a result has arrived since the last ranking."""

    def __init__(self, numerator: int, denominator: int) -> None:
        self._numerator, self._denominator, self.finished = numerator, denominator, 0
        self._losses: dict[int, tuple[float, ...]] = {}
        self._promoted: set[int] = set()
        self._next: list[int] | None = None

    def record(self, trial: int, loss: Loss) -> None:
        self.finished += 1
        if isinstance(loss, tuple) and is_finite(loss):
            self._losses[trial] = loss
        self._next = None

    def ready(self) -> bool:
        if self._next is None:
            share = self.finished * self._denominator // self._numerator
            trials = list(self._losses)
            best = ranked(list(self._losses.values()), trials)[:share].tolist() if share and trials else []
            self._next = [trials[row] for row in best if trials[row] not in self._promoted]
        return bool(self._next)

    def take(self) -> int:
        trial = self._next.pop(0) if self._next else -1
        self._promoted.add(trial)
        return trial

    def rows(self) -> tuple[I64, F64]:
        trials = sorted(self._losses)
        return np.array(trials, dtype=np.int64), np.array([self._losses[trial] for trial in trials])

    def restore(self, finished: int, trials: I64, losses: F64, waiting: set[int]) -> None:
        self.finished = finished
        self._losses = {trial: tuple(loss) for trial, loss in zip(trials.tolist(), losses.tolist(), strict=True)}
        self._promoted, self._next = set(self._losses) - waiting, None


class _PythonRungs:
    """The same table as `AsyncRungs` of `csrc/core/async_rungs.hpp`, over either kind of rung."""

    _rung: Any

    def __init__(self, n_rungs: list[int], numerator: int, denominator: int) -> None:
        self._tables = [[self._rung(numerator, denominator) for _ in range(n)] for n in n_rungs]
        self._limits = [n - 1 for n in n_rungs]
        self._bracket: list[int] = []
        self._at: list[int] = []
        self._status: list[int] = []
        self.n_open = 0

    @property
    def n_trials(self) -> int:
        return len(self._bracket)

    def begin(self, brackets: list[int]) -> int:
        first = len(self._bracket)
        self._bracket += brackets
        self._at += [0] * len(brackets)
        self._status += [OPEN] * len(brackets)
        self.n_open += len(brackets)
        return first

    def _from_the_top(self) -> list[tuple[int, int]]:
        """(bracket, rung) pairs that may promote, the highest rung first."""
        longest = max(map(len, self._tables))
        pairs = [
            (bracket, len(rungs) - depth)
            for depth in range(2, longest + 1)
            for bracket, rungs in enumerate(self._tables)
        ]
        return [(bracket, rung) for bracket, rung in pairs if 0 <= rung < self._limits[bracket]]

    @property
    def ready(self) -> bool:
        return any(self._tables[bracket][rung].ready() for bracket, rung in self._from_the_top())

    def promote(self, n: int) -> list[tuple[int, int, int]]:
        found: list[tuple[int, int, int]] = []
        for bracket, rung in self._from_the_top():
            table = self._tables[bracket][rung]
            while len(found) < n and table.ready():
                trial = table.take()
                self._at[trial], self._status[trial] = rung + 1, OPEN
                found.append((trial, bracket, rung + 1))
        self.n_open += len(found)
        return found

    def check(self, trial: int, rung: int) -> int:
        if not 0 <= trial < len(self._bracket):
            return UNKNOWN
        if self._status[trial] != OPEN:
            return CLOSED
        return 0 if self._at[trial] == rung else WRONG_RUNG

    def record_one(self, trial: int, rung: int, loss: Any) -> int:
        if fault := self.check(trial, rung):
            return fault
        rungs = self._tables[self._bracket[trial]]
        rungs[rung].record(trial, loss)
        self._status[trial] = PAUSED if is_finite(loss) and rung + 1 < len(rungs) else OVER
        self.n_open -= 1
        return 0

    def record(self, trials: I64, rungs: I64, losses: F64) -> tuple[int, int]:
        told = list(zip(trials.tolist(), rungs.tolist(), losses.tolist(), strict=True))
        seen: set[int] = set()
        for row, (trial, rung, _) in enumerate(told):
            if fault := CLOSED if trial in seen else self.check(trial, rung):
                return row, fault
            seen.add(trial)
        for trial, rung, loss in told:
            self.record_one(trial, rung, tuple(loss) if isinstance(loss, list) else loss)
        return -1, 0

    def withdraw(self, trial: int) -> None:
        self._status[trial] = WITHDRAWN
        self.n_open -= 1

    def limit(self, bracket: int, rung: int) -> None:
        self._limits[bracket] = rung

    def trials(self) -> tuple[I64, I64, I64]:
        bracket, rung, status = (np.array(c, dtype=np.int64) for c in (self._bracket, self._at, self._status))
        return bracket, rung, status

    def rows(self, bracket: int, rung: int) -> tuple[int, I64, F64]:
        table = self._tables[bracket][rung]
        return table.finished, *table.rows()

    def restore_trials(self, brackets: I64, rungs: I64, statuses: I64) -> None:
        self._bracket, self._at, self._status = brackets.tolist(), rungs.tolist(), statuses.tolist()
        self.n_open = self._status.count(OPEN)

    def restore_rows(self, bracket: int, rung: int, finished: int, trials: I64, losses: F64) -> None:
        waiting = {trial for trial in trials.tolist() if self._at[trial] == rung}
        self._tables[bracket][rung].restore(finished, trials, losses, waiting)


class HeapRungs(_PythonRungs):
    """For one objective."""

    _rung = _HeapRung


class FrontRungs(_PythonRungs):
    """For several objectives: rungs ranked by non-dominated fronts."""

    _rung = _FrontRung
