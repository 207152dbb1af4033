"""From the candidates of a search to the model that it hands back."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np

from hyperband.engine.losses import parse
from hyperband.errors import InputError
from hyperband.evaluation.networks.datasets import Datasets
from hyperband.evaluation.networks.library import CandidateLibrary, ChosenCandidates
from hyperband.evaluation.networks.refit import Refit
from hyperband.evaluation.networks.trained_network import TrainedNetwork
from hyperband.metrics import PRIOR_ROWS, Metric, default_metric, fit_temperature, metric
from hyperband.model import MemberNetwork, Model
from hyperband.tables import Prepared, PreparedTable

#: Probabilities whose logarithm is taken are at least this.
_TINY = np.finfo(np.float64).tiny

#: A network, its weight in the mean, and the rows that it was trained on.
Weighted: TypeAlias = tuple[float, TrainedNetwork, Prepared]


@dataclass(frozen=True, slots=True)
class EnsembleMember:
    """A trial at a moment, its part in the ensemble, and whether it was trained again on all rows."""

    trial: int
    resource: float
    weight: float
    refit: bool = False


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Who predicts, and what the validation rows say of it.

    Parameters
    ----------
    members : tuple of EnsembleMember; with k folds each stands for k networks, unless it was trained again
    metric : str
    score : float, of the ensemble on the validation rows by which it was chosen: too good, by the choice among many
    cross_score : float, on the same rows of ensembles that the other half of them chose: what to expect on new rows
    single : float, of the best single candidate there
    temperature : float, by which logarithms of probabilities are divided; 1 for regression
    refit : int
        So many trials, those with the most weight, were trained again on all rows. The scores are those of the
        networks before that.
    """

    members: tuple[EnsembleMember, ...]
    metric: str
    score: float
    cross_score: float
    single: float
    temperature: float
    refit: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        members = [asdict(member) for member in self.members]
        return {
            "members": members,
            "metric": self.metric,
            "score": self.score,
            "cross_score": self.cross_score,
            "single": self.single,
            "temperature": self.temperature,
            "refit": self.refit,
        }


def candidate_library(table: PreparedTable, datasets: Datasets, what: Any) -> CandidateLibrary:
    """An empty library for the validation rows of a table.

    Parameters
    ----------
    what : a metric, see `hyperband.metrics.metric`; None: accuracy, RMSE, or the quantile loss where that is minimised
    """
    loss, target = datasets.of(0).loss, table.target
    if what is None:
        minimised = parse(loss)
        chosen = default_metric(target.task, quantile=minimised.number if minimised.name == "quantile" else None)
    else:
        chosen = metric(what, target.task, classes=target.classes)
    y, weight = datasets.validation_targets()
    limits = None
    if target.task == "regression":
        chosen = chosen.of_standardised(target.mean, target.scale)
        if target.low:
            mean, scale = np.array(target.mean), np.array(target.scale)
            limits = (np.array(target.low) - mean) / scale, (np.array(target.high) - mean) / scale
    return CandidateLibrary(y, weight, loss, chosen, limits=limits)


def assemble(
    datasets: Datasets,
    library: CandidateLibrary,
    size: int,
    refit: Callable[[ChosenCandidates], Refit | None],
) -> tuple[list[Weighted], Ensemble] | None:
    """The networks of the ensemble of at most ``size``, and the report on it; None when nobody is in the library.

    The temperature is fitted on what the validation rows get from ensembles that other rows chose.

    Parameters
    ----------
    refit : callable (ChosenCandidates) -> Refit or None
        Trains the chosen ones again, as many as shall be.
    """
    chosen, crossed = library.ensemble(size), library.cross_prediction(size, parts=2)
    if chosen is None or crossed is None:
        return None
    what, temperature = library.metric, 1.0
    y, row_weights = datasets.validation_targets()
    exact = None if row_weights is None else row_weights.astype(np.float64)
    if what.task == "classification":
        logs = np.log(np.maximum(crossed, _TINY))
        temperature = fit_temperature(logs, y, exact, prior_rows=PRIOR_ROWS)
    again = refit(chosen)
    members: list[EnsembleMember] = []
    weighted: list[Weighted] = []
    for candidate, weight in zip(chosen.candidates, chosen.weights, strict=True):
        new = None if again is None else again.networks.get((candidate.trial, candidate.resource))
        members.append(EnsembleMember(candidate.trial, candidate.resource, weight, new is not None))
        if again is not None and new is not None:
            weighted.append((weight, new, _rows(again.datasets, new)))
        else:
            weighted += with_data(datasets, candidate.networks, weight)
    ensemble = Ensemble(
        tuple(members),
        what.name,
        chosen.score,
        what.score(y, crossed, exact),
        chosen.single,
        temperature,
        0 if again is None else len(again.trials),
    )
    return weighted, ensemble


def with_data(datasets: Datasets, networks: Sequence[TrainedNetwork], weight: float = 1.0) -> list[Weighted]:
    """Networks of one trial, a fold each, that share its weight."""
    return [(weight / len(networks), network, _rows(datasets, network)) for network in networks]


def model_of(weighted: Sequence[Weighted], temperature: float, provenance: Any) -> Model:
    """Networks with their weights in the mean as a model."""
    views = _views(weighted)
    position = {id(rows): number for number, rows in enumerate(views)}
    members = [
        MemberNetwork(weight, position[id(rows)], network.architecture, network.weights)
        for weight, network, rows in weighted
    ]
    return Model([rows.preprocessing for rows in views], members, temperature, provenance)


def test_figures(
    weighted: Sequence[Weighted], model: Model, metric: Metric | None, backend: str
) -> dict[str, float] | None:
    """Figures of the model of these networks on the test rows, ``metric`` among them; None where there are none.

    A metric that cannot be computed there is left out with a warning: the search is over.
    """
    views = _views(weighted)
    x, y = [view.x_test for view in views if view.x_test is not None], views[0].y_test
    if y is None or not x:
        return None
    try:
        return model.score(x, y, metric=metric, backend=backend)
    except InputError as error:
        warnings.warn(f"The metric of the search is not among the figures on the test rows. {error}", stacklevel=2)
        return model.score(x, y, backend=backend)


def _views(weighted: Sequence[Weighted]) -> list[Prepared]:
    """What the networks were trained on, each once."""
    return list({id(rows): rows for _, _, rows in weighted}.values())


def _rows(datasets: Datasets, network: TrainedNetwork) -> Prepared:
    rows = datasets.of(network.dataset).data
    assert isinstance(rows, Prepared)
    return rows
