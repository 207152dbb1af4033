"""Steps of training whose factors of products are rounded, in float64: what bf16 and tf32 promise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import Backend, EngineSettings, Member, Split
from hyperband.testing import lab


def to_bf16(a: np.ndarray) -> np.ndarray:
    """To the nearest bfloat16, ties to even, as float64."""
    u = np.ascontiguousarray(a, np.float32).view(np.uint32)
    return ((u + 0x7FFF + ((u >> 16) & 1)) & 0xFFFF0000).view(np.float32).astype(np.float64)


def to_tf32(a: np.ndarray) -> np.ndarray:
    """To the nearest number of 11 bits, ties away from zero, as float64."""
    u = np.ascontiguousarray(a, np.float32).view(np.uint32)
    return ((u + 0x1000) & 0xFFFFE000).view(np.float32).astype(np.float64)


Layers = list[tuple[np.ndarray, np.ndarray]]
Rounding = Callable[[np.ndarray], np.ndarray]


def step(layers: Layers, x: np.ndarray, y: np.ndarray, activation: str, rate: float, rounded: Rounding) -> Layers:
    """One step of SGD on the whole batch, cross-entropy, every factor of a product rounded; rows in any order."""
    act = {"relu": lambda z: np.maximum(z, 0.0), "tanh": np.tanh}[activation]
    slope = {"relu": lambda z: (z > 0) * 1.0, "tanh": lambda z: 1 - np.tanh(z) ** 2}[activation]
    h, z = [x.astype(np.float64)], []
    for w, b in layers:
        z.append(rounded(h[-1]) @ rounded(w) + b)
        h.append(act(z[-1]))
    p = np.exp(z[-1] - z[-1].max(axis=1, keepdims=True))
    g = (p / p.sum(axis=1, keepdims=True) - np.eye(p.shape[1])[y]) / len(y)
    moved = []
    for n in reversed(range(len(layers))):
        w, b = layers[n]
        moved.append((w - rate * rounded(h[n]).T @ rounded(g), b - rate * g.sum(axis=0)))
        if n:
            g = rounded(g) @ rounded(w).T * slope(z[n - 1])
    return moved[::-1]


CASES = [
    ([64, 32], 40, 10, 64, "relu", 40), ([33, 17], 45, 5, 51, "tanh", 45), ([5], 3, 3, 7, "relu", 3),
    ([100, 70], 90, 12, 250, "tanh", 90), ([40, 9], 90, 12, 30, "tanh", 50), ([], 90, 2, 30, "tanh", 17),
]  # fmt: skip


def worst_step(backend: Backend, precision: str) -> float:
    """The largest deviation of two steps from the promise, in units of how far they moved."""
    rounded = {"bf16": to_bf16, "tf32": to_tf32}[precision]
    worst = 0.0
    for widths, inputs, classes, rows, activation, used in CASES:
        rng = np.random.default_rng(rows)
        x = rng.normal(size=(rows, inputs)).astype(np.float32)
        y = rng.integers(0, classes, rows).astype(np.int32)
        engine = backend.engine(
            Split(x, y), None, "cross_entropy", classes, EngineSettings(threads=1, precision=precision)
        )
        network = Architecture(
            widths=widths, activation=activation, optimizer="sgd", learning_rate=0.5, batch_size=rows
        )
        ids = engine.add([Member(network, 1, 10)])
        for steps in (1, 2):
            before = lab.layers(engine.export_state(int(ids[0])))
            lab.train(engine, ids, steps, evaluate=False, inputs=used)
            after = lab.layers(engine.export_state(int(ids[0])))
            seen = [(before[0][0][:used], before[0][1]), *before[1:]]
            expected = step(seen, x[:, :used], y, activation, 0.5, rounded)
            for n, (old, new, right) in enumerate(zip(seen, after, expected, strict=True)):
                found = new[0][:used] if n == 0 else new[0]
                worst = max(worst, float(np.abs(found - right[0]).max() / np.abs(right[0] - old[0]).max()))
                worst = max(worst, float(np.abs(new[1] - right[1]).max() / np.abs(right[1] - old[1]).max()))
            assert np.array_equal(before[0][0][used:], after[0][0][used:])
    return worst
