"""Ask, evaluate, tell, until the plan is done, a budget is spent, or Ctrl-C is pressed."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from hyperband.evaluation.base import Evaluator
from hyperband.evaluation.budget import Budget, Spending, check_ends
from hyperband.evaluation.interrupts import uninterrupted
from hyperband.evaluation.progress import OnProgress, ProgressReport, ProgressTracker
from hyperband.tuning.run.run import Run
from hyperband.tuning.trial import Job, Result

#: Called after every batch of results; a true answer stops the search.
OnEvent: TypeAlias = Callable[[Run, Sequence[Result]], object]


class Extend(Protocol):
    """Adds brackets to a run that is done.

    Parameters
    ----------
    stop_at : float, monotonic seconds at which what was added is cut off
    """

    stop_at: float

    def __call__(self, run: Run) -> bool:
        """Add something to do (`Run.extend`), and say whether that was done."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the loop ended.

    Parameters
    ----------
    stopped : str
        "finished", "interrupted", "callback", "cut" (the evaluator halted), or the name of the limit of the budget that
        was reached.
    seconds : float, wall time
    """

    stopped: str
    seconds: float


def drive(
    run: Run,
    evaluator: Evaluator,
    budget: Budget | None = None,
    on_event: OnEvent | None = None,
    on_progress: OnProgress | None = None,
    extend: Extend | None = None,
) -> Outcome:
    """Carry out a run.

    Parameters
    ----------
    run : Run
        Open jobs of a resumed run are done first.
    evaluator : Evaluator
        It is left open: its owner closes it.
    budget : Budget, optional
    on_event : callable (run, results), optional
        Called after every batch of results; a true answer stops the search.
    on_progress : callable (SearchProgress), optional
        Called several times a second, as far as evaluations in this thread allow, and once at the end.
    extend : Extend, optional
        Called when the run is done and no limit was reached.

    Returns
    -------
    Outcome
        Also after Ctrl-C, as "interrupted"; what was found until then is in the run.

    Raises
    ------
    InputError
        When the run has no end and the budget no limit.
    """
    budget = budget or Budget()
    check_ends(run.plan.endless, budget)
    loop = _Loop(run, evaluator, budget, on_event, extend)
    if on_progress is not None:
        loop.report_to(on_progress, budget)
    try:
        stopped = loop.until_stopped()
    except KeyboardInterrupt:
        stopped = "interrupted"
    return Outcome(stopped, loop.seconds)


class _Loop:
    def __init__(
        self, run: Run, evaluator: Evaluator, budget: Budget, on_event: OnEvent | None, extend: Extend | None
    ) -> None:
        self._run, self._evaluator, self._on_event, self._extend = run, evaluator, on_event, extend
        self._spending = Spending(budget, run, evaluator.continues)
        self._queue = deque(run.open_jobs)
        self._working = 0  # jobs submitted and not yet collected
        self._report: ProgressReport | None = None

    def report_to(self, on_progress: OnProgress, budget: Budget) -> None:
        """Call a function with the progress, from now on."""
        tracker = ProgressTracker(self._run, self._evaluator.unit, self._evaluator.continues, budget)
        self._report = ProgressReport(tracker, self._evaluator.partial, on_progress)

    @property
    def seconds(self) -> float:
        return self._spending.seconds

    def until_stopped(self) -> str:
        """Work; returns why it ended."""
        stopped = self._work()
        if self._report is not None:
            self._report.now()
        return stopped

    def _work(self) -> str:
        full: str | None = None  # a limit that lets no further job start; running ones are finished
        while not self._spending.time_is_up:
            full = full or self._submit()
            if self._working == 0:
                if full is None and self._extended():
                    continue
                return full or "finished"
            if self._evaluator.halted:
                return "cut"
            results = self._collect()
            self._working -= len(results)
            if results and (reason := self._tell(results)):
                return reason
        return "time"

    def _extended(self) -> bool:
        """Whether a run that is done was given more to do."""
        if not self._run.done or self._extend is None or not self._extend(self._run):
            return False
        self._spending.end_by(self._extend.stop_at)
        if self._report is not None:
            self._report.tracker.replan(self._run.plan)
        return True

    def _submit(self) -> str | None:
        """Start what can start; returns the limit that forbids more."""
        while True:
            capacity = self._evaluator.capacity
            room = math.inf if capacity is None else capacity - self._working
            if room > len(self._queue):
                with uninterrupted():
                    self._queue.extend(self._run.ask(None if math.isinf(room) else int(room) - len(self._queue)))
            jobs: list[Job] = []
            full: str | None = None
            while self._queue and len(jobs) < room and not (full := self._spending.forbids(self._queue[0])):
                jobs.append(self._queue.popleft())
                self._spending.begin(jobs[-1])
            if jobs:
                self._evaluator.submit(jobs)
                self._working += len(jobs)
                if self._report is not None:
                    self._report.tracker.submit(jobs)
            # Jobs that wait for the one worker with their state have left room for others.
            if full or not jobs or capacity is None:
                return full

    def _collect(self) -> list[Result]:
        """Results, or none when it is time to show the progress again."""
        deadline = self._spending.deadline
        if self._report is not None:
            due = self._report.when_due()
            deadline = due if deadline is None else min(deadline, due)
        self._evaluator.deadline = deadline
        return self._evaluator.collect()

    def _tell(self, results: Sequence[Result]) -> str | None:
        """Pass results on; returns why the search should end now."""
        with uninterrupted():
            self._run.tell(results)
            gone = self._run.dropped()
        if gone:
            self._evaluator.release(gone)
        if self._report is not None:
            self._report.tracker.tell(results)
            self._report.tracker.drop(gone)
        reached = self._spending.tell(results)
        if self._on_event is not None and self._on_event(self._run, results):
            return "callback"
        return None if reached == "patience" and self._run.done else reached
