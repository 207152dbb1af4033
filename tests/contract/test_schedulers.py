"""What every scheduler promises: it ends, does what its plan says, and does not care in which order losses arrive."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband.errors import InputError
from hyperband.tuning.schedulers import (
    ASHAScheduler,
    AsyncHyperbandScheduler,
    EvolutionScheduler,
    FullScheduler,
    HyperbandScheduler,
    PASHAScheduler,
    PopulationScheduler,
    SuccessiveHalvingScheduler,
)

SCHEDULERS = {
    "full": FullScheduler(13, 5),
    "halving": SuccessiveHalvingScheduler(27, 3),
    "halving, free n": SuccessiveHalvingScheduler(20, 2.5, n=37, min_resource=2),
    "hyperband": HyperbandScheduler(27, 3),
    "hyperband, no power": HyperbandScheduler(20, 2),
    "hyperband, fractional eta": HyperbandScheduler(50, 3.5),
    "hyperband, fractions": HyperbandScheduler(1, 3, min_resource=0.1, whole=False),
    "hyperband, table 1": HyperbandScheduler(27, 3, variant="table1"),
    "hyperband, rounded up": HyperbandScheduler(27, 3, variant="ceil"),
    "hyperband, twice": HyperbandScheduler(9, 3, repetitions=2),
    "halving, three times": SuccessiveHalvingScheduler(9, 3, repetitions=3),
    "halving, aggressive": SuccessiveHalvingScheduler(18, 3, n=60, min_resource=2, aggressive=True),
}
GENERATIONS = {
    "generations": EvolutionScheduler(27, 3),
    "generations, twice": EvolutionScheduler(9, 3, repetitions=2),
}
POPULATIONS = {"population": PopulationScheduler(11, 10, 3, 0.3), "population of two": PopulationScheduler(2, 3, 1)}
ASYNCHRONOUS = {
    "asha": ASHAScheduler(27, 3, n=40),
    "asha, fractional eta": ASHAScheduler(20, 2.5, n=23, min_resource=2),
    "asynchronous hyperband": AsyncHyperbandScheduler(9, 3, repetitions=2),
    "pasha": PASHAScheduler(27, 3, n=30),
    "pasha, soft": PASHAScheduler(27, 3, n=30, epsilon=2.0),
}
SYNCHRONOUS = {**SCHEDULERS, **GENERATIONS, **POPULATIONS}
ALL = {**SYNCHRONOUS, **ASYNCHRONOUS}


def every(schedulers):
    return pytest.mark.parametrize("scheduler", schedulers.values(), ids=schedulers)


every_scheduler = every(SCHEDULERS)
any_synchronous = st.sampled_from(list(SYNCHRONOUS.values()))
any_scheduler = st.sampled_from(list(ALL.values()))


def loss_of(trial, rung, kind="mixed"):
    """A fixed loss for an evaluation: many ties, some NaN and infinite when mixed."""
    draw = (trial * 7919 + rung * 104729) % 97
    if kind == "mixed" and draw % 9 == 0:
        return math.nan if draw % 2 else math.inf
    return math.nan if kind == "nan" else float(draw % 11)


def carry_out(allocation, rng=None, kind="mixed", checkpoint=None):
    """Run to the end; returns the slots told, and the dropped trials. ``rng`` shuffles and splits everything."""
    told, dropped, waiting = [], [], []
    while not allocation.done:
        waiting += allocation.ask(None if rng is None else int(rng.integers(1, 9)))
        assert waiting, "nothing to do, but not done"
        if rng is not None:
            rng.shuffle(waiting)
        count = 1 if rng is None else int(rng.integers(1, len(waiting) + 1))
        for slot in waiting[:count]:
            allocation.tell(slot.trial, slot.rung, loss_of(slot.trial, slot.rung, kind))
            told.append(slot)
        waiting = waiting[count:]
        dropped += allocation.dropped()
        if checkpoint is not None:
            allocation = checkpoint(allocation)
    assert not waiting
    return told, dropped


def amounts(scheduler):
    """Resources of the rungs of a population."""
    return [rung.r for rung in scheduler.plan().brackets[0].rungs]


def as_set(slots):
    return {(slot.trial, slot.bracket, slot.rung, slot.resource, slot.previous) for slot in slots}


@every(SYNCHRONOUS)
def test_what_was_run_is_the_plan_to_the_unit(scheduler):
    plan = scheduler.plan()
    told, _ = carry_out(scheduler.start(), kind="finite")
    assert len(told) == plan.n_evaluations
    assert len({slot.trial for slot in told}) == plan.n_configurations
    assert sum(slot.resource - slot.previous for slot in told) == pytest.approx(float(plan.cost), rel=1e-12)
    for k, bracket in enumerate(plan.brackets):
        for i, rung in enumerate(bracket.rungs):
            here = [slot for slot in told if (slot.bracket, slot.rung) == (k, i)]
            assert len(here) == rung.n
            assert {Fraction(slot.resource).limit_denominator(10**6) for slot in here} == {rung.r}


@every(ALL)
def test_each_trial_goes_on_from_where_it_was(scheduler):
    has = {}
    for slot in carry_out(scheduler.start())[0]:
        before = has.get(slot.trial, 0) if slot.parent is None else amounts(scheduler)[slot.rung - 1]
        assert slot.previous == before
        assert slot.resource > slot.previous
        has[slot.trial] = slot.resource


@every_scheduler
def test_trials_are_numbered_bracket_after_bracket(scheduler):
    told, _ = carry_out(scheduler.start(), np.random.default_rng(1), kind="finite")
    first = 0
    for k, bracket in enumerate(scheduler.plan().brackets):
        numbers = {slot.trial for slot in told if slot.bracket == k}
        assert numbers == set(range(first, first + bracket.n_configurations))
        first += bracket.n_configurations


@every({**SCHEDULERS, **ASYNCHRONOUS})
def test_everything_that_can_start_starts_at_once(scheduler):
    assert len(scheduler.start().ask()) == scheduler.plan().n_configurations


@every(SCHEDULERS)
def test_one_by_one_a_bracket_waits_for_the_one_before(scheduler):
    allocation, told = scheduler.start(one_by_one=True), []
    while not allocation.done:
        for slot in allocation.ask():
            allocation.tell(slot.trial, slot.rung, loss_of(slot.trial, slot.rung))
            told.append(slot)
    assert [slot.bracket for slot in told] == sorted(slot.bracket for slot in told)
    assert as_set(told) == as_set(carry_out(scheduler.start())[0])


@every(ALL)
def test_asking_for_no_new_trials_hands_out_none(scheduler):
    allocation = scheduler.start()
    assert allocation.ask(new=False) == []
    first = allocation.ask(3)
    assert allocation.ask(new=False) == []
    assert [slot.trial for slot in first] == list(range(len(first)))


@every_scheduler
def test_exactly_the_best_are_promoted_ties_by_trial_nan_never(scheduler):
    told, _ = carry_out(scheduler.start())
    for k, bracket in enumerate(scheduler.plan().brackets):
        for i, rung in enumerate(bracket.rungs[1:], start=1):
            below = [(loss_of(s.trial, i - 1), s.trial) for s in told if (s.bracket, s.rung) == (k, i - 1)]
            expected = [trial for _, trial in sorted(pair for pair in below if math.isfinite(pair[0]))][: rung.n]
            assert sorted(s.trial for s in told if (s.bracket, s.rung) == (k, i)) == sorted(expected)


@every(ALL)
def test_every_trial_is_dropped_once_and_never_seen_again(scheduler):
    allocation, open_, dropped, handed = scheduler.start(), [], [], 0
    while not allocation.done:
        asked = allocation.ask(4)
        assert not {slot.trial for slot in asked} & set(dropped)
        open_ += asked
        slot = open_.pop(0)
        allocation.tell(slot.trial, slot.rung, loss_of(slot.trial, slot.rung))
        dropped += allocation.dropped()
        handed = max([handed, *(slot.trial for slot in asked)])
    assert sorted(dropped) == list(range(handed + 1))
    assert allocation.dropped() == []


@every({**SCHEDULERS, **POPULATIONS, **ASYNCHRONOUS})
def test_when_all_fail_nobody_goes_on_and_it_ends(scheduler):
    told, dropped = carry_out(scheduler.start(), kind="nan")
    assert {slot.rung for slot in told} == {0}
    assert sorted(dropped) == sorted(slot.trial for slot in told)


@every(GENERATIONS)
def test_when_all_fail_later_generations_still_begin(scheduler):
    told, _ = carry_out(scheduler.start(), kind="nan")
    assert {slot.rung for slot in told if slot.bracket == 0} == {0}
    assert {slot.previous for slot in told} == {0}


@given(scheduler=any_synchronous, seed=st.integers(0, 10**6), kind=st.sampled_from(["mixed", "finite", "nan"]))
@settings(deadline=None)
def test_the_order_of_arrival_changes_nothing(scheduler, seed, kind):
    told, dropped = carry_out(scheduler.start(), kind=kind)
    shuffled, also_dropped = carry_out(scheduler.start(), np.random.default_rng(seed), kind)
    assert as_set(shuffled) == as_set(told)
    assert sorted(also_dropped) == sorted(dropped)


@given(scheduler=any_scheduler, seed=st.integers(0, 10**6))
@settings(deadline=None, max_examples=40)
def test_saving_and_loading_at_every_point_changes_nothing(scheduler, seed):
    def reload(allocation):
        fresh = scheduler.start()
        fresh.load_state_dict(json.loads(json.dumps(allocation.state_dict(), allow_nan=False)))
        assert fresh.state_dict() == allocation.state_dict()
        return fresh

    plain = carry_out(scheduler.start(), np.random.default_rng(seed))
    assert carry_out(scheduler.start(), np.random.default_rng(seed), checkpoint=reload) == plain


@given(scheduler=any_scheduler, available=st.integers(0, 30), n=st.integers(1, 20))
@settings(deadline=None)
def test_an_exhausted_space_ends(scheduler, available, n):
    allocation, told, begun = scheduler.start(), [], set()
    while not allocation.done:
        slots = allocation.ask(n)
        without = [slot.trial for slot in slots if slot.begins and slot.trial >= available]
        if without:
            allocation.withdraw(without)
        for slot in slots:
            if slot.trial not in without:
                allocation.tell(slot.trial, slot.rung, loss_of(slot.trial, slot.rung))
                told.append(slot)
                begun |= {slot.trial} if slot.begins else set()
    assert begun <= set(range(available))
    assert sorted(allocation.dropped()) == sorted({slot.trial for slot in told})


@given(scheduler=st.sampled_from(list(SCHEDULERS.values())), available=st.integers(0, 30), n=st.integers(1, 20))
@settings(deadline=None)
def test_an_exhausted_space_shrinks_the_rungs_and_ends(scheduler, available, n):
    allocation, told = scheduler.start(), []
    while not allocation.done:
        slots = allocation.ask(n)
        without = [slot.trial for slot in slots if slot.rung == 0 and slot.trial >= available]
        if without:
            allocation.withdraw(without)
        for slot in slots:
            if slot.trial not in without:
                allocation.tell(slot.trial, slot.rung, float(slot.trial))
                told.append(slot)
    plan = scheduler.plan()
    assert {slot.trial for slot in told} == set(range(min(available, plan.n_configurations)))
    sizes = {}
    for slot in told:
        sizes[slot.bracket, slot.rung] = sizes.get((slot.bracket, slot.rung), 0) + 1
    for (k, i), size in sizes.items():
        assert size == min(plan.brackets[k].rungs[i].n, sizes[k, 0])
    assert sorted(allocation.dropped()) == sorted({slot.trial for slot in told})


@every(ALL)
def test_wrong_tells_are_refused_and_change_nothing(scheduler):
    allocation = scheduler.start()
    slot = allocation.ask(2)[0]
    before = allocation.state_dict()
    for trial, rung, message in [
        (10**6, 0, "trial from 0 to"),
        (-1, 0, "trial from 0 to"),
        (2, 0, "handed out in this rung; got trial 2|trial from 0 to 1; got trial 2"),
        (slot.trial, 1, "open rung 0; got rung 1"),
    ]:
        with pytest.raises(InputError, match=message):
            allocation.tell(trial, rung, 0.5)
        assert allocation.state_dict() == before
    allocation.tell(slot.trial, 0, 0.5)
    with pytest.raises(InputError, match="told once a rung"):
        allocation.tell(slot.trial, 0, 0.4)
    assert before != allocation.state_dict()


def test_a_promoted_trial_must_be_asked_for_before_it_is_told():
    allocation = SuccessiveHalvingScheduler(3, 3).start()
    for slot in allocation.ask():
        allocation.tell(slot.trial, 0, float(slot.trial))
    with pytest.raises(InputError, match="handed out in this rung; got trial 0"):
        allocation.tell(0, 1, 0.1)
    assert [(slot.trial, slot.rung) for slot in allocation.ask()] == [(0, 1)]


def test_a_state_of_another_plan_is_refused():
    with pytest.raises(InputError, match="plan with 4 brackets; got 1"):
        HyperbandScheduler(27, 3).start().load_state_dict(FullScheduler(3, 1).start().state_dict())


def test_bracket_of_three_rungs_by_hand():
    """Nine trials, three promoted, one of those; the losses are written out."""
    allocation = SuccessiveHalvingScheduler(9, 3).start()
    for slot, loss in zip(allocation.ask(), [9, 8, 1, 7, 2, 6, math.nan, 2, 5], strict=True):
        allocation.tell(slot.trial, slot.rung, loss)
    second = allocation.ask()
    assert [(slot.trial, slot.resource, slot.previous) for slot in second] == [(2, 3, 1), (4, 3, 1), (7, 3, 1)]
    for trial, loss in [(7, 3), (4, 3), (2, 4)]:
        allocation.tell(trial, 1, loss)
    assert [(slot.trial, slot.resource, slot.previous) for slot in allocation.ask()] == [(4, 9, 3)]
    assert not allocation.done
    allocation.tell(4, 2, 100.0)
    assert allocation.done
