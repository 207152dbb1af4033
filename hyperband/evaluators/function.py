"""Evaluates any Python function, one job after another, in this process."""

from __future__ import annotations

import inspect
import math
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hyperband.errors import InputError
from hyperband.trial import Job, Result


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an objective returns when a loss alone is not enough.

    Parameters
    ----------
    loss : float
        What is minimised; NaN for a failure.
    state : Any
        Handed to the objective when the trial goes on; kept in memory until the trial is dropped.
    cost : float, optional
        Spent on this call alone; the resource of the call when not given.
    metrics : Mapping[str, float]
        Further figures for the table of trials.
    """

    loss: float
    state: Any = None
    cost: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


class FunctionEvaluator:
    """Runs an objective; the trials that it fails on get the loss NaN, and the search goes on.

    Parameters
    ----------
    objective : callable
        ``objective(configuration, resource) -> loss or Evaluation``: every call starts from zero; or
        ``objective(configuration, resource, state) -> Evaluation(loss, state=...)``: the call goes on from the state
        that it returned for this trial (None for a new one) until the trial has ``resource`` in all. A third
        parameter without a default, or one named ``state``, makes it the second kind.
    unit : str, of the resource, for people

    Raises
    ------
    InputError
        When ``objective`` cannot be called with two or three arguments.
    """

    capacity = 1  #: jobs at a time: finish what was promoted before starting anything new

    def __init__(self, objective: Callable[..., Any], unit: str = "resource") -> None:
        self.unit = unit
        self.continues = continues(objective)
        self.failures: dict[int, str] = {}
        self._objective = objective
        self._queue: deque[Job] = deque()
        self._states: dict[int, Any] = {}
        self._warned: set[str] = set()

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take on more jobs."""
        self._queue.extend(jobs)

    def collect(self) -> list[Result]:
        """Evaluate the next job."""
        if not self._queue:
            return []
        job = self._queue.popleft()
        try:
            return [self._evaluate(job)]
        except Exception as error:  # the user's code can raise anything; it costs one trial
            return [self._fail(job, f"{type(error).__name__}: {error}")]

    def release(self, trials: Sequence[int]) -> None:
        """Forget the states of these trials."""
        for trial in trials:
            self._states.pop(trial, None)

    def close(self) -> None:
        """Forget everything."""
        self._queue.clear()
        self._states.clear()

    def _evaluate(self, job: Job) -> Result:
        # A copy: an objective that changes its configuration must not change what the search remembers.
        arguments: list[Any] = [dict(job.configuration), job.resource]
        if self.continues:
            arguments.append(self._states.get(job.trial))
        returned = self._objective(*arguments)
        if not isinstance(returned, Evaluation):
            if self.continues:
                kind = type(returned).__name__
                raise TypeError(f"an objective with a state must return Evaluation(loss, state=...); got {kind}")
            returned = Evaluation(returned)
        loss = _number(returned.loss, "loss")
        metrics = {str(name): _number(value, f"metric {name!r}") for name, value in returned.metrics.items()}
        spent = job.resource - job.previous if self.continues else job.resource
        cost = spent if returned.cost is None else _number(returned.cost, "cost")
        if self.continues and math.isfinite(loss):
            self._states[job.trial] = returned.state
        return Result(job.trial, job.bracket, job.rung, job.resource, loss, metrics, cost)

    def _fail(self, job: Job, what: str) -> Result:
        self.failures[job.trial] = what
        if what not in self._warned:
            self._warned.add(what)
            warnings.warn(
                f"The objective failed on trial {job.trial}, configuration {dict(job.configuration)}: {what}. "
                "The trial is dropped; the search goes on.",
                RuntimeWarning,
                stacklevel=2,
            )
        return Result(job.trial, job.bracket, job.rung, job.resource, math.nan)


def continues(objective: Callable[..., Any]) -> bool:
    """Whether an objective takes a state and goes on, by its signature; see `FunctionEvaluator`."""
    if not callable(objective):
        raise InputError(f"`objective` must be a function of (configuration, resource); got {objective!r}.")
    try:
        signature = inspect.signature(objective)
    except (TypeError, ValueError):  # some compiled functions do not tell
        return False
    positional = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    third = positional[2] if len(positional) > 2 else None
    stateful = third is not None and (third.default is third.empty or third.name == "state")
    try:
        signature.bind(*range(3 if stateful else 2))
    except TypeError:
        raise InputError(
            "`objective` must take (configuration, resource) or (configuration, resource, state); "
            f"got the parameters {signature}."
        ) from None
    return stateful


def _number(value: Any, name: str) -> float:
    if isinstance(value, str | bytes):
        raise TypeError(f"the {name} must be a number; got {value!r}")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"the {name} must be a number; got {value!r}") from None
