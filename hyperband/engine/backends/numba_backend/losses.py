"""Losses of rows with their gradients, and the errors of an evaluation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hyperband.engine.backends.numba_backend.jit import jit
from hyperband.engine.backends.numba_backend.math32 import exp32
from hyperband.engine.losses import LOSSES

CROSS_ENTROPY, LOGISTIC, MSE, HUBER, QUANTILE = range(len(LOSSES))
f4 = np.float32


@jit
def _cross_entropy(z: Any, n: int, label: int, smoothing: Any, share: Any) -> Any:
    """Loss of one row; z becomes (softmax - target) * share."""
    highest, summed = z[0], f4(0)
    for j in range(n):
        highest = z[j] if z[j] > highest or math.isnan(z[j]) else highest
        summed += z[j]
    hit, off = z[label], smoothing / f4(n)
    loss_at = f4(0)
    total = f4(0)
    for j in range(n):
        z[j] = exp32(z[j] - highest)
    for j in range(n):
        total += z[j]
    loss_at = highest + math.log(total) - (f4(1) - smoothing) * hit - off * summed
    scale = share / total
    for j in range(n):
        z[j] = z[j] * scale - off * share
    z[label] -= (f4(1) - smoothing) * share
    return loss_at


@jit
def _logistic(z: Any, label: int, smoothing: Any, share: Any) -> Any:
    x = z[0]
    target = (f4(1) - smoothing) * f4(label) + f4(0.5) * smoothing
    e = exp32(-abs(x))
    probability = f4(1) / (f4(1) + e) if x >= f4(0) else e / (f4(1) + e)
    z[0] = (probability - target) * share
    return (x if x > f4(0) or math.isnan(x) else f4(0)) - target * x + math.log1p(e)


@jit
def _mse(z: Any, n: int, target: Any, share: Any) -> Any:
    total, scale = f4(0), f4(2) / f4(n) * share
    for j in range(n):
        difference = z[j] - target[j]
        total += difference * difference
        z[j] = difference * scale
    return total / f4(n)


@jit
def _huber(z: Any, n: int, target: Any, delta: Any, share: Any) -> Any:
    total, scale = f4(0), share / f4(n)
    for j in range(n):
        difference = z[j] - target[j]
        slope = delta if difference > delta else (-delta if difference < -delta else difference)
        total += slope * (difference - f4(0.5) * slope)
        z[j] = slope * scale
    return total / f4(n)


@jit
def _quantile(z: Any, n: int, target: Any, level: Any, share: Any) -> Any:
    total, scale = f4(0), share / f4(n)
    for j in range(n):
        difference = z[j] - target[j]
        slope = f4(1) - level if difference > f4(0) else (-level if difference < f4(0) else difference)
        total += slope * difference
        z[j] = slope * scale
    return total / f4(n)


@jit
def losses(
    kind: int, z: Any, stride: int, n_outputs: int, index: Any, labels: Any, targets: Any, weight: Any, smoothing: Any,
    number: Any,
) -> float:  # fmt: skip
    """Weighted mean loss of a batch; z (rows, stride) becomes its gradient, padding 0.

    ``index`` names the batch's rows; an empty ``weight`` stands for all one.
    """
    rows, total = len(index), 0.0
    for b in range(rows):
        row = index[b]
        w = weight[row] if weight.size else f4(1)
        share = w / f4(rows)
        z_row = z[b * stride : (b + 1) * stride]
        if kind == CROSS_ENTROPY:
            loss = _cross_entropy(z_row, n_outputs, labels[row], smoothing, share)
        elif kind == LOGISTIC:
            loss = _logistic(z_row, labels[row], smoothing, share)
        elif kind == HUBER:
            loss = _huber(z_row, n_outputs, targets[row], number, share)
        elif kind == QUANTILE:
            loss = _quantile(z_row, n_outputs, targets[row], number, share)
        else:
            loss = _mse(z_row, n_outputs, targets[row], share)
        total += np.float64(w) * np.float64(loss)
        for j in range(n_outputs, stride):
            z_row[j] = f4(0)
    return total / rows


@jit
def add_scores(
    kind: int, z: Any, stride: int, n_outputs: int, first: int, rows: int, labels: Any, targets: Any, weight: Any,
    number: Any, sums: Any,
) -> None:  # fmt: skip
    """Add the weighted losses, the errors and the weights of these rows to ``sums``, float64 (3,). Overwrites z."""
    for b in range(rows):
        row = first + b
        w = np.float64(weight[row]) if weight.size else 1.0
        z_row = z[b * stride : (b + 1) * stride]
        if kind == CROSS_ENTROPY:
            best = 0
            for j in range(1, n_outputs):
                best = j if z_row[j] > z_row[best] else best
            sums[1] += 1.0 if best != labels[row] else 0.0
            loss = _cross_entropy(z_row, n_outputs, labels[row], f4(0), f4(1))
        elif kind == LOGISTIC:
            positive = 1 if z_row[0] > f4(0) else 0
            sums[1] += 1.0 if positive != labels[row] else 0.0
            loss = _logistic(z_row, labels[row], f4(0), f4(1))
        elif kind == HUBER:
            squares = f4(0)
            for j in range(n_outputs):
                squares += (z_row[j] - targets[row, j]) * (z_row[j] - targets[row, j])
            sums[1] += np.float64(squares / f4(n_outputs))
            loss = _huber(z_row, n_outputs, targets[row], number, f4(1))
        elif kind == QUANTILE:
            loss = _quantile(z_row, n_outputs, targets[row], number, f4(1))
            sums[1] += np.float64(loss)
        else:
            loss = _mse(z_row, n_outputs, targets[row], f4(1))
            sums[1] += np.float64(loss)
        sums[0] += w * np.float64(loss)
        sums[2] += w
