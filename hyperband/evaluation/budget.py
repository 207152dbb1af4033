"""Limits of a whole search, and what counts towards them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import TYPE_CHECKING, Any

from hyperband._common.checks import exact, whole_number
from hyperband.errors import InputError
from hyperband.tuning.trial import Job, Result

if TYPE_CHECKING:
    from hyperband.tuning.run.run import Run


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of a whole search; None: no limit. The first that is reached ends the search.

    Parameters
    ----------
    seconds : float > 0
        Wall time. Evaluations that run then are given up; one in the caller's own thread is finished first.
    evaluations : int >= 1
        Losses asked for.
    resource : float > 0
        Total spend: no job is started that would exceed it.
    target : float
        The search ends as soon as a loss is this small.
    cost : float > 0
        Sum of what evaluations cost, in units of resource unless the objective says otherwise. A cost is known only
        afterwards: no job starts once the sum has reached the limit, and those that run are finished.
    patience : int >= 1
        The search ends when so many evaluations in a row, failed ones included, have not improved the smallest loss.
        Of several objectives the first one counts.
    min_improvement : float >= 0
        A loss counts as improved when it is smaller by more than this than the last one that counted.

    Raises
    ------
    InputError
        When a value breaks one of these rules.
    """

    seconds: float | None = None
    evaluations: int | None = None
    resource: float | None = None
    target: float | None = None
    cost: float | None = None
    patience: int | None = None
    min_improvement: float = 0.0

    def __post_init__(self) -> None:
        for name in ("evaluations", "patience"):
            if getattr(self, name) is not None:
                whole_number(getattr(self, name), name)
        for name in ("seconds", "resource", "cost"):
            value = getattr(self, name)
            if value is not None and not _number(value) > 0:
                raise InputError(f"`{name}` of a budget must be greater than 0; got {value!r}. Pass None for no limit.")
        if self.target is not None and math.isnan(_number(self.target)):
            raise InputError(f"`target` of a budget must be a number; got {self.target!r}. Pass None for no target.")
        if exact(self.min_improvement, "min_improvement") < 0:
            raise InputError(f"`min_improvement` must be at least 0; got {self.min_improvement!r}.")
        if self.min_improvement and self.patience is None:
            raise InputError(f"`min_improvement` needs `patience`; got {self.min_improvement!r} without it.")

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return any(getattr(self, field.name) is not None for field in fields(self) if field.name != "min_improvement")


def check_ends(endless: bool, budget: Budget) -> None:
    """`InputError` when neither the algorithm nor the budget ends a search."""
    if endless and not budget.limited:
        raise InputError(
            "`budget` must have a limit when the algorithm has no end; got none. Pass for instance Budget(seconds=600) "
            "(--time 10m), or give the algorithm a number of configurations (`n`) or of `repetitions`."
        )


class Spending:
    """What a search has spent, and which limit of its budget that reaches.

    Parameters
    ----------
    budget : Budget
    run : Run
        What it was told before counts.
    continues : bool
        Whether a job pays for the resource that it adds, or for all of it.
    """

    def __init__(self, budget: Budget, run: Run, continues: bool) -> None:
        self._budget, self._continues = budget, continues
        self._started = time.monotonic()
        #: monotonic seconds at which the time is up; None: never
        self.deadline = None if budget.seconds is None else self._started + budget.seconds
        self._limit = self.deadline
        self._begun, self._promised = run.n_evaluations, float(run.spent)
        self._paid = math.fsum(run.columns()["cost"].tolist()) if budget.cost is not None else 0.0
        self._reference = math.inf if run.best is None else run.best.loss  # the last loss that counted as improved
        self._since = 0  # evaluations since then

    def end_by(self, deadline: float) -> None:
        """Time is up at this moment (monotonic seconds), or when the budget says so, if that is earlier."""
        self.deadline = deadline if self._limit is None else min(deadline, self._limit)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    @property
    def time_is_up(self) -> bool:
        """Whether the wall time is spent."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def forbids(self, job: Job) -> str | None:
        """The limit that keeps a job from starting, if any."""
        if self._budget.evaluations is not None and self._begun >= self._budget.evaluations:
            return "evaluations"
        if self._budget.resource is not None and self._promised + self._price(job) > self._budget.resource:
            return "resource"
        if self._budget.cost is not None and self._paid >= self._budget.cost:
            return "cost"
        return None

    def begin(self, job: Job) -> None:
        """A job starts."""
        self._begun += 1
        self._promised += self._price(job)

    def tell(self, results: Sequence[Result]) -> str | None:
        """Enter results; returns the limit that they have reached, if any."""
        self._paid += math.fsum(result.cost or 0.0 for result in results)
        # A batch counts in one fixed order, however it was shuffled.
        for result in sorted(results, key=lambda r: (r.bracket, r.rung, r.trial)):
            if math.isfinite(result.loss) and result.loss < self._reference - self._budget.min_improvement:
                self._reference, self._since = result.loss, 0
            else:
                self._since += 1
        if self._budget.target is not None and any(result.loss <= self._budget.target for result in results):
            return "target"
        return "patience" if self._budget.patience is not None and self._since >= self._budget.patience else None

    def _price(self, job: Job) -> float:
        return job.resource - job.previous if self._continues else job.resource


def _number(value: Any) -> float:
    """NaN for what is no number."""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
