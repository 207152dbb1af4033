"""Every scheduler keeps the contract of `hyperband.testing`; what single schedulers promise beyond it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from implementations import ASYNCHRONOUS, BRACKETS, GENERATIONS, POPULATIONS, SCHEDULERS, SYNCHRONOUS

from hyperband.errors import InputError
from hyperband.testing import SchedulerContract
from hyperband.testing.scheduler_cases import as_set, carry_out
from hyperband.tuning.schedulers import FullScheduler, HyperbandScheduler, SuccessiveHalvingScheduler


def every(schedulers):
    return pytest.mark.parametrize("scheduler", schedulers.values(), ids=schedulers)


class TestSchedulers(SchedulerContract):
    @pytest.fixture(autouse=True, params=SCHEDULERS)
    def _each(self, request):
        self.scheduler = SCHEDULERS[request.param]
        self.promotes_best = request.param in BRACKETS


def test_the_synchronous_schedulers_say_so():
    """The contract skips checks where `synchronous` is False: this list says where that may be."""
    assert {name for name, scheduler in SCHEDULERS.items() if scheduler.synchronous} == set(SYNCHRONOUS)


@given(scheduler=st.sampled_from(list(SYNCHRONOUS.values())), seed=st.integers(0, 10**6))
def test_the_order_of_arrival_changes_nothing(scheduler, seed):
    """In more orders than the contract has."""
    told, dropped = carry_out(scheduler.start())
    shuffled, also_dropped = carry_out(scheduler.start(), np.random.default_rng(seed))
    assert as_set(shuffled) == as_set(told)
    assert sorted(also_dropped) == sorted(dropped)


@every(BRACKETS)
def test_trials_are_numbered_bracket_after_bracket(scheduler):
    told, _ = carry_out(scheduler.start(), np.random.default_rng(1), kind="finite")
    first = 0
    for k, bracket in enumerate(scheduler.plan().brackets):
        numbers = {slot.trial for slot in told if slot.bracket == k}
        assert numbers == set(range(first, first + bracket.n_configurations))
        first += bracket.n_configurations


@every({**BRACKETS, **ASYNCHRONOUS})
def test_everything_that_can_start_starts_at_once(scheduler):
    assert len(scheduler.start().ask()) == scheduler.plan().n_configurations


@every({**BRACKETS, **POPULATIONS, **ASYNCHRONOUS})
def test_when_all_fail_only_first_rungs_are_evaluated(scheduler):
    told, _ = carry_out(scheduler.start(), kind="nan")
    assert {slot.rung for slot in told} == {0}


@every(GENERATIONS)
def test_when_all_fail_later_generations_still_begin(scheduler):
    told, _ = carry_out(scheduler.start(), kind="nan")
    assert {slot.rung for slot in told if slot.bracket == 0} == {0}
    assert {slot.previous for slot in told} == {0}


@given(scheduler=st.sampled_from(list(BRACKETS.values())), available=st.integers(0, 30), n=st.integers(1, 20))
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


@every(SCHEDULERS)
def test_wrong_tells_say_what_is_wrong(scheduler):
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
