"""The networks of trials: one a fold, each on the data of its view and fold, under one set of keys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hyperband._common.philox import member_seed
from hyperband.engine.backends.base import (
    F32,
    Backend,
    Engine,
    EngineSettings,
    Member,
    TrainingProgress,
    TrainsTogether,
)
from hyperband.engine.datasets import DatasetEngines
from hyperband.engine.network_space import to_architecture
from hyperband.engine.parameters import in_original_order, layered
from hyperband.engine.residency import Residency
from hyperband.errors import InputError
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.datasets import Dataset, Datasets
from hyperband.evaluation.networks.metrics import Metrics
from hyperband.evaluation.networks.resources import Goal
from hyperband.evaluation.networks.trained_network import TrainedNetwork
from hyperband.tuning.trial import Job


class TrialNetworks:
    """Creates the networks of trials, and reads of them what a result needs.

    Parameters
    ----------
    datasets : Datasets
    backend : Backend
    compute : Compute
    unit : {"epochs", "rows", "features"}, what the resource counts
    seed : int, root of the networks' seeds
    first : int, number of the data set whose engine is made at once; the others are made when they are needed

    Raises
    ------
    InputError, BackendUnavailable
        When the backend cannot compute so.
    """

    def __init__(
        self, datasets: Datasets, backend: Backend, compute: Compute, unit: str, seed: int, first: int = 0
    ) -> None:
        self.datasets, self._backend, self._unit, self._seed = datasets, backend, unit, seed
        self._settings = EngineSettings(compute.threads, compute.precision, compute.device_memory)
        self._metrics: dict[int, Metrics] = {}
        together = backend if isinstance(backend, TrainsTogether) else None
        self.engines = DatasetEngines(self._make_engine, together)
        self.engines.of(first)  # bad settings are an error now
        self.residency = Residency(self.engines, compute.memory_limit, self.engines.bytes_of)
        self.step_work: dict[int, float] = {}  #: of each network, roughly in floating-point operations

    def _make_engine(self, number: int) -> Engine:
        dataset = self.datasets.of(number)
        data = dataset.data
        validation = dataset.validation if len(dataset.validation.x) else None
        engine = self._backend.engine(dataset.train, validation, dataset.loss, data.n_outputs, self._settings)
        self._metrics[number] = Metrics(dataset.loss, dataset.validation, data.scale)
        return engine

    def keys(self, trial: int) -> range:
        """Of the networks of a trial, one a fold."""
        folds = self.datasets.n_folds
        return range(trial * folds, (trial + 1) * folds)

    def create(self, job: Job, lifetime: float = 1.0) -> None:
        """The networks of a new trial, or of one that starts as a copy of another.

        Parameters
        ----------
        lifetime : float > 0, as a share of the evaluator's ``max_resource``
            The share of the maximal resource at which their schedules end.

        Raises
        ------
        InputError
            When the configuration is no network, or not one for this resource or table.
        """
        architecture = to_architecture(job.configuration)
        if self._unit == "features" and architecture.number_embedding != "none":
            raise InputError(
                "A network with `number_embedding` must see all columns, so resource='features' cannot train it; "
                f"got {architecture.number_embedding!r}. Use resource='epochs' or 'rows'."
            )
        numbers = self.datasets.numbers(job.configuration.get("view"))
        seed = member_seed(self._seed, job.trial)
        for fold, (key, number) in enumerate(zip(self.keys(job.trial), numbers, strict=True)):
            dataset = self.datasets.of(number)
            own = member_seed(seed, fold) if fold else seed
            member = Member(architecture, own, dataset.resource.total_steps(architecture, lifetime), number)
            if job.parent is None:
                self.residency.declare(key, member)
            else:
                self.residency.copy(key, member, self.keys(job.parent)[fold])
            self.step_work[key] = float(architecture.batch_size * dataset.n_parameters(architecture))

    def dataset(self, key: int) -> Dataset:
        """The data that a network trains on."""
        return self.datasets.of(self.residency.member(key).dataset)

    def goal(self, key: int, resource: float) -> Goal:
        """Where a network stands that has this much of the resource."""
        return self.dataset(key).resource.goal(self.residency.member(key).architecture, resource)

    def reached(self, trial: int, steps: NDArray[np.int64]) -> float:
        """Resource after so many steps of each fold, their mean; what a job asks for is met exactly."""
        reached = [
            self.dataset(key).resource.reached(self.residency.member(key).architecture, step)
            for key, step in zip(self.keys(trial), steps.tolist(), strict=True)
        ]
        return math.fsum(reached) / len(reached)

    def outputs(self, trial: int, weights: str) -> F32:
        """Raw outputs for the validation rows of all folds, one after another; weights "best" or "current"."""
        parts = []
        for key in self.keys(trial):
            dataset, identity = self.dataset(key), int(self.residency.ids([key])[0])
            outputs = self.engines.predict(identity, dataset.validation.x, weights=weights)
            parts.append(outputs)
        return np.concatenate(parts)

    def figures(self, trial: int, progress: TrainingProgress) -> dict[str, float]:
        """Metrics of a trial, averaged over its folds; those that every fold has."""
        figures = []
        for row, key in enumerate(self.keys(trial)):
            number = self.residency.member(key).dataset
            error, loss = float(progress.best_error[row]), float(progress.best_loss[row])
            train_loss = float(progress.train_loss[row])

            def predict(x: F32, key: int = key) -> F32:
                return self.engines.predict(int(self.residency.ids([key])[0]), x, weights="best")

            figures.append(self._metrics[number].of(predict, error, loss, train_loss))
        names = [name for name in figures[0] if all(name in one for one in figures)]
        return {name: math.fsum(one[name] for one in figures) / len(figures) for name in names}

    def export(self, trial: int, weights: str = "best") -> tuple[TrainedNetwork, ...]:
        """The networks of a trial; ``weights``: "best", or "current", those that predict now."""
        networks = []
        for key in self.keys(trial):
            dataset, member = self.dataset(key), self.residency.member(key)
            averaged = member.architecture.weight_average > 0.0
            prefix = "best." if weights == "best" else "average." if averaged else ""
            layers = layered(self.residency.state(key), prefix)
            networks.append(TrainedNetwork(member.architecture, layers, dataset.number))
        return tuple(networks)

    def in_original_order(self, network: TrainedNetwork, seen: int) -> TrainedNetwork:
        """A network for columns as the table has them; of their order in training it has seen the first ``seen``."""
        columns = self.datasets.of(network.dataset).columns
        if columns is None:
            return network
        return replace(network, weights=in_original_order(network.architecture, network.weights, columns, seen))

    def release(self, trials: Sequence[int]) -> None:
        """Free the networks of these trials."""
        keys = [key for trial in trials for key in self.keys(trial)]
        self.residency.release(keys)
        for key in keys:
            self.step_work.pop(key, None)
