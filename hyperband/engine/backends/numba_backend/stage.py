"""What comes before the first layer in compiled code: components of embedded numbers, then the scale of each input."""

from __future__ import annotations

from typing import Any

import numpy as np

from hyperband.engine.architecture import NUMBER_EMBEDDINGS
from hyperband.engine.backends.numba_backend.jit import jit
from hyperband.engine.backends.numba_backend.math32 import cos_turns32, sincos_turns32
from hyperband.engine.backends.numba_backend.plans import (
    AMPLITUDE,
    BACK,
    COMPONENTS,
    EMBEDDED,
    EMBEDDING,
    FREQUENCY,
    IN,
    MIXING,
    NUMBERS,
    OUTPUTS,
    PHASE,
    ROW,
    SCALE,
    SCALED,
    SHIFT,
    WAVES,
    WEIGHTS,
)

f4 = np.float32
PBLD = NUMBER_EMBEDDINGS.index("pbld")
_ZERO, _TWO_PI, _TURNS = f4(0), f4(2 * np.pi), f4(1 / (2 * np.pi))


@jit
def prepare(layers: Any, inputs: int, w: Any, x: Any, x_row: int, rows: int, scratch: Any) -> None:
    """Fills the first layer's own inputs in scratch, where it has some; x may lie in scratch, too."""
    first = layers[0]
    if first[EMBEDDING] > 0:
        depth, at = first[IN], first[EMBEDDED]
        for b in range(rows):
            for k in range(inputs):
                scratch[at + b * depth + k] = x[b * x_row + k]
            _components(first, inputs, w, scratch[at + b * depth : at + (b + 1) * depth])
        if first[SCALE] >= 0:
            _scale(first, depth, w, scratch, at, depth, rows, scratch)
    elif first[SCALE] >= 0:
        _scale(first, inputs, w, x, 0, x_row, rows, scratch)


@jit
def _scale(first: Any, depth: int, w: Any, x: Any, at: int, x_row: int, rows: int, scratch: Any) -> None:
    scale, scaled = first[SCALE], first[SCALED]
    for b in range(rows):
        for k in range(depth):
            scratch[scaled + b * depth + k] = x[at + b * x_row + k] * w[scale + k]


@jit
def _components(first: Any, inputs: int, w: Any, row: Any) -> None:
    """The components of one row, behind its columns."""
    components, waves = first[COMPONENTS], first[WAVES]
    frequency, phase, mixing, shift = first[FREQUENCY], first[PHASE], first[MIXING], first[SHIFT]
    for c in range(first[NUMBERS]):
        if first[EMBEDDING] != PBLD:
            for q in range(c * components, (c + 1) * components):
                u = row[c] * w[frequency + q] + w[phase + q] * _TURNS
                row[inputs + q] = w[first[AMPLITUDE] + q] * cos_turns32(u)
            continue
        for q in range(c * components, (c + 1) * components):
            row[inputs + q] = w[shift + q]
        for f in range(waves):
            cosine = cos_turns32(row[c] * w[frequency + c * waves + f] + w[phase + c * waves + f] * _TURNS)
            for q in range(c * components, (c + 1) * components):
                row[inputs + q] += w[mixing + q * waves + f] * cosine


@jit
def _scale_gradient(first: Any, depth: int, w: Any, gradients: Any) -> None:
    """From ``x^T g`` at the weights' place of the gradients: that by the scale, and that by the weights."""
    scale, weights, row = first[SCALE], first[WEIGHTS], first[ROW]
    for k in range(depth):
        at, total = weights + k * row, _ZERO
        for j in range(row):
            total += w[at + j] * gradients[at + j]
            gradients[at + j] *= w[scale + k]
        gradients[scale + k] = total


@jit
def _add_row(first: Any, inputs: int, w: Any, row: Any, back: Any, gradients: Any) -> None:
    """Adds what one row gives to the gradients of the embedding; ``back``: gradients by its components."""
    components, waves = first[COMPONENTS], first[WAVES]
    frequency, phase, mixing, shift, amplitude = (
        first[FREQUENCY], first[PHASE], first[MIXING], first[SHIFT], first[AMPLITUDE],
    )  # fmt: skip
    for c in range(first[NUMBERS]):
        x = row[c]
        for f in range(waves):
            at = c * waves + f
            sine, cosine = sincos_turns32(x * w[frequency + at] + w[phase + at] * _TURNS)
            by_cosine = _ZERO
            if first[EMBEDDING] == PBLD:
                for q in range(c * components, (c + 1) * components):
                    gradients[mixing + q * waves + f] += back[q] * cosine
                    by_cosine += w[mixing + q * waves + f] * back[q]
            else:
                gradients[amplitude + at] += back[at] * cosine
                by_cosine = back[at] * w[amplitude + at]
            by_angle = -by_cosine * sine
            gradients[phase + at] += by_angle
            gradients[frequency + at] += by_angle * x * _TWO_PI
        if first[EMBEDDING] == PBLD:
            for q in range(c * components, (c + 1) * components):
                gradients[shift + q] += back[q]


@jit
def backward_stage(first: Any, inputs: int, w: Any, rows: int, scratch: Any, gradients: Any) -> None:
    """Gradients of scale and embedding; those of the weights are ``x^T g`` before, and right afterwards."""
    depth, row, g, weights = first[IN], first[ROW], first[OUTPUTS], first[WEIGHTS]
    if first[EMBEDDING] == 0:
        _scale_gradient(first, inputs, w, gradients)
        return
    if first[SCALE] >= 0:
        _scale_gradient(first, depth, w, gradients)
    at, n = first[FREQUENCY], first[NUMBERS] * first[WAVES]
    gradients[at : at + n] = _ZERO
    gradients[first[PHASE] : first[PHASE] + n] = _ZERO
    n = first[NUMBERS] * first[COMPONENTS]
    if first[EMBEDDING] == PBLD:
        gradients[first[MIXING] : first[MIXING] + n * first[WAVES]] = _ZERO
        gradients[first[SHIFT] : first[SHIFT] + n] = _ZERO
    else:
        gradients[first[AMPLITUDE] : first[AMPLITUDE] + n] = _ZERO
    back = scratch[first[BACK] : first[BACK] + n]
    for b in range(rows):
        g_b = scratch[g + b * row : g + (b + 1) * row]
        for q in range(n):
            w_q = w[weights + (inputs + q) * row : weights + (inputs + q + 1) * row]
            total = _ZERO
            for j in range(row):
                total += w_q[j] * g_b[j]
            back[q] = total * w[first[SCALE] + inputs + q] if first[SCALE] >= 0 else total
        begin = first[EMBEDDED] + b * depth
        _add_row(first, inputs, w, scratch[begin : begin + depth], back, gradients)
