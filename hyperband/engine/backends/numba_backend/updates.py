"""Optimiser steps on flat arrays, and the norm of a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from hyperband.engine.backends.numba_backend.jit import jit

SGD, MOMENTUM, NESTEROV, ADAM, RMSPROP, RMSPROP_MOMENTUM = range(6)
f4 = np.float32
_SMALLEST = f4(1e-30)


@jit
def _flush(x: Any) -> Any:
    return f4(0) if abs(x) < _SMALLEST else x


@jit
def sum_of_squares(g: Any) -> float:
    """In float64, sixteen sums side by side."""
    lanes = np.zeros(16)
    whole = len(g) - len(g) % 16
    for i in range(0, whole, 16):
        for j in range(16):
            x = np.float64(g[i + j])
            lanes[j] += x * x
    total = 0.0
    for i in range(whole, len(g)):
        total += np.float64(g[i]) * np.float64(g[i])
    for j in range(16):
        total += lanes[j]
    return total


@jit
def update(rule: int, w: Any, m: Any, v: Any, g: Any, s: Any, decay: Any, shrink: Any, clip: Any) -> None:
    """One step of ``w``; moments that the rule does not keep are empty.

    ``s``: float32 (8,) of this step: rate (adam: over the bias correction of m), 1 / root of the bias correction of v,
    beta1, 1 - beta1, beta2, 1 - beta2, epsilon, momentum. ``decay`` is added to the gradient, ``shrink`` multiplies
    the weight before the update, ``clip`` the gradient before all.
    """
    rate, root_scale, beta1, rest1, beta2, rest2, epsilon, momentum = s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
    n = len(w)
    if rule == SGD:
        for i in range(n):
            w[i] -= rate * (g[i] * clip + decay * w[i])
    elif rule == MOMENTUM:
        for i in range(n):
            x = _flush(momentum * m[i] + (g[i] * clip + decay * w[i]))
            m[i] = x
            w[i] -= rate * x
    elif rule == NESTEROV:
        for i in range(n):
            x = g[i] * clip + decay * w[i]
            y = _flush(momentum * m[i] + x)
            m[i] = y
            w[i] -= rate * (x + momentum * y)
    elif rule == ADAM:
        for i in range(n):
            x = g[i] * clip + decay * w[i]
            y = _flush(beta2 * v[i] + rest2 * x * x)
            z = _flush(beta1 * m[i] + rest1 * x)
            v[i] = y
            m[i] = z
            w[i] = w[i] * shrink - rate * (z / (np.sqrt(y) * root_scale + epsilon))
    elif rule == RMSPROP:
        for i in range(n):
            x = g[i] * clip + decay * w[i]
            y = _flush(beta2 * v[i] + rest2 * x * x)
            v[i] = y
            w[i] -= rate * (x / (np.sqrt(y) + epsilon))
    else:
        for i in range(n):
            x = g[i] * clip + decay * w[i]
            y = _flush(beta2 * v[i] + rest2 * x * x)
            z = _flush(momentum * m[i] + x / (np.sqrt(y) + epsilon))
            v[i] = y
            m[i] = z
            w[i] -= rate * z
