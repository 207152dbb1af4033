"""What a search for networks returns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hyperband.engine.architecture import Architecture
from hyperband.engine.network_space import to_architecture
from hyperband.evaluation.networks.evaluator import NetworkEvaluator
from hyperband.evaluation.networks.library import CandidateLibrary
from hyperband.evaluation.networks.training import Training
from hyperband.interface.assemble import Ensemble, assemble, model_of, test_figures
from hyperband.interface.result import SearchResult
from hyperband.model import Model
from hyperband.tables import PreparedTable
from hyperband.tuning.algorithms import Algorithm
from hyperband.tuning.run.run import Incumbent, Run


@dataclass(frozen=True, slots=True, repr=False)
class NetworkSearchResult(SearchResult):
    """A `SearchResult` with a model that predicts.

    Parameters
    ----------
    model : Model or None
        The ensemble of the population, or what ``ensemble=1`` leaves of it: what the command line saves and predicts
        with. ``best.network`` is the model of the single configuration with the smallest loss.
    ensemble : Ensemble or None
        Who is in the model, and what it gains. None where no ensemble was chosen: resource "rows" or "features".
    test : dict or None
        `Model.evaluate` of the model on the test rows, when there are any.
    test_of_best : dict or None
        Likewise of ``best.network``.
    notes : tuple of str, what was done to the table
    configurations : mapping of trial to configuration, of all trials
    algorithm : Algorithm or None
        What ran. Where a time limit decided the plan, it lists the brackets that were decided: the same search without
        a clock is ``hb.search(..., algorithm=result.algorithm, training=result.training)``.
    training : Training or None
        How networks were trained and ranked.
    """

    model: Model | None = None
    ensemble: Ensemble | None = None
    test: dict[str, float] | None = None
    test_of_best: dict[str, float] | None = None
    notes: tuple[str, ...] = field(default=())
    configurations: Mapping[int, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    algorithm: Algorithm | None = None
    training: Training | None = None

    def architecture(self, trial: int) -> Architecture:
        """The network of any trial."""
        return to_architecture(self.configurations[trial])


@dataclass(frozen=True, slots=True)
class Finished:
    """A search that has ended, and what its result is made from.

    Parameters
    ----------
    result : SearchResult, of ``run``
    size : int, networks that the ensemble may add, repetitions included
    backend : str, the one that computes figures on the test rows
    started : float, monotonic seconds
    """

    result: SearchResult
    run: Run
    evaluator: NetworkEvaluator
    table: PreparedTable
    library: CandidateLibrary | None
    algorithm: Algorithm
    training: Training
    size: int
    backend: str
    started: float

    def with_networks(self) -> NetworkSearchResult:
        """The result with the networks of its incumbents, and the model with its figures on the test rows."""
        fields = {name: getattr(self.result, name) for name in SearchResult.__dataclass_fields__}
        for name in ("best", "best_at_full"):
            if fields[name] is not None:
                fields[name] = self._with_network(fields[name])
        best = fields["best"]
        model, ensemble, test, test_of_best = None, None, None, None
        if best is not None:
            test_of_best = self._test(best.network)
            model, ensemble, test = best.network, None, test_of_best
        provenance = self._provenance(best) if best is not None else {}
        datasets, library = self.evaluator.datasets, self.library
        made = None if library is None else assemble(self.table, datasets, library, self.size, provenance)
        if made is not None:
            model, ensemble = made
            model = replace(model, provenance={**provenance, "ensemble": ensemble.to_dict()})
            test = self._test(model)
        trials = sorted({int(trial) for trial in self.result.trials["trial"].tolist()})
        configurations = dict(zip(trials, self.run.configurations(trials), strict=True))
        fields["seconds"] = time.monotonic() - self.started
        return NetworkSearchResult(
            **fields, model=model, ensemble=ensemble, test=test, test_of_best=test_of_best, notes=self.table.notes,
            configurations=configurations, algorithm=self.algorithm, training=self.training,
        )  # fmt: skip

    def _with_network(self, incumbent: Incumbent) -> Incumbent:
        networks = self.evaluator.networks(incumbent.trial, incumbent.resource)
        weighted = [(1.0 / len(networks), network) for network in networks]
        provenance = self._provenance(incumbent)
        return replace(incumbent, network=model_of(self.table, self.evaluator.datasets, weighted, 1.0, provenance))

    def _provenance(self, incumbent: Incumbent) -> dict[str, Any]:
        return {
            "configuration": dict(incumbent.configuration),
            "trial": incumbent.trial,
            "resource": incumbent.resource,
            "unit": self.evaluator.unit,
            "loss": incumbent.loss,
            "metrics": dict(incumbent.metrics),
            "seed": self.run.seed,
        }

    def _test(self, model: Model) -> dict[str, float] | None:
        return test_figures(self.table, self.evaluator.datasets, model, self.backend)
