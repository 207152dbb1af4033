"""From the candidates of a search to the model that it hands back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hyperband.evaluation.networks.datasets import Datasets
from hyperband.evaluation.networks.library import CandidateLibrary
from hyperband.evaluation.networks.trained_network import TrainedNetwork
from hyperband.metrics import PRIOR_ROWS, default_metric, fit_temperature, metric
from hyperband.model import MemberNetwork, Model
from hyperband.tables import Prepared, PreparedTable

#: Probabilities whose logarithm is taken are at least this.
_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, slots=True)
class EnsembleMember:
    """A trial at a moment, and its part in the ensemble."""

    trial: int
    resource: float
    weight: float


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Who predicts, and what the validation rows say of it.

    Parameters
    ----------
    members : tuple of EnsembleMember; with k folds each stands for k networks
    metric : str
    score : float, of the ensemble on the validation rows by which it was chosen: too good, by the choice among many
    cross_score : float, on the same rows of ensembles that the other half of them chose: what to expect on new rows
    single : float, of the best single candidate there
    temperature : float, by which logarithms of probabilities are divided; 1 for regression
    """

    members: tuple[EnsembleMember, ...]
    metric: str
    score: float
    cross_score: float
    single: float
    temperature: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        members = [{"trial": m.trial, "resource": m.resource, "weight": m.weight} for m in self.members]
        return {
            "members": members,
            "metric": self.metric,
            "score": self.score,
            "cross_score": self.cross_score,
            "single": self.single,
            "temperature": self.temperature,
        }


def candidate_library(table: PreparedTable, datasets: Datasets, what: Any) -> CandidateLibrary:
    """An empty library for the validation rows of a table.

    Parameters
    ----------
    what : a metric, see `hyperband.metrics.metric`; None: accuracy or RMSE
    """
    first = datasets.of(0).data
    target = table.target
    chosen = default_metric(target.task) if what is None else metric(what, target.task, classes=target.classes)
    y, weight = datasets.validation_targets()
    limits = None
    if target.task == "regression":
        chosen = chosen.of_standardised(target.mean, target.scale)
        if target.low:
            mean, scale = np.array(target.mean), np.array(target.scale)
            limits = (np.array(target.low) - mean) / scale, (np.array(target.high) - mean) / scale
    return CandidateLibrary(y, weight, first.loss, chosen, limits=limits)


def assemble(
    table: PreparedTable, datasets: Datasets, library: CandidateLibrary, size: int, provenance: Any
) -> tuple[Model, Ensemble] | None:
    """The model of the ensemble of at most ``size``, and the report on it; None when nobody is in the library.

    The temperature is fitted on what the validation rows get from ensembles that other rows chose.
    """
    chosen, crossed = library.ensemble(size), library.cross_prediction(size, parts=2)
    if chosen is None or crossed is None:
        return None
    what, temperature = library.metric, 1.0
    y, weight = datasets.validation_targets()
    exact = None if weight is None else weight.astype(np.float64)
    if what.task == "classification":
        logs = np.log(np.maximum(crossed, _TINY))
        temperature = fit_temperature(logs, y, exact, prior_rows=PRIOR_ROWS)
    ensemble = Ensemble(
        tuple(
            EnsembleMember(candidate.trial, candidate.resource, weight)
            for candidate, weight in zip(chosen.candidates, chosen.weights, strict=True)
        ),
        what.name,
        chosen.score,
        what.score(y, crossed, exact),
        chosen.single,
        temperature,
    )
    weighted = [
        (weight / len(candidate.networks), network)
        for candidate, weight in zip(chosen.candidates, chosen.weights, strict=True)
        for network in candidate.networks
    ]
    return model_of(table, datasets, weighted, temperature, provenance), ensemble


def model_of(
    table: PreparedTable,
    datasets: Datasets,
    weighted: Sequence[tuple[float, TrainedNetwork]],
    temperature: float,
    provenance: Any,
) -> Model:
    """Networks with their weights in the mean as a model."""
    numbers = sorted({network.dataset for _, network in weighted})
    preprocessings = [_prepared(table, datasets, number).preprocessing for number in numbers]
    members = [
        MemberNetwork(weight, numbers.index(network.dataset), network.architecture, network.weights)
        for weight, network in weighted
    ]
    return Model(preprocessings, members, temperature, provenance)


def test_figures(table: PreparedTable, datasets: Datasets, model: Model, backend: str) -> dict[str, float] | None:
    """Figures of a model on the test rows; None where there are none."""
    parts = [_prepared(table, datasets, number) for number in datasets.in_use]
    used = [next(part for part in parts if part.preprocessing is one) for one in model.preprocessings]
    rows = [part.x_test for part in used if part.x_test is not None]
    known = parts[0].y_test
    return None if known is None or not rows else model.score(rows, known, backend=backend)


def _prepared(table: PreparedTable, datasets: Datasets, number: int) -> Prepared:
    dataset = datasets.of(number)
    return table.dataset(dataset.view, dataset.fold)
