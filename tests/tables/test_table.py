"""All kinds of tables give the same `Table`, and targets are found by name or index."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from hyperband.errors import DataError
from hyperband.tables import as_table, resolve_target
from hyperband.tables.columns import as_text, check_columns, series_from_objects
from hyperband.tables.table import resolve_columns
from hyperband.tables.target_input import target_values

COLUMNS = {"n": [1, 2, 3], "f": [0.5, None, 1.5], "s": ["x", None, "z"], "b": [True, False, True]}
FRAME = pl.DataFrame(COLUMNS)


@pytest.mark.parametrize(
    "data",
    [
        FRAME,
        FRAME.lazy(),
        COLUMNS,
        pd.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS).astype({"n": "Int64", "s": "category", "b": "boolean"}),
        pd.DataFrame({k: pd.Series(v, dtype=object) for k, v in COLUMNS.items()}),
        pa.table(COLUMNS),
        pa.RecordBatch.from_pydict(COLUMNS),
    ],
)
def test_frames_agree(data):
    table = as_table(data)
    assert table.named
    assert table.frame is not None
    assert table.frame.fill_nan(None).equals(FRAME)
    assert table.n_rows == 3


def test_plain_arrays_are_not_copied():
    for dtype in (bool, np.uint8, np.int64, np.float32, np.float64):
        array = np.zeros((4, 3), dtype=dtype)
        table = as_table(array)
        assert table.matrix is array
        assert not table.named
        assert table.names == ("x0", "x1", "x2")
        exact = np.can_cast(dtype, np.float32)
        assert table.numbers(table.names, slice(None)).dtype == (np.float32 if exact else np.float64)


def test_columns_and_rows_of_both_forms_agree():
    array = np.arange(12.0).reshape(4, 3)
    matrix, frame = as_table(array), as_table(pl.DataFrame(array, schema=["x0", "x1", "x2"]))
    rows = np.array([3, 0])
    for names in (("x2", "x0"), ("x0", "x1", "x2"), ("x1",)):
        assert np.array_equal(matrix.numbers(names, rows), frame.numbers(names, rows))
        assert np.array_equal(matrix.numbers(names, slice(1, 3)), frame.numbers(names, slice(1, 3)))
    for table in (matrix, frame):
        assert table.without(["x1"]).names == ("x0", "x2")
        assert table.rows(np.array([True, False, False, True])).column("x1").to_list() == [1.0, 10.0]


def test_names_that_are_patterns_elsewhere_are_names():
    frame = pl.DataFrame({"*": [1, 2], "^.*$": [3.5, None], "level": pl.Series(["7", "8"], dtype=pl.Categorical)})
    numbers = as_table(frame).numbers(["^.*$", "level", "*"], np.array([1, 0]))
    np.testing.assert_array_equal(numbers, [[np.nan, 8.0, 2.0], [3.5, 7.0, 1.0]])
    assert as_table(frame).numbers([], slice(0, 1)).shape == (1, 0)
    assert as_table(frame).without(["level"]).names == ("*", "^.*$")
    assert as_table(frame).without(["level"]).column("*").to_list() == [1, 2]


def test_object_arrays_and_lists():
    table = as_table(np.array([[1, "a", None], [2.5, "b", np.nan], [3, "c", 1]], dtype=object))
    assert [table.column(n).dtype for n in table.names] == [pl.Float64, pl.String, pl.Int64]
    assert table.column("x2").to_list() == [None, None, 1]
    assert as_table([[1.5, "a"], [2.5, "b"]]).column("x0").to_list() == [1.5, 2.5]
    assert as_table([[1, 2], [3, 4]]).matrix is not None
    masked = np.ma.masked_array([[1.0, 2.0]], mask=[[False, True]])
    assert np.isnan(as_table(masked).matrix[0, 1])
    records = np.array([(1, b"a")], dtype=[("n", int), ("s", "S1")])
    assert as_table(records).frame.rows() == [(1, "a")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros(3), r"2-D.*reshape\(-1, 1\)"),
        (np.zeros((2, 2, 2)), "2-D"),
        (np.zeros((2, 2), dtype=complex), "real numbers"),
        ([[1, 2], [3]], "same length"),
        ({"a": [1], "b": [1, 2]}, "same length"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "different names"),
        (3, "2-D"),
    ],
)
def test_what_is_no_table(data, message):
    with pytest.raises(DataError, match=message):
        as_table(data)


def test_sparse_is_refused():
    from scipy.sparse import eye

    with pytest.raises(DataError, match="toarray"):
        as_table(eye(3))


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("b", "b"),
        ("first", "a"),
        ("last", "0"),
        (-1, "0"),
        ("-1", "0"),
        (1, "b"),
        ("1", "b"),
        ("0", "0"),
        (None, "Class"),
    ],
)
def test_resolve_target(target, name):
    table = {"a": [1], "b": [2], "Class": [3], "0": [4]}
    assert resolve_target(table, target) == name


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("incme", "Close matches: income"),
        ("zzz", "The columns are: age, income"),
        (5, "from -2 to 1"),
        (None, "got none"),
    ],
)
def test_resolve_target_refuses(target, message):
    with pytest.raises(DataError, match=message):
        resolve_target({"age": [1], "income": [2]}, target)


def test_resolve_columns():
    table = as_table({"alpha": [1], "b": [2], "c": [3]})
    assert resolve_columns(table, ["c", 0, -2], "drop") == ["c", "alpha", "b"]
    assert resolve_columns(table, "b", "drop") == ["b"]
    with pytest.raises(DataError, match=r"`drop` must name a column.*Close matches: alpha"):
        resolve_columns(table, ["alpa"], "drop")


def test_whole_numbers_are_names_where_all_names_are():
    numbered = pd.DataFrame({3: [1, 2], 1: [3, 4], 0: [5, 6]})
    assert resolve_target(numbered, 1) == "1" and resolve_target(numbered, -1) == "0"
    assert resolve_columns(as_table(numbered), [0, 3], "drop") == ["0", "3"]
    assert resolve_columns(as_table(numbered).without(["3"]), 0, "drop") == ["0"]
    mixed = pd.DataFrame({"3": [1, 2], 1: [3, 4], 0: [5, 6]})
    assert resolve_target(mixed, 1) == "1" and resolve_target(mixed, 0) == "3"
    assert resolve_target(np.zeros((2, 3)), 1) == "x1"


def test_one_row_is_a_dict_of_lists():
    with pytest.raises(DataError, match=r"lists or arrays, one value a row; 'a' is 1\.5"):
        as_table({"b": [1], "a": 1.5})
    with pytest.raises(DataError, match="'a' is 'red'"):
        as_table({"a": "red"})


def test_masked_values_are_missing():
    mask = [[True, False], [False, False], [False, True]]
    whole = np.ma.masked_array([[1, 2], [3, 4], [5, 6]], mask=mask)
    assert np.array_equal(as_table(whole).matrix, [[np.nan, 2], [3, 4], [5, np.nan]], equal_nan=True)
    truth = np.ma.masked_array([[True, False], [False, True], [True, True]], mask=mask)
    assert np.array_equal(as_table(truth).matrix, [[np.nan, 0], [0, 1], [1, np.nan]], equal_nan=True)
    texts = np.ma.masked_array([["a", "b"], ["c", "d"], ["e", "f"]], mask=mask)
    assert as_table(texts).column("x0").to_list() == [None, "c", "e"]
    values, missing = target_values(np.ma.masked_array([7, -999, 8], mask=[False, True, False]))
    assert missing.tolist() == [False, True, False] and values.dtype == np.int64


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, None], pl.Int64),
        ([1, 2.0], pl.Float64),
        ([decimal.Decimal("1.5"), None], pl.Float64),
        ([True, None], pl.Boolean),
        (["a", None], pl.String),
        (["a", 1], pl.String),
        ([dt.date(2020, 1, 1), None], pl.Datetime),
        ([dt.timedelta(1)], pl.Duration),
        ([[1], [2]], pl.List(pl.Null)),
        ([2**70, 1], pl.Float64),
    ],
)
def test_series_from_objects(values, dtype):
    assert series_from_objects("a", values).dtype == dtype


def test_equal_numbers_give_equal_texts():
    assert as_text(pl.Series([1.0, 2.0, None])).to_list() == ["1", "2", None]
    assert as_text(pl.Series([1, 2])).to_list() == ["1", "2"]
    assert as_text(pl.Series([1.5, float("nan"), 2.0])).to_list() == ["1.5", None, "2"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns", "D"])
def test_dates_of_every_unit_are_dates(unit):
    dates = np.array([["2020-01-01"], ["NaT"]], dtype=f"M8[{unit}]")
    for data in (dates, pd.DataFrame(dates), {"d": dates[:, 0]}, pd.DataFrame(dates).to_numpy(dtype=object)):
        table = as_table(data)
        assert table.column(table.names[0]).dtype.is_temporal()
    spans = dates - dates[0]
    assert as_table(spans).frame.dtypes[0].is_temporal()


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pl.Series("when", [dt.timedelta(days=1)]), r"'when' \(Duration.*--drop when"),
        (pl.Series("l", [[1, 2]]), "List"),
        (pl.Series("raw", [b"x"]), "Binary"),
        (pl.Series("f", [1.0, float("inf"), float("-inf")]), "infinite in 2 rows, first in row 1"),
    ],
)
def test_columns_that_are_refused(column, message):
    with pytest.raises(DataError, match=message):
        check_columns([column])


def test_all_refused_columns_are_named_at_once():
    lists, spans = pl.Series("l", [[1, 2]]), pl.Series("s", [dt.timedelta(days=1)])
    with pytest.raises(DataError, match=r"'l' \(List.*'s' \(Duration.*drop=\['l', 's'\]"):
        check_columns([lists, pl.Series("a", [1]), spans])
