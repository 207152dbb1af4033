"""A contender and lines of runs for the tests of the benchmark of prediction quality."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.accuracy import contenders, tasks
from benchmarks.accuracy.contenders import Fitted
from benchmarks.accuracy.runs import Work

STAMP = {"commit": "c1", "machine": "a machine", "source": "measured here", "date": "today"}


class Fake:
    """A contender that predicts the commonest class, or the mean; or is not installed; or raises."""

    title = "Fake"

    def __init__(self, reason: str | None = None, raises: Exception | None = None) -> None:
        self._reason, self._raises = reason, raises

    def missing(self) -> str | None:
        return self._reason

    def load(self) -> Callable[..., Fitted]:
        return self._fit

    def _fit(self, task: tasks.Task, given: contenders.Allowance) -> Fitted:
        if self._raises is not None:
            raise self._raises
        if not task.classification:
            return Fitted(lambda frame: np.full(len(frame), task.y_train.mean()))
        p = np.bincount(task.y_train, minlength=len(task.classes)) / len(task.y_train)

        def predict(frame: Any) -> Any:
            return np.tile(p, (len(frame), 1))

        return Fitted(predict, {"accuracy": 0.75}, {"epochs": np.int64(3)})


def run(name: str = "fake", s: str = "tiny", seed: int = 0, accuracy: float = 0.5, **others: Any) -> dict[str, Any]:
    """A line of the file."""
    found = {
        **Work(s, name, seed, 60.0).to_dict(), **STAMP, "seconds": 1.0, "disturbed": False, "other_cores": 0.0,
        "metrics": {"accuracy": accuracy, "log_loss": 1.0}, "validation": {}, "optimism": {}, "about": {},
    }  # fmt: skip
    return found | others
