"""Plans for so much work: they fit, they use it, and they begin with the present one when they are extended."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hyperband as hb
from hyperband.evaluation.networks import time_plan
from hyperband.evaluation.networks.time_plan import (
    MOST_EPOCHS,
    TimePlanner,
    brackets,
    largest_resource,
    next_bracket,
)

SPACE = hb.Space({"x": hb.Float(0.0, 1.0)})
sums = st.floats(1.0, 1e6)


def cost(sizes, top):
    return float(hb.HalvingSequence(top, time_plan.ETA, brackets=sizes).plan().cost)


@given(epochs=sums)
def test_the_plan_fits_and_wastes_less_than_one_network(epochs):
    top = largest_resource(epochs)
    planned = cost(brackets(epochs, top), top)
    assert 1 <= top <= MOST_EPOCHS
    assert epochs - max(1.0, time_plan.REST * top) - 1 < planned <= epochs


@given(epochs=sums)
def test_every_bracket_trains_a_network_to_the_end(epochs):
    top = largest_resource(epochs)
    plan = hb.HalvingSequence(top, time_plan.ETA, brackets=brackets(epochs, top)).plan()
    assert all(bracket.rungs[-1].r == top and bracket.rungs[-1].n >= 1 for bracket in plan.brackets[:-1])
    assert len(plan.brackets[-1].rungs) == 1 or plan.brackets[-1].rungs[-1].r == top


@given(epochs=sums, top=st.integers(1, MOST_EPOCHS))
def test_the_next_bracket_fits(epochs, top):
    size = next_bracket(epochs, top)
    if size is None:
        assert int(epochs) < max(1.0, time_plan.REST * top)
    else:
        assert size[2] == top or size == (1, int(epochs), int(epochs))
        assert time_plan._cost(*size) <= epochs


@dataclass
class Clock:
    """Seconds that pass only when a test says so."""

    now: float = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(time_plan, "time", made)
    return made


def carry_out(clock, seconds, pace, slower=1.0, reserve=None):
    """A run whose epochs take ``pace * slower`` seconds, planned for ``pace``; and what is left of ``seconds``."""
    deadline, top = clock.now + seconds, largest_resource(seconds / pace)
    first = next_bracket(time_plan.CAUTION * seconds / pace, top)
    run = hb.HalvingSequence(top, time_plan.ETA, brackets=[first]).start(SPACE, seed=0)
    planner = TimePlanner(deadline, top, clock.now, reserve)
    while not run.done or planner(run):
        for job in run.ask():
            clock.now += (job.resource - job.previous) * pace * slower
            run.tell(job, job.configuration["x"])
    return run, deadline - clock.now


def test_the_time_is_used(clock):
    run, left = carry_out(clock, seconds=600.0, pace=0.05)
    assert 0 <= left < 0.15 * 600
    assert len(run.plan.brackets) > 2
    assert run.spent == run.plan.cost


def test_later_brackets_are_smaller_when_training_turns_out_slower(clock):
    usual, _ = carry_out(clock, seconds=600.0, pace=0.05)
    slow, left = carry_out(clock, seconds=600.0, pace=0.05, slower=1.8)
    assert left >= 0
    assert slow.spent < usual.spent


def test_the_largest_resource_follows_the_speed(clock):
    """A machine that was busy when the speed was measured has the plan of its true speed after one bracket."""
    quick, _ = carry_out(clock, seconds=600.0, pace=0.5, slower=0.1)
    tops = [int(bracket.rungs[-1].r) for bracket in quick.plan.brackets]
    true = largest_resource(600.0 / 0.05)
    assert tops[0] == largest_resource(600.0 / 0.5) < true / 2
    assert tops[1] == pytest.approx(true, rel=0.1) == quick.plan.max_resource
    slow, _ = carry_out(clock, seconds=600.0, pace=0.05, slower=4.0)
    tops = [int(bracket.rungs[-1].r) for bracket in slow.plan.brackets]
    assert tops[0] == slow.plan.max_resource == largest_resource(600.0 / 0.05)
    assert all(top <= largest_resource(600.0 / 0.2) for top in tops[1:])
    usual, _ = carry_out(clock, seconds=600.0, pace=0.05)
    assert {int(bracket.rungs[-1].r) for bracket in usual.plan.brackets[:-1]} == {true}


def test_time_is_left_for_what_follows(clock):
    run, left = carry_out(clock, seconds=600.0, pace=0.05, reserve=lambda pace: 3000 * pace)
    assert 150 <= left < 150 + 0.15 * 600
    none, left = carry_out(clock, seconds=600.0, pace=0.05, reserve=lambda pace: 1e9)
    assert len(none.plan.brackets) == 1 < len(run.plan.brackets)


def test_nothing_is_added_without_a_speed_or_after_the_end(clock):
    run = hb.HalvingSequence(9, brackets=[(3, 9)]).start(SPACE, seed=0)
    assert not TimePlanner(clock.now + 10, 9, clock.now)(run)
    for job in run.ask():
        run.tell(job, 0.5)
    clock.now += 20
    assert not TimePlanner(clock.now - 1, 9, clock.now - 20)(run)
    assert len(run.plan.brackets) == 1
