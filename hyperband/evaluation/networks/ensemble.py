"""Greedy selection of an ensemble from candidates whose predictions of validation rows are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.checks import whole_number
from hyperband.errors import InputError
from hyperband.evaluation.networks.ensemble_scores import ClassScores, Scores, ValueScores
from hyperband.metrics import Metric

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Array = NDArray[Any]

#: Additions in all, repetitions included.
SIZE = 32
#: A metric that has no code for all candidates at once is computed for the best so many by log loss or squared error.
SHORTLIST = 32
#: Metrics that `ensemble_scores` computes for all candidates at once.
FAST = frozenset({"accuracy", "balanced_accuracy", "log_loss", "rmse", "mae", "quantile", "r2"})


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Who was chosen, and with what weight.

    Parameters
    ----------
    chosen : tuple of int, indices of the candidates, each once, in the order of their first addition
    weights : tuple of float, of each of them, multiples of 1 / (number of additions); they add up to 1
    score : float, `Metric.score` of the weighted mean of their predictions
    path : tuple of (index, score), one an addition: who was added, and the score of the ensemble with them
    """

    chosen: tuple[int, ...]
    weights: tuple[float, ...]
    score: float
    path: tuple[tuple[int, float], ...]


def select(
    predictions: Sequence[F32],
    y: Array,
    metric: Metric,
    weight: Array | None = None,
    size: int = SIZE,
    start: Sequence[int] = (),
) -> Ensemble:
    """The greedy ensemble: add, with replacement, whoever makes the mean prediction best, until nobody improves it.

    Caruana et al. 2004, "Ensemble selection from libraries of models", sections 2 and 2.1. Among equally good ones the
    smallest log loss (classification) or mean squared error (regression) decides, then the smallest index; where the
    metric stays the same, a smaller log loss or mean squared error is an improvement. The result depends on nothing
    else: not on threads, memory, or chance.

    Parameters
    ----------
    predictions : sequence of float32 arrays (n_rows, n_outputs), or one array (n_candidates, n_rows, n_outputs)
        Probabilities of classes, or values as ``y`` has them.
    y : int class numbers, shape (n_rows,), or values, (n_rows, n_targets), standardised or not
    metric : Metric
        For standardised values one made by `Metric.of_standardised`.
    weight : shape (n_rows,), >= 0, or None
    size : int >= 1, additions at most
    start : sequence of int
        Indices that are in from the beginning; none: the best single candidate.

    Returns
    -------
    Ensemble

    Raises
    ------
    InputError
        When there is no candidate, shapes differ, a prediction is not finite, or an index does not exist.

    Examples
    --------
    >>> from hyperband.metrics import metric
    >>> p = np.float32([[[0.9, 0.1], [0.6, 0.4]], [[0.4, 0.6], [0.1, 0.9]]])
    >>> ensemble = select(p, np.array([0, 1]), metric("accuracy", "classification"))
    >>> ensemble.chosen, ensemble.weights, ensemble.score
    ((0, 1), (0.5, 0.5), 1.0)
    """
    size = whole_number(size, "size")
    start = [whole_number(index, "start", 0, len(predictions) - 1) for index in start]
    w = None if weight is None else np.asarray(weight, np.float64)
    _check(predictions, y, w, metric)
    scores: Scores = (ClassScores if metric.task == "classification" else ValueScores)(predictions, y, w, metric)
    order: list[int] = []
    path: list[tuple[int, float]] = []
    last = (np.inf, np.inf)
    while len(order) < max(size, len(start)):
        given = start[len(order) : len(order) + 1]
        losses = scores.losses(len(order) + 1)
        if metric.kind not in FAST and not given:
            _measure(losses, scores, len(order) + 1, metric, y, w)
        index = given[0] if given else int(np.lexsort((losses[:, 1], losses[:, 0]))[0])  # stable: then by index
        now = float(losses[index, 0]), float(losses[index, 1])
        if order and not given and not now < last:
            break
        last = now
        scores.add(index)
        order.append(index)
        path.append((index, metric.score(y, scores.mean(len(order)), w)))
    chosen = tuple(dict.fromkeys(order))
    weights = tuple(order.count(index) / len(order) for index in chosen)
    return Ensemble(chosen, weights, path[-1][1], tuple(path))


def _measure(losses: F64, scores: Scores, count: int, metric: Metric, y: Array, w: F64 | None) -> None:
    """Write the metric's own losses, of those that `SHORTLIST` admits, into ``losses``; infinity for all others."""
    admitted = np.argsort(losses[:, 1], kind="stable")[:SHORTLIST].tolist()
    losses[:, 0] = np.inf
    for index in admitted:
        losses[index, 0] = metric.loss(y, scores.mean(count, index), w)


def _check(predictions: Sequence[F32], y: Array, weight: F64 | None, metric: Metric) -> None:
    if not len(predictions):
        raise InputError("An ensemble needs at least one candidate; there is none. Train a network first.")
    wide = predictions[0].shape[1:] if metric.task == "classification" else y.shape[1:]
    for number, prediction in enumerate(predictions):
        if prediction.ndim != 2 or prediction.shape != (len(y), *wide) or not len(y):
            raise InputError(
                f"Predictions of all candidates must have the shape ({max(1, len(y))}, "
                f"{', '.join(map(str, wide)) or 'outputs'}); that of candidate {number} is {prediction.shape}."
            )
        if not np.isfinite(prediction).all():
            raise InputError(f"Predictions must be finite; those of candidate {number} are not. Leave it out.")
    if weight is not None and (weight.shape != (len(y),) or not weight.sum() > 0 or weight.min() < 0):
        raise InputError(f"`weight` must hold a number of at least 0 for each of {len(y)} rows, and one above 0.")
