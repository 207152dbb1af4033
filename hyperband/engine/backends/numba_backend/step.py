"""The entry points of the compiled code: a run of optimiser steps, an evaluation, raw outputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hyperband.engine.backends.numba_backend import jit as _jit
from hyperband.engine.backends.numba_backend.jit import entry, jit
from hyperband.engine.backends.numba_backend.losses import judge, losses
from hyperband.engine.backends.numba_backend.network import activate, backward, forward, linear
from hyperband.engine.backends.numba_backend.plans import BIAS, CHUNK, OUT, OUTPUTS, ROW, SLOPES, WEIGHTS
from hyperband.engine.backends.numba_backend.randomness import drop, epoch_keys, row_numbers
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
    layers: Any, kind: int, inputs: int, w: Any, x_row: int, rows: int, scratch: Any, step: int, k0: Any, k1: Any,
    threshold: int, keep: Any, words: Any,
) -> None:  # fmt: skip
    for layer in range(len(layers)):
        linear(layers, layer, inputs, w, scratch, x_row, rows, scratch)
        if layer < len(layers) - 1:
            row, out, slopes = layers[layer, ROW], layers[layer, OUTPUTS], layers[layer, SLOPES]
            h, d = scratch[out : out + rows * row], scratch[slopes : slopes + rows * row]
            activate(kind, h, d)
            drop(h, d, row, rows, layers[layer, OUT], layer, step, k0, k1, threshold, keep, words)


@jit
def _clip(layers: Any, inputs: int, gradients: Any, clip_norm: float) -> Any:
    """Factor of the gradient."""
    total = 0.0
    for layer in range(len(layers)):
        bias, row, begin = layers[layer, BIAS], layers[layer, ROW], layers[layer, WEIGHTS]
        end = begin + inputs * row if layer == 0 else bias
        total += sum_of_squares(gradients[begin:end]) + sum_of_squares(gradients[bias : bias + row])
    norm = math.sqrt(total)
    return f4(clip_norm / norm) if norm > clip_norm else f4(1)


@jit
def _update_all(layers: Any, inputs: int, rule: int, w: Any, m: Any, v: Any, gradients: Any, s: Any, clip: Any) -> None:
    for layer in range(len(layers)):
        bias, row, begin = layers[layer, BIAS], layers[layer, ROW], layers[layer, WEIGHTS]
        end = begin + inputs * row if layer == 0 else bias
        update(rule, w[begin:end], m[begin:end], v[begin:end], gradients[begin:end], s, s[8], s[9], clip)
        end = bias + row
        update(rule, w[bias:end], m[bias:end], v[bias:end], gradients[bias:end], s, f4(0), f4(1), clip)


def _entries(stamp: int) -> tuple[Any, Any, Any]:
    @entry
    def train_steps(
        layers: Any, numbers: Any, x: Any, x_row: int, labels: Any, targets: Any, weight: Any, key: Any, running: float,
        settings: Any, smoothing: Any, keep: Any, clip_norm: float, w: Any, m: Any, v: Any, scratch: Any,
        transposed: int, gradients: Any, zeros: Any, words: Any, index: Any,
    ) -> Any:  # fmt: skip
        (
            kind, rule, loss_kind, n_inputs, inputs, n_rows, batch, epoch, position, step, threshold, low, high,
        ) = numbers  # fmt: skip
        if stamp < 0:  # never; keeps the stamp among the closure's values
            return 0, running
        last, k0, k1 = len(layers) - 1, key[0], key[1]
        keys = epoch_keys(k0, k1, epoch)
        for done in range(len(settings)):
            first = (position + done) * batch
            rows = min(batch, n_rows - first)
            chosen = index[:rows]
            row_numbers(keys, n_rows, low, high, first, rows, chosen)
            _gather(x, n_inputs, inputs, chosen, x_row, scratch)
            if threshold > 0:
                _forward_with_dropout(
                    layers, kind, inputs, w, x_row, rows, scratch, step + done, k0, k1, threshold, keep, words
                )
            else:
                forward(layers, kind, inputs, w, scratch, x_row, rows, scratch)
            z, row = layers[last, OUTPUTS], layers[last, ROW]
            loss = losses(
                loss_kind, scratch[z : z + rows * row], row, layers[last, OUT], chosen, labels, targets, weight,
                smoothing,
            )  # fmt: skip
            if not math.isfinite(loss):
                return done, running
            backward(layers, inputs, w, x_row, rows, scratch, transposed, zeros, gradients)
            clip = _clip(layers, inputs, gradients, clip_norm) if clip_norm > 0.0 else f4(1)
            _update_all(layers, inputs, rule, w, m, v, gradients, settings[done], clip)
            running += loss * rows
        return len(settings), running

    @entry
    def evaluate_rows(
        layers: Any, numbers: Any, x: Any, labels: Any, targets: Any, weight: Any, w: Any, scratch: Any, sums: Any
    ) -> None:
        kind, loss_kind, n_inputs, inputs, n_rows = numbers
        if stamp < 0:
            return
        last = len(layers) - 1
        z, row, n_outputs = layers[last, OUTPUTS], layers[last, ROW], layers[last, OUT]
        for first in range(0, n_rows, CHUNK):
            rows = min(CHUNK, n_rows - first)
            forward(layers, kind, inputs, w, x[first * n_inputs :], n_inputs, rows, scratch)
            judge(loss_kind, scratch[z : z + rows * row], row, n_outputs, first, rows, labels, targets, weight, sums)

    @entry
    def output_rows(layers: Any, numbers: Any, x: Any, w: Any, scratch: Any, out: Any) -> None:
        kind, n_inputs, inputs, n_rows = numbers
        if stamp < 0:
            return
        last = len(layers) - 1
        z, row, n_outputs = layers[last, OUTPUTS], layers[last, ROW], layers[last, OUT]
        for first in range(0, n_rows, CHUNK):
            rows = min(CHUNK, n_rows - first)
            forward(layers, kind, inputs, w, x[first * n_inputs :], n_inputs, rows, scratch)
            for b in range(rows):
                for j in range(n_outputs):
                    out[first + b, j] = scratch[z + b * row + j]

    return train_steps, evaluate_rows, output_rows


train_steps, evaluate_rows, output_rows = _entries(_jit.STAMP)
