"""Asynchronous brackets that were written down and damaged: refused, never believed; and limits outlive the table."""

from __future__ import annotations

import copy
import json
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband.errors import InputError
from hyperband.tuning.schedulers import PASHAScheduler
from hyperband.tuning.schedulers.async_rungs import AsyncRungs
from hyperband.tuning.schedulers.async_rungs.python import HeapRungs
from hyperband.tuning.schedulers.async_rungs.table import _native

ENGINES = [HeapRungs] + [_native] * (_native is not None)


def half_way(engine=None):
    """Two brackets: 0 to 2 went on, 3 and 4 are paused, 5 failed, 6 is at the top, 7 is withdrawn, 8 is open."""
    table = AsyncRungs([3, 1], Fraction(2), engine)
    table.begin([0, 0, 0, 0, 0, 0, 1, 0, 0])
    for trial in range(5):
        table.record_one(trial, 0, trial / 10)
    table.record_one(5, 0, math.nan)
    table.record_one(6, 0, 0.5)
    table.withdraw([7])
    table.promote(3)
    table.record_one(0, 1, 0.25)
    return table


def damaged(*way):
    *path, last, value = way

    def change(state):
        for step in path:
            state = state[step]
        state[last] = value

    return change


def without(name):
    return lambda state: state.pop(name)


DAMAGE = {
    "bracket": (damaged("brackets", 0, 60_000), "trials of these brackets"),
    "negative bracket": (damaged("brackets", 0, -1), "trials of these brackets"),
    "rung": (damaged("rungs", 8, 3), "in rungs of their brackets"),
    "status": (damaged("statuses", 0, 4), "open, paused, over or withdrawn"),
    "one too few": (lambda state: state["rungs"].pop(), "cannot be read"),
    "one promoted too many": (damaged("rungs", 8, 1), "one result in each rung"),
    "one paused too many": (damaged("statuses", 8, 1), "one result in each rung"),
    "unknown trial": (damaged("rows", 0, 1, 0, 10**12), "results of trials from 0 to 8"),
    "negative trial": (damaged("rows", 0, 1, 0, -5), "results of trials from 0 to 8"),
    "trial twice": (damaged("rows", 0, 1, 0, 1), "one result in each rung"),
    "trial of another bracket": (damaged("rows", 0, 1, 4, 6), "one result in each rung"),
    "open trial": (damaged("rows", 0, 1, 4, 8), "one result in each rung"),
    "finished": (damaged("rows", 0, 0, 2**62), "as many results as trials have finished"),
    "finished few": (damaged("rows", 0, 0, 1), "as many results as trials have finished"),
    "finished text": (damaged("rows", 0, 0, "x"), "cannot be read"),
    "loss": (damaged("rows", 0, 2, 0, None), "finite losses"),
    "losses": (lambda state: state["rows"][0][2].pop(), "a loss for every trial"),
    "rungs": (lambda state: state["rows"].pop(), "4 rungs in all; got 3"),
    "no rows": (without("rows"), "cannot be read"),
    "no statuses": (without("statuses"), "cannot be read"),
}


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_state_is_refused_and_changes_nothing(what, engine):
    damage, message = DAMAGE[what]
    state = half_way().state_dict()
    damage(state)
    fresh = AsyncRungs([3, 1], Fraction(2), engine)
    with pytest.raises(InputError, match=message):
        fresh.load_state_dict(state)
    assert fresh.state_dict() == AsyncRungs([3, 1], Fraction(2)).state_dict()


def test_what_is_no_state_is_refused():
    for state in (None, [], {}, "state"):
        with pytest.raises(InputError, match="The state must be what `state_dict` gave"):
            AsyncRungs([2], Fraction(2)).load_state_dict(state)


def numbers_of(value, path=()):
    """Where the whole numbers and losses of a state are."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] if isinstance(value, int | float) else [p for k, v in steps for p in numbers_of(v, (*path, k))]


@given(data=st.data(), value=st.one_of(st.integers(-3, 300), st.sampled_from([2**40, 2**70, None, "inf", 0.5])))
@settings(max_examples=150)
def test_whatever_is_loaded_can_be_carried_to_its_end(data, value):
    """Any number of the state exchanged: it is refused, or what it says is done and no more."""
    state = half_way().state_dict()
    damaged(*data.draw(st.sampled_from(numbers_of(state))), value)(state)
    for engine in ENGINES:
        table = AsyncRungs([3, 1], Fraction(2), engine)
        try:
            table.load_state_dict(copy.deepcopy(state))
        except InputError:
            continue
        trials = zip(table.state_dict()["statuses"], table.state_dict()["rungs"], strict=True)
        open_ = [(trial, rung) for trial, (status, rung) in enumerate(trials) if status == 0]
        for _ in range(50):
            for trial, rung in open_:
                table.record_one(trial, rung, 0.125)
            open_ = [(trial, rung) for trial, _, rung in table.promote(9)]
        assert table.n_open == 0
        json.dumps(table.state_dict(), allow_nan=False)


def test_limits_hold_when_several_objectives_appear():
    table = AsyncRungs([3], Fraction(2))
    table.limit(0, 1)
    table.begin([0, 0, 0, 0])
    for trial in range(4):
        table.record_one(trial, 0, (float(trial), 0.0))
    assert table.promote(9) == [(0, 0, 1), (1, 0, 1)]
    for trial in range(2):
        table.record_one(trial, 1, (float(trial), 0.0))
    assert table.promote(9) == []
    table.limit(0, 2)
    assert table.promote(9) == [(0, 0, 2)]


def test_pasha_stays_low_with_several_objectives():
    allocation, rungs = PASHAScheduler(81, 3, n=81).start(), set()
    while not allocation.done:
        for slot in allocation.ask(1):
            rungs.add(slot.rung)
            allocation.tell(slot.trial, slot.rung, (float(slot.trial), -float(slot.trial)))
    assert rungs == {0, 1}
