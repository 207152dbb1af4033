"""Philox against the published vectors; the order of rows is a bijection; dropout and initial weights are uniform."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hyperband.engine.architecture import ACTIVATIONS, Architecture
from hyperband.engine.backends.philox import (
    RowOrder,
    dropout_mask,
    dropout_threshold,
    initial_weights,
    philox,
)
from hyperband.engine.parameters import initial_bound

# kat_vectors of Random123 (Salmon et al.): philox4x32, 10 rounds
VECTORS = [
    ((0, 0, 0, 0), 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((0xFFFFFFFF,) * 4, 0xFFFFFFFFFFFFFFFF, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        0x299F31D0A4093822,
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


@pytest.mark.parametrize(("counter", "seed", "expected"), VECTORS)
def test_known_answers(counter: tuple[int, ...], seed: int, expected: str) -> None:
    assert " ".join(f"{int(word):08x}" for word in philox(seed, *counter)) == expected


def test_arrays_of_counters_give_the_same_words_as_one_by_one() -> None:
    many = philox(77, np.arange(5)[:, None], 3, np.arange(4)[None, :], 9)
    assert all(word.shape == (5, 4) and word.dtype == np.uint32 for word in many)
    for i in range(5):
        for j in range(4):
            assert [int(word[i, j]) for word in many] == [int(word) for word in philox(77, i, 3, j, 9)]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 100, 1023, 1024, 1025, 5000])
def test_row_order_is_a_bijection(n: int) -> None:
    for epoch in (0, 1, 2**31):
        order = RowOrder.of(2**64 - 1, n, epoch)(np.arange(n))
        np.testing.assert_array_equal(np.sort(order), np.arange(n))


def test_row_order_of_a_part_is_that_part_of_the_order() -> None:
    order = RowOrder.of(5, 1000, 3)
    np.testing.assert_array_equal(order(np.arange(320, 384)), order(np.arange(1000))[320:384])


def test_row_order_differs_by_seed_and_epoch_and_looks_shuffled() -> None:
    orders = [RowOrder.of(seed, 2000, epoch)(np.arange(2000)) for seed in (1, 2, 1 << 32) for epoch in (0, 1)]
    positions = np.arange(2000)
    for i, a in enumerate(orders):
        assert abs(np.corrcoef(a, positions)[0, 1]) < 0.1
        assert abs(np.corrcoef(a[1:], a[:-1])[0, 1]) < 0.1
        for b in orders[:i]:
            assert (a == b).mean() < 0.01


@pytest.mark.parametrize("dropout", [0.01, 0.25, 0.5, 0.9])
def test_dropout_drops_that_fraction_and_keeps_the_mean(dropout: float) -> None:
    mask = dropout_mask(3, 1, 17, 250, 200, dropout)
    assert mask.shape == (250, 200)
    spread = 4 * math.sqrt(dropout * (1 - dropout) / mask.size)
    assert abs((mask == 0).mean() - dropout) < spread
    assert set(np.unique(mask).tolist()) == {0.0, float(np.float32(65536 / (65536 - dropout_threshold(dropout))))}
    assert abs(np.corrcoef(mask[:, :-1].ravel(), mask[:, 1:].ravel())[0, 1]) < 0.03


def test_dropout_follows_the_stated_counters() -> None:
    seed, layer, step = 99, 2, 41
    mask = dropout_mask(seed, layer, step, 20, 6, 0.5)
    for b in (0, 5, 8, 19):
        for j in (0, 3, 5):
            words = philox(seed, j, b >> 3, step, 3 << 16 | layer)
            number = int(words[(b & 7) >> 1]) >> (16 * (b & 1)) & 0xFFFF
            assert (mask[b, j] == 0) == (number < 32768)


def test_dropout_of_a_row_does_not_depend_on_the_batch() -> None:
    np.testing.assert_array_equal(dropout_mask(1, 0, 5, 64, 10, 0.3)[:13], dropout_mask(1, 0, 5, 13, 10, 0.3))
    np.testing.assert_array_equal(dropout_mask(1, 0, 5, 64, 10, 0.3)[:, :4], dropout_mask(1, 0, 5, 64, 4, 0.3))


def test_initial_weights_follow_the_stated_counters() -> None:
    weights = initial_weights(5, 3, 7, 9, np.float32(0.25))
    for k, j in ((0, 0), (2, 5), (6, 8)):
        e = k * 9 + j
        word = int(philox(5, e >> 2, 0, 0, 1 << 16 | 3)[e & 3])
        assert weights[k, j] == np.float32((2 * (word >> 8) * 2.0**-24 - 1) * 0.25)


def test_initial_weights_are_uniform_within_the_bound() -> None:
    weights = initial_weights(5, 0, 100, 100, np.float32(0.5)).astype(float)
    assert weights.min() >= -0.5 and weights.max() < 0.5
    assert abs(weights.mean()) < 4 * 0.5 / math.sqrt(3 * weights.size)
    assert weights.std() == pytest.approx(0.5 / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_auto_initialisation_goes_by_the_activation(activation: str) -> None:
    he, glorot, lecun = 6 / 20, 6 / 50, 3 / 20
    expected = {
        "identity": lecun, "relu": he, "leaky_relu": 6 / (1.0001 * 20), "gelu": he, "silu": he, "tanh": glorot,
        "sigmoid": glorot, "step": lecun, "selu": lecun, "mish": he,
    }  # fmt: skip
    a = Architecture(widths=[30], activation=activation)
    assert initial_bound(a, 0, 20, 30) == np.float32(math.sqrt(expected[activation]))
    assert initial_bound(a, 1, 30, 4) == np.float32(math.sqrt(3 / 30)), "the output layer is linear"


@pytest.mark.parametrize(("init", "square"), [("he", 6 / 20), ("glorot", 6 / 50), ("lecun", 3 / 20)])
def test_initialisation_by_name(init: str, square: float) -> None:
    a = Architecture(widths=[30], activation="tanh", init=init)
    assert initial_bound(a, 0, 20, 30) == np.float32(math.sqrt(square))
