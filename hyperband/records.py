"""Results as growing columns: every evaluation of a run, in the order in which they were told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.rungs import F64, I64, pack, unpack
from hyperband.trial import Result

_WHOLE = ("trial", "bracket", "rung")
_REAL = ("resource", "loss", "cost")


class Records:
    """A column store of `Result`: 48 bytes an evaluation, and 8 for each metric.

    Examples
    --------
    >>> records = Records()
    >>> row = records.append(Result(3, 0, 0, 1, 0.25, {"accuracy": 0.9}, 1.0), 1)
    >>> records.result(row).metrics
    {'accuracy': 0.9}
    """

    def __init__(self) -> None:
        self._n = 0
        self._whole: I64 = np.zeros((len(_WHOLE), 0), dtype=np.int64)
        self._real: F64 = np.zeros((len(_REAL), 0))
        self._metrics: dict[str, F64] = {}
        self.spent: float = 0  #: resource of all evaluations, continuing

    def __len__(self) -> int:
        return self._n

    def append(self, result: Result, spent: float) -> int:
        """Add one evaluation that took ``spent`` more resource; returns its row."""
        row = self._n
        if row == self._whole.shape[1]:
            self._grow(max(16, 2 * row))
        self._whole[:, row] = result.trial, result.bracket, result.rung
        self._real[:, row] = result.resource, result.loss, result.cost
        for name, value in result.metrics.items():
            if name not in self._metrics:
                self._metrics[name] = np.full(self._whole.shape[1], np.nan)
            self._metrics[name][row] = value
        self._n += 1
        self.spent += spent
        return row

    def result(self, row: int) -> Result:
        """One evaluation; metrics that it did not have, or that were NaN, are absent."""
        trial, bracket, rung = self._whole[:, row].tolist()
        resource, loss, cost = self._real[:, row].tolist()
        metrics = {name: float(values[row]) for name, values in self._metrics.items() if not np.isnan(values[row])}
        return Result(trial, bracket, rung, int(resource) if resource.is_integer() else resource, loss, metrics, cost)

    def order(self) -> list[int]:
        """Rows in the order (bracket, rung, trial)."""
        trial, bracket, rung = self._whole[:, : self._n]
        rows: list[int] = np.lexsort((trial, rung, bracket)).tolist()
        return rows

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """All columns, one entry an evaluation, as told; a metric that clashes with another column gets ``metric_``."""
        named: dict[str, NDArray[np.generic]] = {}
        for names, values in ((_WHOLE, self._whole), (_REAL, self._real)):
            named.update(zip(names, values[:, : self._n], strict=True))
        for name in sorted(self._metrics):
            named[f"metric_{name}" if name in named else name] = self._metrics[name][: self._n]
        return named

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        return {
            "whole": self._whole[:, : self._n].tolist(),
            "real": [pack(column[: self._n]) for column in self._real],
            "metrics": {name: pack(values[: self._n]) for name, values in self._metrics.items()},
            "spent": self.spent,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Records:
        """The records that `state_dict` was taken of."""
        records = cls()
        records._whole = np.array(state["whole"], dtype=np.int64).reshape(len(_WHOLE), -1)
        records._real = np.array([unpack(column) for column in state["real"]]).reshape(len(_REAL), -1)
        records._metrics = {name: unpack(values) for name, values in state["metrics"].items()}
        records._n, records.spent = records._whole.shape[1], state["spent"]
        return records

    def _grow(self, size: int) -> None:
        def wider(columns: NDArray[Any], fill: float) -> NDArray[Any]:
            room = np.full((*columns.shape[:-1], size - columns.shape[-1]), fill, dtype=columns.dtype)
            return np.concatenate([columns, room], axis=-1)

        self._whole, self._real = wider(self._whole, 0), wider(self._real, math.nan)
        self._metrics = {name: wider(values, math.nan) for name, values in self._metrics.items()}
