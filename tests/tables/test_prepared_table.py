"""`PreparedTable`: data sets made when asked for, held, forgotten, refitted; and its errors."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import hyperband as hb
from hyperband._common import memory
from hyperband.errors import DataError, InsufficientMemory
from hyperband.model import Model
from hyperband.tables import prepare, prepare_table

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3))
Y = X[:, 0] + RNG.normal(size=90)
CLASSES = np.where(Y > 0.5, "high", np.where(Y < -0.5, "low", "middle"))


def arrays(data):
    return [data.x_train, data.y_train, data.x_validation, data.y_validation, data.x_test, data.y_test]


def same(a, b):
    return all((x is None and y is None) or np.array_equal(x, y) for x, y in zip(arrays(a), arrays(b), strict=True))


def test_data_sets_are_held_until_they_are_forgotten():
    table = prepare_table(X, CLASSES, validation=3, test=0.2)
    assert isinstance(table, hb.PreparedTable)
    assert table.nbytes == 0
    first = table.dataset("robust", 1)
    assert table.dataset("robust", 1) is first
    assert table.dataset("robust", np.int64(1)) is first
    assert table.nbytes == first.nbytes == sum(a.nbytes for a in arrays(first))
    second = table.dataset("bins")
    assert table.nbytes == first.nbytes + second.nbytes
    table.forget("robust", 1)
    table.forget("robust", 1)  # nothing is held
    assert table.nbytes == second.nbytes
    again = table.dataset("robust", 1)
    assert again is not first
    assert same(again, first)


def test_the_order_of_asking_does_not_matter():
    one, other = (prepare_table(X, Y, validation=3, seed=5) for _ in range(2))
    keys = [(view, fold) for view in one.views for fold in range(3)]
    for key in keys:
        one.dataset(*key)
    for key in reversed(keys):
        assert same(one.dataset(*key), other.dataset(*key))


def test_memory_is_required_before_a_data_set_is_made(monkeypatch):
    table = prepare_table(X, Y)
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000)
    with pytest.raises(InsufficientMemory, match=r"must fit in free memory; needed .* free 1,000 bytes"):
        table.dataset("bins")
    assert table.nbytes == 0
    monkeypatch.undo()
    monkeypatch.setattr(memory, "free_bytes", lambda: 2 * 8 * 72 * 3 + 1)  # enough to fit, not to transform
    with pytest.raises(InsufficientMemory, match="The table as 90 x 48 float32 rows"):
        table.dataset("bins")


@pytest.mark.parametrize(
    ("view", "fold", "message"),
    [
        ("log", 0, "`view` must be one of standard, robust, quantile, bins, fourier; got 'log'."),
        ("robust", 3, "`fold` must be a whole number from 0 to 2; got 3."),
        ("robust", -1, "`fold` must be"),
        ("robust", True, "`fold` must be"),
        ("robust", 1.0, "`fold` must be"),
    ],
)
def test_unknown_views_and_folds(view, fold, message):
    table = prepare_table(X, Y, validation=3)
    for method in (table.dataset, table.forget):
        with pytest.raises(DataError, match=message):
            method(view, fold)
    if view == "log":
        with pytest.raises(DataError, match=message):
            table.refit(view)
    else:
        with pytest.raises(DataError, match=message):
            table.validation_rows(fold)


@pytest.mark.parametrize("view", ["standard", "robust", "fourier"])
@pytest.mark.parametrize("y", [Y, CLASSES], ids=["values", "classes"])
def test_refit_trains_on_all_but_the_test_rows(view, y):
    table = prepare_table(X, y, validation=4, test=0.2)
    data = table.refit(view)
    rest = np.setdiff1d(np.arange(90), table.test_rows)
    expected = data.preprocessing.transform(X, rest)
    assert sorted(map(bytes, data.x_train)) == sorted(map(bytes, expected))
    assert not np.array_equal(data.x_train, expected)  # in random order
    assert data.x_validation.shape == (0, data.n_features)
    assert len(data.y_validation) == 0
    assert np.array_equal(data.x_test, data.preprocessing.transform(X, table.test_rows))
    assert same(data, table.refit(view))
    assert table.nbytes == 0
    hold_out = prepare_table(X, y, validation=0.2, test=0.2).refit(view)  # whatever validated
    assert np.array_equal(hold_out.x_train, data.x_train)
    original = [d.target.values(d.y_train) if y is Y else d.y_train for d in (hold_out, data)]
    assert original[0] == pytest.approx(original[1], abs=1e-5)


def test_which_tables_hold_a_part_of_the_rows_out():
    half = [(np.arange(45), np.arange(45, 90))]
    some = [(np.arange(40), np.arange(45, 90))]
    times = np.c_[X, np.arange(90)]
    assert prepare_table(X, Y, validation=0.2, test=0.2).is_hold_out
    assert prepare_table(times, Y, validation=hb.TimeSplit(-1, 0.2)).is_hold_out
    assert prepare_table(X, Y, validation=half).is_hold_out
    assert not prepare_table(X, Y, validation=some).is_hold_out
    assert not prepare_table(X, Y, validation=3).is_hold_out
    assert not prepare_table(X[:70], Y[:70], validation=(X[70:], Y[70:])).is_hold_out


def test_an_automatic_hold_out_is_a_part_of_what_is_not_tested():
    x = np.random.default_rng(0).normal(size=(20_000, 1))
    table = prepare_table(x, x[:, 0], validation="auto", test=0.2)
    assert (len(table.test_rows), len(table.validation_rows(0))) == (4_000, 2_000)


def test_refit_with_rows_that_were_given():
    held = (X[70:], Y[70:])
    table = prepare_table(X[:70], Y[:70], validation=held, test=(X[:5], Y[:5]))
    assert table.n_folds == 1
    assert table.validation_rows(0) is None
    assert table.test_rows is None
    data = table.refit("robust")
    assert sorted(map(bytes, data.x_train)) == sorted(map(bytes, data.preprocessing.transform(X)))
    assert sorted(data.y_train[:, 0].tolist()) == sorted(data.target.encode(Y)[:, 0].tolist())
    pairs = zip(map(bytes, data.x_train), data.y_train[:, 0].tolist(), strict=True)
    known = zip(map(bytes, data.preprocessing.transform(X)), data.target.encode(Y)[:, 0].tolist(), strict=True)
    assert dict(pairs) == dict(known)
    assert data.target.mean == pytest.approx((Y[:70].mean(),))
    assert len(data.x_test) == 5


def test_weights_of_a_refit():
    weight = np.arange(1.0, 91.0)
    options = hb.TableOptions(sample_weight=weight, class_weight="balanced")
    data = prepare_table(X, CLASSES, options=options).refit("standard")
    assert data.weight_train.mean() == pytest.approx(1.0, abs=1e-6)
    assert data.weight_validation is None
    options = hb.TableOptions(sample_weight=weight[:70])
    data = prepare_table(X[:70], Y[:70], validation=(X[70:], Y[70:]), options=options).refit("standard")
    mean = weight[:70].mean()
    assert sorted(data.weight_train) == pytest.approx(sorted(np.r_[weight[:70], np.full(20, mean)] / mean), rel=1e-5)


def test_the_range_of_training_values():
    y = np.column_stack([Y, -Y])
    table = prepare_table(X, y, validation=0.3, test=0.1)
    train = np.setdiff1d(np.arange(90), [*table.validation_rows(0), *table.test_rows])
    assert table.target.low == tuple(y[train].min(axis=0))
    assert table.target.high == tuple(y[train].max(axis=0))
    folds = prepare_table(X, y, validation=3, test=0.1)  # each row trains in some fold
    rest = np.setdiff1d(np.arange(90), folds.test_rows)
    assert folds.target.low == tuple(y[rest].min(axis=0))
    assert all(folds.dataset(view, fold).target == folds.target for view in folds.views for fold in range(3))
    assert folds.refit("standard").target == folds.target
    assert prepare(X, CLASSES).target.low == ()


def test_notes():
    table = prepare_table(X, CLASSES, validation="auto")
    assert "Validation: 5 folds, repeated 3 times" in table.notes[0]
    frame = pl.DataFrame({"a": X[:, 0], "same": np.ones(90), "y": Y})
    table = prepare_table(frame, target="y", validation="auto")
    assert table.dataset("standard").notes == (*table.notes, "Ignored, constant in the training rows: same.")


@pytest.mark.parametrize("view", ["standard", "robust", "quantile", "bins", "fourier"])
def test_models_of_every_view_can_be_saved(view, tmp_path):
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": [f"c{k % 40}" for k in range(90)], "y": CLASSES})
    data = prepare_table(frame, target="y").dataset(view)
    layers = [(RNG.normal(size=(data.n_features, 3)).astype(np.float32), np.zeros(3, np.float32))]
    model = Model.of_one(data.preprocessing, hb.Architecture(widths=[]), layers)
    model.save(tmp_path / "model")
    back = Model.load(tmp_path / "model")
    assert np.array_equal(back.predict_proba(frame, backend="numpy"), model.predict_proba(frame, backend="numpy"))
    assert back.preprocessings[0].view == view


def test_errors_of_one_fold_do_not_stop_the_others():
    x = np.r_[np.ones((30, 2)), X[30:, :2]]
    table = prepare_table(x, Y, validation=[(np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30))])
    with pytest.raises(DataError, match="at least one feature that varies"):
        table.dataset("standard", 0)
    assert len(table.dataset("standard", 1).x_train) == 30
