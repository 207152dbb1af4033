"""Jobs on networks: all live members of all brackets train together in one engine, and pause at their rungs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband._common.philox import member_seed
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import F32, Backend, Engine, EngineSettings, Member, Split
from hyperband.engine.backends.threads import thread_count
from hyperband.engine.network_space import to_architecture
from hyperband.engine.parameters import Layers, in_original_order, layered
from hyperband.engine.population import QUANTUM
from hyperband.engine.residency import Residency
from hyperband.errors import InputError
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.kept_weights import KeptWeights
from hyperband.evaluation.networks.metrics import Metrics
from hyperband.evaluation.networks.resources import Goal, Resource
from hyperband.evaluation.networks.slice_policy import SlicePolicy
from hyperband.evaluation.networks.training import Training
from hyperband.tuning.trial import Job, Result


class Data(Protocol):
    """What is used of `hyperband.tables.Prepared`."""

    @property
    def x_train(self) -> F32: ...
    @property
    def y_train(self) -> NDArray[Any]: ...
    @property
    def weight_train(self) -> F32 | None: ...
    @property
    def x_validation(self) -> F32: ...
    @property
    def y_validation(self) -> NDArray[Any]: ...
    @property
    def weight_validation(self) -> F32 | None: ...
    @property
    def loss(self) -> str: ...
    @property
    def n_outputs(self) -> int: ...
    @property
    def n_numbers(self) -> int:
        """How many columns are numbers, the first ones."""

    @property
    def scale(self) -> Sequence[float]:
        """Standard deviation of each target in original units; empty for classification."""


@dataclass(slots=True)
class _Open:
    job: Job
    goal: Goal
    started: bool = False


class NetworkEvaluator:
    """Trains one network per trial on a `Backend`; see `hyperband.evaluation.base.Evaluator` for the contract.

    A network is created at its first job from ``to_architecture(configuration)`` and ``member_seed(seed, trial)``, and
    every later job continues it from where it was paused: its learning curve never depends on the schedule.

    The loss of a result is the **smallest validation loss up to that resource**, the one whose weights are kept (the
    snapshot), and NaN when the network diverged. For ``resource="rows"`` and ``"features"`` the snapshot starts anew
    with each rung, because losses seen with fewer rows or columns mean something else. ``rank_by="error"`` reports the
    snapshot's error (fraction misclassified, mean squared error) instead. Cost is ``resource - previous``, exactly.

    Parameters
    ----------
    data : Prepared
        Its training rows are in random order, so that the first ones are a random subset.
    backend : Backend
    max_resource : float, of the highest rung; fixes the learning-rate schedules
    training : Training, optional
    compute : Compute, optional
        Its ``backend`` is not read. When networks do not fit in memory they train in waves, with the same results.
    seed : int, root of the networks' seeds and of the order of columns ("features")

    Raises
    ------
    InputError
        When an argument breaks a rule.
    InsufficientMemory
        (from `collect`) When not even one network fits.
    """

    capacity: int | None = None
    continues = True
    failures: Mapping[int, str] = {}

    def __init__(
        self,
        data: Data,
        backend: Backend,
        *,
        max_resource: float,
        training: Training | None = None,
        compute: Compute | None = None,
        seed: int = 0,
    ) -> None:
        training, compute = training or Training(), compute or Compute()
        n_rows, n_inputs = data.x_train.shape
        self.resource = Resource(training, float(max_resource), n_rows, n_inputs)
        self.unit = training.resource
        self._seed, self._rank_by = seed, training.rank_by
        self._columns = _order(n_inputs, seed) if self.unit == "features" else None
        train = replace(_split(data.x_train, data.y_train, data.weight_train, self._columns), numbers=data.n_numbers)
        validation = _split(data.x_validation, data.y_validation, data.weight_validation, self._columns)
        self._ends = n_inputs, data.n_outputs, data.n_numbers
        self._engine: Engine = backend.engine(
            train,
            validation,
            data.loss,
            data.n_outputs,
            EngineSettings(compute.threads, compute.precision, compute.device_memory),
        )
        self._metrics = Metrics(self._engine, data.loss, validation, data.scale)
        self.residency = Residency(self._engine, compute.memory_limit)
        self._open: dict[int, _Open] = {}
        self._kept = KeptWeights()
        self._active: list[int] = []
        self._interrupted = False
        self.deadline: float | None = None  #: not read: every `collect` is short
        self._step_work: dict[int, float] = {}
        self._policy = SlicePolicy(thread_count(compute.threads))

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take on jobs; new trials get their network, known ones will continue."""
        for job in jobs:
            if job.trial not in self.residency:
                architecture = to_architecture(job.configuration)
                if self._columns is not None and architecture.number_embedding != "none":
                    raise InputError(
                        "A network with `number_embedding` must see all columns, so resource='features' cannot train "
                        f"it; got {architecture.number_embedding!r}. Use resource='epochs' or 'rows'."
                    )
                seed = member_seed(self._seed, job.trial)
                member = Member(architecture, seed, self.resource.total_steps(architecture))
                if job.parent is None:
                    self.residency.declare(job.trial, member)
                else:
                    self.residency.copy(job.trial, member, job.parent)
                self._step_work[job.trial] = float(architecture.batch_size * architecture.n_parameters(*self._ends))
            architecture = self.residency.member(job.trial).architecture
            self._open[job.trial] = _Open(job, self.resource.goal(architecture, job.resource))

    def collect(self) -> list[Result]:
        """Train the open jobs for about 0.15 s; returns those that have reached their goal.

        After Ctrl-C it returns what was finished until then, and raises `KeyboardInterrupt` when called again.
        """
        if self._interrupted:
            raise KeyboardInterrupt
        results: list[Result] = []
        if self._open:
            try:
                self._work(results)
            except KeyboardInterrupt:
                self._interrupted = True
        return results

    def _work(self, results: list[Result]) -> None:
        self._kept.prune()  # all earlier results have been told by now
        self._active = self.residency.upload(list(self._open), QUANTUM)
        self._start([t for t in self._active if not self._open[t].started])
        work = self._work_left(self._active)
        chosen = self._policy.choose(self._active, np.array(list(work.values())), QUANTUM)
        began = time.monotonic()
        self._train(chosen, QUANTUM, results)
        seconds = time.monotonic() - began
        left = self._work_left([t for t in chosen if t in self._open])
        self._policy.learn(sum(work[t] for t in chosen) - sum(left.values()), seconds)

    def _train(self, trials: Sequence[int], seconds: float, results: list[Result]) -> None:
        """Train these for about this time, and append the results of those that reach their goal."""
        for group in self._groups(trials):
            goal = self._open[group[0]].goal
            until = np.array([self._open[t].goal.step for t in group], dtype=np.int64)
            share = seconds * len(group) / len(trials)
            ids = self.residency.ids(group)
            arrived = self._engine.train(ids, until, rows=goal.rows, inputs=goal.inputs, seconds=share)
            results += self._results([t for t, there in zip(group, arrived.tolist(), strict=True) if there])

    def _work_left(self, trials: Sequence[int]) -> dict[int, float]:
        """Of each trial, roughly in floating-point operations."""
        steps = self._engine.progress(self.residency.ids(trials)).step.tolist()
        left = ((t, self._open[t].goal.step - step) for t, step in zip(trials, steps, strict=True))
        return {t: count * self._step_work[t] for t, count in left}

    def _start(self, trials: list[int]) -> None:
        """Before the first step of a job: forget a snapshot that does not belong to it.

        One of other rows or columns is not comparable, and that of a copy's parent is not the copy's own.
        """
        for trial in trials:
            self._open[trial].started = True
        copies = [trial for trial in trials if self._open[trial].job.parent is not None]
        if copies and self.unit == "epochs":
            self._engine.forget_best(self.residency.ids(copies))
        if self.unit == "epochs" or not trials:
            return
        ids = self.residency.ids(trials)
        self._engine.forget_best(ids)
        for trial, step in zip(trials, self._engine.progress(ids).step.tolist(), strict=True):
            goal = self._open[trial].goal  # at least one step, so that there is something to evaluate
            self._open[trial].goal = replace(goal, step=max(goal.step, step + 1))

    def _groups(self, trials: Sequence[int]) -> list[list[int]]:
        """Trials that see the same rows and columns."""
        groups: dict[tuple[int | None, int | None], list[int]] = {}
        for trial in trials:
            goal = self._open[trial].goal
            groups.setdefault((goal.rows, goal.inputs), []).append(trial)
        return list(groups.values())

    def _results(self, trials: list[int]) -> list[Result]:
        if not trials:
            return []
        ids = self.residency.ids(trials)
        progress = self._engine.progress(ids)
        results = []
        for row, trial in enumerate(trials):
            job = self._open.pop(trial).job
            failed = bool(progress.diverged[row]) or progress.best_step[row] < 0
            error, loss = float(progress.best_error[row]), float(progress.best_loss[row])
            ranked = math.nan if failed else error if self._rank_by == "error" else loss
            metrics = {} if failed else self._metrics.of(int(ids[row]), error, loss, float(progress.train_loss[row]))
            result = Result(
                job.trial, job.bracket, job.rung, job.resource, ranked, metrics, float(job.resource - job.previous)
            )
            if self._kept.wants(result):
                self._kept.put(result, self._export(trial))
            results.append(result)
        self._active = [t for t in self._active if t in self._open]
        return results

    def _export(self, trial: int) -> tuple[Architecture, Layers]:
        member = self.residency.member(trial)
        layers = layered(self.residency.state(trial), "best.")
        return member.architecture, layers

    def network(self, trial: int, resource: float) -> tuple[Architecture, Layers]:
        """Architecture and the weights that gave the loss of this trial at this resource.

        Kept for the smallest loss seen and for the smallest at the highest resource reached. Layers are
        [(weights (n_in, n_out), bias (n_out,)), ...] for columns in their original order.

        Raises
        ------
        KeyError
            When these weights were not kept.
        """
        architecture, layers, seen = self._kept.get(trial, resource)
        if self._columns is None:
            return architecture, layers
        return architecture, in_original_order(architecture, layers, self._columns, seen)

    def partial(self) -> dict[int, float]:
        """Resource that networks have gained in their open jobs, of those that were trained last."""
        steps = self._engine.progress(self.residency.ids(self._active)).step.tolist() if self._active else []
        return {trial: self._gained(trial, step) for trial, step in zip(self._active, steps, strict=True)}

    def _gained(self, trial: int, step: int) -> float:
        job = self._open[trial].job
        reached = self.resource.reached(self.residency.member(trial).architecture, step)
        return min(max(0.0, reached - job.previous), job.resource - job.previous)

    def release(self, trials: Sequence[int]) -> None:
        """Free these networks; weights that were kept stay."""
        self.residency.release(trials)
        for trial in trials:
            self._step_work.pop(trial, None)

    def close(self) -> None:
        """Free all networks; `network` still answers."""
        self._open.clear()
        self._active = []
        self.residency.close()


def _order(n: int, seed: int) -> NDArray[np.intp]:
    """An order of n columns that depends on (n, seed) alone; the second word sets other uses of a seed apart."""
    words = np.random.Philox(key=[seed & (2**64 - 1), 1 << 32]).random_raw(n)
    return np.argsort(words, kind="stable")


def _split(x: F32, y: NDArray[Any], weight: F32 | None, columns: NDArray[np.intp] | None) -> Split:
    if columns is not None:
        x = x[:, columns]
    return Split(np.ascontiguousarray(x, dtype=np.float32), np.ascontiguousarray(y), weight)
