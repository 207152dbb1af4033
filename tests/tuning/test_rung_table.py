"""Rung tables: which trials survive, by both implementations where the one in C++ is built."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperband.errors import InputError
from hyperband.tuning.schedulers import rung_table as rungs
from hyperband.tuning.schedulers.rung_table import RungTable, pack, top_k_numpy, unpack

IMPLEMENTATIONS = {"numpy": top_k_numpy, "native": rungs.top_k_native}


@pytest.fixture(params=IMPLEMENTATIONS)
def top_k(request):
    if IMPLEMENTATIONS[request.param] is None:
        pytest.skip("hyperband._core is not built: this is a pure-Python installation")
    return IMPLEMENTATIONS[request.param]


def survivors(top_k, losses, trials, k):
    return top_k(np.array(losses, dtype=np.float64), np.array(trials, dtype=np.int64), k).tolist()


def test_smallest_losses_first(top_k):
    assert survivors(top_k, [0.3, 0.1, 0.2, 0.4], [0, 1, 2, 3], 2) == [1, 2]


def test_ties_go_by_trial_and_exactly_k_survive(top_k):
    assert survivors(top_k, [0.5] * 5, [9, 3, 7, 1, 5], 3) == [1, 3, 5]
    assert survivors(top_k, [0.0, -0.0, 0.0], [2, 1, 0], 2) == [0, 1]


def test_nan_and_infinity_never_survive(top_k):
    assert survivors(top_k, [math.nan, 2.0, -math.inf, math.inf, 1.0], [0, 1, 2, 3, 4], 4) == [4, 1]
    assert survivors(top_k, [math.nan, math.inf], [0, 1], 1) == []


def test_edges(top_k):
    assert survivors(top_k, [], [], 3) == []
    assert survivors(top_k, [1.0], [4], 0) == []
    assert survivors(top_k, [2.0, 1.0], [4, 5], 10) == [5, 4]


LOSSES = st.one_of(st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf]), st.floats())


@given(losses=st.lists(LOSSES, max_size=40), k=st.integers(0, 45), seed=st.integers(0, 99))
def test_as_sorting_in_plain_python_in_any_row_order(losses, k, seed):
    trials = np.random.default_rng(seed).permutation(1000)[: len(losses)].tolist()
    ranked = sorted((loss, trial) for loss, trial in zip(losses, trials, strict=True) if math.isfinite(loss))
    expected = [trial for _, trial in ranked[:k]]
    for implementation in IMPLEMENTATIONS.values():
        if implementation is not None:
            assert survivors(implementation, losses, trials, k) == expected


def test_a_table_is_complete_when_everybody_is_told():
    table = RungTable()
    table.extend(range(4, 7))
    for trial, loss in [(6, 0.5), (4, math.nan)]:
        table.record(trial, loss)
        assert not table.complete
    table.record(5, 0.5)
    assert table.complete
    assert table.survivors(2) == [5, 6]
    assert table.finite() == [5, 6]


def test_a_table_grows_by_any_steps():
    table = RungTable()
    for trial in range(100):
        table.extend(range(trial, trial + 1))
        table.record(trial, -trial)
    assert len(table) == 100
    assert table.survivors(3) == [99, 98, 97]


def test_unknown_and_repeated_trials_are_refused():
    table = RungTable([1, 3])
    table.record(3, 0.1)
    for trial in (0, 2, 4):
        with pytest.raises(InputError, match=f"got trial {trial}"):
            table.record(trial, 0.1)
    with pytest.raises(InputError, match="told once a rung; got trial 3 again"):
        table.record(3, 0.0)
    with pytest.raises(InputError, match="told once"):
        table.discard([3])
    assert table.survivors(2) == [3]


def test_discarded_trials_are_not_waited_for():
    table = RungTable([1, 2, 3])
    table.record(2, 0.1)
    table.discard([1, 3])
    assert table.complete
    assert table.trials.tolist() == [2]


def test_a_table_survives_strict_json():
    table = RungTable([1, 2, 3, 4, 5])
    for trial, loss in [(1, math.nan), (2, math.inf), (3, -math.inf), (5, 0.1 + 0.2)]:
        table.record(trial, loss)
    again = RungTable.from_state(json.loads(json.dumps(table.state_dict(), allow_nan=False)))
    assert not again.complete
    again.record(4, 1.0)
    assert again.complete
    assert again.survivors(5) == [5, 4]


@given(st.lists(st.floats()))
def test_packed_numbers_come_back_exactly(values):
    array = np.array(values)
    back = unpack(json.loads(json.dumps(pack(array), allow_nan=False)))
    np.testing.assert_array_equal(back, array)
    np.testing.assert_array_equal(np.signbit(back[~np.isnan(array)]), np.signbit(array[~np.isnan(array)]))
