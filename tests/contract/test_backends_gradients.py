"""The gradient that one plain step of sgd reveals, against central differences of the reference's loss."""

from __future__ import annotations

from functools import cache

import lab
import numpy as np
import pytest
import tolerances

from hyperband.engine.architecture import ACTIVATIONS, Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import LOSSES, Backend, Member

ROWS, INPUTS, WIDTHS, SEED = 11, 4, (5, 3), 12345


def _architecture(activation: str, rate: float) -> Architecture:
    return Architecture(widths=WIDTHS, activation=activation, optimizer="sgd", learning_rate=rate, batch_size=ROWS)


def one_step_gradient(backend: Backend, activation: str, loss: str, weighted: bool) -> np.ndarray:
    """(weights before - weights after) / rate. The rate is large, so that rounding the weights costs nothing."""
    rate = 1024.0
    made = lab.engine(backend, loss, rows=ROWS, inputs=INPUTS, weighted=weighted)
    (member,) = made.add([Member(_architecture(activation, rate), SEED, 1)]).tolist()
    before = lab.flat(lab.layers(made.export_state(member)))
    lab.train(made, member, 1, evaluate=False)
    return (before - lab.flat(lab.layers(made.export_state(member)))) / rate


@cache
def central_differences(activation: str, loss: str, weighted: bool) -> np.ndarray:
    """Of the reference's evaluation: no backward pass takes part."""
    made = lab.engine(registry.get("numpy"), loss, rows=ROWS, inputs=INPUTS, weighted=weighted)
    (member,) = made.add([Member(_architecture(activation, 1.0), SEED, 1)]).tolist()
    data = lab.split(loss, ROWS, INPUTS, weighted=weighted)
    state, found, h = made.export_state(member), [], 1e-5
    for numbers in [array for pair in lab.layers(state) for array in pair]:
        for place in np.ndindex(numbers.shape):
            centre, sides = numbers[place], []
            for shift in (h, -h):
                numbers[place] = centre + shift
                made.import_state(member, state)
                sides.append(made.evaluate(np.array([member]), data)[0][0])
            numbers[place] = centre
            found.append((sides[0] - sides[1]) / (2 * h))
    return np.array(found)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "step"])
def test_gradient_is_the_slope_of_the_loss(backend: Backend, activation: str, loss: str) -> None:
    weighted = activation in ("tanh", "relu")
    found = one_step_gradient(backend, activation, loss, weighted)
    expected = central_differences(activation, loss, weighted)
    assert np.abs(expected).max() > 1e-3
    assert lab.difference(found, expected) < tolerances.GRADIENT[backend.name]


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_of_step_goes_straight_through(backend: Backend, loss: str) -> None:
    """step has no slope; its gradient is that of a clipped identity with the step's own outputs, written out here."""
    made = lab.engine(registry.get("numpy"), loss, rows=ROWS, inputs=INPUTS)
    (member,) = made.add([Member(_architecture("step", 1.0), SEED, 1)]).tolist()
    (w0, b0), (w1, b1), (w2, b2) = lab.layers(made.export_state(member))
    data = lab.split(loss, ROWS, INPUTS)
    x, expected = data.x.astype(float), [np.zeros_like(a) for a in (w0, b0, w1, b1, w2, b2)]
    for row, target in zip(x, data.y, strict=True):
        z0 = row @ w0 + b0
        h0 = (z0 > 0) * 1.0
        z1 = h0 @ w1 + b1
        h1 = (z1 > 0) * 1.0
        z2 = h1 @ w2 + b2
        if loss == "cross_entropy":
            g2 = np.exp(z2) / np.exp(z2).sum() - np.eye(len(z2))[target]
        elif loss == "logistic":
            g2 = 1 / (1 + np.exp(-z2)) - target
        else:
            g2 = 2 * (z2 - target) / len(z2)
        g1 = (w2 @ g2) * (abs(z1) <= 1)
        g0 = (w1 @ g1) * (abs(z0) <= 1)
        parts = (np.outer(row, g0), g0, np.outer(h0, g1), g1, np.outer(h1, g2), g2)
        for total, part in zip(expected, parts, strict=True):
            total += part / ROWS
    found = one_step_gradient(backend, "step", loss, weighted=False)
    wanted = np.concatenate([part.ravel() for part in expected])
    assert lab.difference(found, wanted) < tolerances.GRADIENT[backend.name]
