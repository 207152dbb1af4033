"""Nested spaces: flat columns, nested configurations, JSON, and errors."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hyperband.errors import InputError
from hyperband.space import Choice, Float, Int, Repeat, Space, When
from hyperband.tuning.samplers import RandomSampler

CNN = Space(
    {"filters": Int(4, 64), "pool": Choice(["max", "none"]), "size": Int(2, 4)},
    conditions=[When("size", "pool", "max")],
    constraints=["size * filters < 128", "pool == 'max' or filters > 8"],
)
NESTED = Space(
    {
        "rate": Float(1e-4, 1.0, log=True),
        "layers": Repeat(1, 3, {"width": Int(8, 512, log=True), "dropout": Float(0.0, 0.5)}, default=2),
        "kind": Choice({"cnn": CNN, "mlp": {"sizes": Repeat(0, 2, Int(1, 9))}, "linear": {}}, default="mlp"),
        "data": {"scaler": Choice(["none", "standard"]), "seed": 7},
    },
    constraints=["layers[0].width >= layers[1].width"],
)


def drawn(space, n, seed=0):
    return space.decode(RandomSampler().start(space, seed).propose(range(n)))


def test_a_nested_space_is_flattened_into_columns():
    assert NESTED.names == (
        "rate", "layers", "layers.0.width", "layers.0.dropout", "layers.1.width", "layers.1.dropout", "layers.2.width",
        "layers.2.dropout", "kind", "kind.cnn.filters", "kind.cnn.pool", "kind.cnn.size", "kind.mlp.sizes",
        "kind.mlp.sizes.0", "kind.mlp.sizes.1", "data.scaler", "data.seed",
    )  # fmt: skip
    rules = {(rule.name, rule.parent): rule.values for rule in NESTED.conditions}
    assert rules == {
        ("layers.1.width", "layers"): (2, 3),
        ("layers.1.dropout", "layers"): (2, 3),
        ("layers.2.width", "layers"): (3,),
        ("layers.2.dropout", "layers"): (3,),
        ("kind.cnn.filters", "kind"): ("cnn",),
        ("kind.cnn.pool", "kind"): ("cnn",),
        ("kind.cnn.size", "kind.cnn.pool"): ("max",),
        ("kind.mlp.sizes", "kind"): ("mlp",),
        ("kind.mlp.sizes.0", "kind.mlp.sizes"): (1, 2),
        ("kind.mlp.sizes.1", "kind.mlp.sizes"): (2,),
    }
    assert not NESTED.draws_may_repeat and NESTED.parameters["kind"] == Choice(["cnn", "mlp", "linear"], default="mlp")


def test_configurations_have_the_parameters_of_their_options():
    found = drawn(NESTED, 400)
    assert NESTED.decode(NESTED.encode(found)) == found
    kinds = set()
    for c in found:
        n = NESTED.nested(c)
        assert list(n) == ["rate", "layers", "kind", "data"] and n["data"] == {"scaler": c["data.scaler"], "seed": 7}
        assert len(n["layers"]) == c["layers"] and all(list(layer) == ["width", "dropout"] for layer in n["layers"])
        widths = [layer["width"] for layer in n["layers"]]
        assert len(widths) == 1 or widths[0] >= widths[1]
        match n["kind"]:
            case {"cnn": {"pool": "max", "filters": filters, "size": size}}:
                assert filters * size < 128
                kinds.add("max")
            case {"cnn": {"pool": "none", "filters": filters, **rest}}:
                assert filters > 8 and not rest
                kinds.add("none")
            case {"mlp": {"sizes": [*sizes]}}:
                assert len(sizes) == c["kind.mlp.sizes"]
                kinds.add(("mlp", len(sizes)))
            case {"linear": {}}:
                kinds.add("linear")
        assert NESTED.flat(n) == c
    assert kinds == {"max", "none", ("mlp", 0), ("mlp", 1), ("mlp", 2), "linear"}


def test_defaults_are_nested_too():
    assert NESTED.nested(NESTED.defaults())["kind"] == {"mlp": {"sizes": [5]}}
    assert len(NESTED.nested(NESTED.defaults())["layers"]) == 2


def test_nests_survive_their_text():
    again = Space.from_json(NESTED.to_json())
    assert again == NESTED and drawn(again, 30) == drawn(NESTED, 30)
    assert [again.nested(c) for c in drawn(again, 30)] == [NESTED.nested(c) for c in drawn(NESTED, 30)]
    assert "nests" not in json.loads(Space({"x": Float(0, 1)}).to_json())


def test_a_space_without_nests_is_its_own_nested_form():
    space = Space({"a.b": Int(0, 1), "a.c": Int(0, 1)})
    assert space.nested({"a.b": 1, "a.c": 0}) == {"a.b": 1, "a.c": 0} == space.flat({"a.b": 1, "a.c": 0})


def test_options_of_any_kind_and_mappings_that_are_constants():
    space = Space({"k": Choice({1: {"x": Int(0, 1)}, None: {}, 2.5: {"y.z": Int(0, 1)}}), "fixed": {"a": [1, 2]}})
    assert space.names == ("k", "k.1.x", "k.2.5.y.z", "fixed")
    for nested in ({"k": {1: {"x": 0}}}, {"k": {None: {}}}, {"k": {2.5: {"y.z": 1}}}):
        flat = space.flat({**nested, "fixed": {"a": [1, 2]}})
        assert space.nested(flat) == {**nested, "fixed": {"a": [1, 2]}}
    assert Space({"o": {"lr": Float(0, 1)}}).names == ("o.lr",)


def test_repeats_in_repeats_and_choices_in_repeats():
    space = Space(
        {"blocks": Repeat(2, 3, {"op": Choice({"conv": {"k": Int(1, 7)}, "skip": {}}), "w": Repeat(1, 2, Int(0, 1))})}
    )
    for c in drawn(space, 100):
        blocks = space.nested(c)["blocks"]
        assert len(blocks) in (2, 3) and all(len(block["w"]) in (1, 2) for block in blocks)
        assert all(block["op"] == {"skip": {}} or 1 <= block["op"]["conv"]["k"] <= 7 for block in blocks)
        assert space.flat({"blocks": blocks}) == c
    assert space.size == (8 * 6) ** 2 + (8 * 6) ** 3


def test_a_nested_space_within_a_nest_keeps_its_own_nests():
    inner = Space(
        {"r": Repeat(1, 2, {"w": Int(1, 3)}), "o": {"c": Choice({"x": {"y": Int(1, 2)}, "z": {}})}},
        constraints=["r[0].w <= r[1].w"],
    )
    space = Space({"k": Choice({"a": inner, "b": {"again": inner}})})
    assert inner.size == 3 * (3 + 6) and space.size == 2 * inner.size
    found = drawn(space, 200)
    assert len(found) == space.size and Space.from_json(space.to_json()) == space
    for c in found:
        nested = space.nested(c)
        ((kind, inside),) = nested["k"].items()
        assert inner.flat(inside if kind == "a" else inside["again"]) and space.flat(nested) == c


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Repeat(-1, 2, Int(0, 1)), "Repeat must lie"),
        (lambda: Repeat(0, 2000, Int(0, 1)), "Repeat must lie"),
        (lambda: Repeat(2, 1, Int(0, 1)), "not be greater"),
        (lambda: Repeat(1.5, 2, Int(0, 1)), "whole number"),
        (lambda: Repeat(1, 2, Int(0, 1), default=3), "default"),
        (lambda: Choice({}), "at least one"),
        (lambda: Space({"k": Choice({"a": 1, "b": 2})}), "'k.a' must be a mapping"),
        (lambda: Space({"k": Choice({"a": {1: Int(0, 1)}})}), "texts; got 1 in 'k.a'"),
        (lambda: Space({"k": Choice({1: {"x": 1}, "1": {"x": 2}})}), "'k.1' twice"),
        (lambda: Space({"r": Repeat(1, 2, Int(0, 1)), "r.1": Int(0, 1)}), "'r.1' twice"),
        (
            lambda: Space({"r": Repeat(1, 2, Int(0, 1)), "r.x": Int(0, 1)}),
            "begin with 'r.'; got 'r.x'",
        ),
        (
            lambda: Space({"r.x": Int(0, 1), "r": Repeat(1, 2, Int(0, 1))}),
            "begin with 'r.'; got 'r.x'",
        ),
        (lambda: Space({"k": Choice({"a": Space({"x": Int(0, 1)}, constraints=[lambda c: c["x"] < 1])})}), "outer"),
        (lambda: Space({"k": Choice({"a": {}})}, constraints=["k.a.x < 1"]), "'k.a.x'"),
    ],
)
def test_impossible_nests_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_configurations_that_do_not_fit_are_refused():
    flat = drawn(NESTED, 1)[0]
    nested = NESTED.nested(flat)
    for wrong, message in (
        ({**nested, "z": 1}, "'z'"),
        ({**nested, "layers": 3}, "'layers' must be a list"),
        ({**nested, "layers": nested["layers"][:1] * 4}, r"\[1, 3\]"),
        ({**nested, "layers": [{"width": 9}]}, "'layers.0.dropout' must have a value"),
        ({**nested, "kind": "mlp"}, "'kind' must be a mapping of one option"),
        ({**nested, "kind": {"tree": {}}}, "one of 'cnn'"),
        ({**nested, "kind": {"linear": {"x": 1}}}, "'x'"),
        ({**nested, "data": 3}, "'data' must be a mapping"),
        ([], "must be a mapping"),
    ):
        with pytest.raises(InputError, match=message):
            NESTED.flat(wrong)
    for wrong, message in (
        ({**flat, "z": 1}, "'z'"),
        ({**flat, "layers": 9}, r"\[1, 3\]"),
        ({"layers": 2}, "'rate' must have a value"),
        ({**flat, "kind": "tree"}, "one of 'cnn'"),
    ):
        with pytest.raises(InputError, match=message):
            NESTED.nested(wrong)


@pytest.mark.parametrize(
    "nests",
    [
        {"layers": "stack"},
        {"rate": "choice"},
        {"kind": "repeat"},
        {"layers": "group"},
        {"layers": "repeat"},
        {"kind": "choice", "kind.cnn": "group"},
        [],
        3,
    ],
)
def test_damaged_nests_are_refused(nests):
    with pytest.raises(InputError, match="written space"):
        Space.from_json(json.dumps({**json.loads(NESTED.to_json()), "nests": nests}))


def test_parameters_are_inactive_exactly_where_their_nests_are():
    points = RandomSampler().start(NESTED, 3).propose(range(200))
    again = NESTED.activate(np.where(np.isnan(points), 0.0, points))
    assert np.array_equal(np.isnan(again), np.isnan(points))
