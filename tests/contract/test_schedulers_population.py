"""Population-based training, generations, repetitions and reference cases of other projects, by hand."""

from __future__ import annotations

import math
from collections import Counter

import hyperband_81_3
import numpy as np
import pytest

from hyperband.errors import InputError
from hyperband.tuning.plans import Bracket, Plan, Rung
from hyperband.tuning.schedulers import (
    AsyncHyperbandScheduler,
    EvolutionScheduler,
    HyperbandScheduler,
    PopulationScheduler,
    SuccessiveHalvingScheduler,
)
from hyperband.tuning.schedulers.brackets import BracketAllocation


def tell(allocation, losses):
    """Ask for everything and tell these losses by trial."""
    slots = allocation.ask()
    for slot in slots:
        allocation.tell(slot.trial, slot.rung, losses[slot.trial])
    return [(slot.trial, slot.resource, slot.previous, slot.parent) for slot in slots]


def test_a_population_of_five_by_hand():
    allocation = PopulationScheduler(5, max_resource=6, interval=2, fraction=0.4).start()
    first = tell(allocation, {0: 5.0, 1: 1.0, 2: 4.0, 3: 2.0, 4: 3.0})
    assert first == [(trial, 2, 0, None) for trial in range(5)]
    # The worst (0) gives way to a copy of the best (1), the second worst (2) to one of the second best (3).
    assert allocation.dropped() == [0, 2]
    second = tell(allocation, {5: 0.5, 6: math.nan, 1: 1.0, 3: math.inf, 4: 3.0})
    assert second == [(5, 4, 2, 1), (6, 4, 2, 3), (1, 4, 2, None), (3, 4, 2, None), (4, 4, 2, None)]
    # Both that failed are replaced.
    assert allocation.dropped() == [3, 6]
    third = tell(allocation, {5: 0.1, 1: 0.2, 4: 0.3, 7: 0.4, 8: 0.5})
    assert third == [(7, 6, 4, 5), (8, 6, 4, 1), (1, 6, 4, None), (4, 6, 4, None), (5, 6, 4, None)]
    assert allocation.done
    assert allocation.dropped() == [1, 4, 5, 7, 8]


def test_when_most_of_a_population_failed_the_rest_is_copied_in_turn():
    allocation = PopulationScheduler(5, max_resource=2, interval=1, fraction=0.2).start()
    tell(allocation, {0: math.nan, 1: math.nan, 2: 0.2, 3: math.inf, 4: 0.1})
    assert [(slot.trial, slot.parent) for slot in allocation.ask()] == [(5, 4), (6, 2), (7, 4), (2, None), (4, None)]


def test_copies_are_handed_out_before_their_parents_go_on():
    allocation = PopulationScheduler(4, max_resource=2, interval=1, fraction=0.5).start()
    tell(allocation, {0: 0.0, 1: 1.0, 2: 2.0, 3: 3.0})
    assert [allocation.ask(1)[0].parent for _ in range(4)] == [0, 1, None, None]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 1}, "`n` must be a whole number of at least 2; got 1"),
        ({"fraction": 0.6}, r"`fraction` must lie in \[0, 0.5\]; got 0.6"),
        ({"fraction": math.nan}, "`fraction` must lie"),
        ({"fraction": "0.2"}, "`fraction` must lie"),
        ({"fraction": None}, "`fraction` must lie"),
        ({"interval": 11}, r"`interval` must be at most `max_resource` \(10\); got 11"),
        ({"interval": 0}, "`interval` must be greater than 0"),
        ({"interval": 0.5}, "`interval` must be a whole number; got 0.5"),
        ({"interval": 1e-7, "whole": False}, "at most 100000 steps"),
    ],
)
def test_odd_populations_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        PopulationScheduler(**{"n": 4, "max_resource": 10, "interval": 1, **settings})


@pytest.mark.parametrize(("n", "fraction", "replaced"), [(100, 0.29, 29), (10, 0.1, 1), (10, 0.19, 1), (3, 0.5, 1)])
def test_the_share_is_counted_exactly(n, fraction, replaced):
    """0.29 * 100 is less than 29 in floating point."""
    plan = PopulationScheduler(n=n, max_resource=2, interval=1, fraction=fraction).plan()
    assert plan.n_configurations == n + replaced


def test_generations_by_hand():
    allocation = EvolutionScheduler(9, 3).start(one_by_one=True)
    steps = []
    while not allocation.done:
        slots = allocation.ask()
        first = slots[0]
        steps.append((first.bracket, first.rung, first.trial, len(slots), first.resource, first.previous))
        for slot in slots:
            allocation.tell(slot.trial, slot.rung, float(slot.trial))
    assert steps == [
        (0, 0, 0, 9, 1, 0),
        (0, 1, 0, 3, 3, 1),
        (0, 2, 0, 1, 9, 3),
        (1, 0, 9, 5, 3, 0),
        (1, 1, 14, 1, 9, 0),
        (2, 0, 15, 3, 9, 0),
    ]


def test_an_endless_search_repeats_its_brackets():
    allocation = HyperbandScheduler(9, 3, repetitions=None).start()
    for repetition in range(3):
        told = 0
        while slots := allocation.ask():
            for slot in slots:
                allocation.tell(slot.trial, slot.rung, float(slot.trial))
            told += len(slots)
            if told == 22:
                break
        assert told == 22
        assert max(slot.bracket for slot in slots) == 3 * repetition + (0 if slots[-1].rung == 2 else 1)
        assert not allocation.done
    assert len(allocation.ask(40)) == 40
    assert HyperbandScheduler(9, 3, repetitions=None).plan().endless


def test_later_repetitions_of_generations_have_no_successive_halving():
    allocation = EvolutionScheduler(9, 3, repetitions=None).start(one_by_one=True)
    kinds = {}
    for _ in range(14):
        for slot in allocation.ask():
            kinds.setdefault(slot.bracket, set()).add(slot.previous > 0)
            allocation.tell(slot.trial, slot.rung, float(slot.trial))
    assert kinds[0] == {False, True}
    assert all(kind == {False} for bracket, kind in kinds.items() if bracket)
    assert len(kinds) >= 4


@pytest.mark.parametrize("repetitions", [0, 1.5, True, "two", 10**6 + 1, 10**400])
def test_odd_repetitions_are_refused(repetitions):
    for scheduler in (HyperbandScheduler, AsyncHyperbandScheduler, EvolutionScheduler):
        with pytest.raises(InputError, match="`repetitions` must be a whole number from 1 to 1000000"):
            scheduler(9, 3, repetitions=repetitions).plan()


# Cases that other projects check, in our words.


def test_two_repetitions_of_16_2_are_144_evaluations():
    assert HyperbandScheduler(16, 2, repetitions=2).plan().n_evaluations == 144
    assert SuccessiveHalvingScheduler(16, 2).plan().n_evaluations == 31
    assert SuccessiveHalvingScheduler(16, 2, repetitions=2).plan().n_evaluations == 62


def test_aggressive_elimination_of_sixty():
    """60, 20, 7, 3 at 20, 20, 60, 180; the two rungs at 20 are one, for nothing is trained between them."""
    plan = SuccessiveHalvingScheduler(180, 3, n=60, min_resource=20, aggressive=True, variant="ceil").plan()
    assert [(rung.n, rung.r) for rung in plan.brackets[0].rungs] == [(60, 20), (7, 60), (3, 180)]
    assert SuccessiveHalvingScheduler(180, 3, n=60, min_resource=20).plan().brackets[0].rungs[-1].n == 6
    same = SuccessiveHalvingScheduler(81, 3, n=81)
    assert same.plan() == SuccessiveHalvingScheduler(81, 3, n=81, aggressive=True).plan()


def test_81_3_rounded_up():
    plan = HyperbandScheduler(81, 3, variant="ceil").plan()
    assert [bracket.rungs[0].n for bracket in plan.brackets] == [81, 34, 15, 8, 5]
    assert [rung.n for rung in plan.brackets[1].rungs] == [34, 12, 4, 2]


def test_models_and_calls_of_powers_of_three():
    for r, models, calls in [(9, 17, 69), (27, 49, 357), (81, hyperband_81_3.CONFIGURATIONS, hyperband_81_3.COST)]:
        plan = HyperbandScheduler(r, 3).plan()
        assert (plan.n_configurations, plan.cost) == (models, calls)


def test_a_bracket_of_nine_four_one():
    bracket = Bracket(2, (Rung(9, 1), Rung(4, 3), Rung(1, 9)))
    allocation = BracketAllocation(Plan((bracket,)))
    losses = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.0, 3.5, 8.0]
    assert [trial for trial, *_ in tell(allocation, dict(enumerate(losses)))] == list(range(9))
    assert [trial for trial, *_ in tell(allocation, {0: 2.0, 1: 7.0, 3: 1.0, 5: 1.0})] == [0, 1, 3, 5]
    assert tell(allocation, {3: 0.0}) == [(3, 9, 3, None)]
    assert allocation.done


def test_five_thousand_steps_in_any_order_keep_their_counts():
    """No job is handed out twice, and no rung gets more than planned, over many brackets that begin and end."""
    rng, scheduler = np.random.default_rng(0), HyperbandScheduler(27, 3, repetitions=None)
    planned = scheduler.plan().brackets
    allocation, open_, handed, told = scheduler.start(), [], [], Counter()
    for _ in range(5000):
        if not open_ or rng.random() < 0.5:
            slots = allocation.ask(int(rng.integers(1, 4)))
            assert 0 < len(slots) <= 3
            open_ += slots
            handed += slots
        else:
            slot = open_.pop(int(rng.integers(len(open_))))
            allocation.tell(slot.trial, slot.rung, float(rng.integers(20)))
            told[slot.bracket, slot.rung] += 1
    assert len({(slot.trial, slot.rung) for slot in handed}) == len(handed)
    assert len(open_) == len(handed) - told.total()
    sizes = Counter((slot.bracket, slot.rung) for slot in handed)
    assert max(bracket for bracket, _ in sizes) > 3 * len(planned)
    for (bracket, rung), size in sizes.items():
        assert size <= planned[bracket % len(planned)].rungs[rung].n
        assert rung == 0 or told[bracket, rung - 1] == planned[bracket % len(planned)].rungs[rung - 1].n
