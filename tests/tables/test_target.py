"""Tasks, labels, scales and weights."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from hyperband.errors import DataError
from hyperband.tables.target import Target, fit_classes, fit_scale
from hyperband.tables.target_input import infer_task, target_values
from hyperband.tables.weights import class_weights, row_weights, sample_weights


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (["a", "b"], "classification"),
        ([True, False], "classification"),
        ([0, 1, 2], "classification"),
        (list(range(20)), "classification"),
        (list(range(21)), "regression"),
        ([0.0, 1.0], "classification"),
        ([0.0, 1.0, 2.0], "regression"),
        ([0.5, 1.5], "regression"),
        (pd.Series(["a", "b"], dtype="category"), "classification"),
        (np.zeros((3, 2)), "regression"),
    ],
)
def test_infer_task(y, task):
    assert infer_task(target_values(y)[0])[0] == task


@pytest.mark.parametrize(
    "y",
    [
        [1, 2, 1],
        (1, 2, 1),
        np.array([1, 2, 1]),
        np.array([[1], [2], [1]], dtype=np.uint8),
        pl.Series([1, 2, 1]),
        pd.Series([1, 2, 1], index=[7, 8, 9]),
        pd.DataFrame({"k": [1, 2, 1]}),
        pl.DataFrame({"k": [1, 2, 1]}),
        pd.Series([1, 2, 1], dtype="Int64"),
        pd.Series([1, 2, 1], dtype=object),
    ],
)
def test_kinds_of_targets_agree(y):
    values, missing = target_values(y)
    assert values.dtype == np.int64
    assert values.tolist() == [1, 2, 1]
    assert not missing.any()


def test_missing_targets_are_found():
    for y in ([1.0, np.nan], [1, None], ["a", None], [True, None], pd.Series(["a", np.nan]), np.array([0.5, np.nan])):
        assert target_values(y)[1].tolist() == [False, True]
    assert target_values(np.array([[1.0, 2.0], [np.nan, 1.0]]))[1].tolist() == [False, True]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros((2, 2, 2)), "1-D"),
        (3, "1-D"),
        ([dt.date(2020, 1, 1)], "dates"),
        (["2020-01-01"], "dates"),
        ([1.0, np.inf], "infinite in 1 rows, first in row 1"),
        ([["a", "b"], ["c", "d"]], "all be numbers"),
        (np.zeros(2, complex), "real"),
        ([{}, {}], "List"),
    ],
)
def test_what_is_no_target(y, message):
    with pytest.raises(DataError, match=message):
        target_values(y)


@pytest.mark.parametrize(
    ("y", "classes", "loss", "n_outputs"),
    [
        (["no", "yes", "no"], ("no", "yes"), "logistic", 1),
        ([2, 7, 5, 2], (2, 5, 7), "cross_entropy", 3),
        ([True, False], (False, True), "logistic", 1),
        ([0.0, 1.0, 0.0], (0, 1), "logistic", 1),
        ([-0.5, 0.5, 0.5], (-0.5, 0.5), "logistic", 1),
    ],
)
def test_classes_there_and_back(y, classes, loss, n_outputs):
    values, _ = target_values(y)
    target = fit_classes(values, ("y",))
    assert (target.classes, target.loss, target.n_outputs) == (classes, loss, n_outputs)
    numbers = target.encode(values)
    assert numbers.dtype == np.int32
    assert target.labels(numbers).tolist() == list(y)
    assert Target.from_dict(target.to_dict()) == target


def test_labels_are_compared_as_text_and_a_final_dot_is_ignored():
    target = Target(("y",), "classification", (0, 1))
    for y in ([0.0, 1.0], ["0", "1"], [0, 1]):
        assert target.encode(target_values(y)[0]).tolist() == [0, 1]
    adult = Target(("y",), "classification", ("<=50K", ">50K"))
    assert adult.encode(target_values([">50K.", "<=50K."])[0]).tolist() == [1, 0]
    with pytest.raises(DataError, match=r"got '>50K\.'"):
        adult.encode(target_values([">50K.", "<=50K"])[0])


def test_classes_refuse():
    with pytest.raises(DataError, match="only 'a'"):
        fit_classes(target_values(["a", "a"])[0], ("y",))
    with pytest.raises(DataError, match="30 different values in 30 rows"):
        fit_classes(np.arange(30), ("id",))
    with pytest.raises(DataError, match="one target column"):
        fit_classes(np.zeros((3, 2)), ("a", "b"))
    with pytest.raises(DataError, match="got 'zzz'"):
        fit_classes(target_values(["a", "b"])[0], ("y",)).encode(target_values(["zzz"])[0])


def test_regression_there_and_back():
    values = np.array([10.0, 20.0, 30.0, 1000.0])
    target = fit_scale(values, np.array([0, 1, 2]), ("y",))
    assert target.mean == (20.0,)
    assert target.scale == pytest.approx((np.std([10, 20, 30]),))
    coded = target.encode(values)
    assert coded.dtype == np.float32
    assert coded.shape == (4, 1)
    assert abs(coded[:3].mean()) < 1e-6
    assert target.values(coded) == pytest.approx(values, rel=1e-6)
    assert (target.loss, target.n_outputs) == ("mse", 1)


def test_several_outputs():
    values = np.array([[1.0, 10.0], [2.0, 30.0], [4.0, 20.0]])
    target = fit_scale(values, np.arange(3), ("a", "b"))
    assert target.n_outputs == 2
    assert target.values(target.encode(values)) == pytest.approx(values, rel=1e-6)
    with pytest.raises(DataError, match="2 columns"):
        target.encode(values[:, :1])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([3.0, 3.0, 3.0, 4.0]), "must vary; 'y' is 3"),
        (np.array(["a", "b", "c", "d"], dtype=object), "must be numbers for regression; got 'a'"),
        (np.array([1e300, -1e300, 0.0, 0.0]), "finite standard deviation"),
    ],
)
def test_regression_refuses(values, message):
    with np.errstate(over="ignore"), pytest.raises(DataError, match=message):
        fit_scale(values, np.array([0, 1, 2]), ("y",))


def test_weights():
    target = Target(("y",), "classification", ("a", "b"))
    y = np.array([0, 0, 0, 1], dtype=np.int32)
    balanced = class_weights("balanced", target, y)
    assert balanced == pytest.approx([4 / 6, 4 / 2])
    assert class_weights({"b": 3}, target, y).tolist() == [1.0, 3.0]
    weight = row_weights(np.array([1.0, 2.0, 3.0, 4.0]), balanced, y)
    assert weight.dtype == np.float32
    assert weight.mean() == pytest.approx(1.0, abs=1e-6)
    assert weight[3] / weight[0] == pytest.approx(12.0)
    assert row_weights(None, None, y) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t, y: class_weights({"c": 1}, t, y), "got 'c'"),
        (lambda t, y: class_weights("even", t, y), "'balanced' or a dict"),
        (lambda t, y: class_weights({"a": -1}, t, y), ">= 0"),
        (lambda t, y: class_weights("balanced", Target(("y",), "regression", (), (0.0,), (1.0,)), y), "regression"),
        (lambda t, y: sample_weights([1, 2], 3), r"shape \(3,\)"),
        (lambda t, y: sample_weights([1, np.nan], 2), "row 1 has nan"),
        (lambda t, y: sample_weights([-1, 1], 2), "row 0"),
        (lambda t, y: sample_weights(["a", "b"], 2), "one number a row"),
        (lambda t, y: row_weights(np.zeros(2), None, y), "not all be 0"),
    ],
)
def test_weights_refuse(call, message):
    with pytest.raises(DataError, match=message):
        call(Target(("y",), "classification", ("a", "b")), np.array([0, 1], dtype=np.int32))
