"""Results as growing columns: every evaluation of a run, in the order in which they were told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.columns import GrowingColumns
from hyperband.tuning.schedulers.rung_table import F64, I64, pack, unpack
from hyperband.tuning.trial import Result

_WHOLE = ("trial", "bracket", "rung")
_REAL = ("resource", "loss", "cost")


class EvaluationLog:
    """A column store of `Result`: 36 bytes an evaluation, and 8 for each metric and each of several objectives.

    Examples
    --------
    >>> log = EvaluationLog()
    >>> row = log.append(Result(3, 0, 0, 1, 0.25, {"accuracy": 0.9}, 1.0), 1)
    >>> log.result(row).metrics
    {'accuracy': 0.9}
    """

    def __init__(self) -> None:
        self._n = 0
        self._whole = GrowingColumns(len(_WHOLE), np.int32, 0)  # two thousand million trials
        self._real = GrowingColumns(len(_REAL), np.float64, 0)
        self._metrics: dict[str, GrowingColumns] = {}
        self._objectives: GrowingColumns | None = None  # when there are several
        self.spent: float = 0  #: resource of all evaluations, continuing

    def __len__(self) -> int:
        return self._n

    @property
    def n_objectives(self) -> int:
        """1, or how many objectives the evaluations have."""
        return 1 if self._objectives is None else self._objectives.n_rows

    def append(self, result: Result, spent: float) -> int:
        """Add one evaluation that took ``spent`` more resource; returns its row."""
        row = self._n
        whole, column = self._whole.block(row)
        whole[0, column], whole[1, column], whole[2, column] = result.trial, result.bracket, result.rung
        real, column = self._real.block(row)
        real[0, column], real[1, column], real[2, column] = result.resource, result.loss, result.cost
        for name, value in result.metrics.items():
            block, column = self._metric(name).block(row)
            block[0, column] = value
        if result.objectives:
            block, column = self._several(len(result.objectives)).block(row)
            block[:, column] = result.objectives
        self._n += 1
        self.spent += spent
        return row

    def extend(self, whole: I64, real: F64, metrics: Mapping[str, F64], objectives: F64 | None, spent: float) -> None:
        """Add many evaluations.

        Parameters
        ----------
        whole : shape (3, n): trial, bracket, rung
        real : shape (3, n): resource, loss, cost
        metrics : name -> shape (n,)
        objectives : shape (n, n_objectives) or None
        spent : float, resource of all of them
        """
        self._whole.put(self._n, whole)
        self._real.put(self._n, real)
        for name, values in metrics.items():
            self._metric(name).put(self._n, values[None])
        if objectives is not None:
            self._several(objectives.shape[1]).put(self._n, objectives.T)
        self._n += whole.shape[1]
        self.spent += spent

    def result(self, row: int) -> Result:
        """One evaluation; metrics that it did not have, or that were NaN, are absent."""
        trial, bracket, rung = self._whole[row]
        resource, loss, cost = self._real[row]
        metrics = {name: values[row][0] for name, values in self._metrics.items()}
        metrics = {name: value for name, value in metrics.items() if not math.isnan(value)}
        objectives = () if self._objectives is None else tuple(self._objectives[row])
        whole_or_not = int(resource) if resource.is_integer() else resource
        return Result(trial, bracket, rung, whole_or_not, loss, metrics, cost, objectives)

    def best(self, first: int, resource: float | None = None) -> int | None:
        """Row from ``first`` on with the smallest finite loss, at this resource where it is given; None without any.

        Ties by trial, then rung.
        """
        resources, losses, _ = self._real.between(first, self._n)
        fits = np.isfinite(losses)
        if resource is not None:
            fits &= resources == resource
        if not fits.any():
            return None
        ties = np.flatnonzero(fits & (losses == losses[fits].min())) + first
        return min(ties.tolist(), key=self.rank_key)

    def rank_key(self, row: int) -> tuple[float, int, int]:
        """Smallest first: loss, then trial, then rung."""
        trial, _, rung = self._whole[row]
        return self._real[row][1], trial, rung

    @property
    def objectives(self) -> F64:
        """Losses by objective, shape (n, n_objectives)."""
        values = self._real.between(0, self._n)[1:2] if self._objectives is None else self._table(self._objectives)
        return values.T

    def order(self) -> list[int]:
        """Rows in the order (bracket, rung, trial)."""
        trial, bracket, rung = self._table(self._whole)
        rows: list[int] = np.lexsort((trial, rung, bracket)).tolist()
        return rows

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """All columns, one entry an evaluation, as told; a metric that clashes with another column gets ``metric_``."""
        named: dict[str, NDArray[np.generic]] = {}
        named.update(zip(_WHOLE, self._table(self._whole).astype(np.int64), strict=True))
        named.update(zip(_REAL, self._table(self._real), strict=True))
        for number, values in enumerate(() if self._objectives is None else self._table(self._objectives)):
            named[f"objective_{number}"] = values
        for name in sorted(self._metrics):
            named[f"metric_{name}" if name in named else name] = self._table(self._metrics[name])[0]
        return named

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        several = None if self._objectives is None else self._table(self._objectives)
        return {
            "whole": self._table(self._whole).tolist(),
            "real": [pack(column) for column in self._table(self._real)],
            "metrics": {name: pack(self._table(values)[0]) for name, values in self._metrics.items()},
            "objectives": None if several is None else [pack(column) for column in several],
            "spent": self.spent,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> EvaluationLog:
        """The log that `state_dict` was taken of."""
        log = cls()
        whole = np.array(state["whole"], dtype=np.int64).reshape(len(_WHOLE), -1)
        real = np.array([unpack(column) for column in state["real"]]).reshape(len(_REAL), -1)
        metrics = {name: unpack(values) for name, values in state["metrics"].items()}
        several = state["objectives"]
        objectives = None if several is None else np.array([unpack(column) for column in several]).T
        log.extend(whole, real, metrics, objectives, state["spent"])
        return log

    def _table(self, blocks: GrowingColumns) -> NDArray[Any]:
        return blocks.between(0, self._n)

    def _metric(self, name: str) -> GrowingColumns:
        return self._metrics.setdefault(name, GrowingColumns(1, np.float64, math.nan))

    def _several(self, n: int) -> GrowingColumns:
        if self._objectives is None:
            self._objectives = GrowingColumns(n, np.float64, math.nan)
        return self._objectives
