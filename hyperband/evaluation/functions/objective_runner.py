"""An objective with the states of its trials, in one process."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

from hyperband.evaluation.functions.evaluation import Evaluation, Outcome, outcome_of
from hyperband.evaluation.functions.objectives import Kind
from hyperband.evaluation.functions.state_files import StateFiles, pickled
from hyperband.evaluation.functions.state_memory import Broken, Held, Paused, StateMemory
from hyperband.tuning.trial import Job


class ObjectiveRunner:
    """Calls an objective and keeps the states that it returns. Several threads may share one.

    Parameters
    ----------
    objective : callable
    kind : Kind
    files : StateFiles, optional
        States are also written there.
    """

    def __init__(self, objective: Callable[..., Any], kind: Kind, files: StateFiles | None = None) -> None:
        self._objective, self._kind, self._files = objective, kind, files
        self._states = StateMemory()
        self._claims: dict[int, object] = {}  # trial -> the call that works on it
        self._lock = threading.Lock()

    def evaluate(self, job: Job) -> Outcome:
        """Bring a trial to the resource of a job; raises whatever the objective raises."""
        claim = object()
        with self._lock:
            held = self._states.take(job.trial)
            self._claims[job.trial] = claim
        if held is None and self._files is not None and job.previous > 0:
            held = self._files.read(job.trial, job.previous)
        if isinstance(held, Broken):
            raise TypeError(held.why)
        outcome, kept = self._call(job, held)
        if kept is not None and math.isfinite(outcome.losses[0]):
            self._keep(job, claim, kept)
        return outcome

    def copy(self, parent: int, trial: int) -> None:
        """Give a trial a copy of the state of another; when it cannot be copied, the next job of the trial fails."""
        try:
            self._states.copy(parent, trial)
        except TypeError as error:
            self._states.keep(trial, Broken(str(error)))

    def abandon(self, trial: int) -> None:
        """Ignore whatever the running call on a trial returns."""
        with self._lock:
            self._claims.pop(trial, None)
            self._states.take(trial)

    def release(self, trials: Sequence[int]) -> None:
        """Forget the states of trials."""
        with self._lock:
            for trial in trials:
                self._claims.pop(trial, None)
        self._states.release(trials)

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._claims.clear()
        self._states.close()

    def _call(self, job: Job, held: Any) -> tuple[Outcome, Held | None]:
        if self._kind is Kind.YIELDS:
            return self._pull(job, held)
        # A copy: an objective that changes its configuration must not change what the search remembers.
        configuration = dict(job.configuration)
        if self._kind is Kind.RESTARTS:
            return outcome_of(self._objective(configuration, job.resource), job.resource), None
        returned = self._objective(configuration, job.resource, None if held is None else held[0])
        if not isinstance(returned, Evaluation):
            kind = type(returned).__name__
            raise TypeError(f"an objective with a state must return Evaluation(loss, state=...); got {kind}")
        # Without a state the trial has started again, and has paid for everything.
        spent = job.resource - (0 if held is None else job.previous)
        return outcome_of(returned, spent), (returned.state,)

    def _pull(self, job: Job, held: Paused | None) -> tuple[Outcome, Paused]:
        paused = Paused(self._objective(dict(job.configuration))) if held is None else held
        cost = 0.0
        while paused.n_yielded < job.resource and not paused.ended:
            try:
                yielded = next(paused.generator)
            except StopIteration:
                paused.ended = True
                break
            paused.last = outcome_of(yielded, 1.0)
            paused.n_yielded += 1
            cost += paused.last.cost
        if paused.last is None:
            raise ValueError("the generator ended before it yielded a loss")
        return paused.last._replace(cost=cost), paused

    def _keep(self, job: Job, claim: object, kept: Held) -> None:
        written = pickled(job.resource, kept[0]) if self._files is not None and isinstance(kept, tuple) else None
        with self._lock:
            if self._claims.get(job.trial) is not claim:
                return  # too late: the call was given up
            if self._files is not None and written is not None:
                self._files.write(job.trial, written)
            self._states.keep(job.trial, kept)
            del self._claims[job.trial]
