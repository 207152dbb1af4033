"""The entry points of the compiled code: a run of optimiser steps, an evaluation, raw outputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hyperband.engine.backends.numba_backend import jit as _jit
from hyperband.engine.backends.numba_backend.jit import entry, jit
from hyperband.engine.backends.numba_backend.losses import add_scores, losses
from hyperband.engine.backends.numba_backend.network import activate_weighted, backward, forward, linear
from hyperband.engine.backends.numba_backend.plans import (
    ALPHA,
    BEGIN,
    BY_ALPHA,
    CHUNK,
    END,
    LAYER,
    OUT,
    OUTPUTS,
    PER_INPUT,
    ROW,
    SETTINGS,
    SLOPES,
    Arenas,
    Data,
    Evaluation,
    Run,
    Schedule,
    Tables,
    Working,
)
from hyperband.engine.backends.numba_backend.randomness import drop, epoch_keys, row_numbers
from hyperband.engine.backends.numba_backend.stage import prepare
from hyperband.engine.backends.numba_backend.updates import sum_of_squares, update

f4 = np.float32


@jit
def _gather(x: Any, n_inputs: int, inputs: int, index: Any, row: int, out: Any) -> None:
    for b in range(len(index)):
        source = x[index[b] * n_inputs : index[b] * n_inputs + inputs]
        target = out[b * row : b * row + inputs]
        for j in range(inputs):
            target[j] = source[j]


@jit
def _forward_with_dropout(
    layers: Any, run: Run, w: Any, rows: int, scratch: Any, step: int, dropped: int, keep: Any
) -> None:
    floats = scratch.floats
    prepare(layers, run.inputs, w, floats, run.x_row, rows, floats)
    for layer in range(len(layers)):
        linear(layers, layer, run.inputs, w, floats, run.x_row, rows, floats)
        if layer < len(layers) - 1:
            row, out, slopes = layers[layer, ROW], layers[layer, OUTPUTS], layers[layer, SLOPES]
            h, d = floats[out : out + rows * row], floats[slopes : slopes + rows * row]
            at, alpha = layers[layer, BY_ALPHA], layers[layer, ALPHA]
            e = floats[at : at + rows * row] if alpha >= 0 else floats[:0]
            activate_weighted(run.activation, h, d, e, w[alpha : alpha + row] if alpha >= 0 else w[:0])
            drop(
                h, d, e, row, rows, layers[layer, OUT], layer, step, run.key_low, run.key_high, dropped, keep,
                scratch.words,
            )  # fmt: skip


@jit
def _ends(parameter: Any, inputs: int) -> Any:
    """Where the numbers of a parameter begin and end; without those of columns that are not seen."""
    begin, per_input = parameter[BEGIN], parameter[PER_INPUT]
    return begin, begin + inputs * per_input if per_input > 0 else parameter[END]


@jit
def _clip(parameters: Any, inputs: int, gradients: Any, clip_norm: float) -> Any:
    """Factor of the gradient."""
    total, of_layer, layer = 0.0, 0.0, 0
    for number in range(len(parameters)):
        if parameters[number, LAYER] != layer:
            total, of_layer, layer = total + of_layer, 0.0, parameters[number, LAYER]
        begin, end = _ends(parameters[number], inputs)
        of_layer += sum_of_squares(gradients[begin:end])
    norm = math.sqrt(total + of_layer)
    return f4(clip_norm / norm) if norm > clip_norm else f4(1)


@jit
def _update_all(
    parameters: Any, inputs: int, rule: int, arenas: Arenas, gradients: Any, settings: Any, clip: Any
) -> None:
    w, m, v = arenas.w, arenas.m, arenas.v
    for number in range(len(parameters)):
        begin, end = _ends(parameters[number], inputs)
        s = settings[parameters[number, SETTINGS]]
        update(rule, w[begin:end], m[begin:end], v[begin:end], gradients[begin:end], s, s[8], s[9], clip)


@jit
def _average(parameters: Any, inputs: int, arenas: Arenas, share: Any) -> None:
    for number in range(len(parameters)):
        begin, end = _ends(parameters[number], inputs)
        w, mean = arenas.w[begin:end], arenas.average[begin:end]
        for i in range(len(w)):
            mean[i] += share * (w[i] - mean[i])


def _entries(stamp: int) -> tuple[Any, Any, Any]:
    @entry
    def train_steps(
        tables_: Tables, run_: Run, data_: Data, schedule_: Schedule, arenas_: Arenas, scratch_: Working
    ) -> Any:
        tables, run, data = Tables(*tables_), Run(*run_), Data(*data_)
        schedule, arenas, scratch = Schedule(*schedule_), Arenas(*arenas_), Working(*scratch_)
        running, layers, inputs, floats = schedule.running, tables.layers, run.inputs, scratch.floats
        if stamp < 0:  # never; keeps the stamp among the closure's values
            return 0, running
        last = len(layers) - 1
        keys = epoch_keys(run.key_low, run.key_high, run.epoch)
        for done in range(len(schedule.settings)):
            first = (run.position + done) * run.batch
            rows = min(run.batch, run.n_rows - first)
            chosen = scratch.index[:rows]
            row_numbers(keys, run.n_rows, run.low_bits, run.high_bits, first, rows, chosen)
            _gather(data.x, run.n_inputs, inputs, chosen, run.x_row, floats)
            dropped = schedule.dropped[done]
            if dropped > 0:
                keep = schedule.keep[done]
                _forward_with_dropout(layers, run, arenas.w, rows, scratch, run.step + done, dropped, keep)
            else:
                forward(layers, run.activation, inputs, arenas.w, floats, run.x_row, rows, floats)
            z, row = layers[last, OUTPUTS], layers[last, ROW]
            loss = losses(
                run.loss, floats[z : z + rows * row], row, layers[last, OUT], chosen, data.labels, data.targets,
                data.weight, schedule.smoothing, schedule.number,
            )  # fmt: skip
            if not math.isfinite(loss):
                return done, running
            gradients = scratch.gradients
            backward(
                layers, inputs, arenas.w, run.x_row, rows, floats, tables.transposed, scratch.zeros, gradients
            )  # fmt: skip
            clip = f4(1)
            if schedule.clip_norm > 0.0:
                clip = _clip(tables.parameters, inputs, gradients, schedule.clip_norm)
            _update_all(tables.parameters, inputs, run.rule, arenas, gradients, schedule.settings[done], clip)
            if arenas.average.size:
                _average(tables.parameters, inputs, arenas, schedule.shares[done])
            running += loss * rows
        return len(schedule.settings), running

    @entry
    def evaluate_rows(layers: Any, run_: Evaluation, data_: Data, w: Any, scratch: Any, sums: Any) -> None:
        if stamp < 0:
            return
        run, data, last = Evaluation(*run_), Data(*data_), len(layers) - 1
        z, row, n_outputs = layers[last, OUTPUTS], layers[last, ROW], layers[last, OUT]
        for first in range(0, run.n_rows, CHUNK):
            rows = min(CHUNK, run.n_rows - first)
            x = data.x[first * run.n_inputs :]
            forward(layers, run.activation, run.inputs, w, x, run.n_inputs, rows, scratch)
            add_scores(
                run.loss, scratch[z : z + rows * row], row, n_outputs, first, rows, data.labels, data.targets,
                data.weight, run.number, sums,
            )  # fmt: skip

    @entry
    def output_rows(layers: Any, run_: Evaluation, x: Any, w: Any, scratch: Any, out: Any) -> None:
        if stamp < 0:
            return
        run, last = Evaluation(*run_), len(layers) - 1
        z, row, n_outputs = layers[last, OUTPUTS], layers[last, ROW], layers[last, OUT]
        for first in range(0, run.n_rows, CHUNK):
            rows = min(CHUNK, run.n_rows - first)
            forward(layers, run.activation, run.inputs, w, x[first * run.n_inputs :], run.n_inputs, rows, scratch)
            for b in range(rows):
                for j in range(n_outputs):
                    out[first + b, j] = scratch[z + b * row + j]

    return train_steps, evaluate_rows, output_rows


train_steps, evaluate_rows, output_rows = _entries(_jit.STAMP)
