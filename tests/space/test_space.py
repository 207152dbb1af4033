"""The search space: axes, conditions, constraints, grids, JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband.errors import InputError
from hyperband.space import Choice, Expression, Float, Int, Repeat, Space, When

MIXED = Space(
    {
        "optimizer": Choice(["adam", "sgd"], default="sgd"),
        "momentum": Float(0.5, 0.99),
        "nesterov": Choice([True, False]),
        "rate": Float(1e-4, 1.0, log=True, default=0.01),
        "n": Int(1, 3),
        "width_2": Int(8, 512, log=True),
        "seed": 7,
    },
    conditions=[
        When("momentum", "optimizer", "sgd"),
        When("nesterov", "optimizer", ["sgd"]),
        When("width_2", "n", [2, 3]),
    ],
    constraints=["rate < 0.5 or n == 1"],
)


def cube(n, d, seed=0):
    return np.random.default_rng(seed).random((n, d))


# axes


@settings(max_examples=100, derandomize=True)
@given(
    low=st.floats(1e-6, 1e3),
    ratio=st.floats(1.001, 1e6),
    log=st.booleans(),
    u=st.lists(st.floats(0, 1), min_size=1, max_size=20),
)
def test_floats_come_back_exactly(low, ratio, log, u):
    axis = Float(low, low * ratio, log=log)
    values = axis.decode(np.array(u))
    assert ((values >= low) & (values <= low * ratio)).all()
    assert np.array_equal(axis.decode(axis.encode(values.tolist())), values)


@settings(max_examples=100, derandomize=True)
@given(low=st.integers(1, 10**6), width=st.integers(0, 10**6), log=st.booleans(), u=st.floats(0, 1))
def test_whole_numbers_come_back_exactly(low, width, log, u):
    axis = Int(low, low + width, log=log)
    value = axis.values(np.array([u]))[0]
    assert low <= value <= low + width and isinstance(value, int)
    assert axis.values(axis.encode([value])) == [value]


def test_whole_numbers_share_the_axis():
    u = (np.arange(10_000) + 0.5) / 10_000
    assert np.bincount(Int(0, 4).decode(u)).tolist() == [2000] * 5
    shares = np.bincount(Int(1, 3, log=True).decode(u))[1:] / 10_000
    expected = [math.log((k + 0.5) / (k - 0.5)) / math.log(7) for k in (1, 2, 3)]
    assert np.allclose(shares, expected, atol=1e-3)


def test_choices_keep_their_kind():
    options = [1, True, "1", None, (2, 3), 2.5]
    axis = Choice(options)
    decoded = axis.values((np.arange(6) + 0.5) / 6)
    assert [(type(v), v) for v in decoded] == [(type(v), v) for v in options]
    assert axis.values(axis.encode([True, 1])) == [True, 1] and type(axis.values(axis.encode([True]))[0]) is bool


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Float(1, 1), "smaller than `high`"),
        (lambda: Float(0, math.inf), "finite"),
        (lambda: Float(0, 1, log=True), "greater than 0"),
        (lambda: Float(0, 1, default=2), "default"),
        (lambda: Float("0", 1), "finite number"),
        (lambda: Float(-1e308, 1e308), "must be finite"),
        (lambda: Int(3, 2), "not be greater"),
        (lambda: Int(1.5, 2), "whole number"),
        (lambda: Int(True, 2), "finite number"),
        (lambda: Int(0, 5, log=True), "greater than 0"),
        (lambda: Int(0, 2**60), "within"),
        (lambda: Choice([]), "at least one"),
        (lambda: Choice("ab"), "list of values"),
        (lambda: Choice([1, 1.0]), "twice"),
        (lambda: Choice([math.nan]), "NaN"),
        (lambda: Choice(["a"], default="b"), "one of 'a'"),
        (lambda: Space({}), "at least one parameter"),
        (lambda: Space({1: Int(0, 1)}), "texts"),
        (lambda: Space({"x": Float}), "made with its bounds or options; got the class Float"),
        (lambda: Space({"layers": Repeat(1, 2, Int)}), "got the class Int"),
        (lambda: When("a", "b", []), "at least one value"),
    ],
)
def test_bad_axes_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


# configurations


def test_configurations_come_back_from_their_points():
    points = MIXED.activate(cube(500, MIXED.n_dimensions))
    configurations = MIXED.decode(points)
    again = MIXED.encode(configurations)
    assert np.array_equal(np.isnan(points), np.isnan(again))
    assert MIXED.decode(again) == configurations
    assert np.allclose(MIXED.canonical(again), MIXED.canonical(points), rtol=0, atol=1e-12, equal_nan=True)
    for c in configurations:
        assert ("momentum" in c) == (c["optimizer"] == "sgd") and ("width_2" in c) == (c["n"] > 1)
        assert c["seed"] == 7


def test_columns_are_the_configurations():
    points = MIXED.activate(cube(50, MIXED.n_dimensions))
    columns = MIXED.columns(points)
    for row, c in enumerate(MIXED.decode(points)):
        for name in MIXED.names:
            value = columns[name][row]
            assert value == c[name] if name in c else value is None or math.isnan(value)


def test_conditions_of_conditions():
    space = Space(
        {"c": Choice([0, 1]), "b": Int(0, 1), "a": Int(0, 1)}, conditions=[When("c", "b", 1), When("b", "a", 1)]
    )
    found = {tuple(c.items()) for c in space.decode(space.activate(cube(200, 3)))}
    assert found == {
        (("a", 0),),
        (("b", 0), ("a", 1)),
        (("c", 0), ("b", 1), ("a", 1)),
        (("c", 1), ("b", 1), ("a", 1)),
    }
    assert space.size == 4


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ([When("a", "b", 1), When("b", "a", 1)], "cycle"),
        ([When("a", "a", 1)], "cycle"),
        ([When("a", "z", 1)], "'z'"),
        ([When("z", "a", 1)], "'z'"),
        ([When("a", "x", 1)], "Float 'x'"),
        ([When("a", "b", 7)], "condition on 'a' by 'b'"),
        ([When("a", "b", 0), When("a", "b", 1)], "all conditions on 'a'"),
        (["a"], "When"),
    ],
)
def test_impossible_conditions_are_refused(conditions, message):
    with pytest.raises(InputError, match=message):
        Space({"a": Int(0, 1), "b": Int(0, 1), "x": Float(0, 1)}, conditions=conditions)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z": 1}, "'z'"),
        ({"rate": 2.0}, r"'rate'.*\[0.0001, 1.0\]"),
        ({"n": 1.5}, "'n'"),
        ({"rate": "fast"}, "'rate'"),
        ({"optimizer": "lion"}, "'optimizer'"),
        ({"momentum": None}, "'momentum'"),
    ],
)
def test_wrong_configurations_are_refused(change, message):
    configuration = {"optimizer": "adam", "rate": 0.1, "n": 1, "seed": 7, **change}
    with pytest.raises(InputError, match=message):
        MIXED.encode([configuration])


def test_absent_and_superfluous_values_are_refused():
    with pytest.raises(InputError, match="'rate' must have a value"):
        MIXED.encode([{"optimizer": "adam", "n": 1, "seed": 7}])
    with pytest.raises(InputError, match="'momentum' must be absent"):
        MIXED.encode([{"optimizer": "adam", "n": 1, "rate": 0.1, "seed": 7, "momentum": 0.6}])


def test_points_outside_the_cube_are_refused():
    for points in (np.full((1, 7), 1.5), np.zeros(7), np.zeros((1, 6))):
        with pytest.raises(InputError, match="Points must"):
            MIXED.decode(points)


def test_defaults():
    defaults = MIXED.defaults()
    assert defaults["optimizer"] == "sgd" and defaults["rate"] == pytest.approx(0.01) and defaults["n"] == 2
    with pytest.raises(InputError, match="defaults must satisfy"):
        Space({"x": Float(0, 1), "y": Float(0, 1)}, constraints=["x < y"]).defaults()


# constraints


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("x < y", [True, False, False]),
        ("x <= y <= 2", [True, True, False]),
        ("not x < y", [False, True, True]),
        ("x + 2 * y ** 2 - 1 > 3 / 2", [False, True, True]),
        ("kind == 'a' and x > -1", [True, False, True]),
        ("kind != 'a' or flag == True", [False, True, True]),
        ("x / 0 > 1", [False, True, True]),
        ("-x < -0.5", [False, True, True]),
    ],
)
def test_expressions(text, holds):
    columns = {
        "x": np.array([0.0, 1.0, 3.0]),
        "y": np.array([1.0, 1.0, 2.0]),
        "kind": np.array(["a", "b", "a"], dtype=object),
        "flag": np.array([False, False, True]),
    }
    assert Expression(text)(columns).tolist() == holds


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "x.__class__",
        "x[0] < 1",
        "(lambda: 1)() < x",
        "f'{x}' == 'a'",
        "x < y if x else y",
        "[x for x in y]",
        "x := 3",
        "x",
        "1 < 2",
        "x < 'a'",
        "x % 2 == 0",
        "x in (1, 2)",
        "",
        "x <",
        "(" * 400 + "x" + ")" * 400 + " < 1",
        "x < " + "1 + " * 400 + "1",
        "x < y\x00",
    ],
)
def test_other_texts_are_refused_and_not_run(text):
    with pytest.raises(InputError, match="[Cc]onstraint"):
        Space({"x": Float(0, 1), "y": Float(0, 1)}, constraints=[text])


def test_powers_end():
    space = Space({"n": Int(1, 9)}, constraints=["n ** 9 ** 9 ** 9 > 1"])
    assert space.allowed(np.array([[0.9]])).tolist() == [True]


@pytest.mark.parametrize("text", ["kind < 1", "kind + 1 == 2", "z < 1"])
def test_texts_that_do_not_suit_the_space_are_refused_at_once(text):
    with pytest.raises(InputError, match="[Cc]onstraint.*'(kind|z) "):
        Space({"kind": Choice(["a", "b"])}, constraints=[text])


def test_a_text_holds_where_a_parameter_is_inactive():
    space = Space(
        {"k": Int(1, 2), "a": Float(0, 1), "b": Float(0, 1)},
        conditions=[When("b", "k", 2)],
        constraints=["b < a"],
    )
    points = np.array([[0.1, 0.2, np.nan], [0.9, 0.2, 0.1], [0.9, 0.2, 0.3]])
    assert space.allowed(points).tolist() == [True, True, False]


def test_functions_see_columns_and_must_return_one_truth_value_a_row():
    good = Space({"x": Float(0, 1), "y": Float(0, 1)}, constraints=lambda c: c["x"] < c["y"])
    assert good.allowed(np.array([[0.1, 0.2], [0.3, 0.2]])).tolist() == [True, False]
    for answer in (lambda c: True, lambda c: c["x"], lambda c: [True]):
        with pytest.raises(InputError, match="2 truth values"):
            Space({"x": Float(0, 1)}, constraints=[answer]).allowed(np.array([[0.1], [0.2]]))
    with pytest.raises(InputError, match="text or a function"):
        Space({"x": Float(0, 1)}, constraints=[3])


# grids and sizes


def test_a_grid_is_even_and_the_last_parameter_is_fastest():
    space = Space({"x": Float(0.0, 1.0), "rate": Float(0.01, 1.0, log=True), "n": Int(1, 2), "kind": Choice(["ab"])})
    found = space.decode(space.grid({"x": 3, "rate": 3, "n": 9}))
    assert [c["x"] for c in found[::6]] == [0.0, 0.5, 1.0]
    assert [round(c["rate"], 12) for c in found[:6:2]] == [0.01, 0.1, 1.0]
    assert [c["n"] for c in found[:4]] == [1, 2, 1, 2] and len(found) == 18


def test_sizes():
    assert Space({"n": Int(1, 4), "k": Choice([1, 2, 3])}).size == 12
    assert Space({"n": Int(1, 4), "m": Int(1, 4)}, constraints=["n < m"]).size == 6
    assert Space({"x": Float(0, 1)}).size == math.inf
    assert Space({"n": Int(1, 4), "m": Int(1, 4)}, conditions=[When("m", "n", [4])]).size == 3 + 4
    assert MIXED.size == math.inf


# JSON


def test_json_round_trip():
    written = MIXED.to_json()
    again = Space.from_json(written)
    assert again == MIXED and again.to_json() == written
    points = MIXED.activate(cube(20, MIXED.n_dimensions))
    assert again.decode(points) == MIXED.decode(points)
    assert again != Space({"x": Float(0, 1)})


def test_what_cannot_be_written_is_refused():
    for space in (
        Space({"x": Float(0, 1)}, constraints=[lambda c: c["x"] < 1]),
        Space({"x": Choice([object()])}),
        Space({"x": Choice([math.inf])}),
        Space({"x": Choice([{1: 2}, 3])}),
    ):
        with pytest.raises(InputError, match="written"):
            space.to_json()


def damaged():
    data = json.loads(MIXED.to_json())
    yield ""
    yield "[]"
    yield MIXED.to_json()[:-10]
    yield json.dumps({**data, "version": 99})
    yield json.dumps({k: v for k, v in data.items() if k != "conditions"})
    yield json.dumps({**data, "parameters": {"x": {"type": "complex"}}})
    yield json.dumps({**data, "parameters": {"x": {"type": "float", "low": 2, "high": 1}}})
    yield json.dumps({**data, "constraints": ["__import__('os')"]})
    yield "[" * 100_000


@pytest.mark.parametrize("text", list(damaged()), ids=range(9))
def test_damaged_texts_are_refused(text):
    with pytest.raises(InputError, match="written space|`low` of a Float|A constraint"):
        Space.from_json(text)
