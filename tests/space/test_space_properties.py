"""Properties of all spaces, tested on random ones."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband.errors import InputError
from hyperband.space import Choice, Float, Int, Repeat, Space, When
from hyperband.tuning.samplers import RandomSampler

PRIORS = st.sampled_from([None, "low", "medium", "high", 0.3])


@st.composite
def floats(draw):
    low = draw(st.floats(1e-3, 10.0))
    return Float(low, low * draw(st.floats(1.5, 100.0)), log=draw(st.booleans()), prior=draw(PRIORS))


@st.composite
def ints(draw, most=4):
    low = draw(st.integers(1, 5))
    return Int(low, low + draw(st.integers(0, most)), log=draw(st.booleans()), prior=draw(PRIORS))


@st.composite
def choices(draw):
    options = draw(st.lists(st.one_of(st.integers(-3, 3), st.text("ab", max_size=2), st.booleans(), st.none()),
                            min_size=1, max_size=4, unique_by=lambda v: (type(v), v)))  # fmt: skip
    weights = draw(st.one_of(st.none(), st.just("high"), st.just([1.0 + k for k in range(len(options))])))
    return Choice(options, ordered=draw(st.booleans()), prior=weights)


@st.composite
def members(draw, axes, depth=1):
    """A mapping of parameters, some of them nested."""
    entries = [axes]
    if depth:
        inside = members(axes, depth - 1)
        entries.append(st.builds(Repeat, st.integers(0, 1), st.integers(1, 2), st.one_of(axes, inside)))
        entries.append(st.builds(lambda a, b: Choice({"p": a, "q": b}), inside, st.one_of(st.just({}), inside)))
        entries.append(inside)
    return {f"v{i}": draw(st.one_of(*entries)) for i in range(draw(st.integers(1, 3)))}


@st.composite
def spaces(draw, axes=None):
    """Nested parameters, then conditions on earlier ones by earlier ones, and constraints between numbers."""
    axes = st.one_of(floats(), ints(), choices()) if axes is None else axes
    flat = Space(draw(members(axes)))
    names, conditions = flat.names, []
    ruled = {rule.name for rule in flat.conditions}
    for i, name in enumerate(names):
        parents = [n for n in names[:i] if not isinstance(flat.parameters[n], Float) and "." not in n]
        if parents and "." not in name and name not in ruled and name not in flat.nests and draw(st.booleans()):
            parent = draw(st.sampled_from(parents))
            values = flat.parameters[parent].values(np.array(draw(st.lists(st.floats(0, 1), min_size=1, max_size=3))))
            conditions.append(When(name, parent, list(dict.fromkeys(values))))
    numbers = [n for n, p in flat.parameters.items() if isinstance(p, Float | Int)]
    constraints = []
    if len(numbers) > 1 and draw(st.booleans()):
        a, b = draw(st.permutations(numbers))[:2]
        constraints.append(f"`{a}` <= {draw(st.sampled_from([1.0, 2.0, 30.0]))} * `{b}`")
    space = Space(flat.parameters, [*flat.conditions, *conditions], constraints)
    space.nests = flat.nests
    return space


def propose(space, n, seed=0):
    """Points, or None where the constraints allow nothing."""
    try:
        return RandomSampler().start(space, seed).propose(range(n))
    except InputError as error:
        assert "must allow some" in str(error) and space.constraints
        return None


def expected_names(space, configuration):
    """The active parameters, read directly from the conditions."""
    there = set(space.names)
    for _ in space.names:
        there = {
            name
            for name in there
            if all(
                rule.parent in there and any(_same(configuration.get(rule.parent), v) for v in rule.values)
                for rule in space.conditions
                if rule.name == name
            )
        }
    return there


def _same(a, b):
    return isinstance(a, bool) == isinstance(b, bool) and a == b


@settings(max_examples=120, derandomize=True)
@given(space=spaces())
def test_configurations_come_back_and_parameters_are_active_where_conditions_hold(space):
    points = propose(space, 20)
    if points is None:
        return
    assert space.allowed(points).all() and (((points >= 0) & (points <= 1)) | np.isnan(points)).all()
    found = space.decode(points)
    again = space.encode(found)
    assert space.decode(again) == found
    assert np.array_equal(np.isnan(space.canonical(points)), np.isnan(again))
    for c in found:
        assert set(c) == expected_names(space, c)
        assert space.flat(space.nested(c)) == c


@settings(max_examples=80, derandomize=True)
@given(space=spaces())
def test_texts_give_the_same_space_and_the_same_draws(space):
    again = Space.from_json(space.to_json())
    assert again == space and again.to_json() == space.to_json()
    first, second = propose(space, 10), propose(again, 10)
    assert (first is None) == (second is None)
    if first is not None:
        assert np.array_equal(first, second, equal_nan=True)
        assert [again.nested(c) for c in again.decode(second)] == [space.nested(c) for c in space.decode(first)]


@settings(max_examples=80, derandomize=True)
@given(space=spaces(st.one_of(ints(most=2), choices())), parts=st.lists(st.integers(1, 50), min_size=1, max_size=4))
def test_discrete_spaces_never_repeat_and_end(space, parts):
    proposer, found, start = RandomSampler().start(space, 0), [], 0
    try:
        for size in parts:
            found += space.decode(proposer.propose(range(start, start + size)))
            start += size
    except InputError as error:
        assert "must allow some" in str(error) and not found
        return
    keys = [tuple((name, type(value), value) for name, value in c.items()) for c in found]
    assert len(set(keys)) == len(keys) <= space.size
    assert len(found) == min(start, space.size) or space.size > 100_000
    assert proposer.exhausted == (len(found) == space.size) or space.size > 100_000


@settings(max_examples=60, derandomize=True)
@given(space=spaces())
def test_priors_are_the_density_of_their_draws(space):
    u = np.random.default_rng(0).random((4000, space.n_dimensions))
    points = space.from_prior(u)
    assert ((points >= 0) & (points <= 1)).all()
    for name, parameter in space.parameters.items():
        column = points[:, space.column_of(name)]
        if parameter.n_values < 40:
            values, counts = np.unique(parameter.canonical(column), return_counts=True)
            width = [(parameter.canonical(u[:, space.column_of(name)]) == v).mean() for v in values]
            expected = np.exp(parameter.log_prior(values)) * width
            assert np.allclose(counts / len(u), expected, atol=0.06)
    log = space.log_prior(space.activate(points))
    assert np.isfinite(log).all() and not math.isnan(log.sum())
