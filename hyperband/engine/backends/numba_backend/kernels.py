"""`hyperband.engine.backends.host.Kernels` over the compiled entry points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.backends.base import F32, LOSSES, HostSplit
from hyperband.engine.backends.numba_backend import plans, step
from hyperband.engine.backends.philox import dropout_threshold
from hyperband.engine.backends.rates import learning_rates
from hyperband.engine.backends.state import MemberState

_NO_LABELS = np.zeros(0, np.int32)
_NO_TARGETS = np.zeros((0, 1), np.float32)
_NONE = np.zeros(0, np.float32)


class NumbaKernels:
    """Float32 arithmetic of one problem; each call works on one member and releases the GIL."""

    dtype = np.float32

    def __init__(self, loss: str, n_outputs: int) -> None:
        self._loss, self._n_outputs, self._pool = LOSSES.index(loss), n_outputs, plans.ScratchPool()

    def stride(self, width: int) -> int:
        return plans.stride(width)

    def zeros(self, size: int) -> NDArray[np.float32]:
        return plans.aligned(size)

    def steps(self, state: MemberState, train: HostSplit, count: int) -> tuple[int, float]:
        a = state.member.architecture
        batch = min(a.batch_size, state.rows)
        made = plans.plan(state.layout, batch)
        threshold = dropout_threshold(a.dropout) if a.dropout > 0.0 else 0
        bits = max(2, (state.rows - 1).bit_length())
        numbers = (
            plans.activation(a), plans.rule(a), self._loss, train.x.shape[1], state.inputs, state.rows, batch,
            state.epoch, state.position, state.step, threshold, bits // 2, bits - bits // 2,
        )  # fmt: skip
        settings = plans.settings(a, learning_rates(a, state.member.total_steps, state.step, count), state.step)
        keep = np.float32(65536.0 / (65536.0 - threshold))
        with self._pool.take(made, state.layout.size, batch) as s:
            done, running = step.train_steps(
                made.layers, numbers, train.x.reshape(-1), plans.stride(state.layout.dims[0]), *_targets(train),
                _key(state.member.seed), state.running, settings, np.float32(a.label_smoothing), keep, a.clip_norm,
                state.weights, _NONE if state.m is None else state.m, _NONE if state.v is None else state.v, s.floats,
                made.transposed, s.gradients, s.zeros, s.words, s.index,
            )  # fmt: skip
        return int(done), float(running)

    def evaluate(self, state: MemberState, weights: NDArray[Any], split: HostSplit) -> tuple[float, float]:
        made, sums = plans.plan(state.layout, plans.CHUNK), np.zeros(3)
        n_rows, n_inputs = split.x.shape
        numbers = (
            plans.activation(state.member.architecture), self._loss, n_inputs, state.inputs or n_inputs, n_rows
        )  # fmt: skip
        with self._pool.take(made, 0, 0) as s:
            step.evaluate_rows(
                made.layers, numbers, split.x.reshape(-1), *_targets(split), weights, s.floats, sums
            )  # fmt: skip
        return float(sums[0] / sums[2]), float(sums[1] / n_rows)

    def outputs(self, state: MemberState, weights: NDArray[Any], x: F32) -> F32:
        made, out = plans.plan(state.layout, plans.CHUNK), np.empty((len(x), self._n_outputs), np.float32)
        n_rows, n_inputs = x.shape
        numbers = (plans.activation(state.member.architecture), n_inputs, state.inputs or n_inputs, n_rows)
        with self._pool.take(made, 0, 0) as s:
            step.output_rows(made.layers, numbers, x.reshape(-1), weights, s.floats, out)
        return out


def _key(seed: int) -> NDArray[np.uint64]:
    return np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint64)


def _targets(split: HostSplit) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Labels, target values and weights, the missing ones empty: the compiled code has one type for each."""
    weight = _NONE if split.weight is None else split.weight
    if split.y.ndim == 1:
        return split.y, _NO_TARGETS, weight
    return _NO_LABELS, split.y, weight
