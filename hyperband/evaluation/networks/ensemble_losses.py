"""By what an ensemble is chosen: a smooth loss of the mean prediction with each of the candidates added.

Accuracy is not chosen by itself. On the rows that choose, whoever gets a few of them right by luck gains, and on new
rows the choice by the Brier score has the higher accuracy (`docs/ensembles.md` has the figures). The area under the ROC
curve is chosen by the log loss, as well as by itself and much faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.metrics import Metric
from hyperband.metrics.classification import LEAST

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Array = NDArray[Any]
#: (sum of the predictions chosen so far, number of predictions with the one that is added) -> loss of each candidate
Losses = Callable[[F64, int], F64]

#: Rows whose sums are formed at a time: their numbers should stay in a processor's cache. A constant, so that sums do
#: not depend on anything else.
_ROWS = 4096


def selection_losses(predictions: Sequence[F32], y: Array, weight: F64 | None, metric: Metric) -> Losses:
    """The losses by which a metric's ensemble is chosen; smaller is better.

    ========================================  ====================================================================
    log loss, AUC                             log loss
    accuracy                                  Brier score: squared distance of the probabilities to the true class
    balanced accuracy                         likewise, every class with the same weight
    RMSE, MAE, R2, quantile loss              itself
    anything else                             log loss or mean squared error, for a first choice
    ========================================  ====================================================================

    Parameters
    ----------
    predictions : sequence of float32 arrays, shape (n_rows, n_outputs)
    y : int class numbers, shape (n_rows,), or values, (n_rows, n_targets)
    weight : float64, shape (n_rows,), or None
    metric : Metric

    Examples
    --------
    >>> from hyperband.metrics import metric
    >>> rmse = selection_losses([np.float32([[1], [5]])], np.zeros((2, 1)), None, metric("rmse", "regression"))
    >>> rmse(np.array([[1.0], [1.0]]), 2).tolist()                  # of the mean of (1, 1) and (1, 5)
    [2.23606797749979]
    """
    if metric.task == "regression":
        return _ValueLosses(predictions, y, weight, metric)
    if metric.kind in ("accuracy", "balanced_accuracy"):
        return _BrierLosses(predictions, y, weight, metric.kind == "balanced_accuracy")
    return _LogLosses(predictions, y, weight)


class _LogLosses:
    """Needs the probabilities of the true classes only."""

    def __init__(self, predictions: Sequence[F32], y: Array, weight: F64 | None) -> None:
        self._true = (np.arange(len(y)), np.asarray(y, np.intp))
        self._picked = np.stack([prediction[self._true] for prediction in predictions])
        self._share = _shares(weight, len(y))

    def __call__(self, total: F64, count: int) -> F64:
        before, losses = total[self._true].astype(np.float32), np.empty(len(self._picked))
        for number, picked in enumerate(self._picked):
            logs = np.log(np.maximum(picked + before, np.float32(LEAST * count)))
            losses[number] = np.log(count) - _sum(logs, self._share)
        return losses


class _BrierLosses:
    def __init__(self, predictions: Sequence[F32], y: Array, weight: F64 | None, balanced: bool) -> None:
        self._predictions = predictions
        self._truth = np.zeros(predictions[0].shape)
        self._truth[np.arange(len(y)), y] = 1.0
        if balanced:
            mass = np.bincount(y, weights=weight)
            weight = (np.ones(len(y)) if weight is None else weight) / np.where(mass > 0, mass, 1.0)[y]
        share = _shares(weight, len(y))
        self._root = None if share is None else np.sqrt(share * len(y)).astype(np.float32).reshape(-1, 1)

    def __call__(self, total: F64, count: int) -> F64:
        rest = (total - count * self._truth).astype(np.float32)
        losses = np.zeros(len(self._predictions))
        for number, prediction in enumerate(self._predictions):
            for start in range(0, len(rest), _ROWS):
                rows = slice(start, start + _ROWS)
                gap = prediction[rows] + rest[rows]
                if self._root is not None:
                    gap *= self._root[rows]
                losses[number] += np.square(gap, out=gap).sum(dtype=np.float64)
        return losses / (len(rest) * count**2)


class _ValueLosses:
    def __init__(self, predictions: Sequence[F32], y: Array, weight: F64 | None, metric: Metric) -> None:
        self._values = [np.ascontiguousarray(prediction.T) for prediction in predictions]  # (n_targets, n_rows)
        self._y = np.asarray(y, np.float64).T
        self._share, self._metric = _shares(weight, len(y)), metric
        self._scale = np.asarray(metric.scale or np.ones(len(self._y)))
        mean = np.average(self._y, axis=1, weights=weight, keepdims=True)
        self._variance = np.average((self._y - mean) ** 2, axis=1, weights=weight)

    def __call__(self, total: F64, count: int) -> F64:
        rest = (total.T - count * self._y).astype(np.float32)
        return np.array([self._loss((values + rest) * np.float32(1.0 / count)) for values in self._values])

    def _loss(self, residual: F32) -> float:
        """Of prediction minus value, shape (n_targets, n_rows)."""
        kind, level = self._metric.kind, np.float32(self._metric.level)
        if kind == "mae":
            return float((_sum(np.abs(residual), self._share) * self._scale).mean())
        if kind == "quantile":
            tilted = np.maximum(-level * residual, (1 - level) * residual)
            return float((_sum(tilted, self._share) * self._scale).mean())
        squares = _sum(residual * residual, self._share)
        if kind == "rmse":
            return float((np.sqrt(squares) * self._scale).mean())
        if kind == "r2" and (self._variance > 0).all():
            return float((squares / self._variance).mean() - 1.0)
        return float(squares.mean())


def _shares(weight: F64 | None, n_rows: int) -> F64 | None:
    """Weights that add up to 1; None where all rows have the same."""
    return None if weight is None else np.asarray(weight / weight.sum(), dtype=np.float64)


def _sum(values: F32, share: F64 | None) -> Any:
    """Weighted mean over the last axis, in float64."""
    if share is None:
        return values.mean(axis=-1, dtype=np.float64)
    return (values * share).sum(axis=-1)
