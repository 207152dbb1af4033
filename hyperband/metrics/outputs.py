"""From raw outputs of a network to probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def probabilities(outputs: NDArray[Any]) -> F64:
    """Probability of each class.

    Parameters
    ----------
    outputs : array, shape (n_rows, n_outputs)
        Logits of the classes, or one logit, that of the second of two classes.

    Returns
    -------
    float64 array, shape (n_rows, n_classes); a row depends on the same row of ``outputs`` alone, to the bit

    Examples
    --------
    >>> probabilities(np.array([[0.0], [np.log(3.0)]])).round(2).tolist()
    [[0.5, 0.5], [0.25, 0.75]]
    """
    z = np.ascontiguousarray(outputs, dtype=np.float64)
    if z.shape[1] == 1:
        small = np.exp(-np.abs(z))
        larger, smaller = 1.0 / (1.0 + small), small / (1.0 + small)
        positive = z >= 0.0
        return np.concatenate([np.where(positive, smaller, larger), np.where(positive, larger, smaller)], axis=1)
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(z / z.sum(axis=1, keepdims=True))


def log_probabilities(outputs: NDArray[Any]) -> F64:
    """Logarithms of `probabilities`, finite for any finite logits.

    Examples
    --------
    >>> log_probabilities(np.array([[-1000.0, 0.0]])).tolist()
    [[-1000.0, 0.0]]
    """
    z = np.ascontiguousarray(outputs, dtype=np.float64)
    if z.shape[1] == 1:
        return np.concatenate([-np.logaddexp(0.0, z), -np.logaddexp(0.0, -z)], axis=1)
    z = z - z.max(axis=1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))
