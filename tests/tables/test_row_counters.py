"""Columns that number the rows are left out, and numbers that only look like it stay."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

import hyperband as hb
from hyperband.tables import prepare_table
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.row_counters import row_counters
from hyperband.tables.table import as_table

N = 100
NOISE = np.random.default_rng(0).normal(size=N)
SHUFFLED = np.random.default_rng(1).permutation(N)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("row", np.arange(N)),
        ("n", np.arange(1, N + 1)),
        ("countdown", np.arange(N)[::-1]),
        ("as floats", np.arange(N) * 1.0),
        *((name, SHUFFLED * 1000) for name in ("id", "ID", "user_id", "userId", "Order ID", "Index", "row_number")),
    ],
)
def test_what_numbers_the_rows(name, values):
    assert row_counters(as_table({name: values, "x": NOISE})) == [name]
    assert row_counters(as_table({name: values, "x": NOISE}), [name]) == []
    assert row_counters(as_table({name: values})) == [], "the only column"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("shuffled", SHUFFLED),
        ("population", np.cumsum(1000 + SHUFFLED)),
        ("year", np.arange(1950, 1950 + N)),
        ("gaps", np.cumsum(1 + SHUFFLED % 3)),
        ("price", pl.Series([Decimal("1.50") + k for k in range(N)])),
        ("steps", np.arange(N) // 2),
        ("half", np.arange(N) / 2),
        ("id", NOISE),
        ("id", SHUFFLED % 50),
        ("idea", SHUFFLED),
        ("humid", SHUFFLED),
        ("id", [None, *range(N - 1)]),
        ("id", [f"r{k}" for k in range(N)]),
    ],
)
def test_what_does_not(name, values):
    assert row_counters(as_table({name: values, "x": NOISE})) == []


def test_few_rows_and_arrays_number_nothing():
    assert row_counters(as_table({"id": range(19), "x": NOISE[:19]})) == []
    assert row_counters(as_table(np.column_stack([np.arange(N), NOISE]))) == []


def test_a_file_that_is_sorted_by_its_target_does_not_tell_it(tmp_path):
    goal = ["no"] * (N // 2) + ["yes"] * (N // 2)
    frame = pd.DataFrame({"record": np.arange(N), "x": NOISE.round(3), "goal": goal})
    frame.to_csv(tmp_path / "t.csv", index=False)
    said = r"numbers the rows: record. Where it means more, pass TableOptions\(numeric=\['record'\]\), --numeric record"
    with pytest.warns(DataWarning, match=said):
        table = prepare_table(tmp_path / "t.csv", target="goal")
    assert table.dataset("standard").feature_names == ("x",)
    kept = prepare_table(frame, target="goal", options=hb.TableOptions(numeric=["record"])).dataset("standard")
    assert kept.feature_names == ("record", "x")
    with pytest.warns(DataWarning, match="record"):
        model = hb.search(tmp_path / "t.csv", target="goal", algorithm=hb.RandomSearch(n=1, max_resource=2)).model
    renumbered = frame.assign(record=frame.record + 5000)
    assert np.array_equal(model.predict_proba(renumbered), model.predict_proba(frame))


def test_the_time_of_a_split_that_is_a_feature_stays():
    frame = pd.DataFrame({"t": np.arange(N), "x": NOISE, "goal": NOISE})
    split = prepare_table(frame, target="goal", validation=hb.TimeSplit("t", as_feature=True))
    assert split.dataset("standard").feature_names == ("t", "x")
