"""Constraints: names that are no identifiers, functions that fail, columns that are decoded only where needed."""

from __future__ import annotations

import numpy as np
import pytest

from hyperband.errors import InputError
from hyperband.space import Choice, Expression, Float, Int, Space, When

ODD = Space({"learning rate": Float(0, 1), "svm:C": Float(0, 1), "lambda": Float(0, 1), "a`b": Float(0, 1)})
DOTTED = Space({"layers": Int(1, 2), "layers.0.width": Int(1, 9), "layers.1.width": Int(1, 9), "kind.cnn.n": Int(1, 9)})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("`learning rate` < `svm:C`", ("learning rate", "svm:C")),
        ("`lambda` ** 2 < 0.5 and not `svm:C` > 0.1", ("lambda", "svm:C")),
        ("layers[0].width < layers[1].width", ("layers.0.width", "layers.1.width")),
        ("kind.cnn.n < `layers.0.width`", ("kind.cnn.n", "layers.0.width")),
        ("`layers`[1].width == 3", ("layers.1.width",)),
        ("k == '`a`' or k != \"it's `b`\"", ("k",)),
        ("_0 < `x`", ("_0", "x")),
    ],
)
def test_names_in_constraints(text, names):
    expression = Expression(text)
    assert expression.names == names
    assert Expression(expression.inside("a.b")).names == tuple(f"a.b.{name}" for name in names)


def test_odd_names_are_compared():
    points = np.array([[0.1, 0.2, 0.3, 0.4], [0.3, 0.2, 0.3, 0.4]])
    space = Space(dict(ODD.parameters), constraints=["`learning rate` < `svm:C`"])
    assert space.allowed(points).tolist() == [True, False]
    assert Space.from_json(space.to_json()) == space
    columns = DOTTED.columns(np.random.default_rng(0).random((50, 4)))
    held = Expression("layers[0].width < layers[1].width")(columns)
    assert np.array_equal(held, columns["layers.0.width"] < columns["layers.1.width"])


@pytest.mark.parametrize(
    "text",
    ["`a`b` < 1", "`` < 1", "`x < 1", "layers[x].width < 1", "layers[-1].width < 1", "layers['0'] < 1", "(x + y).z < 1",
     "f(x).y < 1", "layers[0:1] < 1", "layers[True].width < 1", "`z` < 1", "layers.0.width < 1"],
)  # fmt: skip
def test_other_names_are_refused(text):
    with pytest.raises(InputError, match="[Cc]onstraint"):
        Space(dict(DOTTED.parameters), constraints=[text])


def test_true_is_not_one_and_none_is_a_value():
    axis = Choice([1, True, None, "1", 0, False])
    points = axis.encode(axis.options).reshape(-1, 1)
    for text, holds in (
        ("k == True", [1]),
        ("k != False", [0, 1, 2, 3, 4]),
        ("k == None", [2]),
        ("'1' == k", [3]),
        ("k == 1 or k == 0", [0, 4]),
    ):
        assert np.flatnonzero(Space({"k": axis}, constraints=[text]).allowed(points)).tolist() == holds, text


def test_names_with_backticks_cannot_be_written_in_constraints():
    with pytest.raises(InputError, match="no backtick"):
        Expression("x < 1").inside("a`b")


def fails(columns):
    raise KeyError("z")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (fails, "raised KeyError: 'z'"),
        (lambda c: c["z"] < 1, "raised KeyError"),
        (lambda c: c["x"] < 1 and c["y"] < 1, "raised ValueError.*& | ~"),
        (lambda c: c["kind"] < 1, "raised TypeError"),
        (lambda c: c["x"][:1] < 1, r"3 truth values.*shape \(1,\)"),
        (lambda c: (c["x"] < 1)[:, None], r"shape \(3, 1\)"),
        (lambda c: c["x"], "got float64"),
        (lambda c: None, "got object"),
        (lambda c: True, r"shape \(\)"),
    ],
)
def test_functions_that_fail_or_return_something_else_are_named(function, message):
    space = Space({"x": Float(0, 1), "y": Float(0, 1), "kind": Choice(["a", "b"])}, constraints=[function])
    with pytest.raises(InputError, match=message):
        space.allowed(np.array([[0.1, 0.2, 0.3]] * 3))


def test_functions_may_return_lists_and_see_inactive_parameters():
    space = Space(
        {"k": Choice(["a", "b"]), "x": Float(0, 1), "t": Choice(["u", "v"])},
        conditions=[When("x", "k", "b"), When("t", "k", "b")],
        constraints=[lambda c: [bool(np.isnan(x)) or t == "u" for x, t in zip(c["x"], c["t"], strict=True)]],
    )
    points = np.array([[0.1, np.nan, np.nan], [0.9, 0.5, 0.1], [0.9, 0.5, 0.9]])
    assert space.allowed(points).tolist() == [True, True, False]


def test_only_the_columns_that_are_asked_for_are_decoded(monkeypatch):
    asked = []
    decode = Float.decode

    def counted(self, u):
        asked.append((self.low, len(u)))
        return decode(self, u)

    space = Space(
        {f"x{i}": Float(i, i + 1) for i in range(20)},
        constraints=["x3 < 3.5 or x4 < 4.5", lambda c: c["x3"] < 3.9],
    )
    monkeypatch.setattr(Float, "decode", counted)
    space.allowed(np.full((7, 20), 0.2))
    assert sorted(asked) == [(3.0, 7), (4.0, 7)]
    assert set(space.columns(np.zeros((1, 20)))) == set(space.names)
