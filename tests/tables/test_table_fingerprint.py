"""The fingerprint of a table: the same for the same content, another for any change."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from hyperband.tables import fingerprint

ROWS = {"a": [1, 2, None], "b": ["x", None, "z"], "c": [0.5, 1.5, 2.5], "d": [True, False, None]}


@pytest.mark.parametrize(
    "other",
    [
        {**ROWS, "a": [1, 2, 3]},
        {**ROWS, "a": [1, 2, 0]},  # what lies under a missing value is not a value
        {**ROWS, "a": [None, 1, 2]},
        {**ROWS, "b": ["x", "", "z"]},
        {**ROWS, "b": ["xz", None, ""]},
        {**ROWS, "c": [0.5, 1.5, -2.5]},
        {**ROWS, "d": [True, False, False]},
        {"A": ROWS["a"], "b": ROWS["b"], "c": ROWS["c"], "d": ROWS["d"]},
        {"b": ROWS["b"], "a": ROWS["a"], "c": ROWS["c"], "d": ROWS["d"]},
        {"a": [1, 2], "b": ["x", None], "c": [0.5, 1.5], "d": [True, False]},
        {"a": ROWS["a"], "b": ROWS["b"], "c": ROWS["c"]},
    ],
)
def test_any_change_is_another_fingerprint(other):
    assert fingerprint(ROWS) != fingerprint(other)
    assert fingerprint(ROWS) == fingerprint(dict(ROWS)) == fingerprint(pl.DataFrame(ROWS))


def test_it_does_not_depend_on_path_or_memory(tmp_path):
    x = np.random.default_rng(0).normal(size=(5000, 7))
    base = fingerprint(x)
    assert base == fingerprint(np.asfortranarray(x)) == fingerprint(np.repeat(x, 2, axis=0)[::2])
    assert base == fingerprint(x.astype(">f8"))
    assert base != fingerprint(x.astype(np.float32)) and base != fingerprint(x[::-1])
    pl.DataFrame(x).write_csv(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_bytes((tmp_path / "a.csv").read_bytes())
    assert fingerprint(tmp_path / "a.csv") == fingerprint(str(tmp_path / "b.csv"))
    frame = pl.DataFrame(x)
    assert fingerprint(frame) == fingerprint(pl.concat([frame[:1000], frame[1000:]], rechunk=False))


def test_it_stays_the_same_between_versions():
    """Studies on disk hold it: a change needs another number in front."""
    table = {
        **ROWS,
        "t": [dt.datetime(2020, 1, 1), None, dt.datetime(2021, 1, 1, 12)],
        "e": pl.Series(["u", "v", None], dtype=pl.Categorical),
    }
    assert fingerprint(pl.DataFrame(table)) == "1:0a19f22416b6e55125c0e20d7863f4e4"
    assert fingerprint(np.arange(6, dtype=np.float32).reshape(3, 2)) == "1:d8916b1cd758aa49eea906b6672308b4"


def test_other_columns_have_one_too():
    frame = pl.DataFrame({"l": [[1], [2, 3]], "b": [b"x", b"y"], "n": [None, None], "s": [{"a": 1}, {"a": 2}]})
    assert fingerprint(frame) != fingerprint(frame[::-1])
    assert fingerprint(pl.DataFrame({"a": []})) != fingerprint(pl.DataFrame({"b": []}))


def test_many_blocks_are_hashed_as_one(monkeypatch):
    module = __import__("hyperband.tables.table_fingerprint", fromlist=["x"])
    x = np.random.default_rng(0).normal(size=(100, 3))
    whole = fingerprint(x)
    monkeypatch.setattr(module, "_MATRIX_ROWS", 7)
    assert fingerprint(x) == whole


def test_wide_numbers_and_zones():
    wide = pl.DataFrame({"a": pl.Series([1, 2], dtype=pl.Int128)})
    assert fingerprint(wide) == fingerprint(wide.clone()) != fingerprint({"a": [1, 2]})
    times = pl.Series("a", [dt.datetime(2020, 1, 1)])
    zones = [times, times.dt.replace_time_zone("UTC"), times.dt.replace_time_zone("Europe/Berlin")]
    assert len({fingerprint(pl.DataFrame([column])) for column in zones}) == 3
