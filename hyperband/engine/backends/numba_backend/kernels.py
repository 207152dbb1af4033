"""`hyperband.engine.backends.host.Kernels` over the compiled entry points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.backends.base import F32, HostSplit
from hyperband.engine.backends.numba_backend import plans, step
from hyperband.engine.backends.philox import dropout_threshold
from hyperband.engine.backends.rates import average_shares, dropouts, learning_rates, weight_decays
from hyperband.engine.backends.state import MemberState
from hyperband.engine.losses import LOSSES, parse

_NO_LABELS = np.zeros(0, np.int32)
_NO_TARGETS = np.zeros((0, 1), np.float32)
_NONE = np.zeros(0, np.float32)


class NumbaKernels:
    """Float32 arithmetic of one problem; each call works on one member and releases the GIL."""

    dtype = np.float32

    def __init__(self, loss: str, n_outputs: int) -> None:
        of = parse(loss)
        self._loss, self._number = LOSSES.index(of.name), np.float32(of.number)
        self._n_outputs, self._pool = n_outputs, plans.ScratchPool()

    def stride(self, width: int) -> int:
        return plans.stride(width)

    def zeros(self, size: int) -> NDArray[np.float32]:
        return plans.aligned(size)

    def steps(self, state: MemberState, train: HostSplit, count: int) -> tuple[int, float]:
        a, seed = state.member.architecture, state.member.seed
        batch = min(a.batch_size, state.rows)
        made = plans.plan(state.layout, batch)
        bits = max(2, (state.rows - 1).bit_length())
        run = plans.Run(
            plans.activation(a), plans.rule(a), self._loss, train.x.shape[1], state.inputs, state.rows, batch,
            state.epoch, state.position, state.step, bits // 2, bits - bits // 2,
            plans.stride(state.layout.dims[0]), np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32),
        )  # fmt: skip
        when = (a, state.member.total_steps, state.step, count)
        dropped = np.array([dropout_threshold(dropout) for dropout in dropouts(*when).tolist()], np.int64)
        schedule = plans.Schedule(
            plans.settings(a, state.layout.parameters, learning_rates(*when), weight_decays(*when), state.step),
            state.running,
            np.float32(a.label_smoothing),
            self._number,
            dropped,
            (65536.0 / (65536.0 - dropped)).astype(np.float32),
            a.clip_norm,
            average_shares(a, state.step, count).astype(np.float32),
        )
        kept = (state.weights, state.m, state.v, state.average)
        arenas = plans.Arenas(*(_NONE if numbers is None else numbers for numbers in kept))
        tables = plans.Tables(made.layers, made.parameters, made.transposed)
        with self._pool.take(made, state.layout.size, batch) as s:
            done, running = step.train_steps(*map(tuple, (tables, run, _data(train), schedule, arenas, s.arrays())))
        return int(done), float(running)

    def evaluate(self, state: MemberState, weights: NDArray[Any], split: HostSplit) -> tuple[float, float]:
        made, sums = plans.plan(state.layout, plans.CHUNK), np.zeros(3)
        with self._pool.take(made, 0, 0) as s:
            run = self._evaluation(state, split.x)
            step.evaluate_rows(made.layers, tuple(run), tuple(_data(split)), weights, s.floats, sums)
        return float(sums[0] / sums[2]), float(sums[1] / len(split.x))

    def outputs(self, state: MemberState, weights: NDArray[Any], x: F32) -> F32:
        made, out = plans.plan(state.layout, plans.CHUNK), np.empty((len(x), self._n_outputs), np.float32)
        with self._pool.take(made, 0, 0) as s:
            step.output_rows(made.layers, tuple(self._evaluation(state, x)), x.reshape(-1), weights, s.floats, out)
        return out

    def _evaluation(self, state: MemberState, x: F32) -> plans.Evaluation:
        n_rows, n_inputs = x.shape
        kind = plans.activation(state.member.architecture)
        return plans.Evaluation(kind, self._loss, self._number, n_inputs, state.inputs or n_inputs, n_rows)


def _data(split: HostSplit) -> plans.Data:
    weight, x = _NONE if split.weight is None else split.weight, split.x.reshape(-1)
    if split.y.ndim == 1:
        return plans.Data(x, split.y, _NO_TARGETS, weight)
    return plans.Data(x, _NO_LABELS, split.y, weight)
