"""The memory plan of a step: a member's layers and the scratch of one thread, as plain numbers and arrays."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import ACTIVATIONS, NUMBER_EMBEDDINGS, Architecture
from hyperband.engine.backends.layout import Layout
from hyperband.engine.backends.numba_backend import updates
from hyperband.engine.backends.numba_backend.jit import WIDTH
from hyperband.engine.parameters import TABLE, Parameter

#: rows of an evaluation at a time
CHUNK = 64

#: columns of a plan's layers: inputs and outputs of the layer, row length, offsets in scratch of the layer's outputs
#: (later the gradient by them), of its slopes, of its derivatives by alpha where it has one, and of its scaled inputs;
#: the kind of embedding before it, how many columns it embeds, components and waves of each, offsets in scratch of the
#: embedded rows and of a row's gradient by components; then a column for each row of the parameter table
IN, OUT, ROW, OUTPUTS, SLOPES, BY_ALPHA, SCALED, EMBEDDING, NUMBERS, COMPONENTS, WAVES, EMBEDDED, BACK, _PARAMETERS = (
    range(14)
)


def parameter_column(name: str) -> int:
    """The column with the offsets of this kind of parameter, -1 in layers without it."""
    return _PARAMETERS + [kind.name for kind in TABLE].index(name)


WEIGHTS, BIAS, ALPHA, SCALE = (parameter_column(name) for name in ("weights", "bias", "alpha", "scale"))
FREQUENCY, PHASE, MIXING, SHIFT, AMPLITUDE = (
    parameter_column(name) for name in ("frequency", "phase", "mixing", "shift", "amplitude")
)

#: columns of a plan's parameters: first and last + 1 of its numbers; of those over the data's columns the numbers a
#: column, else 0; its layer; its row of `settings`
BEGIN, END, PER_INPUT, LAYER, SETTINGS = range(5)


def stride(width: int) -> int:
    """Whole vectors, and not a multiple of 1 KiB: such rows would share a few sets of the first-level cache."""
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
    """The offsets of a member's parameters and of a thread's scratch.

    ``layers``: int64 (n_layers, 13 + rows of the table), ``parameters``: int64 (n_parameters, 5), see the column
    numbers; the rest are offsets and sizes in scratch floats.
    """

    layers: NDArray[np.int64]
    parameters: NDArray[np.int64]
    transposed: int
    size: int
    widest: int


@lru_cache(maxsize=4096)
def plan(layout: Layout, rows: int) -> Plan:
    """The plan for batches of up to ``rows`` rows; the gathered inputs lie at 0."""
    n_layers = len(layout.strides)
    layers = np.full((n_layers, _PARAMETERS + len(TABLE)), -1, np.int64)
    end = rows * stride(layout.dims[0])
    for layer, row in enumerate(layout.strides):
        depth = layout.parameters[0].shape[0] if layer == 0 else layout.dims[layer]
        layers[layer, : OUTPUTS + 1] = depth, layout.dims[layer + 1], row, end
        end += rows * row
        if layer < n_layers - 1:
            layers[layer, SLOPES] = end
            end += rows * row
        if any(p.layer == layer and p.kind.name == "alpha" for p in layout.parameters):
            layers[layer, BY_ALPHA] = end
            end += rows * row
    parameters = np.zeros((len(layout.parameters), 5), np.int64)
    ends = (*layout.offsets[1:], layout.size)
    for number, (parameter, first, last) in enumerate(zip(layout.parameters, layout.offsets, ends, strict=True)):
        if parameter.kind.axes[-1] != "outputs":  # what pads it has no gradient
            last = first + math.prod(parameter.shape)
        per_input = (last - first) // parameter.shape[0] if parameter.over_inputs else 0
        parameters[number] = first, last, per_input, parameter.layer, number
        layers[parameter.layer, parameter_column(parameter.kind.name)] = first
    end = _plan_stage(layout, layers[0], rows, end)
    backward = [a * b for a, b in zip(layout.strides[:-1], layout.strides[1:], strict=True)]
    return Plan(layers, parameters, end, end + max(backward, default=0), max(layout.strides))


def _plan_stage(layout: Layout, first: NDArray[np.int64], rows: int, end: int) -> int:
    """What comes before the first layer; returns the end of scratch."""
    first[EMBEDDING] = 0
    if first[SCALE] >= 0:
        first[SCALED] = end
        end += rows * stride(int(first[IN]))
    if first[FREQUENCY] >= 0:
        (waves,) = (p.shape for p in layout.parameters if p.kind.name == "frequency")
        last = "shift" if first[SHIFT] >= 0 else "amplitude"
        (components,) = (p.shape for p in layout.parameters if p.kind.name == last)
        first[EMBEDDING] = NUMBER_EMBEDDINGS.index("pbld" if last == "shift" else "cosine")
        first[NUMBERS : WAVES + 1] = *components, waves[1]
        first[EMBEDDED], first[BACK] = end, end + rows * stride(int(first[IN]))
        end = int(first[BACK]) + stride(int(first[IN]))
    return end


def rule(a: Architecture) -> int:
    """The number of the optimiser's loop in `updates.update`."""
    if a.optimizer == "sgd":
        return updates.NESTEROV if a.nesterov else updates.MOMENTUM if a.momentum > 0.0 else updates.SGD
    if a.optimizer == "rmsprop":
        return updates.RMSPROP_MOMENTUM if a.momentum > 0.0 else updates.RMSPROP
    return updates.ADAM


def activation(a: Architecture) -> int:
    return ACTIVATIONS.index(a.activation)


def settings(
    a: Architecture,
    listed: tuple[Parameter, ...],
    rates: NDArray[np.float64],
    decays: NDArray[np.float64],
    first: int,
) -> NDArray[np.float32]:
    """What `updates.update` needs, float32 (n_steps, parameters of the network, 10).

    Of each step and parameter its eight numbers, then decay and shrink.
    """
    t = np.arange(first + 1, first + len(rates) + 1, dtype=np.float64)[:, None]
    own = rates[:, None] * np.array([parameter.kind.rate_factor(a, parameter.layer) for parameter in listed])
    decay = decays[:, None] * np.array([float(parameter.kind.decay) for parameter in listed])
    out = np.zeros((len(rates), len(listed), 10), np.float32)
    adam, decoupled = a.optimizer in ("adam", "adamw"), a.optimizer == "adamw"
    out[..., 0] = own / (1.0 - a.beta1**t) if adam else own
    out[..., 1] = 1.0 / np.sqrt(1.0 - a.beta2**t) if adam else 1.0
    out[..., 2:8] = a.beta1, 1.0 - a.beta1, a.beta2, 1.0 - a.beta2, max(a.epsilon, 1e-30), a.momentum
    out[..., 8] = 0.0 if decoupled else decay
    out[..., 9] = 1.0 - own * decay if decoupled else 1.0
    return out


class Tables(NamedTuple):
    """A plan for compiled code, see `Plan`.

    Compiled code makes these records from plain tuples, whose type Numba finds sooner than that of a record.
    """

    layers: Any
    parameters: Any
    transposed: int


class Run(NamedTuple):
    """The whole numbers of a run of steps: what is trained, where it begins, and the row order's bits."""

    activation: int
    rule: int  #: of `updates.update`
    loss: int
    n_inputs: int  #: columns of the data
    inputs: int  #: columns that are seen
    n_rows: int
    batch: int
    epoch: int
    position: int  #: steps done of this epoch
    step: int
    low_bits: int
    high_bits: int
    x_row: int  #: row length of the gathered inputs
    key_low: Any  #: of the member's seed, uint64 below 2**32
    key_high: Any


class Evaluation(NamedTuple):
    """The whole numbers of an evaluation."""

    activation: int
    loss: int
    number: Any  #: float32, of the loss
    n_inputs: int
    inputs: int
    n_rows: int


class Data(NamedTuple):
    """Rows and their targets; an empty array stands for a missing one: compiled code has one type for each."""

    x: Any  #: float32, flat
    labels: Any  #: int32 (n_rows,)
    targets: Any  #: float32 (n_rows, n_outputs)
    weight: Any  #: float32 (n_rows,)


class Schedule(NamedTuple):
    """The settings of each step, and what all of them share."""

    settings: Any  #: see `settings`
    running: float  #: sum of the epoch's losses so far
    smoothing: Any  #: float32
    number: Any  #: float32, of the loss
    dropped: Any  #: int64, `dropout_threshold` of each step, 0 without dropout
    keep: Any  #: float32, factor of the units that are kept then
    clip_norm: float
    shares: Any  #: float32, of the average, see `hyperband.engine.backends.rates.average_shares`


class Arenas(NamedTuple):
    """The member's parameters, moments and average, flat; empty where there are none."""

    w: Any
    m: Any
    v: Any
    average: Any


class Working(NamedTuple):
    """A thread's working arrays, see `Scratch`."""

    floats: Any
    gradients: Any
    zeros: Any
    words: Any
    index: Any


class Scratch:
    """One thread's working arrays; they only grow."""

    def __init__(self) -> None:
        self.floats, self.gradients, self.zeros = aligned(0), aligned(0), aligned(0)
        self.words, self.index = aligned(0, np.uint32), aligned(0, np.int64)

    def arrays(self) -> Working:
        return Working(self.floats, self.gradients, self.zeros, self.words, self.index)

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
