"""Figures of predicted probabilities.

Everywhere ``y`` are class numbers, shape (n_rows,), ``p`` probabilities, float64 of shape (n_rows, n_classes), and
``weight`` of shape (n_rows,) or None. The predicted class is the likeliest one, the first of several.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Numbers = NDArray[Any]

#: Probabilities below this count as this in the log loss, as in scikit-learn: 36 nats at most for one row.
LEAST = float(np.finfo(np.float64).eps)


def accuracy(y: Numbers, p: F64, weight: F64 | None = None) -> float:
    """Fraction of the weight on rows whose class is predicted.

    Examples
    --------
    >>> accuracy(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    0.5
    """
    return float(np.average(p.argmax(axis=1) == y, weights=weight))


def balanced_accuracy(y: Numbers, p: F64, weight: F64 | None = None) -> float:
    """Mean, over the classes that occur in ``y``, of the fraction of their weight that is predicted.

    Examples
    --------
    >>> balanced_accuracy(np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]]))
    0.5
    """
    there = np.bincount(y, weights=weight, minlength=p.shape[1])
    found = np.bincount(y, weights=_weighted(p.argmax(axis=1) == y, weight), minlength=p.shape[1])
    return float((found[there > 0] / there[there > 0]).mean())


def log_loss(y: Numbers, p: F64, weight: F64 | None = None) -> float:
    """Mean of ``-log p[row, y[row]]``, in nats, with probabilities of at least 2.2e-16.

    Examples
    --------
    >>> round(log_loss(np.array([1]), np.array([[0.5, 0.5]])), 4)
    0.6931
    """
    picked = np.take_along_axis(p, y[:, None].astype(np.intp), axis=1)[:, 0]
    return float(np.average(-np.log(np.clip(picked, LEAST, 1.0)), weights=weight))


def auc(y: Numbers, p: F64, weight: F64 | None = None) -> float:
    """Area under the ROC curve: how often a row of a class has a higher probability of it than a row of another class.

    Of two classes that of the second one. Of several the mean over one class against all others, without classes of
    which ``y`` has no row, or no other row; NaN when there is none. Equal probabilities count one half.

    Examples
    --------
    >>> auc(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]]))
    1.0
    """
    classes = range(1, 2) if p.shape[1] == 2 else range(p.shape[1])
    areas = np.array([_area(y == k, p[:, k], weight) for k in classes])
    areas = areas[~np.isnan(areas)]
    return float(areas.mean()) if len(areas) else float("nan")


def _area(positive: NDArray[np.bool_], score: F64, weight: F64 | None) -> float:
    """By ranks: each positive row against the weight of the negative rows below it, and half of that beside it."""
    order = np.argsort(score)
    score, positive = score[order], positive[order]
    w = np.ones(len(score)) if weight is None else np.asarray(weight, dtype=np.float64)[order]
    begins = np.flatnonzero(np.concatenate([[True], score[1:] != score[:-1]]))  # of rows with equal scores
    for_, against = (np.add.reduceat(np.where(kind, w, 0.0), begins) for kind in (positive, ~positive))
    pairs = for_.sum() * against.sum()
    if not pairs > 0:
        return float("nan")
    return float((for_ * (np.cumsum(against) - 0.5 * against)).sum() / pairs)


def f1(y: Numbers, p: F64, weight: F64 | None = None) -> float:
    """Harmonic mean of precision and recall.

    Of two classes that of the second one, 0 where it neither occurs nor is predicted. Of several the mean over the
    classes that occur or are predicted ("macro").

    Examples
    --------
    >>> round(f1(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])), 4)
    0.6667
    """
    found, k = p.argmax(axis=1), p.shape[1]
    hits = np.bincount(y, weights=_weighted(found == y, weight), minlength=k)
    both = np.bincount(y, weights=weight, minlength=k) + np.bincount(found, weights=weight, minlength=k)
    if k == 2:
        return float(2.0 * hits[1] / both[1]) if both[1] > 0 else 0.0
    return float((2.0 * hits[both > 0] / both[both > 0]).mean())


def _weighted(flags: NDArray[np.bool_], weight: F64 | None) -> F64:
    return np.asarray(flags, dtype=np.float64) if weight is None else np.where(flags, weight, 0.0)
