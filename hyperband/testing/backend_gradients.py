"""The gradient that one plain step of sgd reveals, against central differences of the reference's loss."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hyperband.engine.architecture import ACTIVATIONS, Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Backend, Engine, Member
from hyperband.engine.losses import LOSSES, parse
from hyperband.engine.parameters import parameters
from hyperband.testing import lab
from hyperband.testing.tolerances import FLOAT32, Tolerances

ROWS, INPUTS, WIDTHS, SEED = 11, 4, (5, 3), 12345


#: what comes before the first layer; all parameters learn at one rate, so that a step reveals the gradient
_SCALING, _EMBEDDING = {"input_scaling": True, "scale_rate": 1.0}, {"embedding_rate": 1.0, "frequency_scale": 0.3}
STAGES: dict[str, dict[str, Any]] = {
    "scaling": _SCALING,
    "pbld": {**_EMBEDDING, "number_embedding": "pbld"},
    "cosine": {**_EMBEDDING, "number_embedding": "cosine"},
    "pbld and scaling": {**_SCALING, **_EMBEDDING, "number_embedding": "pbld", "embedding_size": 6},
    "cosine and scaling": {**_SCALING, **_EMBEDDING, "number_embedding": "cosine", "embedding_size": 3},
    "pbld, scaling and alpha": {**_SCALING, **_EMBEDDING, "number_embedding": "pbld", "parametric_activation": True},
}
_PARAMETRIC = "alpha"
_FEATURES: dict[str, dict[str, Any]] = {**STAGES, "": {}, _PARAMETRIC: {"parametric_activation": True}}


def _architecture(activation: str, rate: float, feature: str = "") -> Architecture:
    return Architecture(
        widths=WIDTHS, activation=activation, optimizer="sgd", learning_rate=rate, batch_size=ROWS,
        **_FEATURES[feature],
    )  # fmt: skip


def _start(made: Engine, architecture: Architecture) -> int:
    """A member whose alphas, if it has them, are far from 1, where the activation alone would count."""
    (member,) = made.add([Member(architecture, SEED, 1)]).tolist()
    state, rng = made.export_state(member), np.random.default_rng(5)
    for name in sorted(state):
        if name.startswith("alpha."):
            state[name] = rng.uniform(-0.5, 1.5, state[name].shape).astype(np.float32).astype(state[name].dtype)
    made.import_state(member, state)
    return int(member)


def one_step_gradient(
    backend: Backend, activation: str, loss: str, weighted: bool, feature: str = ""
) -> NDArray[Any]:  # fmt: skip
    """(weights before - weights after) / rate. The rate is large, so that rounding the weights costs nothing."""
    rate = 1024.0
    made = lab.engine(backend, loss, rows=ROWS, inputs=INPUTS, weighted=weighted)
    member = _start(made, _architecture(activation, rate, feature))
    before = lab.flat(lab.layers(made.export_state(member)))
    lab.train(made, member, 1, evaluate=False)
    return (before - lab.flat(lab.layers(made.export_state(member)))) / rate


@cache
def central_differences(activation: str, loss: str, weighted: bool, feature: str = "") -> NDArray[Any]:
    """Of the reference's evaluation, times the learning-rate factors: no backward pass takes part."""
    architecture = _architecture(activation, 1.0, feature)
    made = lab.engine(registry.get("numpy"), loss, rows=ROWS, inputs=INPUTS, weighted=weighted)
    member = _start(made, architecture)
    data = lab.split(loss, ROWS, INPUTS, weighted=weighted)
    state, found, h = made.export_state(member), [], 1e-5
    arrays = [array for layer in lab.layers(state) for array in layer]
    listed = parameters(architecture, INPUTS, lab.N_OUTPUTS[parse(loss).name])
    for numbers, parameter in zip(arrays, listed, strict=True):
        for index in np.ndindex(numbers.shape):
            centre, sides = numbers[index], []
            for shift in (h, -h):
                numbers[index] = centre + shift
                made.import_state(member, state)
                sides.append(made.evaluate(np.array([member]), data)[0][0])
            numbers[index] = centre
            factor = parameter.kind.rate_factor(architecture, parameter.layer)
            found.append(factor * (sides[0] - sides[1]) / (2 * h))
    return np.array(found)


def straight_through(loss: str) -> NDArray[Any]:
    """The gradient of ``step``: that of a clipped identity with the step's own outputs, row by row as on paper."""
    made = lab.engine(registry.get("numpy"), loss, rows=ROWS, inputs=INPUTS)
    (member,) = made.add([Member(_architecture("step", 1.0), SEED, 1)]).tolist()
    (w0, b0), (w1, b1), (w2, b2) = lab.layers(made.export_state(member))
    data: Any = lab.split(loss, ROWS, INPUTS)
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
            e = z2 - target
            slopes = {"mse": 2 * e, "huber": np.clip(e, -1, 1), "quantile": np.sign(e) / 2}
            g2 = slopes[loss] / len(z2)
        g1 = (w2 @ g2) * (abs(z1) <= 1)
        g0 = (w1 @ g1) * (abs(z0) <= 1)
        parts = (np.outer(row, g0), g0, np.outer(h0, g1), g1, np.outer(h1, g2), g2)
        for total, part in zip(expected, parts, strict=True):
            total += part / ROWS
    return np.concatenate([part.ravel() for part in expected])


class GradientChecks:
    """The gradients of every activation under every loss."""

    backend: Backend
    tolerances: Tolerances = FLOAT32

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "step"])
    def test_gradient_is_the_slope_of_the_loss(self, activation: str, loss: str) -> None:
        """What one step subtracts is the slope of the loss, by central differences in float64."""
        weighted = activation in ("tanh", "relu")
        found = one_step_gradient(self.backend, activation, loss, weighted)
        expected = central_differences(activation, loss, weighted)
        assert np.abs(expected).max() > 1e-3, "the problem of this check is flat"
        gap = lab.difference(found, expected)
        assert gap < self.tolerances.gradient, f"look at the derivative of {activation} and at the backward pass"

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("stage", STAGES)
    def test_gradient_of_what_comes_before_the_first_layer(self, stage: str, loss: str) -> None:
        """Likewise of every parameter of a network with more than matrices and biases."""
        found = one_step_gradient(self.backend, "tanh", loss, True, stage)
        expected = central_differences("tanh", loss, True, stage)
        gap = lab.difference(found, expected)
        assert gap < self.tolerances.gradient, f"look at the backward pass of {stage}"

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name not in ("step", "identity")])
    def test_gradient_with_a_weight_for_each_activation(self, activation: str, loss: str) -> None:
        """The same where hidden layers compute ``z + alpha (act(z) - z)``, by alpha too."""
        weighted = activation in ("mish", "relu")
        found = one_step_gradient(self.backend, activation, loss, weighted, _PARAMETRIC)
        expected = central_differences(activation, loss, weighted, _PARAMETRIC)
        gap = lab.difference(found, expected)
        assert gap < self.tolerances.gradient, f"look at alpha and at the derivative of {activation} with it"

    @pytest.mark.parametrize("loss", LOSSES)
    def test_gradient_of_step_goes_straight_through(self, loss: str) -> None:
        """step has no slope: its gradient is that of the straight-through estimator."""
        found = one_step_gradient(self.backend, "step", loss, weighted=False)
        gap = lab.difference(found, straight_through(loss))
        assert gap < self.tolerances.gradient, "the derivative of step is 1 where |z| <= 1 and 0 elsewhere"
