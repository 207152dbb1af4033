"""Figures of predicted values.

Everywhere ``y`` and ``p`` are float64 of shape (n_rows,) or (n_rows, n_targets), in original units, and ``weight`` has
the shape (n_rows,) or is None. Of several targets the mean of their figures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def rmse(y: F64, p: F64, weight: F64 | None = None) -> float:
    """Root of the mean squared error.

    Examples
    --------
    >>> rmse(np.array([0.0, 0.0]), np.array([1.0, 7.0]))
    5.0
    """
    return float(np.sqrt(np.average((p - y) ** 2, axis=0, weights=weight)).mean())


def mae(y: F64, p: F64, weight: F64 | None = None) -> float:
    """Mean absolute error.

    Examples
    --------
    >>> mae(np.array([0.0, 0.0]), np.array([1.0, -7.0]))
    4.0
    """
    return float(np.average(np.abs(p - y), axis=0, weights=weight).mean())


def r2(y: F64, p: F64, weight: F64 | None = None) -> float:
    """Explained fraction of the variance, ``1 - mse / variance``; NaN for a target that does not vary.

    Examples
    --------
    >>> r2(np.array([0.0, 2.0]), np.array([0.0, 1.0]))
    0.5
    """
    squares = np.average((p - y) ** 2, axis=0, weights=weight)
    spread = np.average((y - np.average(y, axis=0, weights=weight)) ** 2, axis=0, weights=weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(spread > 0, 1.0 - squares / spread, np.nan).mean())


def quantile_loss(y: F64, p: F64, weight: F64 | None = None, *, level: float = 0.5) -> float:
    """Mean of ``level * (y - p)`` where the value was larger and ``(1 - level) * (p - y)`` where it was smaller.

    Its minimum over constants is the quantile (Koenker and Bassett 1978).

    Examples
    --------
    >>> round(quantile_loss(np.array([1.0, -1.0]), np.array([0.0, 0.0]), level=0.9), 6)
    0.5
    """
    gap = y - p
    return float(np.average(np.maximum(level * gap, (level - 1.0) * gap), axis=0, weights=weight).mean())
