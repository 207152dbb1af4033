"""Differential evolution: which trial is the target, which are parents, which takes a slot."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest

from hyperband.errors import InputError
from hyperband.space import Float, Int, Space
from hyperband.tuning.samplers import EvolutionSampler, RandomSampler
from hyperband.tuning.samplers.evolution import _distinct, _worse

SPACE = Space({f"x{i}": Float(0.0, 1.0) for i in range(3)})


def start(**fields):
    return EvolutionSampler(**{"population": 4, **fields}).start(SPACE, 0)


def members(proposer, resource):
    return proposer.populations[resource].members


def filled(losses=(3.0, 1.0, 2.0, 4.0), resource=1, **fields):
    proposer = start(**fields)
    points = proposer.propose(range(len(losses)), [resource] * len(losses))
    for trial, loss in enumerate(losses):
        proposer.tell(trial, resource, loss)
    return proposer, points


def test_a_population_begins_with_random_points():
    proposer, points = filled()
    assert np.array_equal(points, RandomSampler().start(SPACE, 0).propose(range(4)))
    assert members(proposer, 1) == [0, 1, 2, 3]


def test_offspring_challenge_the_slots_in_turn_and_win_ties():
    proposer, _ = filled()
    proposer.propose(range(4, 8), [1] * 4)
    for trial, loss in zip(range(4, 8), (3.0, 5.0, math.nan, 0.5)):
        proposer.tell(trial, 1, loss)
    assert members(proposer, 1) == [4, 1, 2, 7]
    assert not np.array_equal(proposer.propose([8], [1]), RandomSampler().start(SPACE, 0).propose([8]))


def test_selection_is_with_whoever_sits_there_when_the_result_comes():
    proposer, _ = filled()
    proposer.propose(range(4, 9), [1] * 5)  # 4 and 8 were made for the same slot
    proposer.tell(8, 1, 1.0)
    proposer.tell(4, 1, 2.0)
    assert members(proposer, 1)[0] == 8


def test_an_offspring_has_coordinates_of_its_target_and_of_the_mutant():
    proposer, points = filled(crossover=0.0)
    child = proposer.propose([4], [1])[0]
    assert (child == points[0]).sum() == 2, "one coordinate always comes from the mutant"
    proposer, points = filled(crossover=1.0)
    assert (proposer.propose([4], [1])[0] != points[0]).all()


def test_a_mutant_is_a_parent_and_half_a_difference():
    """Of three different members; coordinates that would lie outside are drawn anew."""
    repaired = 0
    for seed in range(20):
        proposer = EvolutionSampler(population=4, crossover=1.0).start(SPACE, seed)
        points = proposer.propose(range(4), [1] * 4)
        for trial in range(4):
            proposer.tell(trial, 1, 1.0)
        child = proposer.propose([4], [1])[0]
        mutants = np.array([a + 0.5 * (b - c) for a, b, c in permutations(points, 3)])
        outside = (mutants < 0.0) | (mutants > 1.0)
        made = (outside | (np.abs(mutants - child) < 1e-12)).all(axis=1) & ~outside.all(axis=1)
        assert made.any()
        assert ((child > 0.0) & (child < 1.0)).all(), "drawn anew, not moved to the end of the axis"
        repaired += outside[made].any()
    assert 0 < repaired < 20


def test_promoted_trials_enter_the_population_of_their_new_resource():
    proposer, _ = filled((5.0, 1.0, 2.0, 4.0, 3.0))
    for trial, loss in ((1, 9.0), (2, 8.0), (4, 7.0), (3, 6.0)):
        proposer.tell(trial, 3, loss)
    assert members(proposer, 3) == [1, 2, 4, 3]
    proposer.tell(0, 3, 7.5)
    assert members(proposer, 3) == [0, 2, 4, 3], "in the slot of the worst"
    proposer.tell(0, 9, math.nan)
    assert members(proposer, 9) == [None] * 4, "a failure takes no slot"


def test_a_member_that_fails_when_it_is_evaluated_again_leaves():
    proposer, _ = filled()
    for trial in range(4):
        proposer.tell(trial, 1, math.nan)
    assert members(proposer, 1) == [None] * 4
    proposer.tell(2, 1, 1.0)
    assert members(proposer, 1) == [2, None, None, None]


def test_parents_are_the_best_at_the_next_lower_resource():
    proposer, points = filled(tuple(float(i) for i in range(12, 0, -1)), population=4)
    parents = proposer.parents(3.0)
    assert np.array_equal(parents, points[[11, 10, 9, 8]])
    child = proposer.propose([20], [3])
    assert not np.array_equal(child, RandomSampler().start(SPACE, 0).propose([20])), "not random, although it is empty"


def test_small_pools_are_completed_from_all_populations():
    proposer, points = filled()
    proposer.tell(0, 3, 1.0)
    parents = proposer.parents(9.0)
    assert len(parents) == 4 and np.array_equal(parents[0], points[0])
    assert len(start().parents(1.0)) == 0


def test_higher_populations_are_smaller():
    proposer = EvolutionSampler(population=18).start(SPACE, 0)
    proposer.propose([0], [1])
    for trial, resource in ((1, 4), (2, 81)):
        proposer.propose([trial], [resource])
    assert [len(members(proposer, r)) for r in (1, 4, 81)] == [18, 9, 4]


def test_several_objectives_are_worse_only_when_dominated():
    assert _worse((1.0, 2.0), (1.0, 1.0)) and not _worse((1.0, 2.0), (2.0, 1.0)) and not _worse((1.0, 1.0), (1.0, 1.0))


def test_distinct_draws():
    assert _distinct(np.array([0.99, 0.99, 0.0]), 3) == [2, 1, 0]
    assert _distinct(np.array([0.0, 0.5, 0.5]), 1) == [0, -1, -1]
    found = {tuple(_distinct(u, 4)) for u in np.random.default_rng(0).random((2000, 3))}
    assert len(found) == 24, "every ordered triple"


def test_evolution_goes_on_in_a_space_of_whole_numbers():
    space = Space({"n": Int(1, 200), "m": Int(1, 200)})
    proposer, best = EvolutionSampler(population=8).start(space, 0), math.inf
    for trial in range(150):
        configuration = space.decode(proposer.propose([trial], [1]))[0]
        loss = (configuration["n"] - 77) ** 2 + (configuration["m"] - 140) ** 2
        best = min(best, loss)
        proposer.tell(trial, 1, loss)
    assert best < 50


@pytest.mark.parametrize(
    "fields", [{"population": 3}, {"population": 4.5}, {"mutation": 0.0}, {"crossover": -0.1}, {"batch": 0}]
)
def test_odd_settings_are_refused(fields):
    with pytest.raises(InputError, match=next(iter(fields))):
        EvolutionSampler(**fields)
