"""The comparison catches mistakes: each of these faults, planted in the arithmetic, must break the stated tolerance.

A backend with the fault would be compared with a healthy reference. Here the reference has the fault and is compared
with its healthy self, by the same numbers and the same table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hyperband.engine.backends import philox, registry
from hyperband.engine.backends.numpy64 import kernels, network
from hyperband.engine.backends.numpy64.stage import Stage
from hyperband.engine.backends.philox import RowOrder, dropout_mask, initial_weights
from hyperband.testing import backend_curves as curves
from hyperband.testing import backend_gradients as gradients
from hyperband.testing import lab
from hyperband.testing.tolerances import FLOAT32

Patch = Callable[[pytest.MonkeyPatch], None]


def _activation(change: Callable[[Any, Any, Any], Any]) -> Patch:
    healthy = network.activate
    return lambda patch: patch.setattr(network, "activate", lambda name, z: change(z, *healthy(name, z)))


def _rows(change: Callable[..., Any]) -> Patch:
    healthy = network.row_losses

    def planted(loss: str, z: Any, y: Any, smoothing: float = 0.0) -> Any:
        return change(healthy, loss, z, y, smoothing)

    return lambda patch: patch.setattr(network, "row_losses", planted)


def _kernel(name: str, planted: Any) -> Patch:
    return lambda patch: patch.setattr(kernels, name, planted)


def _update_with(**changed: Any) -> Patch:
    healthy = kernels._update_one

    def planted(a: Any, w: Any, m: Any, v: Any, g: Any, rate: float, t: int, decay: float) -> None:
        given = {"g": g, "rate": rate, "t": t, "decay": decay}
        healthy(a, w, m, v, **{key: changed[key](a, given) if key in changed else given[key] for key in given})

    return _kernel("_update_one", planted)


def _stage(change: Callable[[list[Any]], list[Any]]) -> Patch:
    healthy = Stage.gradients
    return lambda patch: patch.setattr(Stage, "gradients", lambda *given: iter(change(list(healthy(*given)))))


def _tanh_gelu(z: Any, h: Any, d: Any) -> Any:
    return 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))), d


def _unkeyed_order(seed: int, n: int, epoch: int) -> RowOrder:
    return RowOrder.of(0, n, epoch)


def _constant_order(seed: int, n: int, epoch: int) -> RowOrder:
    return RowOrder.of(seed, n, 0)


class _Order:
    def __init__(self, of: Any) -> None:
        self.of = of


#: fault -> (a case of test_backends_curves that must notice, how it is planted)
FAULTS: dict[str, tuple[str, Patch]] = {
    "a slope has the wrong sign": ("activation-tanh", _activation(lambda z, h, d: (h, -d))),
    "a slope is taken as 1": ("activation-sigmoid", _activation(lambda z, h, d: (h, np.ones_like(d)))),
    "gelu by tanh instead of erf": ("activation-gelu", _activation(_tanh_gelu)),
    "the output's gradient has the wrong sign": (
        "loss-mse", _rows(lambda healthy, *a: (healthy(*a)[0], -healthy(*a)[1]))),
    "mse without its factor 2": ("loss-mse", _rows(lambda healthy, *a: (healthy(*a)[0], healthy(*a)[1] / 2))),
    "smoothing forgotten": (
        "smoothing-cross_entropy", _rows(lambda healthy, loss, z, y, q: healthy(loss, z, y, 0.0))),
    "smoothing forgotten in logistic": (
        "smoothing-logistic", _rows(lambda healthy, loss, z, y, q: healthy(loss, z, y, 0.0))),
    "an unkeyed random draw orders the rows": ("batch-5", _kernel("RowOrder", _Order(_unkeyed_order))),
    "every epoch has the same order": ("batch-5", _kernel("RowOrder", _Order(_constant_order))),
    "dropout masks of the wrong step": (
        "dropout", _kernel("dropout_mask", lambda s, n, step, *a: dropout_mask(s, n, step + 1, *a))),
    "dropout masks shared by the layers": (
        "dropout", _kernel("dropout_mask", lambda s, n, *a: dropout_mask(s, 0, *a))),
    "dropout without rescaling": ("dropout", _kernel("dropout_mask", lambda *a: (dropout_mask(*a) > 0) * 1.0)),
    "the schedule is one step late": (
        "schedule-cosine", _kernel("learning_rates", lambda a, n, s, k: host_rates(a, n, max(0, s - 1), k))),
    "the schedule knows only half of the steps": (
        "schedule-exponential", _kernel("learning_rates", lambda a, n, s, k: host_rates(a, n // 2, s, k))),
    "decay forgotten": ("sgd-decay", _update_with(decay=lambda a, given: 0.0)),
    "decay of biases too": ("adamw", _update_with(decay=lambda a, given: a.weight_decay)),
    "bias correction is one step late": ("adam", _update_with(t=lambda a, given: given["t"] + 1)),
    "factors of the rate forgotten": ("rates", _update_with(rate=lambda a, given: a.learning_rate)),
    "decoupled decay by another rate": (
        "rates-adamw", _update_with(decay=lambda a, given: given["decay"] / a.first_layer_rate)),
    "the scale stands still": ("scaling-adam", _stage(lambda found: [0.0 * g for g in found])),
    "the gradient behind the scale forgets it": (
        "cosine-scaling", _stage(lambda found: [found[0], *(2.0 * g for g in found[1:])])),
    "waves run backwards": ("pbld", _stage(lambda found: [-found[0], *found[1:]])),
    "phases in turns": ("cosine", _stage(lambda found: [found[0], found[1] * 2.0 * np.pi, found[2]])),
    "clipping forgotten": ("clip", _kernel("clipped", lambda found, norm: found)),
    "clipping layer by layer": (
        "clip", _kernel("clipped", lambda found, norm: [HEALTHY_CLIPPED([pair], norm)[0] for pair in found])),
}  # fmt: skip
HEALTHY_CLIPPED = kernels.clipped
host_rates = kernels.learning_rates


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_breaks_the_curve(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, plant = FAULTS[fault]
    healthy_losses, healthy_weights = curves.reference_curve(name)
    again = curves.curve(registry.get("numpy"), name)
    assert lab.difference(again[0], healthy_losses) == 0.0
    plant(monkeypatch)
    losses, weights = curves.curve(registry.get("numpy"), name)
    assert lab.difference(weights, healthy_weights) > 10 * FLOAT32.curve_weights
    assert lab.difference(losses, healthy_losses) > 10 * FLOAT32.curve_loss


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh"])
def test_a_sign_breaks_the_gradient(activation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _activation(lambda z, h, d: (h, -d))(monkeypatch)
    found = gradients.one_step_gradient(registry.get("numpy"), activation, "logistic", False)
    monkeypatch.undo()
    expected = gradients.central_differences(activation, "logistic", False)
    assert lab.difference(found, expected) > 1000 * FLOAT32.gradient


def test_one_wrong_initial_weight_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(*arguments: Any) -> Any:
        weights = initial_weights(*arguments)
        weights[0, 0] = -weights[0, 0]
        return weights

    healthy = curves.reference_curve("loss-mse")
    monkeypatch.setattr(philox, "initial_weights", planted)
    losses, weights = curves.curve(registry.get("numpy"), "loss-mse")
    assert lab.difference(weights, healthy[1]) > 10 * FLOAT32.curve_weights
    assert lab.difference(losses, healthy[0]) > 10 * FLOAT32.curve_loss


def test_a_pause_that_shows_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule stretched over the rung instead of the maximal resource: the habit that pausing must not have."""
    case = curves.CASES["schedule-cosine"][0]
    made = lab.engine(registry.get("numpy"))
    monkeypatch.setattr(kernels, "learning_rates", lambda a, n, s, k: host_rates(a, s + k, s, k))
    ids = made.add(lab.members([case]) * 2)
    lab.train(made, ids[:1], 8, evaluate=False)
    lab.train(made, ids[1:], 3, evaluate=False)
    lab.train(made, ids[1:], 8, evaluate=False)
    assert lab.digest(made, ids[0]) != lab.digest(made, ids[1])
