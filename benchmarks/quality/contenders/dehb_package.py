"""The DEHB package (Awad, Mallik, Hutter 2021), by ask and tell."""

from __future__ import annotations

import tempfile
from typing import Any

from benchmarks.common.optional import needed
from benchmarks.quality.contenders.base import ETA
from benchmarks.quality.contenders.configspace import configuration_space, plain
from benchmarks.quality.tasks.base import SearchTask
from benchmarks.quality.virtual_clock import Asked


class Dehb:
    """Its default settings."""

    def __init__(self, task: SearchTask, seed: int) -> None:
        dehb = needed("dehb", "dehb")
        needed("loguru", "dehb").logger.remove()
        self._task, self._folder = task, tempfile.TemporaryDirectory()
        self._search = dehb.DEHB(
            cs=configuration_space(task.space, seed),
            min_fidelity=task.min_resource,
            max_fidelity=task.max_resource,
            eta=ETA,
            n_workers=1,
            seed=seed,
            output_path=self._folder.name,
            save_freq="end",
            log_level="ERROR",
        )

    def ask(self) -> Asked | None:
        """See `Searcher`; a resource that is not whole is rounded."""
        info: dict[str, Any] = self._search.ask()
        resource = max(self._task.min_resource, round(float(info["fidelity"])))
        return Asked(int(info["config_id"]), plain(self._task.space, info["config"]), resource, info)

    def tell(self, asked: Asked, loss: float) -> None:
        """See `Searcher`."""
        self._search.tell(asked.token, {"fitness": loss, "cost": float(asked.resource)})
