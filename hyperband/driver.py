"""Ask, evaluate, tell, until the plan is done, a budget is spent, or somebody presses Ctrl-C."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from hyperband.errors import InputError
from hyperband.evaluators.base import Evaluator
from hyperband.result import SearchResult
from hyperband.run import Run
from hyperband.schedule import whole_number
from hyperband.trial import Job, Result

#: Called after every batch of results; a true answer stops the search.
OnEvent: TypeAlias = Callable[[Run, Sequence[Result]], object]


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of a whole search; None is none. The first that is reached ends it.

    Parameters
    ----------
    seconds : float > 0
        Wall time. What is being evaluated then is given up; an evaluation of a function is finished first.
    evaluations : int >= 1
        Losses asked for.
    resource : float > 0
        Total spend: no job is started that would exceed it.
    target : float
        The search ends as soon as a loss is this small.
    """

    seconds: float | None = None
    evaluations: int | None = None
    resource: float | None = None
    target: float | None = None

    def __post_init__(self) -> None:
        if self.evaluations is not None:
            whole_number(self.evaluations, "evaluations")
        for name in ("seconds", "resource"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"`{name}` of a budget must be greater than 0; got {value!r}. Pass None for no limit.")
        if self.target is not None and math.isnan(self.target):
            raise InputError("`target` of a budget must be a number; got nan. Pass None for no target.")


def drive(
    run: Run,
    evaluator: Evaluator,
    budget: Budget | None = None,
    on_event: OnEvent | None = None,
    *,
    comparable: bool = True,
) -> SearchResult:
    """Carry out a run.

    Parameters
    ----------
    run : Run
        Open jobs of a resumed run are done first.
    evaluator : Evaluator
        It is left open: its owner closes it. Three optional attributes are read: ``capacity`` (jobs that it works on at
        a time; all that there are when absent or None), ``continues`` (False when every job starts from zero, for the
        budget of resource) and ``failures`` (trial -> what went wrong).
    budget : Budget, optional
    on_event : callable (run, results), optional
        Called after every batch of results; a true answer stops the search.
    comparable : bool
        Losses at different resource mean the same (epochs); see `SearchResult`.

    Returns
    -------
    SearchResult
        Also after Ctrl-C: with what was found until then, and ``interrupted``.
    """
    drive_ = _Drive(run, evaluator, budget or Budget(), on_event)
    try:
        stopped = drive_.until_stopped()
    except KeyboardInterrupt:
        stopped = "interrupted"
    others = {"unit": evaluator.unit, "seconds": drive_.seconds, "stopped": stopped}
    failures = dict(getattr(evaluator, "failures", {}))
    return SearchResult.of(run, comparable=comparable, failures=failures, **others)


class _Drive:
    def __init__(self, run: Run, evaluator: Evaluator, budget: Budget, on_event: OnEvent | None) -> None:
        self._run, self._evaluator, self._budget, self._on_event = run, evaluator, budget, on_event
        self._started = time.monotonic()
        self._queue = deque(run.open_jobs)
        self._working = 0  # jobs submitted and not yet collected
        self._begun, self._promised = run.n_evaluations, float(run.spent)
        self._capacity: int | None = getattr(evaluator, "capacity", None)
        self._continues: bool = getattr(evaluator, "continues", True)

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
        room = math.inf if self._capacity is None else self._capacity - self._working
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
        return full

    def _price(self, job: Job) -> float:
        return job.resource - job.previous if self._continues else job.resource

    def _forbids(self, job: Job) -> str | None:
        if self._budget.evaluations is not None and self._begun >= self._budget.evaluations:
            return "evaluations"
        if self._budget.resource is not None and self._promised + self._price(job) > self._budget.resource:
            return "resource"
        return None

    def _tell(self, results: Sequence[Result]) -> str | None:
        """Pass results on; returns why the search should end now."""
        with uninterrupted():
            self._run.tell(results)
            gone = self._run.dropped()
        if gone:
            self._evaluator.release(gone)
        if self._on_event is not None and self._on_event(self._run, results):
            return "callback"
        if self._budget.target is not None and any(r.loss <= self._budget.target for r in results):
            return "target"
        return None


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back for the few microseconds in which the books are between two states."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals arrive in the main thread only
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
        if pressed:
            signal.raise_signal(signal.SIGINT)
