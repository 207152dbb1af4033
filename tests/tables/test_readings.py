"""Numbers as people write them, and texts that only look like numbers."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperband.tables.readings import (
    MISSING,
    NUMBER,
    TEXT,
    TRUTH,
    Reading,
    find_reading,
    may_be_names,
    plain_numbers,
    stripped,
)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1", "-2.5", "+3", "1e3", ".5", "7."], [1, -2.5, 3, 1000, 0.5, 7]),
        (["1,234", "12", "-1,234,567.5"], [1234, 12, -1234567.5]),
        (["1'234", "12.5"], [1234, 12.5]),
        (["1 234,5", "12", "7,25"], [1234.5, 12, 7.25]),
        (["1 234", "1\u00a0234\u202f567"], [1234, 1234567]),
        (["0,5", "-1,25", "3", "5e-3", "2,5e-3"], [0.5, -1.25, 3, 0.005, 0.0025]),
        (["1.234,5", "12,5", "1.000.000,0", "3"], [1234.5, 12.5, 1e6, 3]),
        (["12%", "7.5 %", "-3%"], [12, 7.5, -3]),
        (["$5.50", "-$1,200", "7"], [5.5, -1200, 7]),
        (["5,50 €", "1.200,00 €"], [5.5, 1200]),
        (["USD 5", "12 EUR"], [5, 12]),
    ],
)
def test_numbers_as_people_write_them(texts, values):
    reading = find_reading(pl.Series(texts), decimal_comma=False)
    assert reading.form == NUMBER and not reading.words
    assert reading.of(pl.Series(texts)).to_list() == values


@pytest.mark.parametrize(("decimal_comma", "value"), [(True, 1.234), (False, 1234.0)])
def test_a_comma_before_three_digits_is_what_the_separator_says(decimal_comma, value):
    reading = find_reading(pl.Series(["1,234", "5,678"]), decimal_comma)
    assert reading.of(pl.Series(["1,234"])).to_list() == [value]


@pytest.mark.parametrize(
    "texts",
    [
        ["01", "02", "10"],
        ["01234", "56789", "00001"],
        ["12-34", "56-78"],
        ["192.168.0.1", "10.0.0.1"],
        ["1,2,3", "4,5,6"],
        ["12,34,567", "1,2345"],
        ["A1", "2", "3"],
        ["x", "y"],
        ["1", "2", "3", "x"],
        ["$", "%"],
        ["5 apples", "7 pears"],
    ],
)
def test_texts_that_are_no_numbers(texts):
    assert find_reading(pl.Series(texts), decimal_comma=False).form == TEXT


def test_a_few_words_among_numbers_are_missing_values():
    numbers = [str(k) for k in range(100)]
    reading = find_reading(pl.Series([*numbers, "n.d.", "see note"]), False)
    assert reading.words == ("n.d.", "see note")
    assert reading.of(pl.Series(["5", "n.d.", "other", None])).to_list() == [5, None, None, None]
    half = find_reading(pl.Series([*numbers, *["-"] * 100]), False)
    assert half.form == NUMBER and half.words == ("-",)
    assert find_reading(pl.Series([*numbers, *["low"] * 10]), False).form == TEXT, "a level of its own"
    assert find_reading(pl.Series([*numbers, *(f"word{k}" for k in range(11))]), False).form == TEXT
    assert find_reading(pl.Series(["1", "2", "3", "4", "5"] * 20 + ["-"]), False).form == TEXT, "codes"


def test_one_zero_in_front_does_not_make_names_of_a_thousand_numbers():
    numbers = [str(k) for k in range(1000)]
    assert find_reading(pl.Series([*numbers, "007"]), False).form == NUMBER
    assert find_reading(pl.Series([*numbers[100:], "007"]), False).form == TEXT, "all are three digits long"
    assert find_reading(pl.Series(["0", "0.5", "-0.25"]), False).form == NUMBER


def test_what_another_column_would_write_is_no_number():
    thousands, comma = Reading(NUMBER, ".", ","), Reading(NUMBER, ",")
    assert thousands.of(pl.Series(["1,5", "1,234", "1.5"])).to_list() == [None, 1234, 1.5]
    assert comma.of(pl.Series(["1,5", "1,234,567", "3"])).to_list() == [1.5, None, 3]
    for separator in (".", " "):
        assert Reading(NUMBER, ",", separator).of(pl.Series(["1234,5", "1234", "1.5.2"])).to_list() == [
            1234.5,
            1234,
            None,
        ]
    assert find_reading(pl.Series([f"0,{k}" for k in range(100, 150)]), False).decimal == ","


def test_truth_values_and_columns_without_values():
    assert find_reading(pl.Series(["TRUE", "false", None]), False) == Reading(TRUTH)
    assert Reading(TRUTH).of(pl.Series(["True", "FALSE", "x", None])).to_list() == [True, False, None, None]
    assert find_reading(pl.Series([None, None], dtype=pl.String), False) == Reading(TEXT)


def test_readings_are_plain_data():
    reading = Reading(NUMBER, ",", ".", True, ("x",))
    assert Reading.from_dict(reading.to_dict()) == reading


WORDS = [
    "0",
    "7",
    "-12",
    "1.5",
    "1e3",
    "-999",
    "9223372036854775808",
    "007",
    "nan",
    "NaN",
    "-inf",
    "inf",
    "",
    "NA",
    " 3",
    "x",
]


@given(st.lists(st.one_of(st.none(), st.sampled_from(WORDS)), min_size=1, max_size=5), st.booleans())
def test_plain_numbers_are_what_the_long_way_finds(texts, with_code):
    """Without stripping, candidates and words: the same values, or none."""
    frame = pl.DataFrame({"a": pl.Series(texts, dtype=pl.String)})
    missing = [*MISSING, "-999"] if with_code else MISSING
    (values,) = plain_numbers(frame, missing)
    (column,) = stripped(frame, missing)
    reading = find_reading(column, decimal_comma=False)
    if values is not None and not (values.dtype == pl.Int64 and may_be_names(frame.to_series())):
        assert reading == Reading(NUMBER)
        assert values.dtype == reading.of(column).dtype
        assert values.to_list() == reading.of(column).to_list()


@pytest.mark.parametrize("texts", [["1", "2"], ["1", None], ["1.5", "inf"], ["9223372036854775808"]])
def test_plain_numbers_are_found(texts):
    (values,) = plain_numbers(pl.DataFrame({"a": texts}), MISSING)
    assert values is not None and values.to_list() == [None if t is None else float(t) for t in texts]


@pytest.mark.parametrize("texts", [["1", "nan"], ["1", ""], ["1", " 2"], ["x"], [None, None]])
def test_plain_numbers_are_left_to_the_long_way(texts):
    assert plain_numbers(pl.DataFrame({"a": pl.Series(texts, dtype=pl.String)}), MISSING) == [None]
    assert plain_numbers(pl.DataFrame({"a": ["5", "-999"]}), ["-999"]) == [None]
