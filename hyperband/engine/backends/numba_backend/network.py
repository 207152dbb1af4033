"""Forward and backward of one batch in compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np

from hyperband.engine.architecture import ACTIVATIONS
from hyperband.engine.backends.numba_backend.jit import jit
from hyperband.engine.backends.numba_backend.math32 import exp32, expm1_32, normal32, sigmoid32, tanh32
from hyperband.engine.backends.numba_backend.plans import (
    ALPHA,
    BIAS,
    BY_ALPHA,
    EMBEDDED,
    EMBEDDING,
    IN,
    OUT,
    OUTPUTS,
    ROW,
    SCALE,
    SCALED,
    SLOPES,
    WEIGHTS,
)
from hyperband.engine.backends.numba_backend.products import multiply, transpose
from hyperband.engine.backends.numba_backend.stage import backward_stage, prepare

IDENTITY, RELU, LEAKY_RELU, GELU, SILU, TANH, SIGMOID, STEP, SELU, MISH = range(len(ACTIVATIONS))
f4 = np.float32
_ZERO, _ONE, _TWO, _FOUR, _SLOPE = f4(0), f4(1), f4(2), f4(4), f4(0.01)
_SELU_SCALE, _SELU_SLOPE = f4(1.0507009873554805), f4(1.7580993408473766)
_LEAST, _MOST = f4(-60), f4(20)  # of mish: below, the output is that of -60 to 1e-24; above, it is z


@jit
def activate(kind: int, z: Any, d: Any) -> None:
    """z becomes the activation, d its derivative. NaN stays NaN, or a diverging member would seem healthy."""
    n = len(z)
    if kind == RELU:
        for i in range(n):
            x = z[i]
            z[i] = _ZERO if x <= _ZERO else x
            d[i] = _ONE if x > _ZERO else _ZERO
    elif kind == LEAKY_RELU:
        for i in range(n):
            x = z[i]
            z[i] = x if x > _ZERO else x * _SLOPE
            d[i] = _ONE if x > _ZERO else _SLOPE
    elif kind == GELU:
        for i in range(n):
            x = z[i]
            cdf, density = normal32(x)
            z[i] = x * cdf
            d[i] = x * density + cdf
    elif kind == SILU:
        for i in range(n):
            s = sigmoid32(z[i])
            h = z[i] * s
            z[i] = h
            d[i] = h * (_ONE - s) + s
    elif kind == TANH:
        for i in range(n):
            h = tanh32(z[i])
            z[i] = h
            d[i] = _ONE - h * h
    elif kind == SIGMOID:
        for i in range(n):
            h = sigmoid32(z[i])
            z[i] = h
            d[i] = h - h * h
    elif kind == SELU:
        for i in range(n):
            x = z[i]
            e = _SELU_SLOPE * expm1_32(_ZERO if x > _ZERO else x)
            z[i] = _SELU_SCALE * x if x > _ZERO else e
            d[i] = _SELU_SCALE if x > _ZERO else e + _SELU_SLOPE
    elif kind == MISH:
        for i in range(n):
            x = _LEAST if z[i] < _LEAST else z[i]
            most = _MOST if x > _MOST else x  # from here on the slope is 1
            e = exp32(most)
            q = e * (e + _TWO)
            r = _ONE / (q + _TWO)
            t = q * r
            z[i] = x * t
            d[i] = most * (_FOUR * (e * (e + _ONE) * r * r)) + t
    elif kind == STEP:
        for i in range(n):
            x = z[i]
            z[i] = _ONE if x > _ZERO else (_ZERO if x <= _ZERO else x)
            d[i] = _ONE if abs(x) <= _ONE else _ZERO
    else:
        for i in range(n):
            d[i] = _ONE


@jit
def activate_weighted(kind: int, z: Any, d: Any, e: Any, alpha: Any) -> None:
    """The same with a weight for each unit, unless ``alpha`` is empty.

    z becomes ``z + alpha (act(z) - z)``, d its derivative by z, and e that by alpha.
    """
    if alpha.size == 0:
        activate(kind, z, d)
        return
    row = len(alpha)
    e[:] = z
    activate(kind, z, d)
    for at in range(0, len(z), row):
        for j in range(row):
            x, weight = e[at + j], alpha[j]
            difference = z[at + j] - x
            z[at + j] = x + weight * difference
            d[at + j] = _ONE + weight * (d[at + j] - _ONE)
            e[at + j] = difference


@jit
def linear(layers: Any, layer: int, inputs: int, w: Any, x: Any, x_row: int, rows: int, scratch: Any) -> None:
    """``z = bias + x W`` of one layer; the first takes x or what `prepare` made, the others the layer before."""
    row, out = layers[layer, ROW], layers[layer, OUTPUTS]
    weights, bias = layers[layer, WEIGHTS], layers[layer, BIAS]
    if layer == 0 and (layers[0, SCALE] >= 0 or layers[0, EMBEDDING] > 0):
        depth = layers[0, IN] if layers[0, EMBEDDING] > 0 else inputs
        at = layers[0, SCALED] if layers[0, SCALE] >= 0 else layers[0, EMBEDDED]
        multiply(scratch, at, depth, 1, w, weights, row, w, bias, scratch, out, row, rows, row, depth)
    elif layer == 0:
        multiply(x, 0, x_row, 1, w, weights, row, w, bias, scratch, out, row, rows, row, inputs)
    else:
        before, depth = layers[layer - 1], layers[layer, IN]
        multiply(
            scratch, before[OUTPUTS], before[ROW], 1, w, weights, row, w, bias, scratch, out, row, rows, row, depth
        )


@jit
def forward(layers: Any, kind: int, inputs: int, w: Any, x: Any, x_row: int, rows: int, scratch: Any) -> None:
    """All layers without dropout; raw outputs end at the last layer's part of scratch."""
    last = len(layers) - 1
    prepare(layers, inputs, w, x, x_row, rows, scratch)
    for layer in range(len(layers)):
        linear(layers, layer, inputs, w, x, x_row, rows, scratch)
        if layer < last:
            n, out, slopes = rows * layers[layer, ROW], layers[layer, OUTPUTS], layers[layer, SLOPES]
            at, alpha, row = layers[layer, BY_ALPHA], layers[layer, ALPHA], layers[layer, ROW]
            e = scratch[at : at + n] if alpha >= 0 else scratch[:0]
            own = w[alpha : alpha + row] if alpha >= 0 else w[:0]
            activate_weighted(kind, scratch[out : out + n], scratch[slopes : slopes + n], e, own)


@jit
def _bias_gradient(g: Any, at: int, row: int, rows: int, out: Any) -> None:
    for j in range(row):
        out[j] = _ZERO
    for b in range(rows):
        g_row = g[at + b * row : at + (b + 1) * row]
        for j in range(row):
            out[j] += g_row[j]


@jit
def backward(
    layers: Any, inputs: int, w: Any, x_row: int, rows: int, scratch: Any, transposed: int, zeros: Any, gradients: Any
) -> None:
    """Gradients of all weights, from those of the outputs, which lie at the last layer's part of scratch.

    The gathered inputs lie at 0 of scratch. A hidden layer's outputs are overwritten by the gradient by them, once the
    gradient of the weights above has been made.
    """
    for layer in range(len(layers) - 1, -1, -1):
        row, g, weights, bias = layers[layer, ROW], layers[layer, OUTPUTS], layers[layer, WEIGHTS], layers[layer, BIAS]
        _bias_gradient(scratch, g, row, rows, gradients[bias : bias + row])
        if layer == 0:
            embedded = layers[0, EMBEDDING] > 0
            at, a_row, depth = (layers[0, EMBEDDED], layers[0, IN], layers[0, IN]) if embedded else (0, x_row, inputs)
            multiply(scratch, at, 1, a_row, scratch, g, row, zeros, 0, gradients, weights, row, depth, row, rows)
            if embedded or layers[0, SCALE] >= 0:
                backward_stage(layers[0], inputs, w, rows, scratch, gradients)
            return
        below, below_row = layers[layer - 1, OUTPUTS], layers[layer - 1, ROW]
        n_in, n_out = layers[layer, IN], layers[layer, OUT]
        multiply(scratch, below, 1, below_row, scratch, g, row, zeros, 0, gradients, weights, row, n_in, row, rows)
        transpose(w, weights, row, n_in, row, scratch[transposed:], below_row)
        multiply(
            scratch, g, row, 1, scratch, transposed, below_row, zeros, 0, scratch, below, below_row, rows, below_row,
            n_out,
        )  # fmt: skip
        n, slopes = rows * below_row, layers[layer - 1, SLOPES]
        h, d = scratch[below : below + n], scratch[slopes : slopes + n]
        alpha, at = layers[layer - 1, ALPHA], layers[layer - 1, BY_ALPHA]
        if alpha >= 0:
            for i in range(n):
                scratch[at + i] *= h[i]
            _bias_gradient(scratch, at, below_row, rows, gradients[alpha : alpha + below_row])
        for i in range(n):
            h[i] *= d[i]
