"""Small problems, mixed populations and hashes of states: what the backend contract runs on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import FACTOR_SCHEDULES, SCHEDULES, Architecture
from hyperband.engine.backends.base import Backend, Engine, EngineSettings, Member, Split
from hyperband.engine.losses import parse
from hyperband.engine.parameters import TABLE

N_OUTPUTS = {"cross_entropy": 4, "logistic": 1, "mse": 3, "huber": 3, "quantile": 3}


def split(loss: str, n_rows: int, n_inputs: int = 9, *, weighted: bool = False, seed: int = 0) -> Split:
    """A learnable problem: targets depend on the inputs; float32 rows, weights with mean 1."""
    rng = np.random.default_rng([seed, n_rows, n_inputs])
    x = rng.normal(size=(n_rows, n_inputs)).astype(np.float32)
    mix = np.random.default_rng(99).normal(size=(n_inputs, N_OUTPUTS[parse(loss).name])).astype(np.float32)
    signal = x @ mix + 0.1 * rng.normal(size=(n_rows, N_OUTPUTS[parse(loss).name])).astype(np.float32)
    if loss == "cross_entropy":
        y: Any = signal.argmax(axis=1).astype(np.int32)
    elif loss == "logistic":
        y = (signal[:, 0] > 0).astype(np.int32)
    else:
        y = np.tanh(signal).astype(np.float32)
    weight = None
    if weighted:
        weight = rng.uniform(0.2, 2.0, n_rows).astype(np.float32)
        weight = (weight / weight.mean()).astype(np.float32)
    return Split(x, y, weight, max(1, n_inputs - 2))


def engine(
    backend: Backend, loss: str = "cross_entropy", *, rows: int = 53, inputs: int = 9, weighted: bool = False,
    threads: int = 1, validation: bool = True,
) -> Engine:  # fmt: skip
    """An engine on `split`, with 31 rows of the same problem to validate on."""
    held = split(loss, 31, inputs, weighted=weighted, seed=1) if validation else None
    return bound(
        backend, split(loss, rows, inputs, weighted=weighted), held, loss, N_OUTPUTS[parse(loss).name], threads=threads
    )


def bound(
    backend: Backend, data: Split, held: Split | None, loss: str, n_outputs: int, *, threads: int = 1
) -> Engine:  # fmt: skip
    """An engine on this data."""
    return backend.engine(data, held, loss, n_outputs, EngineSettings(threads=threads))


def members(architectures: Sequence[Architecture], total_steps: int = 40) -> list[Member]:
    """One member of each, with seeds that differ in their low and their high words."""
    return [Member(a, seed=1000 + 7 * i + (i << 40), total_steps=total_steps) for i, a in enumerate(architectures)]


def train(made: Engine, ids: Any, until: int, **more: Any) -> Any:
    """Train all of ``ids`` to the same step."""
    ids = np.atleast_1d(np.asarray(ids, np.int64))
    return made.train(ids, np.full(len(ids), until, np.int64), **more)


def digest(made: Engine, member: int, *, without: Sequence[str] = ()) -> str:
    """A hash over every bit of the member's state."""
    total = hashlib.sha256()
    for name, array in sorted(made.export_state(int(member)).items()):
        if not name.startswith(tuple(without) or ("\0",)):
            canonical = np.where(np.isnan(array), np.nan, array) if array.dtype.kind == "f" else array
            total.update(name.encode() + canonical.tobytes())
    return total.hexdigest()


def digests(made: Engine, ids: Any, **more: Any) -> list[str]:
    """`digest` of each member."""
    return [digest(made, member, **more) for member in np.asarray(ids).tolist()]


def layers(state: dict[str, NDArray[Any]], prefix: str = "") -> list[tuple[NDArray[Any], ...]]:
    """(weights, bias) of every layer in an exported state, and what else it has: the state's own arrays."""
    count = sum(name.startswith(f"{prefix}weights.") for name in state)
    names = [[f"{prefix}{kind.name}.{n}" for kind in TABLE] for n in range(count)]
    return [tuple(state[name] for name in of_layer if name in state) for of_layer in names]


def current_layers(architecture: Architecture, state: dict[str, NDArray[Any]]) -> list[tuple[NDArray[Any], ...]]:
    """The layers with which a member in this state is validated: their average, if it has one."""
    return layers(state, "average." if architecture.weight_average > 0.0 else "")


def flat(listed: Sequence[tuple[NDArray[Any], ...]]) -> NDArray[np.float64]:
    """All numbers of these layers in one float64 array."""
    return np.concatenate([array.ravel() for layer in listed for array in layer]).astype(np.float64)


def difference(found: Any, expected: Any) -> float:
    """Largest difference relative to the largest magnitude; NaN counts as infinite."""
    scale = max(float(np.abs(expected).max()), 1e-12)
    gap = np.abs(np.asarray(found, np.float64) - expected) / scale
    return float(np.where(np.isnan(gap), np.inf, gap).max())


#: a mixed population: every activation, optimiser and schedule occurs, and no network is like another
MIXED = [
    Architecture(widths=[17, 5], activation="relu", optimizer="adam", learning_rate=1e-2, batch_size=16),
    Architecture(widths=[], optimizer="sgd", learning_rate=0.1, momentum=0.9, nesterov=True, batch_size=7),
    Architecture(widths=[33], activation="tanh", optimizer="adamw", weight_decay=0.1, dropout=0.3, batch_size=8),
    Architecture(widths=[3, 1, 3], activation="gelu", optimizer="rmsprop", momentum=0.5, schedule="cosine", warmup=0.2),
    Architecture(widths=[8, 8], activation="silu", clip_norm=0.1, label_smoothing=0.1, batch_size=53),
    Architecture(widths=[16], activation="sigmoid", optimizer="sgd", weight_decay=1e-2, schedule="exponential"),
    Architecture(widths=[12], activation="leaky_relu", optimizer="rmsprop", init="glorot", batch_size=100),
    Architecture(widths=[9], activation="step", optimizer="sgd", learning_rate=0.05, momentum=0.5, batch_size=1),
    Architecture(widths=[6, 4], activation="identity", optimizer="adam", batch_size=13, dropout=0.5),
    Architecture(
        widths=[11, 7], activation="tanh", optimizer="adamw", learning_rate=1e-2, batch_size=9, schedule="coslog4",
        dropout=0.3, dropout_schedule="flat_cos", weight_decay=0.1, decay_schedule="flat_cos",
    ),
    Architecture(widths=[7, 19], activation="selu", optimizer="adam", zero_output=True, batch_size=10),
    Architecture(widths=[10], activation="mish", optimizer="sgd", learning_rate=0.1, batch_size=11, weight_average=0.8),
    Architecture(
        widths=[9, 4], activation="relu", optimizer="sgd", clip_norm=0.5, dropout=0.2, parametric_activation=True,
        batch_size=12, weight_average=0.5,
    ),
    Architecture(widths=[18], activation="selu", learning_rate=1e-2, parametric_activation=True, batch_size=14),
]  # fmt: skip

#: networks with parameters before their first layer
STAGED = [
    Architecture(widths=[17, 5], activation="relu", learning_rate=1e-2, batch_size=16, input_scaling=True),
    Architecture(
        widths=[], optimizer="sgd", learning_rate=0.05, momentum=0.9, batch_size=7, input_scaling=True, clip_norm=0.3
    ),
    Architecture(
        widths=[33], activation="tanh", optimizer="adamw", weight_decay=0.1, dropout=0.3, batch_size=8,
        input_scaling=True, scale_rate=2.0, bias_rate=0.1,
    ),
    Architecture(widths=[17, 5], learning_rate=1e-2, batch_size=16, number_embedding="pbld"),
    Architecture(
        widths=[20], activation="silu", optimizer="rmsprop", batch_size=9, clip_norm=0.3, number_embedding="cosine",
        frequency_scale=1.0, embedding_size=3,
    ),
    Architecture(
        widths=[], optimizer="sgd", learning_rate=0.05, momentum=0.9, batch_size=53, number_embedding="pbld",
        input_scaling=True, embedding_size=7, embedding_frequencies=21, frequency_scale=0.5,
    ),
    Architecture(
        widths=[18, 6], activation="mish", optimizer="adamw", learning_rate=1e-2, batch_size=12, weight_decay=0.1,
        decay_schedule="flat_cos", dropout=0.2, dropout_schedule="flat_cos", schedule="coslog4", bias_rate=0.1,
        number_embedding="pbld", input_scaling=True, zero_output=True, parametric_activation=True, weight_average=0.8,
    ),
]  # fmt: skip

#: both: what the contract's checks of bits, states and outputs run on
EVERY = [*MIXED, *STAGED]


def same_shape(architecture: Architecture, count: int = 21) -> list[Architecture]:
    """Networks of one shape that differ in every number an engine may keep for each of them when they train in step."""
    rng = np.random.default_rng(7)
    return [
        replace(
            architecture,
            learning_rate=architecture.learning_rate * float(rng.uniform(0.3, 1.0)),
            momentum=architecture.momentum * float(rng.uniform(0.5, 1.0)),
            weight_decay=architecture.weight_decay * float(rng.uniform(0.1, 2.0)),
            dropout=architecture.dropout * float(rng.uniform(0.1, 1.5)),
            label_smoothing=float(rng.choice([0.0, 0.1])),
            clip_norm=architecture.clip_norm * float(rng.uniform(0.1, 2.0)),
            schedule=str(rng.choice(SCHEDULES)),
            warmup=float(rng.choice([0.0, 0.4])),
            bias_rate=float(rng.uniform(0.1, 2.0)),
            first_layer_rate=float(rng.uniform(0.3, 3.0)),
            weight_average=architecture.weight_average * float(rng.uniform(0.3, 1.2)),
            dropout_schedule=str(rng.choice(FACTOR_SCHEDULES)),
            decay_schedule=str(rng.choice(FACTOR_SCHEDULES)),
        )
        for _ in range(count)
    ]


#: networks large enough that several threads share one: batches in parts, clipping, dropout, both kinds of derivative
LARGE = [
    Architecture(widths=[300, 77], activation="gelu", dropout=0.2, batch_size=128, label_smoothing=0.1),
    Architecture(
        widths=[160, 160], activation="tanh", clip_norm=0.5, batch_size=290, optimizer="rmsprop", momentum=0.5
    ),
    Architecture(widths=[401, 33], activation="relu", batch_size=200, weight_decay=0.1, optimizer="adamw"),
    Architecture(
        widths=[290, 50], activation="mish", dropout=0.2, batch_size=128, parametric_activation=True, weight_average=0.9
    ),
    Architecture(
        widths=[170, 150],
        activation="selu",
        clip_norm=0.5,
        batch_size=290,
        optimizer="adamw",
        weight_decay=0.1,
        parametric_activation=True,
        zero_output=True,
    ),
]

#: likewise, with parameters before their first layer
LARGE_STAGED = [
    Architecture(widths=[300, 77], activation="gelu", dropout=0.2, batch_size=128, input_scaling=True),
    Architecture(widths=[401, 33], batch_size=290, optimizer="rmsprop", clip_norm=0.5, input_scaling=True),
    Architecture(widths=[300, 77], activation="gelu", dropout=0.2, batch_size=128, number_embedding="pbld"),
    Architecture(
        widths=[301, 33], batch_size=290, clip_norm=0.5, input_scaling=True, number_embedding="cosine", embedding_size=5
    ),
    Architecture(
        widths=[300, 77],
        activation="mish",
        dropout=0.2,
        dropout_schedule="flat_cos",
        batch_size=128,
        zero_output=True,
        schedule="coslog4",
        weight_decay=0.1,
        decay_schedule="flat_cos",
        input_scaling=True,
        number_embedding="pbld",
        parametric_activation=True,
        weight_average=0.9,
    ),
]
