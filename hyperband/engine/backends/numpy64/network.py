"""Forward, losses and backward of a multi-layer perceptron: the equations of docs/numerics.md in NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.losses import parse
from hyperband.engine.parameters import Layers

A = NDArray[np.float64]

#: lambda, and lambda * alpha, of Klambauer et al. 2017, "Self-normalizing neural networks"
SELU_SCALE, SELU_SLOPE = 1.0507009873554805, 1.7580993408473766

_erf = np.frompyfunc(math.erf, 1, 1)


def sigmoid(z: A) -> A:
    """1 / (1 + exp(-z)) without overflow."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def activate(name: str, z: A) -> tuple[A, A]:
    """Activation and its derivative at ``z``, same shape.

    Examples
    --------
    >>> [a.tolist() for a in activate("leaky_relu", np.array([-1.0, 2.0]))]
    [[-0.01, 2.0], [0.01, 1.0]]
    """
    one = np.ones_like(z)
    if name == "identity":
        return z, one
    if name == "relu":
        return np.maximum(z, 0.0), np.where(z > 0, 1.0, 0.0)
    if name == "leaky_relu":
        return np.where(z > 0, z, 0.01 * z), np.where(z > 0, 1.0, 0.01)
    if name == "gelu":
        cdf = 0.5 * (1.0 + np.asarray(_erf(z / math.sqrt(2.0)), np.float64))
        return z * cdf, cdf + z * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    if name == "silu":
        s = sigmoid(z)
        return z * s, s + z * s * (1.0 - s)
    if name == "tanh":
        h = np.tanh(z)
        return h, 1.0 - h * h
    if name == "selu":
        e = SELU_SLOPE * np.expm1(np.minimum(z, 0.0))
        return np.where(z > 0, SELU_SCALE * z, e), np.where(z > 0, SELU_SCALE, e + SELU_SLOPE)
    if name == "mish":
        t = np.tanh(np.logaddexp(0.0, z))  # of softplus
        return z * t, t + z * (1.0 - t * t) * sigmoid(z)
    if name == "sigmoid":
        s = sigmoid(z)
        return s, s * (1.0 - s)
    return np.where(np.isnan(z), z, np.where(z > 0, 1.0, 0.0)), np.where(np.abs(z) <= 1.0, 1.0, 0.0)  # step


def forward(activation: str, layers: Layers, x: A) -> A:
    """Raw outputs, no dropout, shape (n_rows, n_outputs). ``x``: what the first layer multiplies by its weights."""
    for layer in layers[:-1]:
        x, _, _ = hidden(activation, layer, x)
    weights, bias = layers[-1]
    return np.asarray(x @ weights + bias)


def hidden(activation: str, layer: tuple[NDArray[Any], ...], x: A) -> tuple[A, A, A | None]:
    """Outputs of a hidden layer, their derivative by ``z``, and by ``alpha`` where the layer has it."""
    weights, bias, *alpha = layer
    z = x @ weights + bias
    h, slope = activate(activation, z)
    if not alpha:
        return h, slope, None
    return z + alpha[0] * (h - z), 1.0 + alpha[0] * (slope - 1.0), h - z


def row_losses(loss: str, z: A, y: NDArray[Any], smoothing: float = 0.0) -> tuple[A, A]:
    """Loss of every row, shape (n_rows,), and its gradient by ``z``, shape (n_rows, n_outputs)."""
    n_rows, n_outputs = z.shape
    losses: A
    if loss == "cross_entropy":
        target = np.full((n_rows, n_outputs), smoothing / n_outputs)
        target[np.arange(n_rows), y] += 1.0 - smoothing
        highest = z.max(axis=1, keepdims=True)
        exponentials = np.exp(z - highest)
        total = exponentials.sum(axis=1, keepdims=True)
        losses = (highest + np.log(total))[:, 0] - (target * z).sum(axis=1)
        return losses, exponentials / total - target
    if loss == "logistic":
        target = ((1.0 - smoothing) * y + smoothing / 2.0)[:, None]
        losses = (np.maximum(z, 0.0) - target * z + np.log1p(np.exp(-np.abs(z))))[:, 0]
        return losses, sigmoid(z) - target
    difference: A = z - y
    of = parse(loss)
    if of.name == "huber":
        slope = np.clip(difference, -of.number, of.number)
        return (slope * (difference - 0.5 * slope)).sum(axis=1) / n_outputs, slope / n_outputs
    if of.name == "quantile":
        slope = np.where(difference > 0, 1.0 - of.number, np.where(difference < 0, -of.number, difference))
        return (slope * difference).sum(axis=1) / n_outputs, slope / n_outputs
    losses = (difference**2).sum(axis=1) / n_outputs
    return losses, 2.0 * difference / n_outputs


def row_errors(loss: str, z: A, y: NDArray[Any]) -> A:
    """1 where a row is misclassified, else 0; of a regression the row's squared error, or its loss for ``quantile``."""
    if loss == "cross_entropy":
        return np.asarray(np.argmax(z, axis=1) != y, np.float64)
    if loss == "logistic":
        return np.asarray((z[:, 0] > 0) != (y == 1), np.float64)
    return row_losses(loss if parse(loss).name == "quantile" else "mse", z, y)[0]


def gradients(
    activation: str,
    layers: Layers,
    x: A,
    y: NDArray[Any],
    weight: A | None,
    loss: str,
    smoothing: float = 0.0,
    masks: list[NDArray[np.float32]] | None = None,
) -> tuple[float, Layers, A]:
    """Weighted mean loss of a batch and its gradient by every parameter and the inputs.

    Parameters
    ----------
    layers : [(weights, bias), ...], float64, hidden ones perhaps with alpha; see `stage.behind`
    x : float64 array, shape (B, n_inputs)
    weight : float64 array, shape (B,), or None for all one
    masks : dropout of every hidden layer, shape (B, width) each, or None

    Returns
    -------
    float, gradients in the shape of ``layers``, and in that of ``x``
    """
    outputs, slopes, by_alpha = [x], [], []
    for number, layer in enumerate(layers[:-1]):
        h, slope, difference = hidden(activation, layer, outputs[-1])
        mask = 1.0 if masks is None else masks[number].astype(np.float64)
        outputs.append(h * mask)
        slopes.append(slope * mask)
        by_alpha.append(None if difference is None else difference * mask)
    z = outputs[-1] @ layers[-1][0] + layers[-1][1]
    losses, g = row_losses(loss, z, y, smoothing)
    share = (np.ones(len(x)) if weight is None else weight) / len(x)
    g = g * share[:, None]
    found: Layers = []
    own_alpha: tuple[A, ...] = ()
    for number in range(len(layers) - 1, -1, -1):
        found.insert(0, (outputs[number].T @ g, g.sum(axis=0), *own_alpha))
        g = g @ layers[number][0].T
        if number:
            difference = by_alpha[number - 1]
            own_alpha = () if difference is None else ((g * difference).sum(axis=0),)
            g = g * slopes[number - 1]
    return float((losses * share).sum()), found, g
