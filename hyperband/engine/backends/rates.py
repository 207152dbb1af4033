"""Learning rate of every optimiser step: a schedule fixed on the steps at the maximal resource."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture


def learning_rates(architecture: Architecture, total_steps: int, first: int, count: int) -> NDArray[np.float64]:
    """Rates of steps ``first .. first + count - 1`` (0-based), shape (count,).

    The schedule knows ``total_steps`` and the step alone, never where a rung ends, so that pausing changes nothing.

    Examples
    --------
    >>> learning_rates(Architecture(learning_rate=1.0, warmup=0.5), total_steps=4, first=0, count=4).tolist()
    [0.5, 1.0, 1.0, 1.0]
    """
    steps = np.arange(first, first + count, dtype=np.float64)
    peak, final = architecture.learning_rate, architecture.final_rate
    warm = math.floor(architecture.warmup * total_steps)
    progress = np.clip((steps - warm) / max(1, total_steps - warm), 0.0, 1.0)
    if architecture.schedule == "cosine":
        rates = peak * (final + (1.0 - final) * (1.0 + np.cos(np.pi * progress)) / 2.0)
    elif architecture.schedule == "exponential":
        rates = peak * final**progress
    else:
        rates = np.full(count, peak)
    return np.where(steps < warm, peak * (steps + 1.0) / max(1, warm), rates)
