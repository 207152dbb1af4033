"""Draws that obey constraints: tight ones, impossible ones, finite spaces to their end; and how little is decoded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband._common.philox import CONFIGURATION, uniform
from hyperband.errors import InputError
from hyperband.space import Choice, Float, Int, Space, When
from hyperband.tuning.samplers import RandomSampler
from hyperband.tuning.samplers.constrained_draws import MOST_ATTEMPTS, Drawer

TIGHT = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, constraints=["x + y < 0.15"])
IMPOSSIBLE = {
    "real": Space({"x": Float(0, 1), "y": Float(0, 1)}, constraints=["x + y < 0"]),
    "large": Space({"x": Int(0, 9999), "y": Int(0, 9999)}, constraints=["x + y < 0"]),
    "small": Space({"x": Int(0, 9), "y": Int(0, 9)}, constraints=["x + y < 0"]),
    "function": Space({"x": Float(0, 1)}, constraints=[lambda c: np.zeros(len(c["x"]), dtype=bool)]),
}


def propose(space, trials, seed=0):
    return RandomSampler().start(space, seed).propose(trials)


def first_allowed(space, trial, seed=0):
    """The definition: a trial's first attempt that is allowed, one at a time."""
    for attempt in range(MOST_ATTEMPTS):
        point = space.activate(uniform(seed, CONFIGURATION, [trial], space.n_dimensions, attempt))
        if space.allowed(point)[0]:
            return point[0]
    raise AssertionError


def test_a_trial_takes_its_first_allowed_attempt_however_many_are_drawn():
    together = propose(TIGHT, range(60))
    assert np.array_equal(together, [first_allowed(TIGHT, trial) for trial in range(60)])
    proposer = RandomSampler().start(TIGHT, 0)
    assert np.array_equal(together, np.concatenate([proposer.propose(range(i, i + 4)) for i in range(0, 60, 4)]))


def test_other_draws_are_tried_one_attempt_at_a_time():
    asked = []

    def draw(trials, attempt):
        asked.append((list(trials), attempt))
        return uniform(0, CONFIGURATION, trials, 2, attempt)

    points = Drawer(TIGHT, 0).draw(range(20), draw)
    assert np.array_equal(points, propose(TIGHT, range(20)))
    assert all(isinstance(attempt, int) for _, attempt in asked) and len(asked[0][0]) == 20 > len(asked[-1][0])


@pytest.mark.parametrize("space", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
@pytest.mark.parametrize("n", [1, 2000])
def test_impossible_constraints_end_with_an_error(space, n):
    with pytest.raises(InputError, match="none of 10000 draws"):
        propose(space, range(n))


def test_impossible_constraints_are_found_out_for_one_trial():
    rows = []
    space = Space({"x": Float(0, 1)}, constraints=[lambda c: rows.append(len(c["x"])) or c["x"] > 2])
    with pytest.raises(InputError, match="must allow some"):
        propose(space, range(5000))
    assert sum(rows) < 32 * 5000 + MOST_ATTEMPTS + 5000


def test_nothing_is_drawn_for_nobody():
    assert propose(TIGHT, []).shape == (0, 2) and propose(Space({"k": Int(1, 2)}), range(0)).shape == (0, 1)


@pytest.mark.parametrize(
    "space",
    [
        Space({"n": Int(1, 20), "m": Int(1, 20)}, constraints=["n + m < 6"]),
        Space(
            {"k": Choice(["a", "b"]), "n": Int(1, 30), "x": Choice([0.1, 0.2])},
            conditions=[When("n", "k", "a"), When("x", "n", [1, 2])],
            constraints=["n != 5"],
        ),
        Space({"a": Choice([True, False]), "b": Choice([True, False])}),
    ],
)
def test_finite_spaces_are_used_up_without_repetition(space):
    for sizes in ([10_000], [3] * 200):
        proposer, found, start = RandomSampler().start(space, 1), [], 0
        for size in sizes:
            found += space.decode(proposer.propose(range(start, start + size)))
            start += size
        assert proposer.exhausted and len(found) == space.size == len({tuple(c.items()) for c in found})
        assert len(proposer.propose([start])) == 0


def test_a_finite_space_goes_on_from_its_state():
    space = Space({"n": Int(1, 50), "m": Int(1, 3)}, constraints=["n > m"])
    whole = propose(space, range(200))
    one = RandomSampler().start(space, 0)
    first = one.propose(range(120))
    two = RandomSampler().start(space, 0)
    two.load_state_dict(one.state_dict())
    assert np.array_equal(np.concatenate([first, two.propose(range(120, 200))]), whole) and two.exhausted


@settings(max_examples=40, derandomize=True)
@given(n=st.integers(0, 40), start=st.integers(0, 2**40), attempt=st.integers(0, 2**20), d=st.integers(1, 9))
def test_numbers_are_the_same_for_ranges_lists_and_single_trials(n, start, attempt, d):
    trials = range(start, start + 3 * n, 3)
    together = uniform(9, CONFIGURATION, trials, d, attempt)
    assert together.shape == (n, d) and np.array_equal(together, uniform(9, CONFIGURATION, list(trials), d, attempt))
    for row, trial in zip(together, trials, strict=True):
        assert np.array_equal(row, uniform(9, CONFIGURATION, [trial], d, np.array([attempt]))[0])
