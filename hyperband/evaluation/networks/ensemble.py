"""Greedy selection of an ensemble from candidates whose predictions of validation rows are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.checks import whole_number
from hyperband.errors import InputError
from hyperband.evaluation.networks.ensemble_losses import selection_losses
from hyperband.metrics import Metric

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Array = NDArray[Any]

#: Additions in all, repetitions included.
SIZE = 32
#: So many of the best single candidates are in from the beginning, but at most a tenth of all.
FIRST = 5
#: A metric that is chosen by itself is computed for so many candidates a step, the best by the smooth loss.
SHORTLIST = 32
#: Parts of the rows for `cross_predict`.
FOLDS = 5
#: Metrics whose ensemble is chosen by a smooth loss alone.
SMOOTH = frozenset({"accuracy", "balanced_accuracy", "log_loss", "auc", "rmse", "mae", "r2", "quantile"})

#: What candidates and ensembles are compared by, smaller is better: loss of the choice, then the smooth loss.
Key = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Who was chosen, and with what weight.

    Parameters
    ----------
    chosen : tuple of int, indices of the candidates, each once, in the order of their first addition
    weights : tuple of float, of each of them, multiples of 1 / (number of additions); they add up to 1
    score : float, `Metric.score` of the weighted mean of their predictions
    path : tuple of (index, score)
        One an addition, also of those that were not kept: who was added, and the score of the ensemble with them.
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

    Caruana et al. 2004, "Ensemble selection from libraries of models", sections 2, 2.1 and 2.2, without bagging. The
    best `FIRST` single candidates are in from the beginning, and of all ensembles on the way the best is kept. What
    best means `selection_losses` says: a smooth loss, which suffers less from the luck of single rows than accuracy
    does. Metrics that are not in its table are chosen by themselves, then by the smooth loss. Of equals the smaller
    index is taken. The result depends on nothing else: not on threads, memory, or chance.

    Parameters
    ----------
    predictions : sequence of float32 arrays (n_rows, n_outputs), or one array (n_candidates, n_rows, n_outputs)
        Probabilities of classes, or values as ``y`` has them.
    y : int class numbers, shape (n_rows,), or values, (n_rows, n_targets), standardised or not
    metric : Metric
        For standardised values one made by `Metric.of_standardised`.
    weight : shape (n_rows,), >= 0, or None
    size : int >= 1, additions at most; 1: the best single candidate
    start : sequence of int
        Indices that are in from the beginning, instead of the best single candidates.

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
    choice = _Choice(predictions, y, metric, w)
    start = (start or choice.best(min(FIRST, -(-len(predictions) // 10))))[:size]
    keys: list[Key] = []
    path: list[tuple[int, float]] = []
    while len(path) < size:
        index, key = choice.next(start[len(path)] if len(path) < len(start) else None)
        if len(path) >= len(start) and not key < keys[-1]:
            break
        choice.add(index)
        keys.append(key)
        path.append((index, metric.score(y, choice.total / len(keys), w)))
    best = keys.index(min(keys)) + 1
    order = [index for index, _ in path[:best]]
    chosen = tuple(dict.fromkeys(order))
    return Ensemble(chosen, tuple(order.count(index) / best for index in chosen), path[best - 1][1], tuple(path))


def cross_predict(
    predictions: Sequence[F32],
    y: Array,
    metric: Metric,
    weight: Array | None = None,
    size: int = SIZE,
    parts: int = FOLDS,
) -> F64:
    """What ensembles predict for rows that did not choose them.

    The rows are cut into ``parts``, alike in ``y``. For each, `select` chooses by the others. The score of the
    result says what the choice among many candidates is worth on new rows; that of `select` itself is too good, the
    more so the fewer rows and the more candidates. A temperature should be fitted to it, too.

    Parameters
    ----------
    predictions, y, metric, weight, size : as in `select`
    parts : int >= 2; two take about as long as `select`

    Returns
    -------
    float64, shape (n_rows, n_outputs)
        With fewer rows than parts, the prediction of the ensemble that all rows choose.

    Examples
    --------
    >>> from hyperband.metrics import metric
    >>> y, accuracy = np.array([0, 1] * 50), metric("accuracy", "classification")
    >>> chance = np.random.default_rng(0).dirichlet([1, 1], size=(300, 100)).astype(np.float32)  # knows nothing of y
    >>> select(chance, y, accuracy).score, accuracy.score(y, cross_predict(chance, y, accuracy))
    (0.76, 0.53)
    """
    out = np.empty(np.shape(predictions[0]))
    order = np.lexsort(y.reshape(len(y), -1).T[::-1])  # by the first target, then by the next; stable
    parts = parts if len(y) >= parts else 1
    for part in range(parts):
        held = np.zeros(len(y), dtype=np.bool_)
        held[order[part::parts]] = True
        seen = ~held if parts > 1 else held
        w = None if weight is None else weight[seen]
        found = select([prediction[seen] for prediction in predictions], y[seen], metric, w, size)
        out[held] = mean_prediction([predictions[i][held] for i in found.chosen], found.weights)
    return out


def mean_prediction(predictions: Sequence[F32], weights: Sequence[float]) -> F64:
    """The weighted mean in float64, added up in the order given."""
    mean = np.zeros(predictions[0].shape)
    for prediction, weight in zip(predictions, weights, strict=True):
        mean += weight * prediction.astype(np.float64)
    return mean


def single_key(prediction: F32, y: Array, metric: Metric, weight: F64 | None) -> Key:
    """What a single candidate is ranked by, as `select` does it."""
    return _Choice([prediction], y, metric, weight).next(0)[1]


class _Choice:
    """The sum of the predictions that were chosen, and what each candidate would make of it."""

    def __init__(self, predictions: Sequence[F32], y: Array, metric: Metric, weight: F64 | None) -> None:
        self._predictions, self._y, self._metric, self._weight = predictions, y, metric, weight
        self._smooth = selection_losses(predictions, y, weight, metric)
        self._count = 1
        self.total = np.zeros(predictions[0].shape)

    def best(self, n: int) -> list[int]:
        """The n best candidates by themselves."""
        smooth = self._smooth(self.total, 1)
        order: list[int] = np.lexsort((smooth, self._exact(smooth, range(len(smooth))))).tolist()
        return order[:n]

    def next(self, given: int | None) -> tuple[int, Key]:
        """The best candidate to add, or the given one, and the key of the ensemble with it."""
        smooth = self._smooth(self.total, self._count)
        some = [given] if given is not None else np.argsort(smooth, kind="stable")[:SHORTLIST].tolist()
        exact = self._exact(smooth, some)
        index = int(np.lexsort((smooth, exact))[0]) if given is None else given  # stable: the smaller of equals
        return index, (float(exact[index]), float(smooth[index]))

    def _exact(self, smooth: F64, some: Sequence[int]) -> F64:
        """The losses of the choice, of those that are admitted; infinity for all others."""
        if self._metric.kind in SMOOTH:
            return smooth
        exact = np.full(len(smooth), np.inf)
        for index in some:
            mean = (self.total + self._predictions[index]) / self._count
            exact[index] = self._metric.loss(self._y, mean, self._weight)
        return exact

    def add(self, index: int) -> None:
        self.total += self._predictions[index]
        self._count += 1


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
