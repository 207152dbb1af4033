"""How far a search is: what the loop has submitted, what was told, and what evaluators say of open jobs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hyperband.evaluation.budget import Budget
from hyperband.tuning.plans import Plan
from hyperband.tuning.run.run import Run
from hyperband.tuning.trial import Job, Result

#: The rate is averaged over so many seconds at least, and over this share of the time since the start.
WINDOW, SHARE = 5.0, 0.25

#: Seconds between two reports.
INTERVAL = 0.1


@dataclass(frozen=True, slots=True)
class BracketProgress:
    """One bracket now.

    Parameters
    ----------
    bracket, rung, n_rungs : int
        ``rung`` is the highest one that was reached, counted from 0.
    trials_left : int
        Trials that are evaluated now or may still be promoted.
    best : float
        Smallest loss of this bracket so far; NaN before the first.
    done, planned : float
        Resource, of all trials of the bracket.
    """

    bracket: int
    rung: int
    n_rungs: int
    trials_left: int
    best: float
    done: float
    planned: float


@dataclass(frozen=True, slots=True)
class SearchProgress:
    """The whole search now.

    Parameters
    ----------
    brackets : tuple of BracketProgress
        Of a search without end: the latest repetition, and what is not finished of those before.
    unit : str, of the resource
    seconds : float, since the start
    rate : float, resource a second, over the last seconds
    seconds_left : float or None
        Estimated from the rate and what is planned, or from the budget, whichever ends first; None where neither tells.
    exact : bool
        False for asynchronous algorithms: at least as much as planned will run.
    """

    brackets: tuple[BracketProgress, ...]
    unit: str
    seconds: float
    rate: float
    seconds_left: float | None = None
    exact: bool = True

    @property
    def done(self) -> float:
        """Resource spent, of the brackets that are shown."""
        return math.fsum(bracket.done for bracket in self.brackets)

    @property
    def planned(self) -> float:
        """Resource planned, of the brackets that are shown."""
        return math.fsum(bracket.planned for bracket in self.brackets)


#: Called with how far the search is, several times a second.
OnProgress: TypeAlias = Callable[[SearchProgress], object]


@dataclass(slots=True)
class _Bracket:
    rung: int = 0
    trials_left: int = 0
    best: float = math.nan
    done: float = 0.0


class ProgressTracker:
    """Keeps account of what the loop sees, and sums it up on demand.

    Parameters
    ----------
    run : Run
        What it was told before counts as done.
    unit : str, of the resource
    continues : bool
        Whether a job pays for the resource that it adds, or for all of it.
    budget : Budget, for the time left

    Examples
    --------
    >>> import hyperband as hb
    >>> run = hb.Hyperband(9).start(hb.Space({"x": hb.Float(0.0, 1.0)}))
    >>> tracker = ProgressTracker(run, "epochs", continues=True, budget=hb.Budget())
    >>> tracker.submit(run.ask(3))
    >>> progress = tracker.summary(partial={0: 0.5})
    >>> progress.brackets[0].trials_left, progress.done, progress.planned
    (3, 0.5, 69.0)
    """

    def __init__(self, run: Run, unit: str, continues: bool, budget: Budget) -> None:
        self._unit, self._continues, self._budget = unit, continues, budget
        self.replan(run.plan)
        self._brackets: dict[int, _Bracket] = {}
        self._open: dict[int, tuple[int, float]] = {}  # trial -> its bracket, what its job adds
        self._partial: dict[int, float] = {}  # trial -> what its open job has added so far
        self._left: dict[int, int] = {}  # trial -> bracket
        self._catch_up(run.results)
        self._evaluations_before = self._evaluations = run.n_evaluations
        self._started = time.monotonic()
        self._marks = [(0.0, self._done())]  # (seconds, resource) of the last seconds

    def replan(self, plan: Plan) -> None:
        """What is meant to run has changed: brackets were added."""
        self._plan = plan
        self._planned = [float(b.cost if self._continues else b.cost_restart) for b in plan.brackets]

    def submit(self, jobs: Sequence[Job]) -> None:
        """These jobs have begun."""
        for job in jobs:
            bracket = self._bracket(job.bracket)
            bracket.rung = max(bracket.rung, job.rung)
            if job.trial not in self._left:
                self._left[job.trial] = job.bracket
                bracket.trials_left += 1
            self._open[job.trial] = job.bracket, job.resource - (job.previous if self._continues else 0)

    def tell(self, results: Sequence[Result]) -> None:
        """These jobs are finished."""
        self._evaluations += len(results)
        for result in results:
            _, added = self._open.pop(result.trial)
            self._partial.pop(result.trial, None)
            self._add(result, added)

    def drop(self, trials: Sequence[int]) -> None:
        """These trials will never continue."""
        for trial in trials:
            bracket = self._left.pop(trial, None)
            if bracket is not None:
                self._brackets[bracket].trials_left -= 1

    def summary(self, partial: Mapping[int, float]) -> SearchProgress:
        """The figures now; ``partial``: see `Evaluator.partial`."""
        # Networks that wait on disk are not in `partial`: what they had gained before still counts.
        self._partial |= {trial: gained for trial, gained in partial.items() if trial in self._open}
        seconds, done = time.monotonic() - self._started, self._done()
        rate = self._rate(seconds, done)
        gained: dict[int, float] = {}
        for trial, resource in self._partial.items():
            bracket = self._open[trial][0]
            gained[bracket] = gained.get(bracket, 0.0) + resource
        brackets = tuple(self._describe(k, gained.get(k, 0.0)) for k in self._shown())
        left = self._seconds_left(seconds, done, rate)
        return SearchProgress(brackets, self._unit, seconds, rate, left, self._plan.exact)

    def _catch_up(self, results: Sequence[Result]) -> None:
        """Enter what was told before, in the order (bracket, rung, trial)."""
        reached: dict[int, float] = {}
        for result in results:
            before = reached.get(result.trial, 0.0) if self._continues else 0.0
            self._add(result, result.resource - before)
            reached[result.trial] = result.resource

    def _add(self, result: Result, resource: float) -> None:
        bracket = self._bracket(result.bracket)
        bracket.rung = max(bracket.rung, result.rung)
        bracket.done += resource
        if math.isfinite(result.loss) and not result.loss >= bracket.best:
            bracket.best = result.loss

    def _bracket(self, k: int) -> _Bracket:
        return self._brackets.setdefault(k, _Bracket())

    def _done(self) -> float:
        return math.fsum([*(bracket.done for bracket in self._brackets.values()), *self._partial.values()])

    def _shown(self) -> list[int]:
        n = len(self._planned)
        if not self._plan.endless:
            return list(range(n))
        end = max([n, *(k + 1 for k in self._brackets)])
        return [k for k in range(end) if k >= end - n or (k in self._brackets and self._brackets[k].trials_left)]

    def _describe(self, k: int, gained: float) -> BracketProgress:
        like = k % len(self._planned)  # repetitions are planned alike
        bracket = self._brackets.get(k, _Bracket())
        planned, done = self._planned[like], bracket.done + gained
        if not self._plan.exact:  # at least so much was planned
            planned = max(planned, done)
        n_rungs = len(self._plan.brackets[like].rungs)
        return BracketProgress(k, bracket.rung, n_rungs, bracket.trials_left, bracket.best, min(done, planned), planned)

    def _rate(self, seconds: float, done: float) -> float:
        """Resource a second, over a window that grows with the search: slow evaluations arrive one by one."""
        window = max(WINDOW, SHARE * seconds)
        while len(self._marks) > 1 and self._marks[1][0] <= seconds - window:
            del self._marks[0]
        then, before = self._marks[0]
        if seconds - self._marks[-1][0] >= window / 100 or len(self._marks) == 1:  # so many are kept at most
            self._marks.append((seconds, done))
        return (done - before) / (seconds - then) if seconds > then else 0.0

    def _seconds_left(self, seconds: float, done: float, rate: float) -> float | None:
        ends = []
        if rate > 0 and self._plan.exact and not self._plan.endless:
            ends.append((math.fsum(self._planned) - done) / rate)
        if rate > 0 and self._budget.resource is not None:
            ends.append((self._budget.resource - done) / rate)
        evaluated = self._evaluations - self._evaluations_before
        if evaluated and self._budget.evaluations is not None:
            ends.append((self._budget.evaluations - self._evaluations) * seconds / evaluated)
        if self._budget.seconds is not None:
            ends.append(self._budget.seconds - seconds)
        return max(0.0, min(ends)) if ends else None


class ProgressReport:
    """Calls a function with the progress, several times a second.

    Parameters
    ----------
    tracker : ProgressTracker
    partial : callable, see `hyperband.evaluation.base.Evaluator.partial`
    on_progress : callable (SearchProgress)
    """

    def __init__(
        self, tracker: ProgressTracker, partial: Callable[[], Mapping[int, float]], on_progress: OnProgress
    ) -> None:
        self.tracker = tracker
        self._partial, self._on_progress = partial, on_progress
        self._due = time.monotonic()

    def when_due(self) -> float:
        """Call the function if it is time; returns when (monotonic seconds) it is time again."""
        if time.monotonic() >= self._due:
            self.now()
        return self._due

    def now(self) -> None:
        """Call the function."""
        self._due = time.monotonic() + INTERVAL
        # Only what the search was told counts as a loss: none is shown that Ctrl-C could lose.
        self._on_progress(self.tracker.summary(self._partial()))
