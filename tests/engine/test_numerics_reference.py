"""The float64 reference itself: gradients against central differences, optimisers and schedules by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from hyperband.engine.architecture import ACTIVATIONS, Architecture
from hyperband.engine.backends.base import Member
from hyperband.engine.backends.layout import Layout
from hyperband.engine.backends.numpy64 import kernels, network
from hyperband.engine.backends.rates import coslog4, dropouts, flat_cos, learning_rates, weight_decays
from hyperband.engine.backends.state import MemberState
from hyperband.engine.losses import LOSSES

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("name", [a for a in ACTIVATIONS if a != "step"])
def test_slopes_are_central_differences(name: str) -> None:
    z = np.concatenate([np.linspace(-6, 6, 40), [-30.0, 30.0, -0.3, 0.7]])  # no kink among them
    h = 1e-6
    expected = (network.activate(name, z + h)[0] - network.activate(name, z - h)[0]) / (2 * h)
    np.testing.assert_allclose(network.activate(name, z)[1], expected, atol=2e-9)


def test_activations_at_chosen_points() -> None:
    z = np.array([-2.0, 0.0, 1.0])
    expected = {
        "identity": [-2, 0, 1],
        "relu": [0, 0, 1],
        "leaky_relu": [-0.02, 0, 1],
        "gelu": [-2 * 0.022750131948179195, 0, 0.8413447460685429],
        "silu": [-2 / (1 + math.e**2), 0, 1 / (1 + math.exp(-1))],
        "tanh": [math.tanh(-2), 0, math.tanh(1)],
        "sigmoid": [1 / (1 + math.e**2), 0.5, 1 / (1 + math.exp(-1))],
        "step": [0, 0, 1],
        "selu": [1.0507009873554805 * 1.6732632423543772 * (math.exp(-2) - 1), 0, 1.0507009873554805],
        "mish": [-2 * math.tanh(math.log1p(math.exp(-2))), 0, math.tanh(math.log1p(math.e))],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(network.activate(name, z)[0], values, atol=1e-15)
    assert network.activate("step", np.array([-1.0, -1.5, 0.0, 1.0, 1.01]))[1].tolist() == [1, 0, 1, 1, 0]
    assert network.activate("relu", np.zeros(1))[1][0] == 0.0
    assert network.activate("leaky_relu", np.zeros(1))[1][0] == 0.01


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("loss", [*LOSSES, "huber:0.4", "quantile:0.9"])
def test_row_gradients_are_central_differences(loss: str, smoothing: float) -> None:
    n_outputs = {"cross_entropy": 4, "logistic": 1}.get(loss, 3)
    z = RNG.normal(size=(6, n_outputs)) * 3
    numbers = RNG.normal(size=(6, 3))
    y = {"cross_entropy": RNG.integers(0, 4, 6), "logistic": RNG.integers(0, 2, 6)}.get(loss, numbers)
    found = network.row_losses(loss, z, y, smoothing)[1]
    h = 1e-6
    for j in range(n_outputs):
        shift = np.zeros_like(z)
        shift[:, j] = h
        up, down = (network.row_losses(loss, z + s * shift, y, smoothing)[0] for s in (1, -1))
        np.testing.assert_allclose(found[:, j], (up - down) / (2 * h), atol=1e-8)


def test_row_losses_by_hand_and_far_out() -> None:
    losses, _ = network.row_losses("cross_entropy", np.array([[math.log(1), math.log(3)]]), np.array([0]), 0.2)
    assert losses[0] == pytest.approx(-(0.9 * math.log(0.25) + 0.1 * math.log(0.75)))
    losses, _ = network.row_losses("logistic", np.array([[math.log(3)]]), np.array([1]), 0.2)
    assert losses[0] == pytest.approx(-(0.9 * math.log(0.75) + 0.1 * math.log(0.25)))
    losses, _ = network.row_losses("mse", np.array([[1.0, 5.0]]), np.array([[3.0, 4.0]]))
    assert losses[0] == 2.5
    residuals = np.array([[0.5, -3.0, 0.0, 1.0]])
    losses, g = network.row_losses("huber:1.5", residuals, np.zeros((1, 4)))
    assert losses[0] == pytest.approx((0.5**2 / 2 + 1.5 * (3 - 0.75) + 1 / 2) / 4)
    assert g[0].tolist() == [0.125, -0.375, 0.0, 0.25]
    assert network.row_errors("huber:1.5", residuals, np.zeros((1, 4)))[0] == pytest.approx((0.25 + 9 + 1) / 4)
    losses, g = network.row_losses("quantile:0.9", residuals, np.zeros((1, 4)))
    assert losses[0] == pytest.approx((0.1 * 0.5 + 0.9 * 3 + 0.1) / 4)
    assert g[0] == pytest.approx(np.array([0.1, -0.9, 0.0, 0.1]) / 4)
    assert network.row_errors("quantile:0.9", residuals, np.zeros((1, 4)))[0] == losses[0]
    for loss, far in (("cross_entropy", [[800.0, -800.0]]), ("logistic", [[-900.0]])):
        losses, g = network.row_losses(loss, np.array(far), np.array([1]))
        assert np.isfinite(losses).all() and losses[0] > 800 and np.isfinite(g).all()


@pytest.mark.parametrize("activation", ["tanh", "gelu", "leaky_relu"])
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_with_weights_smoothing_and_dropout(activation: str, loss: str) -> None:
    n_outputs = {"cross_entropy": 4, "logistic": 1}.get(loss, 3)
    dims = (5, 4, 3, n_outputs)
    layers = [(RNG.normal(size=s), RNG.normal(size=s[1])) for s in itertools.pairwise(dims)]
    x, weight = RNG.normal(size=(7, 5)), RNG.uniform(0.1, 2, 7)
    numbers = RNG.normal(size=(7, 3))
    y = {"cross_entropy": RNG.integers(0, 4, 7), "logistic": RNG.integers(0, 2, 7)}.get(loss, numbers)
    masks = [np.where(RNG.random((7, w)) < 0.4, 0, 1 / 0.6).astype(np.float32) for w in dims[1:-1]]
    arguments = (activation, layers, x, y, weight, loss, 0.2, masks)
    _, found, _ = network.gradients(*arguments)
    h = 1e-6
    for pair, gradient in zip(layers, found, strict=True):
        for numbers, slopes in zip(pair, gradient, strict=True):
            for index in np.ndindex(numbers.shape):
                centre, sides = numbers[index], []
                for shift in (h, -h):
                    numbers[index] = centre + shift
                    sides.append(network.gradients(*arguments)[0])
                numbers[index] = centre
                assert slopes[index] == pytest.approx((sides[0] - sides[1]) / (2 * h), abs=2e-8)


def _by_hand(a: Architecture, gradients: list[float], rates: list[float], decay: float) -> float:
    """One number under one optimiser, in scalars, from the papers' formulas."""
    w, m, v = 0.7, 0.0, 0.0
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        if a.optimizer == "adamw":
            w -= rate * decay * w
        else:
            g += decay * w
        if a.optimizer == "sgd":
            m = a.momentum * m + g
            w -= rate * (g + a.momentum * m) if a.nesterov else rate * m
        elif a.optimizer == "rmsprop":
            v = a.beta2 * v + (1 - a.beta2) * g**2
            m = a.momentum * m + g / (math.sqrt(v) + a.epsilon)
            w -= rate * m
        else:
            m = a.beta1 * m + (1 - a.beta1) * g
            v = a.beta2 * v + (1 - a.beta2) * g**2
            w -= rate * (m / (1 - a.beta1**t)) / (math.sqrt(v / (1 - a.beta2**t)) + a.epsilon)
    return w


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": 0.8},
        {"optimizer": "sgd", "momentum": 0.8, "nesterov": True},
        {"optimizer": "adam", "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3},
        {"optimizer": "adamw"},
        {"optimizer": "rmsprop", "beta2": 0.9},
        {"optimizer": "rmsprop", "beta2": 0.9, "momentum": 0.7},
    ],
    ids=lambda s: "-".join(map(str, s.values())),
)
def test_optimisers_by_hand(settings: dict[str, object]) -> None:
    a = Architecture(widths=[], weight_decay=0.3, **settings)  # type: ignore[arg-type]
    layout = Layout.of(a, 1, 1)
    state = MemberState(Member(a, 0), layout, np.full(2, 0.7), np.zeros(2), np.zeros(2))
    gradients, rates = [0.5, -0.2, 0.1, 0.9], [0.1, 0.05, 0.2, 0.1]
    for step, (g, rate) in enumerate(zip(gradients, rates, strict=True)):
        given = [(np.full((1, 1), g), np.full(1, g))]
        kernels.update(state, layout.layers(state.weights), given, rate, step, 0.3)
    weight, bias = state.weights
    assert weight == pytest.approx(_by_hand(a, gradients, rates, 0.3), rel=1e-13)
    assert bias == pytest.approx(_by_hand(a, gradients, rates, 0.0), rel=1e-13), "biases do not decay"


def test_small_moments_become_zero() -> None:
    a = Architecture(widths=[], optimizer="adam")
    layout = Layout.of(a, 1, 1)
    state = MemberState(Member(a, 0), layout, np.zeros(2), np.zeros(2), np.zeros(2))
    kernels.update(state, layout.layers(state.weights), [(np.full((1, 1), 1e-20), np.ones(1))], 0.1, 0, 0.0)
    assert state.v is not None and state.m is not None
    assert (state.v[0], state.m[0]) == (0.0, pytest.approx(1e-21))


def test_clipping_keeps_the_direction_and_limits_the_norm() -> None:
    found = [(np.full((2, 2), 3.0), np.full(2, 4.0)), (np.full((2, 1), 1.0), np.zeros(1))]
    norm = math.sqrt(4 * 9 + 2 * 16 + 2)
    for limit in (0.0, norm * 2):
        np.testing.assert_array_equal(kernels.clipped(found, limit)[0][0], found[0][0])
    np.testing.assert_allclose(kernels.clipped(found, 1.0)[0][1], 4.0 / norm)
    assert kernels.clipped(found, 1.0)[1][0][0, 0] == pytest.approx(1 / norm)


def test_rates_by_hand() -> None:
    base = {"learning_rate": 2.0, "warmup": 0.25, "final_rate": 0.1}
    rates = {
        s: learning_rates(Architecture(schedule=s, **base), 8, 0, 10) for s in ("constant", "cosine", "exponential")
    }
    for found in rates.values():
        assert found[:3].tolist() == [1.0, 2.0, 2.0]
    assert rates["constant"].tolist()[3:] == [2.0] * 7
    assert rates["cosine"][5] == pytest.approx(2 * (0.1 + 0.9 / 2))
    assert rates["exponential"][5] == pytest.approx(2 * math.sqrt(0.1))
    assert rates["cosine"][8:] == pytest.approx(0.2) and rates["exponential"][8:] == pytest.approx(0.2)
    np.testing.assert_array_equal(
        rates["cosine"][4:7], learning_rates(Architecture(schedule="cosine", **base), 8, 4, 3)
    )


def test_coslog4_and_flat_cos_by_their_formulas() -> None:
    t = np.linspace(0.0, 1.0, 1001)
    published = [0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * x))) for x in t]
    np.testing.assert_allclose(coslog4(t), published, atol=1e-14)
    np.testing.assert_allclose(
        flat_cos(t), [0.5 * (1 + math.cos(math.pi * (max(1, 2 * x) - 1))) for x in t], atol=1e-15
    )
    tops = [(math.sqrt(2) * 2**k - 1) / 15 for k in range(4)]  # in the middle of each wave
    np.testing.assert_allclose(coslog4(np.array(tops)), 1.0)
    assert (coslog4(t) >= 0).all() and (flat_cos(t) >= 0).all(), "a negative rate would climb"
    assert flat_cos(np.array([0.0, 0.3, 0.5])).tolist() == [1.0, 1.0, 1.0] and flat_cos(np.ones(1))[0] == 0.0


def test_rates_dropout_and_decay_by_step_in_the_new_schedules() -> None:
    base = {"learning_rate": 2.0, "warmup": 0.25, "dropout": 0.4, "weight_decay": 0.6}
    a = Architecture(schedule="coslog4", dropout_schedule="flat_cos", decay_schedule="flat_cos", **base)
    t = [max(0.0, min(1.0, (s - 5) / 15)) for s in range(23)]  # 20 steps, of which the first five warm up
    rates = learning_rates(a, 20, 0, 23)
    assert rates[:5].tolist() == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    np.testing.assert_array_equal(rates[5:], 2.0 * coslog4(np.array(t[5:])))
    assert rates[[5, 6, 8, 12, 20, 21]].tolist() == [0.0] * 6, "t = 0, 1/15, 3/15, 7/15, 1, and beyond"
    np.testing.assert_array_equal(dropouts(a, 20, 0, 23), 0.4 * flat_cos(np.array(t)))
    np.testing.assert_array_equal(weight_decays(a, 20, 7, 3), 0.6 * flat_cos(np.array(t[7:10])))
    assert set(dropouts(Architecture(dropout=0.4), 20, 0, 23).tolist()) == {0.4}


def test_the_best_constant_under_the_quantile_loss_is_the_quantile() -> None:
    y = RNG.normal(size=(2001, 1)) ** 3
    constants = np.linspace(-3, 3, 1201)
    totals = [network.row_losses("quantile:0.8", np.full_like(y, c), y)[0].mean() for c in constants]
    assert constants[int(np.argmin(totals))] == pytest.approx(np.quantile(y, 0.8), abs=0.01)
