"""SMAC3's multi-fidelity facade: Hyperband with a random forest as its model (Lindauer et al., JMLR 23, 2022)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common.optional import needed
from benchmarks.quality.contenders.base import ETA
from benchmarks.quality.contenders.configspace import configuration_space, plain
from benchmarks.quality.tasks.base import SearchTask
from benchmarks.quality.virtual_clock import Asked


class Smac:
    """Its default settings, one worker, deterministic objective."""

    def __init__(self, task: SearchTask, seed: int) -> None:
        smac = needed("smac", "smac")
        self._value = needed("smac.runhistory.dataclasses", "smac").TrialValue
        self._task, self._folder = task, tempfile.TemporaryDirectory()
        scenario = smac.Scenario(
            configuration_space(task.space, seed),
            output_directory=Path(self._folder.name),
            deterministic=True,
            n_trials=1_000_000,
            min_budget=task.min_resource,
            max_budget=task.max_resource,
            seed=seed,
        )
        self._search = smac.MultiFidelityFacade(
            scenario,
            lambda config, seed, budget: 0.0,
            intensifier=smac.MultiFidelityFacade.get_intensifier(scenario, eta=ETA),
            logging_level=False,
            overwrite=True,
        )
        self._trials: dict[Any, int] = {}

    def ask(self) -> Asked | None:
        """See `Searcher`; a resource that is not whole is rounded."""
        info = self._search.ask()
        trial = self._trials.setdefault(info.config, len(self._trials))
        resource = max(self._task.min_resource, round(info.budget))
        return Asked(trial, plain(self._task.space, info.config), resource, info)

    def tell(self, asked: Asked, loss: float) -> None:
        """See `Searcher`."""
        self._search.tell(asked.token, self._value(cost=loss, time=1.0), save=False)
