"""What a search for networks returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hyperband.engine.architecture import Architecture
from hyperband.engine.network_space import to_architecture
from hyperband.evaluation.networks.evaluator import NetworkEvaluator
from hyperband.interface.result import SearchResult
from hyperband.model import Model
from hyperband.tables import Prepared
from hyperband.tuning.run.run import Incumbent, Run


@dataclass(frozen=True, slots=True, repr=False)
class NetworkSearchResult(SearchResult):
    """A `SearchResult` whose ``best.network`` is a `Model`.

    Parameters
    ----------
    test : dict or None
        `Model.evaluate` of the best network on the test rows, when there are any.
    notes : tuple of str, what was done to the table
    configurations : mapping of trial to configuration, of all trials
    """

    test: dict[str, float] | None = None
    notes: tuple[str, ...] = field(default=())
    configurations: Mapping[int, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def architecture(self, trial: int) -> Architecture:
        """The network of any trial."""
        return to_architecture(self.configurations[trial])


def with_networks(
    result: SearchResult, run: Run, evaluator: NetworkEvaluator, prepared: Prepared, backend: str
) -> NetworkSearchResult:
    """The result with the networks of its incumbents, and the best one's figures on the test rows.

    Parameters
    ----------
    result : SearchResult, of ``run``
    backend : str, the one that computes the figures
    """
    fields = {name: getattr(result, name) for name in SearchResult.__dataclass_fields__}
    for name in ("best", "best_at_full"):
        if fields[name] is not None:
            fields[name] = _with_network(fields[name], evaluator, prepared, run.seed)
    best, test = fields["best"], None
    if best is not None and prepared.x_test is not None and prepared.y_test is not None:
        test = best.network.score(prepared.x_test, prepared.y_test, backend=backend)
    trials = sorted({int(trial) for trial in result.trials["trial"].tolist()})
    configurations = dict(zip(trials, run.configurations(trials), strict=True))
    return NetworkSearchResult(**fields, test=test, notes=prepared.notes, configurations=configurations)


def _with_network(incumbent: Incumbent, evaluator: NetworkEvaluator, prepared: Prepared, seed: int) -> Incumbent:
    architecture, layers = evaluator.network(incumbent.trial, incumbent.resource)
    provenance = {
        "configuration": dict(incumbent.configuration),
        "trial": incumbent.trial,
        "resource": incumbent.resource,
        "unit": evaluator.unit,
        "loss": incumbent.loss,
        "metrics": dict(incumbent.metrics),
        "seed": seed,
    }
    return replace(incumbent, network=Model.of_one(prepared.preprocessing, architecture, layers, provenance))
