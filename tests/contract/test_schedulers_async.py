"""Asynchronous promotion against a model written as the paper says it, with both tables and in every order."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband.engine.backends import registry
from hyperband.errors import InputError
from hyperband.tuning.pareto import ranked
from hyperband.tuning.schedulers import ASHAScheduler, AsyncHyperbandScheduler, PASHAScheduler
from hyperband.tuning.schedulers.async_rungs import AsyncRungs, table
from hyperband.tuning.schedulers.async_rungs.python import FrontRungs, HeapRungs
from hyperband.tuning.schedulers.pasha import noise

ENGINES = {"native": table._native, "heaps": HeapRungs}


@pytest.fixture(params=ENGINES)
def engine(request):
    if ENGINES[request.param] is None:
        pytest.skip("hyperband._core is not built: this is a pure-Python installation")
    return ENGINES[request.param]


def test_the_compiled_implementation_is_tested_where_there_is_one():
    """Otherwise half of this file would be skipped, and searches would be slow, without anybody noticing."""
    assert (ENGINES["native"] is None) == bool(registry.available()["native"])


class Model:
    """Algorithm 2 of Li et al. 2020, line by line: sort the whole rung, look at its top share, from the top down."""

    def __init__(self, n_rungs, eta):
        self.rungs = [[] for _ in range(n_rungs)]
        self.promoted = [set() for _ in range(n_rungs)]
        self.eta = eta

    def record(self, trial, rung, loss):
        self.rungs[rung].append((loss, trial))

    def job(self):
        for rung in range(len(self.rungs) - 2, -1, -1):
            results = self.rungs[rung]
            share = math.floor(Fraction(len(results)) / self.eta)
            best = sorted(pair for pair in results if math.isfinite(pair[0]))[:share]
            for _, trial in best:
                if trial not in self.promoted[rung]:
                    self.promoted[rung].add(trial)
                    return trial, rung + 1
        return None


LOSSES = st.one_of(st.sampled_from([0.0, 1.0, 1.0, 2.0, math.nan, math.inf, -math.inf]), st.floats(-5, 5))


@given(
    losses=st.lists(LOSSES, max_size=60),
    eta=st.sampled_from([Fraction(2), Fraction(3), Fraction(5, 2), Fraction(4, 3)]),
    seed=st.integers(0, 10**6),
)
def test_promotions_are_those_of_the_paper(losses, eta, seed):
    rng = np.random.default_rng(seed)
    tables = [AsyncRungs([4], eta, engine) for engine in ENGINES.values() if engine is not None]
    model, open_ = Model(4, eta), []
    for loss in losses:
        if open_ and rng.random() < 0.6:
            trial, rung = open_.pop(int(rng.integers(len(open_))))
            model.record(trial, rung, loss)
            for rungs in tables:
                rungs.record_one(trial, rung, loss)
        else:
            expected = model.job()
            for rungs in tables:
                assert rungs.ready == (expected is not None)
                found = rungs.promote(1)
                assert found == ([] if expected is None else [(expected[0], 0, expected[1])])
            if expected is None:
                new = {rungs.begin([0]) for rungs in tables}
                assert len(new) == 1
                expected = new.pop(), 0
            open_.append(expected)
    assert len({rungs.n_open for rungs in tables}) <= 1
    assert all(rungs.n_open == len(open_) for rungs in tables)


def test_seven_of_nine_are_not_promoted(engine):
    """Those that were promoted stay counted: of nine results three continue in all, not three and two and ..."""
    rungs = AsyncRungs([3], Fraction(3), engine)
    rungs.begin([0] * 9)
    promoted = []
    for trial in range(9):
        rungs.record_one(trial, 0, float(trial))
        promoted += rungs.promote(9)
    assert promoted == [(0, 0, 1), (1, 0, 1), (2, 0, 1)]


def test_a_later_result_can_promote_an_earlier_trial(engine):
    """State is kept: the second best of three waits until six results are there."""
    rungs = AsyncRungs([2], Fraction(3), engine)
    rungs.begin([0] * 6)
    for trial, loss in enumerate([1.0, 2.0, 3.0]):
        rungs.record_one(trial, 0, loss)
    assert rungs.promote(3) == [(0, 0, 1)]
    for trial in (3, 4, 5):
        rungs.record_one(trial, 0, 9.0)
    assert rungs.promote(3) == [(1, 0, 1)]
    assert rungs.paused() == [2, 3, 4, 5]


def test_failures_count_and_are_never_promoted(engine):
    rungs = AsyncRungs([2], Fraction(2), engine)
    rungs.begin([0] * 6)
    for trial, loss in enumerate([math.nan, math.inf, -math.inf, math.nan, 7.0, 8.0]):
        rungs.record_one(trial, 0, loss)
    assert rungs.promote(6) == [(4, 0, 1), (5, 0, 1)]


@given(seed=st.integers(0, 10**6), n=st.integers(0, 80))
@settings(max_examples=40)
def test_many_at_once_is_the_same_as_one_by_one(seed, n):
    rng = np.random.default_rng(seed)
    brackets = rng.integers(0, 2, n)
    losses = np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 9, n))
    for engine in ENGINES.values():
        one, many = AsyncRungs([3, 2], Fraction(3), engine), AsyncRungs([3, 2], Fraction(3), engine)
        for rungs in (one, many):
            rungs.begin(brackets.tolist())
        order = rng.permutation(n)
        for trial in order.tolist():
            one.record_one(trial, 0, float(losses[trial]))
        many.record(order, np.zeros(n, dtype=np.int64), losses[order])
        assert one.state_dict() == many.state_dict()
        assert one.promote(n) == many.promote(n)


def test_a_refused_batch_leaves_nothing_half_told(engine):
    rungs = AsyncRungs([2], Fraction(3), engine)
    rungs.begin([0] * 4)
    before = rungs.state_dict()
    for trials, at, message in [
        ([0, 1, 0], [0, 0, 0], "told once a rung; got trial 0 again"),
        ([0, 1, 4], [0, 0, 0], "from 0 to 3; got trial 4"),
        ([0, 1, -1], [0, 0, 0], "from 0 to 3; got trial -1"),
        ([0, 1, 2], [0, 0, 1], "open rung 0; got rung 1"),
    ]:
        with pytest.raises(InputError, match=message):
            rungs.record(np.array(trials), np.array(at), np.zeros(3))
        assert rungs.state_dict() == before


@pytest.mark.parametrize("brackets", [[0], [256]])
def test_odd_brackets_are_refused(brackets):
    with pytest.raises(InputError, match="1 to 255 rungs"):
        AsyncRungs(brackets, Fraction(3))


def test_an_eta_of_too_many_digits_is_refused():
    with pytest.raises(InputError, match=r"below 2\*\*62"):
        AsyncRungs([2], Fraction(2**62 + 1, 2**61))


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25)
def test_implementations_exchange_their_states(seed):
    """What one implementation wrote down, the other continues."""
    if ENGINES["native"] is None:
        return
    rng = np.random.default_rng(seed)
    now, other = (AsyncRungs([4, 3], Fraction(3), engine) for engine in ENGINES.values())
    now.begin(rng.integers(0, 2, 30).tolist())
    open_ = [(trial, 0) for trial in range(30)]
    while open_:
        trial, rung = open_.pop(int(rng.integers(len(open_))))
        now.record_one(trial, rung, float(rng.integers(9)))
        other.load_state_dict(json.loads(json.dumps(now.state_dict(), allow_nan=False)))
        assert other.state_dict() == now.state_dict()
        now, other = other, now
        open_ += [(t, r) for t, _, r in now.promote(int(rng.integers(3)))]


def test_asynchronous_hyperband_serves_its_brackets_in_turn():
    allocation = AsyncHyperbandScheduler(9, 3, repetitions=2).start()
    assert [slot.bracket for slot in allocation.ask()] == ([0] * 9 + [1] * 5 + [2] * 3) * 2
    assert AsyncHyperbandScheduler(81, 3, repetitions=None).plan().endless


def test_an_endless_bracket_keeps_one_round_open():
    allocation = ASHAScheduler(9, 3).start()
    assert len(allocation.ask()) == 9
    assert allocation.ask() == []
    for trial in range(9):
        allocation.tell(trial, 0, float(trial))
    asked = allocation.ask()
    assert [slot.trial for slot in asked] == [0, 1, 2, *range(9, 15)]
    assert len(allocation.ask(20)) == 20
    assert not allocation.done


def drive(scheduler, loss, workers, seed=0):
    """Asynchronous workers that finish in random order."""
    rng, allocation, open_, told = np.random.default_rng(seed), scheduler.start(), [], []
    while not allocation.done:
        open_ += allocation.ask(workers - len(open_)) if len(open_) < workers else []
        slot = open_.pop(int(rng.integers(len(open_))))
        allocation.tell(slot.trial, slot.rung, loss(slot))
        told.append(slot)
    return told


@given(seed=st.integers(0, 10**6), workers=st.integers(1, 12))
@settings(max_examples=40)
def test_at_least_the_plan_is_run(seed, workers):
    for scheduler in (ASHAScheduler(27, 3, n=50), AsyncHyperbandScheduler(27, 3), PASHAScheduler(27, 3, n=50)):
        told = drive(scheduler, lambda slot: (slot.trial * 7919) % 101, workers, seed)
        for k, bracket in enumerate(scheduler.plan().brackets):
            sizes = [sum((slot.bracket, slot.rung) == (k, i) for slot in told) for i in range(len(bracket.rungs))]
            assert sizes[0] == bracket.rungs[0].n
            assert all(size >= rung.n for size, rung in zip(sizes, bracket.rungs, strict=True))
            for below, above in pairwise(sizes):
                assert above <= below


def test_pasha_stays_low_while_the_ranking_is_settled_and_rises_when_it_is_not():
    settled = drive(PASHAScheduler(81, 3, n=60), lambda slot: float(slot.trial), 1)
    assert max(slot.rung for slot in settled) == 1
    turning = drive(
        PASHAScheduler(81, 3, n=60, epsilon=0.0), lambda slot: float((slot.trial * 37 + slot.rung * 53) % 61), 1
    )
    assert max(slot.rung for slot in turning) > 1
    soft = drive(PASHAScheduler(81, 3, n=60, epsilon=1e9), lambda slot: float((slot.trial * 37 + slot.rung) % 61), 1)
    assert max(slot.rung for slot in soft) == 1


def test_pasha_learns_how_noisy_curves_are():
    rungs = [{0: 1.0, 1: 2.0, 2: 5.0}, {0: 2.0, 1: 1.0, 2: 5.0}, {0: 1.0, 1: 1.25, 2: 5.0}]
    assert noise(rungs) == 0.25  # trials 0 and 1 crossed and crossed back; nobody crossed trial 2


def test_pasha_compares_the_curves_of_the_leaders_alone():
    """Every pair is looked at: with all of a large rung a search without end would get slower and slower."""
    crossing = {trial: (float(trial), float(-trial), float(trial)) for trial in range(1000)}
    rungs = [{trial: curve[rung] for trial, curve in crossing.items()} for rung in range(3)]
    assert noise(rungs) < 100  # of the best 100: differences below 100


@pytest.mark.parametrize("epsilon", [-1, math.nan, "0.1", True])
def test_pasha_refuses_an_odd_epsilon(epsilon):
    with pytest.raises(InputError, match=f"`epsilon` must be at least 0; got {epsilon!r}"):
        PASHAScheduler(9, 3, epsilon=epsilon)


def test_in_two_rungs_no_curves_cross_and_cross_back():
    assert noise([{0: 1.0, 1: 2.0}, {0: 2.0, 1: 1.0}]) == 0.0


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25)
def test_several_objectives_are_promoted_by_fronts(seed):
    rng = np.random.default_rng(seed)
    rungs = AsyncRungs([2], Fraction(2))
    rungs.begin([0] * 12)
    rungs.record_one(11, 0, math.nan)  # a failure before anybody knows how many objectives there are
    losses = [tuple(rng.integers(0, 5, 2).astype(float).tolist()) for _ in range(11)]
    for trial, loss in enumerate(losses):
        rungs.record_one(trial, 0, loss)
    expected = ranked(losses, range(11))[:6].tolist()
    state = json.loads(json.dumps(rungs.state_dict(), allow_nan=False))
    again = AsyncRungs([2], Fraction(2))
    again.load_state_dict(state)
    for table_ in (rungs, again):
        assert isinstance(table_._engine, FrontRungs)
        assert [trial for trial, _, _ in table_.promote(12)] == expected
        assert not table_.ready


def test_a_state_with_more_trials_to_come_than_the_plan_has_is_refused():
    allocation = ASHAScheduler(9, 3, n=40).start()
    allocation.ask(9)
    state = allocation.state_dict()
    assert state["left"] == 31
    for left in (10**9, 30, 32):
        with pytest.raises(InputError, match="`left` must be the trials of the plan that have not begun, 31, or 0"):
            ASHAScheduler(9, 3, n=40).start().load_state_dict({**state, "left": left})
    ASHAScheduler(9, 3, n=40).start().load_state_dict({**state, "left": 0})  # the space had no more
