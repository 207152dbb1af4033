"""Networks, batches, rows and threads at random, against the float64 reference.

``HYPERBAND_FUZZ`` populations a backend.

Sizes are odd on purpose: what fits no vector, tile or panel is where mistakes live. Steps are few, so that rounding has
not grown; the bits must be those of each network alone.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from hyperband.engine.architecture import ACTIVATIONS, FACTOR_SCHEDULES, OPTIMIZERS, SCHEDULES, Architecture
from hyperband.engine.backends.base import Backend, Engine, EngineSettings, Member, Split
from hyperband.engine.losses import LOSSES, parse
from hyperband.testing import lab

POPULATIONS = int(os.environ.get("HYPERBAND_FUZZ", "12"))
STEPS = 6
#: A rectified unit that float32 and float64 see on two sides of its kink costs this much; a wrong index far more.
CLOSE = 2e-3
#: Its output jumps, so one rounding decides about a whole unit.
SMOOTH = tuple(a for a in ACTIVATIONS if a != "step")


def architecture(rng: np.random.Generator, most_rows: int) -> Architecture:
    widths = np.exp(rng.uniform(0, np.log(150), int(rng.integers(0, 5)))).astype(int).tolist()
    optimizer = str(rng.choice(OPTIMIZERS))
    momentum = float(rng.choice([0.0, 0.9])) if optimizer in ("sgd", "rmsprop") else 0.0
    return Architecture(
        widths=widths,
        activation=str(rng.choice(SMOOTH)),
        optimizer=optimizer,
        learning_rate=float(10 ** rng.uniform(-3.5, -2)),
        batch_size=int(np.exp(rng.uniform(0, np.log(most_rows)))),
        dropout=float(rng.choice([0.0, 0.0, 0.4])),
        weight_decay=float(rng.choice([0.0, 0.01])),
        label_smoothing=float(rng.choice([0.0, 0.1])),
        momentum=momentum,
        nesterov=optimizer == "sgd" and momentum > 0 and bool(rng.integers(2)),
        epsilon=1e-3,  # a gradient of rounding errors must not become a whole step
        schedule=str(rng.choice(SCHEDULES)),
        dropout_schedule=str(rng.choice(FACTOR_SCHEDULES)),
        decay_schedule=str(rng.choice(FACTOR_SCHEDULES)),
        zero_output=bool(rng.integers(4) == 0),
        parametric_activation=bool(rng.integers(3) == 0),
        weight_average=float(rng.choice([0.0, 0.0, 0.9])),
        warmup=float(rng.choice([0.0, 0.3])),
        clip_norm=float(rng.choice([0.0, 0.5])),
        input_scaling=bool(rng.integers(2)),
        scale_rate=1.0,
    )


def problem(rng: np.random.Generator, most_rows: int) -> tuple[Split, str, int]:
    loss = str(rng.choice(LOSSES))
    rows, inputs = int(rng.integers(1, most_rows)), int(rng.integers(1, 90))
    outputs = {"cross_entropy": int(rng.integers(2, 70)), "logistic": 1}.get(loss, int(rng.integers(1, 40)))
    x = rng.normal(size=(rows, inputs)).astype(np.float32)
    if parse(loss).regression:
        y = rng.normal(size=(rows, outputs)).astype(np.float32)
    else:
        y = rng.integers(0, max(2, outputs), rows).astype(np.int32)
    weight = rng.uniform(0.1, 2.0, rows).astype(np.float32) if rng.integers(2) else None
    return Split(x, y, None if weight is None else (weight / weight.mean()).astype(np.float32)), loss, outputs


@pytest.mark.parametrize("number", range(POPULATIONS))
def test_random_populations(compared: Backend, reference: Backend, number: int) -> None:
    rng = np.random.default_rng([20, number])
    most_rows = 1500 if number % 4 == 3 else 300  # large batches are taken in parts
    data, loss, outputs = problem(rng, most_rows)
    members = [
        Member(architecture(rng, most_rows), int(rng.integers(2**63)), 10) for _ in range(int(rng.integers(1, 7)))
    ]
    if number % 2:  # many of one shape, which may train in step
        first = members[0].architecture
        members += [Member(replace(first, learning_rate=first.learning_rate / (i + 1)), i, 10) for i in range(17)]
    inputs = int(rng.integers(1, data.x.shape[1] + 1))
    rows = int(rng.integers(1, len(data.x) + 1))

    def made(backend: Backend, threads: int) -> Engine:
        return backend.engine(data, data, loss, outputs, EngineSettings(threads=threads))

    def trained(engine: Engine, who: list[Member]) -> list[dict[str, np.ndarray]]:
        ids = engine.add(who)
        lab.train(engine, ids, STEPS, rows=rows, inputs=inputs)
        return [engine.export_state(int(i)) for i in ids]

    together = trained(made(compared, int(rng.integers(1, 5))), members)
    expected = trained(made(reference, 1), members)
    for found, exact, member in zip(together, expected, members, strict=True):
        gap = lab.difference(lab.flat(lab.layers(found)), lab.flat(lab.layers(exact)))
        assert gap < CLOSE, (gap, member, data.x.shape, loss, outputs)
    alone = trained(made(compared, 1), [members[-1]])[0]
    assert all(np.array_equal(alone[name], together[-1][name], equal_nan=True) for name in alone)
