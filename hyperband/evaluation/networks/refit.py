"""Trains the networks of an ensemble once more on all rows, those that validated among them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from hyperband.engine.backends.base import Backend
from hyperband.engine.backends.threads import thread_count
from hyperband.engine.population import QUANTUM
from hyperband.errors import InsufficientMemory
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.datasets import Data, Datasets
from hyperband.evaluation.networks.library import ChosenCandidates
from hyperband.evaluation.networks.speed import work_of_epoch
from hyperband.evaluation.networks.trained_network import TrainedNetwork
from hyperband.evaluation.networks.training import Training
from hyperband.evaluation.networks.trial_networks import TrialNetworks
from hyperband.tuning.trial import Job


class Refittable(Protocol):
    """What is used of `hyperband.tables.PreparedTable`."""

    @property
    def views(self) -> Sequence[str]:
        """Names of the views."""

    def refit(self, view: str) -> Data:
        """All rows that are not test rows as training rows."""


class AllRows:
    """A table whose only fold trains on all rows; each view is made once."""

    n_folds = 1

    def __init__(self, table: Refittable) -> None:
        self._table = table
        self._made: dict[str, Data] = {}

    @property
    def views(self) -> Sequence[str]:
        """Those of the table."""
        return self._table.views

    def dataset(self, view: str, fold: int = 0) -> Data:
        """The rows in a view; nobody validates."""
        if view not in self._made:
            self._made[view] = self._table.refit(view)
        return self._made[view]


@dataclass(frozen=True, slots=True)
class RefitTrial:
    """A trial to train again.

    Parameters
    ----------
    trial : int
    configuration : mapping
    resources : tuple of float, ascending: the moments at which its weights are wanted
    lifetime : float > 0, the share of ``max_resource`` at which its schedules end
    work : float, about what it takes, see `work_of_epoch`
    """

    trial: int
    configuration: Mapping[str, Any] = field(repr=False)
    resources: tuple[float, ...]
    lifetime: float = 1.0
    work: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Refit:
    """What was trained again.

    Parameters
    ----------
    trials : tuple of int
        The first ones that were asked for, as many as the time allowed.
    networks : mapping of (trial, resource) to TrainedNetwork
        Their numbers of data sets are those of ``datasets``. A trial that diverged has none.
    datasets : Datasets, of all rows
    """

    trials: tuple[int, ...]
    networks: Mapping[tuple[int, float], TrainedNetwork]
    datasets: Datasets


def moments_by_weight(chosen: ChosenCandidates) -> dict[int, tuple[float, ...]]:
    """The trials of an ensemble, the heaviest first, with the moments at which they are in it, ascending."""
    moments: dict[int, list[float]] = {}
    for candidate in chosen.candidates:
        moments.setdefault(candidate.trial, []).append(candidate.resource)
    weights = trial_weights(chosen)
    order = sorted(weights, key=lambda trial: (-weights[trial], trial))
    return {trial: tuple(sorted(moments[trial])) for trial in order}


def trial_weights(chosen: ChosenCandidates) -> dict[int, float]:
    """Weight of each trial of an ensemble, of all its moments together."""
    weights: dict[int, float] = {}
    for candidate, weight in zip(chosen.candidates, chosen.weights, strict=True):
        weights[candidate.trial] = weights.get(candidate.trial, 0.0) + weight
    return weights


def refit_work(chosen: ChosenCandidates, datasets: Datasets) -> list[tuple[float, float]]:
    """Weight of each trial of an ensemble, and about what it takes to train it again, see `work_of_epoch`.

    The heaviest trial comes first.
    """
    networks = {candidate.trial: candidate.networks[0] for candidate in chosen.candidates}
    weights, found = trial_weights(chosen), []
    for trial, moments in moments_by_weight(chosen).items():
        architecture, dataset = networks[trial].architecture, datasets.of(networks[trial].dataset)
        n_rows = len(dataset.data.x_train) + len(dataset.data.x_validation)
        outputs, numbers = dataset.data.n_outputs, dataset.train.numbers
        epoch = work_of_epoch(architecture, n_rows, dataset.n_inputs, outputs, numbers)
        found.append((weights[trial], moments[-1] * epoch))
    return found


def refit(
    trials: Sequence[RefitTrial],
    table: Refittable,
    backend: Backend,
    *,
    training: Training,
    compute: Compute,
    max_resource: float,
    seed: int,
    deadline: float = math.inf,
    speed: float = math.nan,
) -> Refit:
    """Train trials again from their beginning, with the seeds that they had, on all rows that are not test rows.

    Each network makes as many passes over the rows as it did before, so a few more steps; nobody validates. It is the
    same network whatever trains beside it, as in a search.

    Parameters
    ----------
    trials : sequence of RefitTrial, the most important ones first
    table, backend, training, compute, max_resource, seed : as for `NetworkEvaluator`
    deadline : float, monotonic seconds
        A trial that is not expected to be done by then does not begin, and what is not done then is dropped. Which
        trials are done is then a matter of the clock, their networks are not.
    speed : float, work a second to expect at first (see `work_of_epoch`); NaN: a beginning is made and measured

    Returns
    -------
    Refit
        Also after Ctrl-C and where memory was short, with the trials that were done by then.

    Raises
    ------
    InsufficientMemory
        When the rows, or not even one network, fit in memory, and no trial is done.
    DataError
        As from `hyperband.tables.PreparedTable.refit`.
    """
    datasets = Datasets(AllRows(table), training, max_resource, seed)
    work: _Work | None = None
    try:
        began, view = time.monotonic(), trials[0].configuration.get("view")
        first = datasets.numbers(view)[0]
        networks = TrialNetworks(datasets, backend, compute, training.resource, seed, first)
        work = _Work(trials, networks, thread_count(compute.threads), deadline, speed)
        work.prepared(view, time.monotonic() - began)
        work.all()
    except KeyboardInterrupt:
        pass
    except InsufficientMemory:
        if work is None or not work.done:
            raise
    finally:
        if work is not None:
            work.close()
    done = () if work is None else work.done
    found = {} if work is None else work.found
    return Refit(done, {key: network for key, network in found.items() if key[0] in done}, datasets)


class _Work:
    """Trials that train, a few at a time, and what came of them."""

    def __init__(
        self, trials: Sequence[RefitTrial], networks: TrialNetworks, threads: int, deadline: float, speed: float
    ) -> None:
        self._trials, self._networks, self._deadline, self._speed = trials, networks, deadline, speed
        # With a deadline few at a time: then those that came first are done by then.
        self._most = len(trials) if math.isinf(deadline) else threads
        self._training: dict[int, list[float]] = {}  # position -> moments still to come
        self._ended: set[int] = set()
        self._next = 0
        self._began, self._spent = time.monotonic(), 0.0  # work that was done
        self._views: set[object] = set()  # views that are prepared
        self._preparing = 0.0  # seconds that the slowest of them took
        self.found: dict[tuple[int, float], TrainedNetwork] = {}

    @property
    def done(self) -> tuple[int, ...]:
        """Of those that came first, the trials that have ended."""
        first = next((position for position in range(len(self._trials)) if position not in self._ended), None)
        return tuple(trial.trial for trial in self._trials[:first])

    def all(self) -> None:
        """Train until everything is done, or the time is up."""
        while time.monotonic() < self._deadline:
            while len(self._training) < self._most and self._next < len(self._trials) and self._has_time():
                self._begin()
            if not self._training:
                return
            self._slice()

    def _has_time(self) -> bool:
        """Whether the next trial is expected to end before the deadline, by the speed so far."""
        if math.isinf(self._deadline):
            return True
        now = time.monotonic()
        speed = self._spent / (now - self._began) if self._spent else self._speed
        if not speed > 0.0:  # not known yet
            return True
        trial = self._trials[self._next]
        left = sum(self._left(position) for position in self._training) + trial.work
        prepared = trial.configuration.get("view") in self._views
        return now + left / speed + (0.0 if prepared else self._preparing) <= self._deadline

    def prepared(self, view: object, seconds: float) -> None:
        """A view was prepared in so many seconds; further ones are expected to take no longer."""
        self._views.add(view)
        self._preparing = max(self._preparing, seconds)

    def close(self) -> None:
        """Free what is in memory."""
        self._networks.residency.close()

    def _begin(self) -> None:
        trial = self._trials[self._next]
        began = time.monotonic()
        job = Job(trial.trial, 0, 0, trial.configuration, trial.resources[-1])
        self._networks.create(job, trial.lifetime)
        if trial.configuration.get("view") not in self._views:
            self.prepared(trial.configuration.get("view"), time.monotonic() - began)
        self._training[self._next] = list(trial.resources)
        self._next += 1

    def _key(self, position: int) -> int:
        return self._networks.keys(self._trials[position].trial)[0]

    def _goal(self, position: int, resource: float) -> int:
        return self._networks.goal(self._key(position), resource).step

    def _left(self, position: int) -> float:
        key, residency = self._key(position), self._networks.residency
        step = int(residency.progress([key]).step[0])
        return self._networks.step_work[key] * (self._goal(position, self._trials[position].resources[-1]) - step)

    def _slice(self) -> None:
        """Train for a moment, and take the weights of those that have arrived."""
        residency = self._networks.residency
        by_key = {self._key(position): position for position in self._training}
        keys = residency.upload(by_key, QUANTUM)
        before = sum(self._left(by_key[key]) for key in keys)
        until = np.array([self._goal(by_key[key], self._training[by_key[key]][0]) for key in keys], dtype=np.int64)
        ids = residency.ids(keys)
        arrived = self._networks.engines.train(ids, until, evaluate=False, seconds=QUANTUM)
        self._spent += before - sum(self._left(by_key[key]) for key in keys)
        diverged = self._networks.engines.progress(ids).diverged
        for row, key in enumerate(keys):
            if arrived[row]:
                self._arrive(by_key[key], bool(diverged[row]))

    def _arrive(self, position: int, diverged: bool) -> None:
        trial, moments = self._trials[position].trial, self._training[position]
        resource = moments.pop(0)
        if diverged:
            moments.clear()
            for earlier in self._trials[position].resources:
                self.found.pop((trial, earlier), None)
        else:
            (self.found[trial, resource],) = self._networks.export(trial, "current")
        if not moments:
            del self._training[position]
            self._ended.add(position)
            self._networks.release([trial])
