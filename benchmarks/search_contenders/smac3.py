"""SMAC3's multi-fidelity facade: Hyperband with a random forest as its model (Lindauer et al., JMLR 23, 2022)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.search_contenders.base import ETA
from benchmarks.search_contenders.configspace import configuration_space, plain
from benchmarks.search_tasks.base import SearchTask, Unavailable
from benchmarks.virtual import Asked


class Smac:
    """Its default settings, one worker, deterministic objective."""

    def __init__(self, task: SearchTask, seed: int) -> None:
        try:
            from smac import MultiFidelityFacade, Scenario
            from smac.runhistory.dataclasses import TrialValue
        except ImportError:
            raise Unavailable("SMAC3 is not installed: pip install smac") from None
        self._task, self._value, self._folder = task, TrialValue, tempfile.TemporaryDirectory()
        scenario = Scenario(
            configuration_space(task.space, seed),
            output_directory=Path(self._folder.name),
            deterministic=True,
            n_trials=1_000_000,
            min_budget=task.min_resource,
            max_budget=task.max_resource,
            seed=seed,
        )
        self._search = MultiFidelityFacade(
            scenario,
            lambda config, seed, budget: 0.0,
            intensifier=MultiFidelityFacade.get_intensifier(scenario, eta=ETA),
            logging_level=False,
            overwrite=True,
        )
        self._trials: dict[Any, int] = {}

    def ask(self) -> Asked | None:
        """See `Searcher`; an amount that is not whole is rounded."""
        info = self._search.ask()
        trial = self._trials.setdefault(info.config, len(self._trials))
        resource = max(self._task.min_resource, round(info.budget))
        return Asked(trial, plain(self._task.space, info.config), resource, info)

    def tell(self, asked: Asked, loss: float) -> None:
        """See `Searcher`."""
        self._search.tell(asked.token, self._value(cost=loss, time=1.0), save=False)
