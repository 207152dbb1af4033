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
_KIND = np.int32  # two thousand million trials


class Records:
    """A column store of `Result`: 36 bytes an evaluation, and 8 for each metric and each of several objectives.

    Examples
    --------
    >>> records = Records()
    >>> row = records.append(Result(3, 0, 0, 1, 0.25, {"accuracy": 0.9}, 1.0), 1)
    >>> records.result(row).metrics
    {'accuracy': 0.9}
    """

    def __init__(self) -> None:
        self._n = 0
        self._whole: NDArray[np.int32] = np.zeros((len(_WHOLE), 0), dtype=_KIND)
        self._real: F64 = np.zeros((len(_REAL), 0))
        self._metrics: dict[str, F64] = {}
        self._objectives: F64 | None = None  # shape (n_objectives, room), when there are several
        self.spent: float = 0  #: resource of all evaluations, continuing

    def __len__(self) -> int:
        return self._n

    @property
    def n_objectives(self) -> int:
        """1, or how many objectives the evaluations have."""
        return 1 if self._objectives is None else len(self._objectives)

    def append(self, result: Result, spent: float) -> int:
        """Add one evaluation that took ``spent`` more resource; returns its row."""
        row = self._n
        self._make_room(1)
        whole, real = self._whole, self._real
        whole[0, row], whole[1, row], whole[2, row] = result.trial, result.bracket, result.rung
        real[0, row], real[1, row], real[2, row] = result.resource, result.loss, result.cost
        for name, value in result.metrics.items():
            self._metric(name)[row] = value
        if result.objectives:
            self._several(len(result.objectives))[:, row] = result.objectives
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
        rows = slice(self._n, self._n + whole.shape[1])
        self._make_room(whole.shape[1])
        self._whole[:, rows], self._real[:, rows] = whole, real
        for name, values in metrics.items():
            self._metric(name)[rows] = values
        if objectives is not None:
            self._several(objectives.shape[1])[:, rows] = objectives.T
        self._n = rows.stop
        self.spent += spent

    def result(self, row: int) -> Result:
        """One evaluation; metrics that it did not have, or that were NaN, are absent."""
        trial, bracket, rung = self._whole[:, row].tolist()
        resource, loss, cost = self._real[:, row].tolist()
        metrics = {name: float(values[row]) for name, values in self._metrics.items() if not np.isnan(values[row])}
        objectives = () if self._objectives is None else tuple(self._objectives[:, row].tolist())
        amount = int(resource) if resource.is_integer() else resource
        return Result(trial, bracket, rung, amount, loss, metrics, cost, objectives)

    def best(self, first: int, resource: float | None = None) -> int | None:
        """Row from ``first`` on with the smallest finite loss, at this resource where it is given; None without any.

        Ties by trial, then rung.
        """
        rows = slice(first, self._n)
        fits = np.isfinite(self._real[1, rows])
        if resource is not None:
            fits &= self._real[0, rows] == resource
        found = np.flatnonzero(fits)
        if not len(found):
            return None
        losses = self._real[1, rows][found]
        ties = found[losses == losses.min()]
        trial, _, rung = self._whole[:, rows][:, ties]
        return first + int(ties[np.lexsort((rung, trial))[0]])

    def rank_key(self, row: int) -> tuple[float, int, int]:
        """Smallest first: loss, then trial, then rung."""
        trial, _, rung = self._whole[:, row].tolist()
        return float(self._real[1, row]), trial, rung

    @property
    def objectives(self) -> F64:
        """Losses by objective, shape (n, n_objectives)."""
        values = self._real[1:2] if self._objectives is None else self._objectives
        return values[:, : self._n].T

    def order(self) -> list[int]:
        """Rows in the order (bracket, rung, trial)."""
        trial, bracket, rung = self._whole[:, : self._n]
        rows: list[int] = np.lexsort((trial, rung, bracket)).tolist()
        return rows

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """All columns, one entry an evaluation, as told; a metric that clashes with another column gets ``metric_``."""
        named: dict[str, NDArray[np.generic]] = {}
        for names, values in ((_WHOLE, self._whole), (_REAL, self._real)):
            kind = np.int64 if names is _WHOLE else np.float64
            named.update(zip(names, values[:, : self._n].astype(kind), strict=True))
        for place, values in enumerate(() if self._objectives is None else self._objectives):
            named[f"objective_{place}"] = values[: self._n]
        for name in sorted(self._metrics):
            named[f"metric_{name}" if name in named else name] = self._metrics[name][: self._n]
        return named

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        return {
            "whole": self._whole[:, : self._n].tolist(),
            "real": [pack(column[: self._n]) for column in self._real],
            "metrics": {name: pack(values[: self._n]) for name, values in self._metrics.items()},
            "objectives": None if self._objectives is None else [pack(c[: self._n]) for c in self._objectives],
            "spent": self.spent,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Records:
        """The records that `state_dict` was taken of."""
        records = cls()
        records._whole = np.array(state["whole"], dtype=_KIND).reshape(len(_WHOLE), -1)
        records._real = np.array([unpack(column) for column in state["real"]]).reshape(len(_REAL), -1)
        records._metrics = {name: unpack(values) for name, values in state["metrics"].items()}
        if state["objectives"] is not None:
            records._objectives = np.array([unpack(column) for column in state["objectives"]])
        records._n, records.spent = records._whole.shape[1], state["spent"]
        return records

    def _metric(self, name: str) -> F64:
        if name not in self._metrics:
            self._metrics[name] = np.full(self._whole.shape[1], np.nan)
        return self._metrics[name]

    def _several(self, n: int) -> F64:
        if self._objectives is None:
            self._objectives = np.full((n, self._whole.shape[1]), np.nan)
        return self._objectives

    def _make_room(self, more: int) -> None:
        room = self._whole.shape[1]
        if self._n + more <= room:
            return
        # By half: twice the room would be 36 bytes an evaluation unused.
        size = max(self._n + more, room * 3 // 2, 16)

        def wider(columns: NDArray[Any], fill: float) -> NDArray[Any]:
            wide = np.full((*columns.shape[:-1], size), fill, dtype=columns.dtype)
            wide[..., :room] = columns
            return wide

        self._whole, self._real = wider(self._whole, 0), wider(self._real, math.nan)
        self._metrics = {name: wider(values, math.nan) for name, values in self._metrics.items()}
        if self._objectives is not None:
            self._objectives = wider(self._objectives, math.nan)
