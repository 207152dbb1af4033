"""Ask, evaluate, tell, until the plan is done, a budget is spent, or somebody presses Ctrl-C."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hyperband.errors import InputError
from hyperband.evaluation.base import Evaluator
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.interrupts import uninterrupted
from hyperband.tuning.run.run import Run
from hyperband.tuning.trial import Job, Result

#: Called after every batch of results; a true answer stops the search.
OnEvent: TypeAlias = Callable[[Run, Sequence[Result]], object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the loop ended.

    Parameters
    ----------
    stopped : str
        "finished", "interrupted", "callback", or the name of the limit of the budget that was reached.
    seconds : float, wall time
    """

    stopped: str
    seconds: float


def drive(run: Run, evaluator: Evaluator, budget: Budget | None = None, on_event: OnEvent | None = None) -> Outcome:
    """Carry out a run.

    Parameters
    ----------
    run : Run
        Open jobs of a resumed run are done first.
    evaluator : Evaluator
        It is left open: its owner closes it. Four optional attributes: ``capacity`` (jobs that it works on at a time;
        all that there are when absent or None; read anew each time), ``continues`` (False when every job starts from
        zero, for the budget of resource) and ``failures`` (trial -> what went wrong) are read; ``deadline`` (monotonic
        seconds beyond which `collect` does not wait, or None) is set.
    budget : Budget, optional
    on_event : callable (run, results), optional
        Called after every batch of results; a true answer stops the search.

    Returns
    -------
    Outcome
        Also after Ctrl-C, as "interrupted"; what was found until then is in the run.

    Raises
    ------
    InputError
        When the run has no end and the budget no limit.
    """
    if getattr(run.plan, "endless", False) and not (budget or Budget()).limited:
        raise InputError(
            "`budget` must have a limit when the algorithm has no end; got none. "
            "Pass for instance Budget(seconds=600) or Budget(evaluations=1000)."
        )
    drive_ = _Drive(run, evaluator, budget or Budget(), on_event)
    try:
        stopped = drive_.until_stopped()
    except KeyboardInterrupt:
        stopped = "interrupted"
    return Outcome(stopped, drive_.seconds)


class _Drive:
    def __init__(self, run: Run, evaluator: Evaluator, budget: Budget, on_event: OnEvent | None) -> None:
        self._run, self._evaluator, self._budget, self._on_event = run, evaluator, budget, on_event
        self._started = time.monotonic()
        self._queue = deque(run.open_jobs)
        self._working = 0  # jobs submitted and not yet collected
        self._begun, self._promised = run.n_evaluations, float(run.spent)
        self._paid = math.fsum(run.columns()["cost"].tolist()) if self._budget.cost is not None else 0.0
        self._reference = math.inf if run.best is None else run.best.loss  # the last loss that counted as improved
        self._since = 0  # evaluations since then
        self._continues: bool = getattr(evaluator, "continues", True)
        if hasattr(evaluator, "deadline"):
            seconds = self._budget.seconds
            evaluator.deadline = None if seconds is None else self._started + seconds

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def until_stopped(self) -> str:
        """Work; returns why it ended."""
        full: str | None = None  # a budget that lets no further job start; those at work are finished
        while True:
            if self._budget.seconds is not None and self.seconds >= self._budget.seconds:
                return "time"
            full = full or self._submit()
            if self._working == 0:
                return full or "finished"
            results = self._evaluator.collect()
            self._working -= len(results)
            if results and (reason := self._tell(results)):
                return reason

    def _submit(self) -> str | None:
        """Start what can start; returns the budget that forbids more."""
        while True:
            capacity: int | None = getattr(self._evaluator, "capacity", None)
            room = math.inf if capacity is None else capacity - self._working
            if room > len(self._queue):
                with uninterrupted():
                    self._queue.extend(self._run.ask(None if math.isinf(room) else int(room) - len(self._queue)))
            jobs: list[Job] = []
            full: str | None = None
            while self._queue and len(jobs) < room and not (full := self._forbids(self._queue[0])):
                jobs.append(self._queue.popleft())
                self._begun += 1
                self._promised += self._price(jobs[-1])
            if jobs:
                self._evaluator.submit(jobs)
                self._working += len(jobs)
            # Jobs that wait for the one worker with their state have left room for others.
            if full or not jobs or capacity is None:
                return full

    def _price(self, job: Job) -> float:
        return job.resource - job.previous if self._continues else job.resource

    def _forbids(self, job: Job) -> str | None:
        if self._budget.evaluations is not None and self._begun >= self._budget.evaluations:
            return "evaluations"
        if self._budget.resource is not None and self._promised + self._price(job) > self._budget.resource:
            return "resource"
        if self._budget.cost is not None and self._paid >= self._budget.cost:
            return "cost"
        return None

    def _tell(self, results: Sequence[Result]) -> str | None:
        """Pass results on; returns why the search should end now."""
        with uninterrupted():
            self._run.tell(results)
            gone = self._run.dropped()
        if gone:
            self._evaluator.release(gone)
        self._paid += math.fsum(result.cost or 0.0 for result in results)
        stale = self._stale(results)
        if self._on_event is not None and self._on_event(self._run, results):
            return "callback"
        if self._budget.target is not None and any(r.loss <= self._budget.target for r in results):
            return "target"
        return "patience" if stale and not self._run.done else None

    def _stale(self, results: Sequence[Result]) -> bool:
        """Whether too many evaluations were of no use; a batch counts in one fixed order, however it was shuffled."""
        for result in sorted(results, key=lambda r: (r.bracket, r.rung, r.trial)):
            if math.isfinite(result.loss) and result.loss < self._reference - self._budget.min_improvement:
                self._reference, self._since = result.loss, 0
            else:
                self._since += 1
        return self._budget.patience is not None and self._since >= self._budget.patience
