"""What the mean prediction of an ensemble would be worth with each candidate added: all candidates in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband.metrics import Metric
from hyperband.metrics.classification import LEAST

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Array = NDArray[Any]

#: Rows whose sums are formed at a time. A constant, so that a sum does not depend on how many candidates there are.
_ROWS = 4096
#: Numbers in the block of candidates that is worked on at a time; it should fit in a processor's cache.
_BLOCK = 1 << 18


class Scores(Protocol):
    """Candidates and what they are compared with.

    Losses are float64 of shape (n_candidates, 2), smaller is better, compared in this order: that of the metric, and
    the log loss or the mean squared error, which decides between equals.
    """

    total: F64  #: sum of the chosen candidates, shape (n_outputs, n_rows)

    def losses(self, count: int) -> F64:
        """Of ``(total + candidate) / count`` for every candidate, as the metric measures it or stands in for it."""

    def add(self, index: int) -> None:
        """Add a candidate to the total."""

    def mean(self, count: int, index: int | None = None) -> F64:
        """``total / count`` as predictions, shape (n_rows, n_outputs), rows as given; with a candidate added first."""


class ClassScores:
    """`Scores` of probabilities. Rows are grouped by their class, so that the true class has one index a group.

    Parameters
    ----------
    predictions : sequence of float32 arrays, shape (n_rows, n_classes)
    y : int class numbers, shape (n_rows,)
    weight : float64, shape (n_rows,), or None
    metric : Metric; what is no accuracy is represented by the log loss
    """

    def __init__(self, predictions: Sequence[F32], y: Array, weight: F64 | None, metric: Metric) -> None:
        self._order = np.argsort(y, kind="stable")
        self._stack = np.stack([np.asarray(p, np.float32)[self._order].T for p in predictions])
        n_classes = self._stack.shape[1]
        self._weight = None if weight is None else weight[self._order]
        self._mass = np.bincount(y, weights=weight, minlength=n_classes).astype(np.float64)
        self._ends = np.concatenate([[0], np.cumsum(np.bincount(y, minlength=n_classes))]).tolist()
        self._kind = metric.kind
        self.total = np.zeros(self._stack.shape[1:])

    def losses(self, count: int) -> F64:
        hits, logs = np.zeros((len(self._stack), len(self._mass))), np.zeros(len(self._stack))
        counted = self._kind in ("accuracy", "balanced_accuracy")
        for label, rows in self._parts():
            total = self.total[:, rows].astype(np.float32)
            weight = None if self._weight is None else self._weight[rows]
            for some in _blocks(len(self._stack), total.size):
                if counted:
                    sums = self._stack[some, :, rows] + total
                    hits[some, label] += _sum(_likeliest(sums, label), weight)
                    true = sums[:, label]
                else:
                    true = self._stack[some, label, rows] + total[label]
                logs[some] -= _sum(np.log(np.maximum(true, np.float32(LEAST * count))), weight)
        logs = logs / self._mass.sum() + np.log(count)
        if self._kind == "accuracy":
            return np.stack([-hits.sum(axis=1) / self._mass.sum(), logs], axis=1)
        if self._kind == "balanced_accuracy":
            there = self._mass > 0
            return np.stack([-(hits[:, there] / self._mass[there]).mean(axis=1), logs], axis=1)
        return np.stack([logs, logs], axis=1)

    def _parts(self) -> Iterator[tuple[int, slice]]:
        for label, (begin, end) in enumerate(zip(self._ends[:-1], self._ends[1:], strict=True)):
            for start in range(begin, end, _ROWS):
                yield label, slice(start, min(end, start + _ROWS))

    def add(self, index: int) -> None:
        self.total += self._stack[index]

    def mean(self, count: int, index: int | None = None) -> F64:
        out = np.empty(self.total.shape[::-1])
        out[self._order] = (self.total if index is None else self.total + self._stack[index]).T / count
        return out


def _likeliest(sums: F32, label: int) -> NDArray[np.bool_]:
    """Whether class ``label`` is the first of the likeliest; ``sums`` has shape (n_candidates, n_classes, n_rows)."""
    true = sums[:, label]
    found = np.ones(true.shape, dtype=np.bool_)
    if label > 0:
        found &= true > sums[:, :label].max(axis=1)
    if label + 1 < sums.shape[1]:
        found &= true >= sums[:, label + 1 :].max(axis=1)
    return found


class ValueScores:
    """`Scores` of values: residuals are kept instead of predictions.

    Parameters
    ----------
    predictions : sequence of float32 arrays, shape (n_rows, n_targets)
    y : float array, shape (n_rows, n_targets)
    weight : float64, shape (n_rows,), or None
    metric : Metric; what is no mean of squares, of absolute errors or of a quantile loss is represented by the squares
    """

    def __init__(self, predictions: Sequence[F32], y: Array, weight: F64 | None, metric: Metric) -> None:
        self._y = np.asarray(y, np.float64).T
        self._stack = np.stack([(np.asarray(p, np.float64).T - self._y).astype(np.float32) for p in predictions])
        self._weight, self._metric = weight, metric
        self._scale = np.asarray(metric.scale or np.ones(len(self._y)))
        self._variance = np.array([_variance(row, weight) for row in self._y])
        self.total = np.zeros(self._y.shape)

    def losses(self, count: int) -> F64:
        kind = self._metric.kind
        squares, others = np.zeros((2, *self._stack.shape[:2]))
        level, fraction = np.float32(self._metric.level), np.float32(1.0 / count)
        for start in range(0, self._y.shape[1], _ROWS):
            rows = slice(start, start + _ROWS)
            total = self.total[:, rows].astype(np.float32)
            weight = None if self._weight is None else self._weight[rows]
            for some in _blocks(len(self._stack), total.size):
                residual = (self._stack[some, :, rows] + total) * fraction
                squares[some] += _sum(residual * residual, weight)
                if kind == "mae":
                    others[some] += _sum(np.abs(residual), weight)
                elif kind == "quantile":
                    others[some] += _sum(np.maximum(-level * residual, (1 - level) * residual), weight)
        mass = float(self._y.shape[1] if self._weight is None else self._weight.sum())
        squares, others = squares / mass, others / mass
        tie = squares.mean(axis=1)
        if kind in ("mae", "quantile"):
            return np.stack([(others * self._scale).mean(axis=1), tie], axis=1)
        if kind == "rmse":
            return np.stack([(np.sqrt(squares) * self._scale).mean(axis=1), tie], axis=1)
        if kind == "r2" and (self._variance > 0).all():
            return np.stack([(squares / self._variance).mean(axis=1) - 1.0, tie], axis=1)
        return np.stack([tie, tie], axis=1)

    def add(self, index: int) -> None:
        self.total += self._stack[index]

    def mean(self, count: int, index: int | None = None) -> F64:
        total = self.total if index is None else self.total + self._stack[index]
        return np.ascontiguousarray((total / count + self._y).T)


def _variance(values: F64, weight: F64 | None) -> float:
    return float(np.average((values - np.average(values, weights=weight)) ** 2, weights=weight))


def _sum(values: Array, weight: F64 | None) -> F64:
    """Over the last axis, in float64."""
    if weight is None:
        return np.asarray(values.sum(axis=-1, dtype=np.float64))
    return np.asarray((values * weight).sum(axis=-1))


def _blocks(n: int, size: int) -> Iterator[slice]:
    """Blocks of candidates of which each has ``size`` numbers."""
    step = max(1, _BLOCK // max(1, size))
    return (slice(start, start + step) for start in range(0, n, step))
