"""Where everything lies during a step: a member's layers and the scratch of one thread, as plain numbers and arrays."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import ACTIVATIONS, Architecture
from hyperband.engine.backends.layout import Layout
from hyperband.engine.backends.numba_backend import updates
from hyperband.engine.backends.numba_backend.jit import WIDTH

#: rows of an evaluation at a time
CHUNK = 64

#: columns of a plan: inputs and outputs of the layer, row length, offsets of the weights, the bias, the layer's outputs
#: (later the gradient by them) and its slopes
IN, OUT, ROW, WEIGHTS, BIAS, OUTPUTS, SLOPES = range(7)


def stride(width: int) -> int:
    """Whole vectors; but rows a multiple of 1 KiB apart would crowd into few sets of the first-level cache."""
    whole = -(-width // WIDTH) * WIDTH
    return whole + WIDTH if whole % 256 == 0 else whole


def aligned(size: int, dtype: Any = np.float32) -> NDArray[Any]:
    """Zeros that start on a cache line."""
    item = int(np.dtype(dtype).itemsize)
    raw = np.zeros(size * item + 64, np.uint8)
    begin = -raw.ctypes.data % 64
    return raw[begin : begin + size * item].view(dtype)


@dataclass(frozen=True, slots=True)
class Plan:
    """``layers``: int64 (n_layers, 7), see the column numbers; the rest are offsets and sizes in scratch floats."""

    layers: NDArray[np.int64]
    transposed: int
    size: int
    widest: int


@lru_cache(maxsize=4096)
def plan(layout: Layout, rows: int) -> Plan:
    """The plan for batches of up to ``rows`` rows; the gathered inputs lie at 0."""
    n_layers = len(layout.strides)
    layers = np.zeros((n_layers, 7), np.int64)
    place = rows * stride(layout.dims[0])
    for layer, row in enumerate(layout.strides):
        layers[layer, : OUTPUTS + 1] = (
            layout.dims[layer], layout.dims[layer + 1], row, layout.weights[layer], layout.biases[layer], place,
        )  # fmt: skip
        place += rows * row
        if layer < n_layers - 1:
            layers[layer, SLOPES] = place
            place += rows * row
    backward = [a * b for a, b in zip(layout.strides[:-1], layout.strides[1:], strict=True)]
    return Plan(layers, place, place + max(backward, default=0), max(layout.strides))


def rule(a: Architecture) -> int:
    """The number of the optimiser's loop in `updates.update`."""
    if a.optimizer == "sgd":
        return updates.NESTEROV if a.nesterov else updates.MOMENTUM if a.momentum > 0.0 else updates.SGD
    if a.optimizer == "rmsprop":
        return updates.RMSPROP_MOMENTUM if a.momentum > 0.0 else updates.RMSPROP
    return updates.ADAM


def activation(a: Architecture) -> int:
    return ACTIVATIONS.index(a.activation)


def settings(a: Architecture, rates: NDArray[np.float64], first: int) -> NDArray[np.float32]:
    """What `updates.update` needs of each step, float32 (n_steps, 10): its eight numbers, then decay and shrink."""
    t = np.arange(first + 1, first + len(rates) + 1, dtype=np.float64)
    out = np.zeros((len(rates), 10), np.float32)
    adam = a.optimizer in ("adam", "adamw")
    out[:, 0] = rates / (1.0 - a.beta1**t) if adam else rates
    out[:, 1] = 1.0 / np.sqrt(1.0 - a.beta2**t) if adam else 1.0
    out[:, 2:8] = a.beta1, 1.0 - a.beta1, a.beta2, 1.0 - a.beta2, max(a.epsilon, 1e-30), a.momentum
    out[:, 8] = 0.0 if a.optimizer == "adamw" else a.weight_decay
    out[:, 9] = 1.0 - rates * a.weight_decay if a.optimizer == "adamw" else 1.0
    return out


class Scratch:
    """One thread's working arrays; they only grow."""

    def __init__(self) -> None:
        self.floats, self.gradients, self.zeros = aligned(0), aligned(0), aligned(0)
        self.words, self.index = aligned(0, np.uint32), aligned(0, np.int64)

    def fit(self, made: Plan, weights: int, rows: int) -> Scratch:
        if self.floats.size < made.size:
            self.floats = aligned(made.size)
        if self.gradients.size < weights:
            self.gradients = aligned(weights)
        if self.zeros.size < made.widest:
            self.zeros, self.words = aligned(made.widest), aligned(4 * made.widest, np.uint32)
        if self.index.size < rows:
            self.index = aligned(rows, np.int64)
        return self


class ScratchPool:
    """Scratch for as many threads as work at once."""

    def __init__(self) -> None:
        self._idle: deque[Scratch] = deque()

    @contextmanager
    def take(self, made: Plan, weights: int, rows: int) -> Iterator[Scratch]:
        try:
            scratch = self._idle.pop()
        except IndexError:
            scratch = Scratch()
        try:
            yield scratch.fit(made, weights, rows)
        finally:
            self._idle.append(scratch)
