"""Grids and sizes of spaces with conditions, compared with all combinations enumerated one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband.space import Choice, Float, Int, Repeat, Space, When
from hyperband.space.combinations import at_most
from hyperband.tuning.samplers import AdaptiveSampler, GridSampler


@st.composite
def conditional(draw):
    """Spaces of small axes with random conditions, whose parents stand before or after their children."""
    n = draw(st.integers(2, 5))
    axes = st.sampled_from([Int(1, 3), Int(0, 1), Choice(["x", None]), Choice(["a", "b", "c"])])
    parameters = {f"p{i}": draw(axes) for i in range(n)}
    rank = draw(st.permutations(list(parameters)))
    conditions = []
    for i, name in enumerate(rank):
        if i and draw(st.booleans()):
            parent = draw(st.sampled_from(rank[:i]))
            axis = parameters[parent]
            values = draw(st.lists(st.sampled_from(axis.values(axis.grid(9))), min_size=1, unique=True))
            conditions.append(When(name, parent, values))
    constraints = draw(st.sampled_from([[], ["p0 != p1"]]))
    return Space(parameters, conditions, constraints)


def brute(space, axes):
    """All configurations in order, each at its first occurrence among the combinations."""
    rows = space.activate(np.array(list(itertools.product(*axes))))
    rows = rows[space.allowed(rows)]
    _, first = np.unique(np.nan_to_num(rows, nan=-1.0), axis=0, return_index=True)
    return rows[np.sort(first)]


@settings(max_examples=150, derandomize=True)
@given(space=conditional(), points=st.integers(1, 3))
def test_grids_hold_every_configuration_once_in_order(space, points):
    axes = [parameter.grid(points) for parameter in space.parameters.values()]
    assert np.array_equal(space.grid(points), brute(space, axes), equal_nan=True)
    whole = [parameter.grid(9) for parameter in space.parameters.values()]
    assert space.size == len(brute(space, whole))


def test_large_axes_and_blocks_keep_the_order():
    space = Space({"a": Int(1, 7), "b": Int(1, 3000), "c": Int(1, 5)}, conditions=[When("b", "a", [2, 5])])
    found = space.grid(3000)
    assert np.array_equal(found, brute(space, [p.grid(3000) for p in space.parameters.values()]), equal_nan=True)
    assert len(found) == space.size == 5 * 5 + 2 * 3000 * 5


def test_branches_that_exclude_one_another_add_up():
    branch = {f"x{i}": Int(1, 3) for i in range(8)}
    space = Space(
        {"kind": Choice({"a": branch, "b": branch, "c": branch}), "n": Repeat(0, 6, Int(1, 4))},
        constraints=["kind.a.x0 <= kind.a.x1"],
    )
    assert Space(space.parameters, space.conditions).size == 3 * 3**8 * sum(4**k for k in range(7))
    # The 3**25 combinations of its axes would take hours.
    small = Space({"kind": Choice({"a": branch, "b": branch, "c": branch})}, constraints=["kind.a.x0 <= kind.a.x1"])
    assert small.size == 2 * 3**8 + 6 * 3**6 == len(small.grid(3))


def test_a_grid_of_a_nested_space_is_handed_out_step_by_step():
    space = Space({"layers": Repeat(1, 40, {"width": Float(1, 9), "act": Choice(["relu", "tanh"])})})
    proposer = GridSampler(3).start(space, 0)
    assert np.isnan(proposer.propose(range(5))).sum() == 5 * 78 and not proposer.exhausted
    assert space.size == math.inf


# Options in an order


def test_ordered_options_are_neighbours():
    axis = Choice([10, 20, 50, 100, 200], ordered=True)
    u = np.linspace(0, 1, 101)
    assert (np.diff(axis.decode(u)) >= 0).all() and axis.values(np.array([axis.default_point])) == [50]
    assert (np.diff(axis.canonical(u)) >= 0).all() and len(set(axis.canonical(u))) == 5
    assert axis.values(axis.grid(3)) == [10, 50, 200]
    assert axis.values(axis.grid(9)) == [10, 20, 50, 100, 200] and axis.values(axis.grid(1)) == [50]


@pytest.mark.parametrize("ordered", [True, False])
def test_a_sampler_moves_between_neighbours_of_ordered_options_only(ordered):
    space = Space({"k": Choice(list(range(100)), ordered=ordered), "x": Float(0, 1)})
    proposer = AdaptiveSampler(n_coarse=20, n_per_round=60, elite=1, shrink=0.2).start(space, 0)
    first = proposer.propose(range(20))
    for trial, row in enumerate(first):
        proposer.tell(trial, 1, abs(row[0] - 0.5))
    best = first[np.argmin(np.abs(first[:, 0] - 0.5)), 0]
    steps = np.abs(proposer.propose(range(20, 80))[:, 0] - best) * 100
    assert (steps.max() <= 12) == ordered


# The largest grid of at most n configurations


@settings(max_examples=100, derandomize=True)
@given(space=conditional(), n=st.integers(1, 60))
def test_the_largest_grid_never_has_more_configurations_than_asked_for(space, n):
    points = at_most(space, n)
    assert list(points) == list(space.names)
    assert len(space.grid(points)) <= n or points == dict.fromkeys(space.names, 1)


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, (1, 1, 1)),
        (3, (2, 1, 1)),
        (7, (2, 2, 1)),
        (8, (2, 2, 2)),
        (12, (3, 2, 2)),
        (18, (3, 3, 2)),
        (26, (3, 3, 2)),
        (27, (3, 3, 3)),
    ],
)
def test_the_largest_grid_grows_axis_by_axis_in_the_order_of_the_space(n, expected):
    space = Space({name: Float(0, 1) for name in "xyz"})
    assert tuple(at_most(space, n).values()) == expected


def test_the_largest_grid_counts_what_constraints_and_conditions_leave():
    assert at_most(Space({"n": Int(1, 4), "m": Int(1, 4)}, constraints=["n < m"]), 6) == {"n": 4, "m": 4}
    branches = Space({"kind": Choice({"a": {"x": Float(0, 1)}, "b": {"y": Float(0, 1)}})})
    points = at_most(branches, 10)
    assert (points["kind.a.x"], points["kind.b.y"], len(branches.grid(points))) == (5, 5, 10)
