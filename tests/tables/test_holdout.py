"""Hold-outs: a partition, stratified, keyed, with a training row for every class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperband.errors import DataError
from hyperband.tables.holdout import ORDER, TEST, VALIDATION, check_fraction, hold_out, shuffled


@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(lambda c: max(c) >= 2),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**63),
)
def test_stratified_hold_out(counts, fraction, seed):
    classes = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    n = len(classes)
    train, held = hold_out(n, fraction, classes, seed, VALIDATION)
    assert sorted([*train, *held]) == list(range(n))
    assert len(held) >= 1
    for c, count in enumerate(counts):
        in_train, in_held = int((classes[train] == c).sum()), int((classes[held] == c).sum())
        assert in_train >= min(count, 1)
        assert in_held + in_train == count
        if all(fraction * k + 1 <= k - 1 for k in counts if k):  # no class is too small to give its share
            assert abs(in_held - fraction * count) <= 1
    most = sum(max(c - 1, 0) for c in counts)
    assert len(held) == min(max(1, int(fraction * n + 0.5)), most)


@given(n=st.integers(2, 200), fraction=st.floats(0.01, 0.99), seed=st.integers(0, 100))
def test_plain_hold_out(n, fraction, seed):
    train, held = hold_out(n, fraction, None, seed, TEST)
    assert sorted([*train, *held]) == list(range(n))
    assert len(held) == min(max(1, int(fraction * n + 0.5)), n - 1)


def test_seed_and_purpose_are_keys():
    base = shuffled(100, 0, VALIDATION)
    assert np.array_equal(base, shuffled(100, 0, VALIDATION))
    assert not np.array_equal(base, shuffled(100, 1, VALIDATION))
    assert not np.array_equal(base, shuffled(100, 0, TEST))
    assert not np.array_equal(base, shuffled(100, 0, ORDER))


def test_the_order_never_changes():
    """A fixed expectation: a change of NumPy or of the keys would silently change every split."""
    assert shuffled(10, 0, VALIDATION).tolist() == [6, 7, 2, 9, 1, 3, 5, 0, 4, 8]


def test_each_row_is_held_out_about_equally_often():
    counts = np.zeros(50)
    for seed in range(400):
        counts[hold_out(50, 0.2, None, seed, VALIDATION)[1]] += 1
    assert counts.sum() == 4000
    assert np.abs(counts - 80).max() < 5 * np.sqrt(400 * 0.2 * 0.8)


def test_too_few_rows():
    with pytest.raises(DataError, match="got 2 rows of 2 classes"):
        hold_out(2, 0.5, np.array([0, 1], dtype=np.int32), 0, VALIDATION)


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.5, float("nan"), "a", True, None])
def test_fractions_refused(value):
    with pytest.raises(DataError, match="`validation` must be a fraction"):
        check_fraction(value, "validation")
