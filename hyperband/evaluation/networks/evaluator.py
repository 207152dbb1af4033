"""Jobs on networks: all live members of all brackets train together in one engine, and pause at their rungs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from hyperband.engine.backends.base import F32, Backend, TrainingProgress
from hyperband.engine.backends.threads import thread_count
from hyperband.engine.population import QUANTUM
from hyperband.errors import InputError
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.datasets import Datasets, Table
from hyperband.evaluation.networks.kept_weights import KeptWeights
from hyperband.evaluation.networks.resources import Goal
from hyperband.evaluation.networks.slice_policy import SlicePolicy
from hyperband.evaluation.networks.trained_network import TrainedNetwork
from hyperband.evaluation.networks.training import CutTrial, Training
from hyperband.evaluation.networks.trial_networks import TrialNetworks
from hyperband.tuning.trial import Job, Result

#: Networks that are in memory and share the next slices: enough for every thread to find work, and for small networks
#: of one shape to be trained together. A rung of a hundred thousand would take long to initialise before any ends.
MOST_DUE = 1024


@dataclass(slots=True)
class _Open:
    """An open job: the goal of each of its networks, one a fold, and which of them have arrived.

    ``cut`` are the steps at which its networks stay instead, as `Training.cut` says; empty: none of them trains.
    """

    job: Job
    cut: tuple[int, ...] | None = None
    goals: dict[int, Goal] = field(default_factory=dict)  # by the network's key; empty until the trial is due
    started: set[int] = field(default_factory=set)
    arrived: set[int] = field(default_factory=set)

    @property
    def waiting(self) -> list[int]:
        """Keys of the networks that still train."""
        return [key for key in self.goals if key not in self.arrived]

    @property
    def stays(self) -> bool:
        """Whether it will never be finished, and nothing of it is left to train."""
        return self.cut is not None and not self.waiting and (bool(self.goals) or not self.cut)


class Library(Protocol):
    """What keeps candidates for an ensemble: `hyperband.evaluation.networks.library.CandidateLibrary`."""

    def offer(
        self, trial: int, resource: float, outputs: F32, networks: Callable[[], Sequence[TrainedNetwork]]
    ) -> bool:
        """Take a candidate in, if it may come into the ensemble."""

    def loss(self, outputs: F32) -> float:
        """What a candidate with these raw outputs is ranked by."""


class _Moment(NamedTuple):
    """Weights that a trial has had: after how much resource, which ones, and their outputs for the validation rows."""

    resource: float
    weights: str  # "best" or "current"
    outputs: F32


class NetworkEvaluator:
    """Trains one network per trial and fold on a `Backend`; see `hyperband.evaluation.base.Evaluator` for the contract.

    The networks of a trial are created at its first job from ``to_architecture(configuration)`` and
    ``member_seed(seed, trial)``, on the view that the configuration names, and every later job continues them from
    where they were paused: a learning curve never depends on the schedule.

    The loss of a result is the **smallest validation loss up to that resource**, the one whose weights are kept (the
    snapshot), averaged over the folds, and NaN when a network diverged. For ``resource="rows"`` and ``"features"`` the
    snapshot starts anew with each rung, because losses seen with fewer rows or columns mean something else.
    ``rank_by="error"`` reports the snapshot's error (fraction misclassified, mean squared error) instead, and
    "metric" what the library ranks by, of the snapshot or of the newest weights. The metric ``current_loss`` is that of
    the newest weights in any case: it can rise. Cost is ``resource - previous``.

    Parameters
    ----------
    table : PreparedTable, or `OneDataset` of what is prepared already
        Training rows are in random order, so that the first ones are a random subset.
    backend : Backend
    max_resource : float, of the highest rung as the search begins; the learning-rate schedules end there
    highest : callable (bracket) -> float, optional
        Resource of the highest rung of a bracket, where brackets differ: the schedules of its networks end there, which
        may be beyond ``max_resource`` in brackets that were added later.
    training : Training, optional
    compute : Compute, optional
        Its ``backend`` is not read. When networks do not fit in memory they train in waves, with the same results.
    seed : int, root of the networks' seeds and of the order of columns ("features")
    library : callable (Datasets) -> Library, optional
        Makes what gets the validation outputs of every finished evaluation, and its weights where it wants them.

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
        table: Table,
        backend: Backend,
        *,
        max_resource: float,
        training: Training | None = None,
        compute: Compute | None = None,
        seed: int = 0,
        library: Callable[[Datasets], Library] | None = None,
        highest: Callable[[int], float] | None = None,
    ) -> None:
        training, compute = training or Training(), compute or Compute()
        self.unit = training.resource
        self._rank_by = training.rank_by
        if training.rank_by == "metric" and library is None:
            raise InputError("rank_by='metric' needs a `library`, whose metric it is; got none. Rank by 'loss'.")
        self.datasets = Datasets(table, training, float(max_resource), seed)
        self._library = None if library is None else library(self.datasets)
        self._networks = TrialNetworks(self.datasets, backend, compute, self.unit, seed)
        self._engines, self.residency = self._networks.engines, self._networks.residency
        self._open: dict[int, _Open] = {}
        self._brackets: dict[int, int] = {}  # of every trial that did not start as a copy
        self._kept = KeptWeights()
        self.max_resource, self._highest = float(max_resource), highest
        self._cut = self._cut_by_job(training)
        self._active: list[int] = []  # keys of networks in the newest slice's choice
        self._interrupted = False
        self.deadline: float | None = None  #: not read: every `collect` is short
        self._policy = SlicePolicy(thread_count(compute.threads))

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take on jobs; new trials get their networks, known ones will continue."""
        for job in jobs:
            self.datasets.numbers(job.configuration.get("view"))
            self._open[job.trial] = open_ = _Open(job, self._cut.get((job.trial, job.rung)))
            if open_.stays:
                continue
            if job.previous == 0 and job.parent is None:
                self._brackets[job.trial] = job.bracket
            if job.parent is not None or self.unit == "features":  # a copy of what its parent has now; and errors now
                self._prepare(job.trial)

    def _prepare(self, trial: int) -> None:
        """Create the networks of an open job, where they are new, and set their goals."""
        open_, keys = self._open[trial], self._networks.keys(trial)
        if keys[0] not in self.residency:
            self._networks.create(open_.job, self._lifetime(open_.job.bracket))
        open_.goals = {key: self._networks.goal(key, open_.job.resource) for key in keys}
        for key, step in zip(keys, open_.cut or (), strict=False):
            open_.goals[key] = replace(open_.goals[key], step=min(open_.goals[key].step, step))

    def _cut_by_job(self, training: Training) -> dict[tuple[int, int], tuple[int, ...]]:
        folds = self.datasets.n_folds
        for cut in training.cut:
            if len(cut.steps) not in (0, folds):
                raise InputError(
                    f"`cut` of a training must have the steps of {folds} networks for each trial, one a fold, or none; "
                    f"got {len(cut.steps)} for trial {cut.trial}. Pass the training of a search on the same folds."
                )
        return {(cut.trial, cut.rung): cut.steps for cut in training.cut}

    def _lifetime(self, bracket: int) -> float:
        """The share of `max_resource` at which schedules of this bracket end."""
        return 1.0 if self._highest is None else self._highest(bracket) / self.max_resource

    def lifetime(self, trial: int) -> float | None:
        """The share of the maximal resource at which the schedules of a trial end; None of one that was a copy."""
        bracket = self._brackets.get(trial)
        return None if bracket is None else self._lifetime(bracket)

    @property
    def halted(self) -> bool:
        """Whether every open job stays unfinished, as `Training.cut` says."""
        return bool(self._open) and all(open_.stays for open_ in self._open.values())

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
        due = [key for trial in self._prepared(self._due()) for key in self._open[trial].waiting]
        self._active = self.residency.upload(due, QUANTUM)
        self._start(self._active)
        work = self._work_left(self._active)
        chosen = self._policy.choose(self._active, np.array(list(work.values())), QUANTUM)
        began = time.monotonic()
        self._train(chosen, QUANTUM, results)
        seconds = time.monotonic() - began
        left = self._work_left([key for key in chosen if self._trains(key)])
        self._policy.learn(sum(work[key] for key in chosen) - sum(left.values()), seconds)

    def _prepared(self, trials: Sequence[int]) -> list[int]:
        """Those of the trials whose networks are there; new ones are created for about 0.15 s.

        The first network in a view has to wait for its data, which takes seconds where there are thousands of columns.
        """
        began = time.monotonic()
        ready: list[int] = []
        for trial in trials:
            if not self._open[trial].goals:
                if ready and time.monotonic() - began > QUANTUM:
                    continue
                self._prepare(trial)
            ready.append(trial)
        return ready

    def _due(self) -> list[int]:
        """Trials of the first bracket, and of further ones while these leave threads without work; `MOST_DUE` at most.

        Brackets end one after another, so that a search that is stopped has evaluated whole rungs.
        """
        waiting = (trial for trial, open_ in self._open.items() if not open_.stays)
        order = sorted(waiting, key=lambda trial: self._open[trial].job.bracket)
        enough = self._policy.enough
        networks, count = 0, 0
        for trial in order:
            new = count and self._open[trial].job.bracket != self._open[order[count - 1]].job.bracket
            if (new and networks >= enough) or networks >= MOST_DUE:
                break
            networks += len(self._open[trial].waiting) or self.datasets.n_folds
            count += 1
        return order[:count]

    def _train(self, keys: Sequence[int], seconds: float, results: list[Result]) -> None:
        """Train these for about this time, and append the results of the trials that reach their goal."""
        for group in self._groups(keys):
            goal = self._goal_of(group[0])
            until = np.array([self._goal_of(key).step for key in group], dtype=np.int64)
            share = seconds * len(group) / len(keys)
            ids = self.residency.ids(group)
            arrived = self._engines.train(ids, until, rows=goal.rows, inputs=goal.inputs, seconds=share)
            for key in np.array(group)[arrived].tolist():
                self._open[self._trial(key)].arrived.add(key)
        trials = {self._trial(key): self._open[self._trial(key)] for key in keys}
        results += [self._result(trial) for trial, open_ in trials.items() if not (open_.waiting or open_.stays)]
        self._active = [key for key in self._active if self._trains(key)]

    def _trial(self, key: int) -> int:
        return key // self.datasets.n_folds

    def _trains(self, key: int) -> bool:
        """Whether a network is of an open job and has not arrived."""
        open_ = self._open.get(self._trial(key))
        return open_ is not None and key not in open_.arrived

    def _goal_of(self, key: int) -> Goal:
        return self._open[self._trial(key)].goals[key]

    def _work_left(self, keys: Sequence[int]) -> dict[int, float]:
        """Of each network, roughly in floating-point operations."""
        steps = self._engines.progress(self.residency.ids(keys)).step.tolist()
        left = ((key, self._goal_of(key).step - step) for key, step in zip(keys, steps, strict=True))
        return {key: count * self._networks.step_work[key] for key, count in left}

    def _start(self, keys: Sequence[int]) -> None:
        """Before the first step of a job: forget a snapshot that does not belong to it.

        One of other rows or columns is not comparable, and that of a copy's parent is not the copy's own.
        """
        new = [key for key in keys if key not in self._open[self._trial(key)].started]
        for key in new:
            self._open[self._trial(key)].started.add(key)
        copies = [key for key in new if self._open[self._trial(key)].job.parent is not None]
        if copies and self.unit == "epochs":
            self._engines.forget_best(self.residency.ids(copies))
        if self.unit == "epochs" or not new:
            return
        ids = self.residency.ids(new)
        self._engines.forget_best(ids)
        for key, step in zip(new, self._engines.progress(ids).step.tolist(), strict=True):
            goal = self._goal_of(key)  # at least one step, so that there is something to evaluate
            self._open[self._trial(key)].goals[key] = replace(goal, step=max(goal.step, step + 1))

    def _groups(self, keys: Sequence[int]) -> list[list[int]]:
        """Networks that see the same rows and columns."""
        groups: dict[tuple[int | None, int | None], list[int]] = {}
        for key in keys:
            goal = self._goal_of(key)
            groups.setdefault((goal.rows, goal.inputs), []).append(key)
        return list(groups.values())

    def _result(self, trial: int) -> Result:
        """Of a trial whose networks have all arrived."""
        job = self._open.pop(trial).job
        progress = self._engines.progress(self.residency.ids(self._networks.keys(trial)))
        failed = bool(progress.diverged.any()) or bool((progress.best_step < 0).any())
        moments = [] if failed else self._moments(trial, progress)
        loss, now, weights = (math.nan, math.nan, "best") if failed else self._ranked(progress, moments)
        metrics = {} if failed else self._networks.figures(trial, progress)
        metrics |= {"current_loss": now} if math.isfinite(now) else {}
        cost = float(job.resource - job.previous)
        result = Result(job.trial, job.bracket, job.rung, job.resource, loss, metrics, cost)
        if self._kept.wants(result):
            self._kept.put(result, self._networks.export(trial, weights))
        self._offer(trial, moments)
        return result

    def _ranked(self, progress: TrainingProgress, moments: Sequence[_Moment]) -> tuple[float, float, str]:
        """The loss of a result, that of the newest weights, and which weights gave the first."""
        if self._rank_by == "metric" and self._library is not None:
            losses = [self._library.loss(moment.outputs) for moment in moments]
            least = min(range(len(losses)), key=losses.__getitem__)
            return losses[least], losses[-1], moments[least].weights
        by_error = self._rank_by == "error"
        ranked, now = (progress.best_error, progress.error) if by_error else (progress.best_loss, progress.loss)
        return float(ranked.mean()), float(now.mean()), "best"

    def _moments(self, trial: int, progress: TrainingProgress) -> list[_Moment]:
        """The best weights of a trial, and those that it has now, where they are others; none without a library.

        The best are those of the smallest loss; by accuracy those at the end of training are often better.
        """
        if self._library is None:
            return []
        best, now = self._networks.reached(trial, progress.best_step), self._networks.reached(trial, progress.step)
        moments = [_Moment(best, "best", self._networks.outputs(trial, "best"))]
        if now > best:
            moments.append(_Moment(now, "current", self._networks.outputs(trial, "current")))
        return moments

    def _offer(self, trial: int, moments: Sequence[_Moment]) -> None:
        if self._library is not None:
            for moment in moments:
                networks = partial(self._networks.export, trial, moment.weights)
                self._library.offer(trial, moment.resource, moment.outputs, networks)

    def offer_open(self) -> tuple[CutTrial, ...]:
        """Offer what an end of the search cut off: networks of open jobs as they are, those nearest to their goal.

        Each takes one more step, at whose end it is validated, and is offered with the best weights that it had. Where
        nothing has begun, one trial begins: a search has a model, however short it is.

        Returns
        -------
        tuple of CutTrial
            All open trials, those that were not offered without steps: `Training.cut` of a search that does the same.
        """
        offered: dict[int, tuple[int, ...]] = {}
        for trial in self._nearest():
            keys = self._networks.keys(trial)
            self.residency.upload(keys)
            ids = self.residency.ids(keys)
            until = np.array(self._open[trial].cut or self._engines.progress(ids).step + 1)
            while not self._engines.train(ids, until).all():
                pass
            offered[trial] = tuple(until.tolist())
            progress = self._engines.progress(ids)
            if not progress.diverged.any() and (progress.best_step >= 0).all():
                self._offer(trial, self._moments(trial, progress))
        return tuple(CutTrial(t, self._open[t].job.rung, offered.get(t, ())) for t in sorted(self._open))

    def _nearest(self) -> Sequence[int]:
        """Trials of open jobs that are worth an offer, those nearest to their goal first."""
        if self._library is None or self._interrupted:
            return []
        if self._cut:
            return [trial for trial, open_ in self._open.items() if open_.cut]
        done = {trial: share for trial in self._open if (share := self._share_done(trial)) > 0.0}
        nearest = sorted(done, key=lambda trial: (-done[trial], trial))
        if not nearest and self._open and self._kept.empty:
            nearest = self._due()[:1]
            self._prepare(nearest[0])
        return nearest[: self._policy.enough]

    def _share_done(self, trial: int) -> float:
        """Of the way of an open job; 0 unless all of its networks are in memory and have begun."""
        keys = self._networks.keys(trial)
        if self.unit != "epochs" or not all(key in self.residency for key in keys):
            return 0.0
        if not (self._open[trial].goals and all(self.residency.is_resident(key) for key in keys)):
            return 0.0
        progress = self._engines.progress(self.residency.ids(keys))
        if progress.diverged.any():
            return 0.0
        return float(min(progress.step / np.array([self._goal_of(key).step for key in keys])))

    def networks(self, trial: int, resource: float) -> tuple[TrainedNetwork, ...]:
        """The networks that gave the loss of this trial at this resource, one a fold.

        Kept for the smallest loss seen and for the smallest at the highest resource reached. Their layers are for
        columns in their original order.

        Raises
        ------
        KeyError
            When these weights were not kept.
        """
        networks, seen = self._kept.get(trial, resource)
        return tuple(self._networks.in_original_order(network, seen) for network in networks)

    def partial(self) -> dict[int, float]:
        """Resource that trials have gained in their open jobs, of those that were trained last."""
        keys = self._active
        steps = self._engines.progress(self.residency.ids(keys)).step.tolist() if keys else []
        gained: dict[int, list[float]] = {}
        for key, step in zip(keys, steps, strict=True):
            gained.setdefault(self._trial(key), []).append(self._gained(key, step))
        return {trial: self._mean_gain(trial, folds) for trial, folds in gained.items()}

    def _mean_gain(self, trial: int, gains: Sequence[float]) -> float:
        """Over all folds: those that have arrived gained everything, those that were not trained yet nothing."""
        open_ = self._open[trial]
        whole = open_.job.resource - open_.job.previous
        return (math.fsum(gains) + whole * len(open_.arrived)) / len(open_.goals)

    def _gained(self, key: int, step: int) -> float:
        job = self._open[self._trial(key)].job
        reached = self._networks.dataset(key).resource.reached(self.residency.member(key).architecture, step)
        return min(max(0.0, reached - job.previous), job.resource - job.previous)

    def release(self, trials: Sequence[int]) -> None:
        """Free the networks of these trials; weights that were kept stay."""
        self._networks.release(trials)

    def close(self) -> None:
        """Free all networks; `networks` still answers."""
        self._open.clear()
        self._active = []
        self.residency.close()
