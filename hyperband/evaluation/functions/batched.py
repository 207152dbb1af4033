"""Evaluates a function that takes many configurations at once, as columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.checks import whole_number
from hyperband.errors import InputError
from hyperband.evaluation.functions.evaluation import Evaluation, Outcome, failed, outcome_of
from hyperband.evaluation.functions.failure import Failure, Failures
from hyperband.evaluation.functions.objectives import Kind, kind_of
from hyperband.evaluation.functions.state_memory import StateMemory
from hyperband.evaluation.interrupts import is_from_outside
from hyperband.tuning.trial import Job, Result

if TYPE_CHECKING:
    from hyperband.space import Space


class BatchedEvaluator:
    """Calls an objective with all jobs that wait for the same resource; in this thread.

    A call that raises fails every trial of its batch, since nobody can know which one was to blame. The loss NaN fails
    a single trial.

    Parameters
    ----------
    objective : callable
        ``objective(columns, resources) -> losses``, or ``objective(columns, resources, states) -> Evaluation(losses,
        state=[...])``. ``columns`` maps every parameter to an array, shape (n,), as `Space.columns` gives: NaN or None
        where it is inactive. ``resources`` is an array, shape (n,), of one value; ``states`` a list, None for new
        trials. ``losses`` has shape (n,), or (n, n_objectives).
    space : Space
    unit : str, of the resource, for people
    size : int, optional
        Configurations in one call at most; a whole rung, however large, when not given.
    retries : int >= 0
        How often a call that raised is made again.

    Raises
    ------
    InputError
        When ``objective`` cannot be called with two or three arguments, or is a generator.
    """

    halted = False

    def __init__(
        self,
        objective: Callable[..., Any],
        space: Space,
        unit: str = "resource",
        size: int | None = None,
        retries: int = 0,
    ) -> None:
        kind = kind_of(objective)
        if kind is Kind.YIELDS:
            raise InputError("`objective` must not be a generator when batched; got one. Return the losses.")
        self.unit = unit
        self.continues = kind.continues
        self.capacity = None if size is None else whole_number(size, "batched")  #: None: all jobs that there are
        self.failures = Failures()
        self._objective, self._retries = objective, whole_number(retries, "retries", 0)
        self._columns = _Columns(space)
        self._waiting: dict[int, Job] = {}
        self._states = StateMemory()
        self.deadline: float | None = None  #: not read: a call in this thread cannot be cut short
        self._done: list[Result] = []  # failed before they were called
        self._n_objectives = 0

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take on more jobs."""
        for job in jobs:
            try:
                if job.parent is not None and self.continues:
                    self._states.copy(job.parent, job.trial)
                self._waiting[job.trial] = job
            except TypeError as error:
                self._done.append(self._fail(job, Failure.of(error)))

    def collect(self) -> list[Result]:
        """Evaluate all jobs of one resource: that of the job that has waited longest."""
        done, self._done = self._done, []
        if done or not self._waiting:
            return done
        first = next(iter(self._waiting.values()))
        jobs = [job for job in self._waiting.values() if job.resource == first.resource]
        for job in jobs:
            del self._waiting[job.trial]
        for left in range(self._retries, -1, -1):
            try:
                return self._evaluate(jobs)
            except BaseException as error:  # the user's code can raise anything
                if is_from_outside(error):
                    raise
                failure = Failure.of(error)
                if not left:
                    return [self._fail(job, failure) for job in jobs]
        return []

    def partial(self) -> dict[int, float]:
        """Nothing: what a call has done is known when it returns."""
        return {}

    def release(self, trials: Sequence[int]) -> None:
        """Forget the states of these trials."""
        self._states.release(trials)

    def close(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._done.clear()
        self._states.close()

    def _evaluate(self, jobs: Sequence[Job]) -> list[Result]:
        columns = self._columns.of([job.configuration for job in jobs])
        arguments: list[Any] = [columns, np.array([job.resource for job in jobs])]
        spent = [float(job.resource) for job in jobs]
        if self.continues:
            held = [self._states.take(job.trial) for job in jobs]
            spent = [job.resource - (job.previous if state else 0) for job, state in zip(jobs, held, strict=True)]
            arguments.append([state[0] if isinstance(state, tuple) else None for state in held])
        returned = self._objective(*arguments)
        if self.continues and not isinstance(returned, Evaluation):
            kind = type(returned).__name__
            raise TypeError(f"an objective with states must return Evaluation(losses, state=[...]); got {kind}")
        rows = list(_rows(returned if isinstance(returned, Evaluation) else Evaluation(returned), len(jobs)))
        return [self._finish(job, row, cost) for job, row, cost in zip(jobs, rows, spent, strict=True)]

    def _finish(self, job: Job, row: Evaluation, spent: float) -> Result:
        try:
            outcome: Outcome = outcome_of(row, spent)
        except (TypeError, ValueError) as error:
            return self._fail(job, Failure.of(error))
        n = len(outcome.losses)
        self._n_objectives = self._n_objectives or n
        if n != self._n_objectives:
            what = f"the number of objectives must stay the same: {self._n_objectives} before; got {n}"
            return self._fail(job, Failure(what))
        if self.continues and math.isfinite(outcome.losses[0]):
            self._states.keep(job.trial, (row.state,))
        return outcome.result(job)

    def _fail(self, job: Job, failure: Failure) -> Result:
        self.failures.add(job, failure)
        return failed(job)


class _Columns:
    """Columns of configurations, of the same kinds as `Space.columns` gives."""

    def __init__(self, space: Space) -> None:
        # Only the kinds: encoding and decoding the values of the jobs once more could change their last bits.
        self._kinds = {name: column.dtype for name, column in space.columns(np.zeros((1, space.n_dimensions))).items()}

    def of(self, configurations: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
        """One array a parameter; NaN or None where it is absent."""
        return {
            name: _column([configuration.get(name) for configuration in configurations], kind)
            for name, kind in self._kinds.items()
        }


def _column(values: Sequence[Any], kind: np.dtype[Any]) -> NDArray[Any]:
    holes = any(value is None for value in values)
    if holes and kind.kind in "if":
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    if not holes and kind.kind != "O":
        return np.array(values, dtype=kind)
    column = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):  # one by one: NumPy would take a list of lists apart
        column[row] = value
    return column


def _rows(whole: Evaluation, n: int) -> Iterator[Evaluation]:
    """An evaluation of ``n`` configurations, one by one."""
    losses = _each(whole.loss, n, "losses")
    states = [None] * n if whole.state is None else _each(whole.state, n, "states")
    costs: Sequence[Any] = [None] * n
    if whole.cost is not None:
        costs = [whole.cost / n] * n if np.ndim(whole.cost) == 0 else _each(whole.cost, n, "costs")
    metrics = {name: _each(values, n, f"values of metric {name!r}") for name, values in whole.metrics.items()}
    for row in range(n):
        yield Evaluation(losses[row], states[row], costs[row], {name: v[row] for name, v in metrics.items()})


def _each(values: Any, n: int, what: str) -> Sequence[Any]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"a batched objective must return {n} {what}, one a configuration; got {values!r}")
    rows = list(values)
    if len(rows) != n:
        raise ValueError(f"a batched objective must return {n} {what}, one a configuration; got {len(rows)}")
    return rows
