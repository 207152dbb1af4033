"""What a search for networks returns."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hyperband._common.counted import counted
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.network_space import to_architecture
from hyperband.errors import DataError, InsufficientMemory
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.evaluator import NetworkEvaluator
from hyperband.evaluation.networks.library import CandidateLibrary, ChosenCandidates
from hyperband.evaluation.networks.refit import Refit, RefitTrial, moments_by_weight, refit, refit_work
from hyperband.evaluation.networks.training import Training
from hyperband.interface.assemble import Ensemble, Weighted, assemble, model_of, test_figures, with_data
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
        `Model.evaluate` of the model on the test rows, when there are any, and the metric of the search.
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

    def _figures(self) -> list[tuple[str, str]]:
        """The ensemble, and how well it and the best network predict the test rows."""
        shown: list[tuple[str, str]] = []
        ensemble, model = self.ensemble, self.model
        if ensemble is not None and model is not None:
            trials = len({member.trial for member in ensemble.members})
            text = (
                f"{counted(len(model.members), 'network')} of {counted(trials, 'trial')}, {ensemble.metric} "
                f"{ensemble.score:.4f} on the rows that chose it, {ensemble.cross_score:.4f} on others, "
                f"{ensemble.single:.4f} of the best alone"
            )
            shown.append(("ensemble", text))
        if self.test is not None:
            shown.append(("test", _list(self.test)))
        if self.test_of_best is not None and ensemble is not None:
            shown.append(("test of the best network", _list(self.test_of_best)))
        return shown


@dataclass(frozen=True, slots=True)
class Finished:
    """A search that has ended, and what its result is made from.

    Parameters
    ----------
    result : SearchResult, of ``run``
    size : int, networks that the ensemble may add, repetitions included
    refit : int, trials of the ensemble that are trained again on all rows, at most
    compute : Compute, for that and for figures on the test rows
    started : float, monotonic seconds
    deadline : float, monotonic seconds at which training has to end
    speed : float, work a second (`work_of_epoch`); NaN where that is not known
    """

    result: SearchResult
    run: Run
    evaluator: NetworkEvaluator
    table: PreparedTable
    library: CandidateLibrary | None
    algorithm: Algorithm
    training: Training
    size: int
    refit: int
    compute: Compute
    started: float
    deadline: float = math.inf
    speed: float = math.nan

    def with_networks(self) -> NetworkSearchResult:
        """The result with the networks of its incumbents, and the model with its figures on the test rows."""
        fields = {name: getattr(self.result, name) for name in SearchResult.__dataclass_fields__}
        for name in ("best", "best_at_full"):
            if fields[name] is not None:
                fields[name] = self._with_network(fields[name])
        best = fields["best"]
        model, ensemble, test, test_of_best = None, None, None, None
        if best is not None:
            model = best.network
            test = test_of_best = self._test(self._networks(best), model)
        provenance = self._provenance(best) if best is not None else {}
        library = self.library
        training = self.training
        made = None if library is None else assemble(self.evaluator.datasets, library, self.size, self._again)
        if made is not None:
            weighted, ensemble = made
            model = model_of(weighted, ensemble.temperature, {**provenance, "ensemble": ensemble.to_dict()})
            test = self._test(weighted, model)
            training = replace(training, refit=ensemble.refit)
        trials = sorted({int(trial) for trial in self.result.trials["trial"].tolist()})
        configurations = dict(zip(trials, self.run.configurations(trials), strict=True))
        fields["seconds"] = time.monotonic() - self.started
        return NetworkSearchResult(
            **fields, model=model, ensemble=ensemble, test=test, test_of_best=test_of_best, notes=self.table.notes,
            configurations=configurations, algorithm=self.algorithm, training=training,
        )  # fmt: skip

    def _networks(self, incumbent: Incumbent) -> list[Weighted]:
        return with_data(self.evaluator.datasets, self.evaluator.networks(incumbent.trial, incumbent.resource))

    def _with_network(self, incumbent: Incumbent) -> Incumbent:
        return replace(incumbent, network=model_of(self._networks(incumbent), 1.0, self._provenance(incumbent)))

    def _again(self, chosen: ChosenCandidates) -> Refit | None:
        """The heaviest trials of an ensemble, trained again on all rows."""
        trials = []
        work = refit_work(chosen, self.evaluator.datasets)
        for (trial, moments), (_, needed) in zip(moments_by_weight(chosen).items(), work, strict=True):
            lifetime = self.evaluator.lifetime(trial)
            if lifetime is not None:
                (configuration,) = self.run.configurations([trial])
                trials.append(RefitTrial(trial, configuration, moments, lifetime, needed))
        trials = trials[: self.refit]
        if not trials or time.monotonic() >= self.deadline:
            return None
        try:
            return refit(
                trials,
                self.table,
                registry.get(self.compute.backend),
                training=self.training,
                compute=self.compute,
                max_resource=self.evaluator.max_resource,
                seed=self.run.seed,
                deadline=self.deadline,
                speed=self.speed,
            )
        except (InsufficientMemory, DataError) as error:  # the search is over: its result must not be lost
            warnings.warn(f"The ensemble was not trained again on all rows. {error}", stacklevel=2)
            return None

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

    def _test(self, weighted: list[Weighted], model: Model) -> dict[str, float] | None:
        return test_figures(
            weighted, model, None if self.library is None else self.library.metric, self.compute.backend
        )


def _list(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
