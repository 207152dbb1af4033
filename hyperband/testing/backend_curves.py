"""Learning curves and final weights against the float64 reference, for every feature of an architecture."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hyperband.engine.architecture import ACTIVATIONS, SCHEDULES, Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Backend, Member
from hyperband.engine.losses import LOSSES
from hyperband.testing import lab
from hyperband.testing.tolerances import FLOAT32, Tolerances

STEPS, TOTAL = 12, 15  # coslog4 is 0 at steps 0, 1, 3 and 7, flat_cos below 1 from step 8 on


def _case(loss: str = "cross_entropy", weighted: bool = False, **settings: object) -> tuple[Architecture, str, bool]:
    base: dict[str, Any] = {
        "widths": [17],
        "activation": "tanh",
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch_size": 16,
    }
    return Architecture(**{**base, **settings}), loss, weighted


#: what Holzmueller et al. 2024, "Better by default", put together
_REALMLP: dict[str, Any] = {
    "widths": [24, 13], "learning_rate": 2e-2, "batch_size": 10, "beta2": 0.95, "label_smoothing": 0.1,
    "schedule": "coslog4", "dropout": 0.15, "dropout_schedule": "flat_cos", "weight_decay": 0.1,
    "decay_schedule": "flat_cos", "bias_rate": 0.1, "first_layer_rate": 1.5, "number_embedding": "pbld",
    "input_scaling": True, "zero_output": True, "parametric_activation": True, "weight_average": 0.8,
}  # fmt: skip

CASES = {
    **{f"activation-{a}": _case(activation=a, widths=[9, 5]) for a in ACTIVATIONS},
    **{f"loss-{loss}": _case(loss) for loss in LOSSES},
    **{f"weights-{loss}": _case(loss, weighted=True) for loss in LOSSES},
    **{f"number-{loss}": _case(loss, weighted=True) for loss in ("huber:0.3", "quantile:0.9")},
    **{f"alpha-{a}": _case(activation=a, parametric_activation=True, widths=[9, 5]) for a in ("relu", "selu", "mish")},
    "alpha-adamw": _case(
        parametric_activation=True, widths=[9, 5], optimizer="adamw", learning_rate=2e-2, weight_decay=0.5
    ),
    "alpha-dropout": _case(parametric_activation=True, widths=[33, 10], dropout=0.25),
    "alpha-clip": _case(parametric_activation=True, widths=[12, 7], clip_norm=0.05, momentum=0.5),
    "average": _case(weight_average=0.9),
    "average-adam": _case(weight_average=0.5, optimizer="adam", learning_rate=1e-2, parametric_activation=True),
    "zero-output": _case(zero_output=True, widths=[9, 5], optimizer="adam", learning_rate=1e-2),
    **{f"smoothing-{loss}": _case(loss, label_smoothing=0.2) for loss in LOSSES},
    **{f"width-{w}": _case(widths=[w, w]) for w in (1, 3, 17, 33, 100)},
    "width-300": _case(widths=[300], learning_rate=0.02),
    "depth-0": _case(widths=[]),
    "depth-8": _case(widths=[7] * 8, activation="silu"),
    "unequal": _case(widths=[40, 2, 21], activation="gelu"),
    **{f"batch-{b}": _case(batch_size=b) for b in (1, 2, 5, 52, 53, 64, 4096)},
    **{f"init-{i}": _case(init=i) for i in ("auto", "he", "glorot", "lecun")},
    "momentum": _case(momentum=0.9),
    "nesterov": _case(momentum=0.9, nesterov=True),
    "sgd-decay": _case(weight_decay=0.1),
    "adam": _case(optimizer="adam", learning_rate=1e-2),
    "adam-decay": _case(optimizer="adam", learning_rate=1e-2, weight_decay=0.1),
    "adam-betas": _case(optimizer="adam", learning_rate=1e-2, beta1=0.0, beta2=0.9, epsilon=1e-3),
    "adamw": _case(optimizer="adamw", learning_rate=1e-2, weight_decay=0.5),
    "rmsprop": _case(optimizer="rmsprop", learning_rate=1e-3, beta2=0.9),
    "rmsprop-momentum": _case(optimizer="rmsprop", learning_rate=1e-3, momentum=0.8, weight_decay=0.01),
    "dropout": _case(dropout=0.25, widths=[33, 10]),
    "dropout-high": _case(dropout=0.9, activation="relu", widths=[40]),
    "clip": _case(clip_norm=0.05),
    "clip-loose": _case(clip_norm=1e3),
    "clip-decay": _case(clip_norm=0.05, weight_decay=0.1, momentum=0.5),
    **{f"schedule-{s}": _case(schedule=s) for s in SCHEDULES},
    **{f"warmup-{s}": _case(schedule=s, warmup=0.4, final_rate=0.1) for s in SCHEDULES},
    **{f"rate-of-zero-{o}": _case(optimizer=o, learning_rate=1e-2, schedule="coslog4") for o in ("adam", "rmsprop")},
    "dropout-schedule": _case(dropout=0.4, dropout_schedule="flat_cos", widths=[33, 10]),
    **{
        f"decay-schedule-{o}": _case(optimizer=o, learning_rate=1e-2, weight_decay=0.5, decay_schedule="flat_cos")
        for o in ("sgd", "adamw")
    },
    "rates": _case(bias_rate=0.1, first_layer_rate=3.0, widths=[9, 5]),
    "rates-clip": _case(bias_rate=3.0, first_layer_rate=0.5, clip_norm=0.05, momentum=0.9),
    "rates-adamw": _case(optimizer="adamw", learning_rate=1e-2, weight_decay=0.5, bias_rate=0.1, first_layer_rate=3.0),
    "rates-rmsprop": _case(
        optimizer="rmsprop", learning_rate=1e-3, momentum=0.8, weight_decay=0.01, first_layer_rate=0.3, dropout=0.1
    ),
    "scaling": _case(input_scaling=True, learning_rate=0.02),
    "scaling-adam": _case(optimizer="adam", learning_rate=1e-2, input_scaling=True, scale_rate=2.0, widths=[40, 9]),
    "scaling-adamw": _case(optimizer="adamw", learning_rate=1e-2, weight_decay=0.5, input_scaling=True),
    "scaling-linear": _case(widths=[], input_scaling=True, momentum=0.5, learning_rate=0.02),
    "scaling-clip": _case(input_scaling=True, clip_norm=0.05, dropout=0.2, batch_size=53),
    "pbld": _case(number_embedding="pbld", embedding_rate=1.0),
    "pbld-adam": _case(
        optimizer="adam", learning_rate=1e-2, number_embedding="pbld", widths=[40, 9], frequency_scale=0.5
    ),
    "pbld-sizes": _case(number_embedding="pbld", embedding_size=9, embedding_frequencies=33, embedding_rate=1.0),
    "pbld-small": _case(number_embedding="pbld", embedding_size=2, embedding_frequencies=5, momentum=0.9),
    "pbld-everything": _case(
        weighted=True, widths=[24, 13], activation="gelu", optimizer="adamw", learning_rate=5e-3, batch_size=10,
        dropout=0.1, weight_decay=0.1, clip_norm=0.5, number_embedding="pbld", input_scaling=True,
    ),
    "cosine": _case(number_embedding="cosine", frequency_scale=1.0, embedding_rate=1.0),
    "cosine-linear": _case(number_embedding="cosine", widths=[], embedding_size=8, optimizer="adam"),
    "cosine-scaling": _case(number_embedding="cosine", input_scaling=True, clip_norm=0.05, batch_size=53),
    "everything-of-realmlp": _case(activation="mish", optimizer="adamw", **_REALMLP),
    "everything-of-realmlp-quantile": _case(
        "quantile:0.9", weighted=True, activation="selu", optimizer="adam", clip_norm=0.5, **_REALMLP
    ),
    "everything": _case(
        weighted=True, widths=[24, 13], activation="gelu", optimizer="adamw", learning_rate=5e-3, batch_size=10,
        dropout=0.1, weight_decay=0.1, label_smoothing=0.1, schedule="cosine", warmup=0.2, clip_norm=0.5,
    ),
}  # fmt: skip


def curve(backend: Backend, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Validation losses, training losses and best losses at every second step, and the weights at the end."""
    architecture, loss, weighted = CASES[name]
    made = lab.engine(backend, loss, weighted=weighted)
    ids = made.add([Member(architecture, seed=2**63 + 5, total_steps=TOTAL)])
    rows: list[list[float]] = []
    for step in range(2, STEPS + 1, 2):
        lab.train(made, ids, step)
        p = made.progress(ids)
        rows.append([p.loss[0], np.nan_to_num(p.train_loss[0]), p.best_loss[0]])
    weights = lab.flat(lab.layers(made.export_state(int(ids[0]))))
    made.release(ids)
    return np.array(rows), weights


@cache
def reference_curve(name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """`curve` of the reference."""
    return curve(registry.get("numpy"), name)


class CurveChecks:
    """The same curve, initial weights and counters as the reference."""

    backend: Backend
    tolerances: Tolerances = FLOAT32

    @pytest.mark.parametrize("name", CASES)
    def test_curve_follows_the_reference(self, name: str) -> None:
        """Losses along 12 steps, and the weights after them, for each feature of an architecture alone."""
        losses, weights = curve(self.backend, name)
        expected_losses, expected_weights = reference_curve(name)
        gap = lab.difference(losses, expected_losses)
        assert gap < self.tolerances.curve_loss, f"losses leave the reference: look at what {name!r} alone uses"
        gap = lab.difference(weights, expected_weights)
        assert gap < self.tolerances.curve_weights, f"weights leave the reference: look at what {name!r} alone uses"

    @pytest.mark.parametrize("loss", LOSSES)
    def test_training_lowers_the_loss(self, loss: str) -> None:
        """Twenty epochs lower loss and error on the training rows, and count as twenty."""
        made = lab.engine(self.backend, loss)
        ids = made.add([Member(Architecture(widths=[16], activation="tanh", learning_rate=1e-2, batch_size=8), 1, 140)])
        start = made.evaluate(ids, lab.split(loss, 53))
        lab.train(made, ids, 140)
        after = made.evaluate(ids, lab.split(loss, 53))
        assert after[0][0] < 0.6 * start[0][0], "the loss on the training rows does not fall"
        assert after[1][0] < 0.7 * start[1][0], "the error on the training rows does not fall"
        assert made.progress(ids).epoch[0] == 20, "53 rows in batches of 8 are 7 steps an epoch"

    def test_initial_weights_are_the_same_numbers_everywhere(self) -> None:
        """Initial weights are defined to the bit: `hyperband.engine.backends.philox`."""
        states = []
        for backend in (registry.get("numpy"), self.backend):
            made = lab.engine(backend)
            ids = made.add(lab.members(lab.EVERY))
            states.append([lab.flat(lab.layers(made.export_state(i))) for i in ids.tolist()])
        for expected, found in zip(*states, strict=True):
            np.testing.assert_array_equal(found, expected, "initial weights must be those of `initial_weights`")

    def test_an_output_layer_that_starts_at_zero(self) -> None:
        """``zero_output``: all outputs are 0 before the first step, the other layers are as without it."""
        made = lab.engine(self.backend)
        a = Architecture(widths=[6, 5], activation="mish")
        ids = made.add([Member(replace(a, zero_output=zero), 1, 4) for zero in (True, False)])
        zero, usual = (lab.layers(made.export_state(i)) for i in ids.tolist())
        assert not zero[2][0].any() and not np.signbit(zero[2][0]).any(), "the output layer must start at 0"
        assert usual[2][0].any(), "and only if that is wanted"
        for one, other in zip(zero[:2], usual[:2], strict=True):
            np.testing.assert_array_equal(one[0], other[0], "hidden layers must not change")
        lab.train(made, ids[:1], 2)
        assert lab.layers(made.export_state(int(ids[0])))[2][0].all(), "the output layer must learn"

    def test_the_average_is_the_mean_over_the_steps(self) -> None:
        """``weight_average`` d: the weights after each step count with ``d**age``; before the first, the initial."""
        a = Architecture(
            widths=[6, 5], activation="selu", learning_rate=1e-2, batch_size=8, parametric_activation=True,
            weight_average=0.7,
        )  # fmt: skip
        made = lab.engine(self.backend)
        ids = made.add([Member(a, 1, 40), Member(replace(a, weight_average=0.0), 1, 40)])
        states = [made.export_state(int(ids[0]))]
        np.testing.assert_array_equal(lab.flat(lab.layers(states[0], "average.")), lab.flat(lab.layers(states[0])))
        for step in range(1, 10):
            lab.train(made, ids, step)
            states.append(made.export_state(int(ids[0])))
        shares = 0.7 ** np.arange(8, -1, -1)
        steps = np.array([lab.flat(lab.layers(state)) for state in states[1:]])
        found = lab.flat(lab.layers(states[-1], "average."))
        gap = lab.difference(found, shares @ steps / shares.sum())
        assert gap < self.tolerances.curve_weights, "the average is that of Adam's moments, corrected"
        plain = made.export_state(int(ids[1]))
        np.testing.assert_array_equal(steps[-1], lab.flat(lab.layers(plain)), "training must not see the average")

    def test_the_average_is_what_is_validated_and_kept(self) -> None:
        """Validation, best weights, `evaluate` and `predict` use the average."""
        a = Architecture(widths=[12], learning_rate=2e-2, batch_size=8, parametric_activation=True, weight_average=0.9)
        made = lab.engine(self.backend)
        ids = made.add([Member(a, 1, 40)])
        lab.train(made, ids, 21)
        p, state, held = made.progress(ids), made.export_state(int(ids[0])), lab.split("cross_entropy", 31, seed=1)
        x: Any = held.x
        assert made.evaluate(ids, held)[0][0] == p.loss[0], "`evaluate` must use what was validated"
        averages = lab.layers(state, "average.")
        gap = lab.difference(made.predict(int(ids[0]), x), self.backend.forward(a, averages, x))
        assert gap < 1e-5, "`predict` must use the average"
        assert lab.difference(lab.flat(lab.layers(state)), lab.flat(averages)) > 1e-3, "the two must differ by now"
        assert p.best_step[0] == 21, "the problem is such that the newest is the best"
        np.testing.assert_array_equal(lab.flat(lab.layers(state, "best.")), lab.flat(averages), "the best weights")

    def test_counters_are_the_same_everywhere(self) -> None:
        """Steps, epochs, positions, rows and inputs, also when rows and inputs change on the way."""
        found = []
        for backend in (registry.get("numpy"), self.backend):
            made = lab.engine(backend)
            ids = made.add(lab.members(lab.EVERY))
            lab.train(made, ids, 5)
            lab.train(made, ids[: len(lab.MIXED)], 9, rows=20, inputs=4)
            lab.train(made, ids, 9, rows=20)
            lab.train(made, ids, 17)
            found.append([made.export_state(i)["counters"].tolist()[:5] for i in ids.tolist()])
        assert found[0] == found[1], "step, epoch, position, rows, inputs: a change of rows or inputs begins an epoch"

    def test_a_state_continues_in_another_backend(self) -> None:
        """Half of the way in one backend, paused within an epoch, the rest in the other: the same curve."""
        architecture, loss, weighted = CASES["everything"]
        one = [Member(architecture, seed=2**63 + 5, total_steps=TOTAL)]
        reference = registry.get("numpy")
        for first, second in ((self.backend, reference), (reference, self.backend)):
            old, new = (lab.engine(b, loss, weighted=weighted) for b in (first, second))
            ids, new_ids = old.add(one), new.add(one)
            lab.train(old, ids, 8)
            new.import_state(int(new_ids[0]), old.export_state(int(ids[0])))
            lab.train(new, new_ids, STEPS)
            weights = lab.flat(lab.layers(new.export_state(int(new_ids[0]))))
            gap = lab.difference(weights, reference_curve("everything")[1])
            assert gap < self.tolerances.curve_weights, f"from {first.name} to {second.name} the state loses something"
