"""Learning rate, dropout and weight decay of every step: schedules fixed on the steps at the maximal resource."""

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
    progress = schedule_progress(architecture, total_steps, first, count)
    if architecture.schedule == "cosine":
        rates = peak * (final + (1.0 - final) * (1.0 + np.cos(np.pi * progress)) / 2.0)
    elif architecture.schedule == "exponential":
        rates = peak * final**progress
    elif architecture.schedule == "coslog4":
        rates = peak * coslog4(progress)
    elif architecture.schedule == "flat_cos":
        rates = peak * flat_cos(progress)
    else:
        rates = np.full(count, peak)
    return np.where(steps < warm, peak * (steps + 1.0) / max(1, warm), rates)


def dropouts(architecture: Architecture, total_steps: int, first: int, count: int) -> NDArray[np.float64]:
    """The dropout of these steps, shape (count,).

    Examples
    --------
    >>> dropouts(Architecture(dropout=0.4, dropout_schedule="flat_cos"), 4, first=0, count=5).round(3).tolist()
    [0.4, 0.4, 0.4, 0.2, 0.0]
    """
    return _scheduled(architecture.dropout, architecture.dropout_schedule, architecture, total_steps, first, count)


def weight_decays(architecture: Architecture, total_steps: int, first: int, count: int) -> NDArray[np.float64]:
    """The weight decay of these steps, shape (count,)."""
    return _scheduled(architecture.weight_decay, architecture.decay_schedule, architecture, total_steps, first, count)


def average_shares(architecture: Architecture, first: int, count: int) -> NDArray[np.float64]:
    """What share of the moving average the parameters after each of these steps have, shape (count,).

    ``average += share * (parameter - average)`` with the share ``(1 - d) / (1 - d**t)`` after step ``t = 1, 2, ...`` is
    the mean over all steps with weights ``d**age``: Adam's corrected average (Kingma & Ba 2015, section 3).

    Examples
    --------
    >>> average_shares(Architecture(weight_average=0.5), first=0, count=3).round(4).tolist()
    [1.0, 0.6667, 0.5714]
    """
    d = architecture.weight_average
    return np.asarray((1.0 - d) / (1.0 - d ** np.arange(first + 1, first + count + 1, dtype=np.float64)))


def _scheduled(
    value: float, schedule: str, architecture: Architecture, total_steps: int, first: int, count: int
) -> NDArray[np.float64]:
    if schedule == "flat_cos":
        return value * flat_cos(schedule_progress(architecture, total_steps, first, count))
    return np.full(count, value)


def schedule_progress(architecture: Architecture, total_steps: int, first: int, count: int) -> NDArray[np.float64]:
    """How far the schedules are at these steps, from 0 at the end of the warm-up to 1; shape (count,)."""
    warm = math.floor(architecture.warmup * total_steps)
    steps = np.arange(first, first + count, dtype=np.float64)
    return np.asarray(np.clip((steps - warm) / max(1, total_steps - warm), 0.0, 1.0))


def coslog4(progress: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(1 - cos(2 pi log2(1 + 15 t))) / 2``, which is 0 at t = 0, 1/15, 3/15, 7/15 and 1.

    Holzmueller et al. 2024, "Better by default", the schedule of RealMLP.

    Examples
    --------
    >>> coslog4(np.array([0.0, 1 / 15, 3 / 15, 7 / 15, 1.0])).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """
    return np.asarray((1.0 - np.cos(2.0 * np.pi * np.log2(1.0 + 15.0 * progress))) / 2.0)


def flat_cos(progress: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(1 + cos(pi (max(1, 2 t) - 1))) / 2``, from + - * / alone: dropout must drop the same units everywhere.

    Examples
    --------
    >>> flat_cos(np.array([0.0, 0.5, 0.75, 1.0])).tolist()
    [1.0, 1.0, 0.5, 0.0]
    """
    p = np.where(progress > 0.5, 2.0 * progress - 1.0, 0.0)
    mirrored = p > 0.5
    x = 3.141592653589793 * np.where(mirrored, 1.0 - p, p)
    q, cosine = x * x, np.ones_like(x)
    for k in range(22, 0, -2):  # Taylor's series on [0, pi / 2], as in csrc/core/rates.hpp
        cosine = 1.0 - q / (k * (k - 1)) * cosine
    return np.asarray((1.0 + np.where(mirrored, -cosine, cosine)) * 0.5)
