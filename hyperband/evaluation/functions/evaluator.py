"""Evaluates any Python function, by one worker or several."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hyperband.errors import HyperbandError, InputError
from hyperband.evaluation.functions.affinity import WorkerAffinity
from hyperband.evaluation.functions.evaluation import Outcome, failed
from hyperband.evaluation.functions.failure import Failure, Failures
from hyperband.evaluation.functions.objectives import Kind, kind_of
from hyperband.evaluation.functions.workers import Workers
from hyperband.evaluation.worker_pools.base import Event, Report
from hyperband.evaluation.worker_pools.factory import make_pool, state_files_for
from hyperband.tuning.trial import Job, Result

#: Seconds; the locks and pipes that are waited for take no more at once.
LONGEST_WAIT = 1e5


@dataclass(slots=True)
class _Task:
    """A job that waits for a worker, or that runs until ``until`` (monotonic seconds) at the latest."""

    job: Job
    failures: int = 0
    until: float | None = None


class FunctionEvaluator:
    """Runs an objective; the trials that it fails on get the loss NaN, and the search continues.

    A trial that continues is given to the worker that holds its state. `collect` waits for reports of the workers, at
    most until the first of them has used up its time.

    Parameters
    ----------
    objective : callable
        Of one of the kinds that `hyperband.minimize` describes, not batched.
    unit : str, of the resource, for people
    workers : Workers, optional
        One, in this thread, when not given.

    Raises
    ------
    InputError
        When ``objective`` is of no kind that `hyperband.minimize` describes; when it must be pickled and cannot be;
        when states are to be saved and there are none, or they are generators.
    """

    halted = False

    def __init__(self, objective: Callable[..., Any], unit: str = "resource", workers: Workers | None = None) -> None:
        self.unit = unit
        self.failures = Failures()
        self.deadline: float | None = None  #: monotonic seconds; nothing is waited for beyond it
        self._kind = kind_of(objective)
        self._workers = workers or Workers()
        self._files = state_files_for(self._workers, self._kind)
        self._pool = make_pool(objective, self._kind, self._workers, self._files)
        self._waiting: dict[int, _Task] = {}  # by trial, in the order of submission
        self._running: dict[int, _Task] = {}  # by worker
        self._uncopied: dict[int, int] = {}  # trial -> parent that was running when the trial was submitted
        self._done: list[Result] = []
        self._idle: list[int] = []
        self._starting: set[int] = set()
        self._proven = False  # whether any worker was ever ready
        self._most = self._workers.n  # workers at a time
        self._affinity = WorkerAffinity(self._files)
        self._n_objectives = 0

    @property
    def continues(self) -> bool:
        """Promoted trials continue where they were paused."""
        return self._kind.continues

    @property
    def capacity(self) -> int:
        """Jobs at a time: one a worker, and some more while jobs wait for the one worker that holds their state."""
        tied = sum(1 for trial in self._waiting if self._affinity.of(trial) is not None)
        return self._workers.n + min(tied, self._workers.n)

    def check_resource(self, resource: float | Fraction) -> None:
        """`InputError` for a resource that the objective cannot be given."""
        if self._kind is Kind.YIELDS and resource % 1:
            raise InputError(
                "The resource must be whole for a generator, which yields a loss per unit of it; got "
                f"{float(resource):g}. Use whole=True, or objective(configuration, resource)."
            )

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take on more jobs; one with a ``parent`` copies its state now, or when the running job of the parent ends."""
        for job in jobs:
            self.check_resource(job.resource)
            self._waiting[job.trial] = _Task(job)
            if job.parent is not None and self.continues:
                if any(task.job.trial == job.parent for task in self._running.values()):
                    self._uncopied[job.trial] = job.parent
                else:
                    self._copy(job.parent, job.trial)
        self._dispatch()

    def collect(self) -> list[Result]:
        """Results, once there are any; none when `deadline` comes first."""
        while not self._done and (self._waiting or self._running):
            self._dispatch()
            if self._done:
                break
            if not (self._running or self._starting):
                continue  # no worker could be started; every attempt counts, so this ends
            for report in self._pool.wait(self._longest_wait()):
                self._enter(report)
            self._give_up_late()
            if self.deadline is not None and time.monotonic() >= self.deadline:
                break
        done, self._done = self._done, []
        return done

    def partial(self) -> dict[int, float]:
        """Nothing: what a call has done is known when it returns."""
        return {}

    def release(self, trials: Sequence[int]) -> None:
        """Forget the states of these trials, whichever worker holds them."""
        by_worker: dict[int | None, list[int]] = {}
        for trial in trials:
            by_worker.setdefault(self._affinity.forget(trial), []).append(trial)
        for worker, gone in by_worker.items():
            if self._pool.shared or worker is not None:
                self._pool.tell(worker or 0, "release", gone)
        if self._files is not None:
            self._files.remove(trials)

    def close(self) -> None:
        """Give up running calls, and forget everything."""
        self._waiting.clear()
        self._running.clear()
        self._done.clear()
        self._pool.close()
        self._idle.clear()
        if self._pool.shared:
            self._pool.tell(0, "close")

    # ---- jobs to workers -------------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        """Hand waiting jobs to idle workers; start workers while there are jobs for them."""
        needed = 0
        for trial in [*self._waiting]:
            if trial in self._uncopied:
                continue
            if self._affinity.was_lost(trial):
                self._retry(self._waiting.pop(trial), Failure(_LOST))
                if trial not in self._waiting:
                    continue
            holder = self._affinity.of(trial)
            if holder in self._idle or (holder is None and self._idle):
                self._start(self._idle[0] if holder is None else holder, self._waiting.pop(trial))
            elif holder is None:
                needed += 1
                if needed >= self._workers.n:
                    break
        room = self._most - len(self._idle) - len(self._running) - len(self._starting)
        for _ in range(min(needed - len(self._starting), room)):
            try:
                self._starting.add(self._pool.grow())
            except (OSError, RuntimeError) as error:  # the system gives no more processes or threads
                self._false_start(Event.DIED, Failure.of(error))
                break

    def _start(self, worker: int, task: _Task) -> None:
        try:
            self._pool.call(worker, "evaluate", task.job)
        except Exception as error:  # values of a configuration that cannot be pickled
            self._retry(task, Failure.of(error))
            return
        self._idle.remove(worker)
        limit = self._workers.timeout
        task.until = None if limit is None else time.monotonic() + limit
        self._running[worker] = task

    def _longest_wait(self) -> float | None:
        """Seconds until a call must be given up, or until the deadline."""
        ends = [task.until for task in self._running.values()] + [self.deadline]
        first = min((end for end in ends if end is not None), default=None)
        return None if first is None else min(max(0.0, first - time.monotonic()), LONGEST_WAIT)

    def _copy(self, parent: int, trial: int) -> None:
        if self._files is not None:
            with suppress(OSError):  # a full disk: what is in memory is enough
                self._files.copy(parent, trial)
        holder = self._affinity.of(parent)
        if self._pool.shared or holder is not None:
            self._pool.tell(holder or 0, "copy", parent, trial)
        self._affinity.inherit(parent, trial)

    def _copy_late(self, parent: int) -> None:
        """Make the copies that waited for a running trial."""
        for trial in [trial for trial, other in self._uncopied.items() if other == parent]:
            del self._uncopied[trial]
            self._copy(parent, trial)

    # ---- reports of workers ----------------------------------------------------------------------------------------

    def _enter(self, report: Report) -> None:
        worker, task = report.worker, self._end_call(report.worker)
        if report.event is Event.READY:
            self._starting.discard(worker)
            self._proven = True
            self._idle.append(worker)
        elif report.event in (Event.DIED, Event.UNUSABLE):
            self._drop_worker(worker)
            if worker in self._starting:
                self._starting.discard(worker)
                self._false_start(report.event, report.value)
        else:
            self._idle.append(worker)
        if task is not None:
            if report.event is Event.ANSWER:
                self._finish(worker, task, report.value)
            else:
                self._retry(task, report.value)
            self._copy_late(task.job.trial)

    def _end_call(self, worker: int) -> _Task | None:
        """The call of a worker has ended; no worker holds the state of the trial unless it has answered."""
        task = self._running.pop(worker, None)
        if task is not None:
            self._affinity.forget(task.job.trial)
        return task

    def _give_up_late(self) -> None:
        """Give up the calls that have used up their time; answers that came in time were entered before."""
        now = time.monotonic()
        for worker, task in [*self._running.items()]:
            if task.until is not None and now >= task.until:
                self._end_call(worker)
                self._drop_worker(worker)
                if self._pool.shared:
                    self._pool.tell(worker, "abandon", task.job.trial)
                self._retry(task, Failure(f"the evaluation took longer than timeout={self._workers.timeout:g} seconds"))
                self._copy_late(task.job.trial)

    def _drop_worker(self, worker: int) -> None:
        """A worker is gone, with the states that only it held."""
        self._pool.drop(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        self._affinity.drop_worker(worker)

    def _false_start(self, event: Event, failure: Failure) -> None:
        """A worker did not start: an error when none ever has; else the search continues with fewer workers."""
        if self._proven:
            if self._idle or self._running or self._starting:
                self._most -= 1
                return
            for trial in [trial for trial in self._waiting if trial not in self._uncopied][:1]:
                why = Failure(f"no worker could be started for it: {failure.what}")
                self._retry(self._waiting.pop(trial), why)
        elif event is Event.UNUSABLE:
            raise InputError(
                f"`objective` must be importable in a worker process; it is not: {failure}\n"
                "Define it at the top level of a module that the workers can import, or use executor='threads'."
            )
        else:
            raise HyperbandError(
                f"Workers must be able to start; one did not: {failure.what}. A script that uses "
                "executor='processes' must call hb.minimize under `if __name__ == '__main__':`."
            )

    def _finish(self, worker: int, task: _Task, outcome: Outcome) -> None:
        n = len(outcome.losses)
        self._n_objectives = self._n_objectives or n
        if n != self._n_objectives:
            what = f"the number of objectives must stay the same: {self._n_objectives} before; got {n}"
            self._give_up(task, Failure(what))
            return
        if self.continues and not self._pool.shared:
            self._affinity.assign(task.job.trial, worker)
        self._done.append(outcome.result(task.job))

    def _retry(self, task: _Task, failure: Failure) -> None:
        """An attempt has failed: wait for another, or give the trial up."""
        task.failures += 1
        task.until = None
        if task.failures <= self._workers.retries:
            self._waiting[task.job.trial] = task
        else:
            self._give_up(task, failure)

    def _give_up(self, task: _Task, failure: Failure) -> None:
        self.failures.add(task.job, failure)
        self._done.append(failed(task.job))


_LOST = (
    "the state of the trial was lost with the worker that had it; save states with `state_dir`, "
    "or let the trial start again with `retries`"
)
