"""Columns that say something about the target, among columns of noise."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

import hyperband as hb
from hyperband.cli.report import as_text
from hyperband.tables import make_dataset, prepare_table
from hyperband.tables.column_selection import Relevance, relevance
from hyperband.tables.preprocess import CATEGORY, IGNORED, NUMBER
from hyperband.tables.table import as_table

N = 400


def noisy(n: int = N, seed: int = 0) -> tuple[pl.DataFrame, np.ndarray]:
    """20 columns; "number", "level" and "gap" (by what is missing) decide about the class."""
    rng = np.random.default_rng(seed)
    noise = {f"noise {i}": rng.normal(size=n) for i in range(15)}
    levels = {f"text {i}": rng.choice(list("abcde"), n) for i in range(2)}
    number, level, missing = rng.lognormal(0, 20, n), rng.choice(list("xyz"), n), rng.random(n) < 0.5
    y = 2 * (np.log(number) > 0) + 2 * (level == "x") + 2 * missing + rng.normal(0, 0.3, n) > 2.5
    gap = np.where(missing, np.nan, rng.normal(size=n))
    return pl.DataFrame({**noise, **levels, "number": number, "level": level, "gap": gap}), y.astype(np.int32)


def chosen(frame: pl.DataFrame, y: np.ndarray, seed: int = 0) -> list[str]:
    kinds = {name: CATEGORY if dtype == pl.String else NUMBER for name, dtype in frame.schema.items()}
    return list(relevance(as_table(frame), kinds, np.arange(len(y)), y, seed).relevant)


def test_numbers_levels_and_gaps_are_found_among_noise():
    frame, y = noisy()
    assert chosen(frame, y) == ["number", "level", "gap"]
    assert chosen(frame, y) == chosen(frame, y), "the same rows and seed give the same columns"


def test_of_values_and_of_several_values():
    frame, _ = noisy()
    values = np.stack([np.log(frame["number"].to_numpy()) / 20, np.nan_to_num(frame["gap"].to_numpy())], axis=1)
    assert chosen(frame, values[:, :1].astype(np.float32)) == ["number"]
    assert chosen(frame, values.astype(np.float32)) == ["number", "gap"]


def test_noise_alone_has_no_relevant_column():
    found = []
    for data in range(1, 4):
        frame, y = noisy(seed=data)
        noise = frame.select([name for name in frame.columns if "noise" in name])
        found += [len(chosen(noise, y, seed)) for seed in range(3)]
    assert np.mean(found) < 1 and np.median(found) == 0


def test_the_view_is_offered_where_most_columns_are_noise():
    frame, y = noisy()
    table = prepare_table(frame, y, validation=3)
    assert table.views[-2:] == ("selected", "selected bins")
    texts = frame.select(*(pl.col("text 0").alias(f"text {i}").shuffle(i) for i in range(9)), pl.col("level"))
    assert prepare_table(texts, y).views == ("standard", "selected")
    few = frame.select("number", "level", "gap", *frame.columns[:2])
    assert "selected" not in prepare_table(few, y).views
    relevant = frame.with_columns(**{f"again {i}": pl.col("number").log() * (i + 2) for i in range(18)})
    assert "selected" not in prepare_table(relevant, y).views
    assert prepare_table(frame, y, options=hb.TableOptions(scaling="quantile")).views == ("standard",)


def test_other_columns_are_ignored_and_may_be_absent():
    frame, y = noisy()
    table = prepare_table(frame, y, validation=3)
    data = table.dataset("selected", fold=1)
    prep = data.preprocessing
    assert prep.feature_names == ("number", "gap", "gap is missing", "level=x", "level=y", "level=z")
    assert "View 'selected' uses 3 of 20 columns: number, level, gap." in data.notes
    assert data.n_numbers == 2 and data.x_train.shape[1] == 6
    assert {column.name for column in prep.inputs if column.kind == IGNORED} == set(frame.columns[:17])
    rows = table.validation_rows(1)
    assert rows is not None
    np.testing.assert_array_equal(prep.transform(frame)[rows], data.x_validation)
    np.testing.assert_array_equal(prep.transform(frame.select("level", "number", "gap"))[rows], data.x_validation)


def test_only_training_rows_select():
    frame, y = noisy()
    held = np.arange(0, N, 3)
    told = np.random.default_rng(1).normal(size=N)
    told[held] += 100.0 * y[held]  # says everything about the rows that validate, and nothing about the others
    pairs = [(np.setdiff1d(np.arange(N), held), held)]
    table = prepare_table(frame.with_columns(told=told), y, validation=pairs)
    assert "told" not in table.dataset("selected").feature_names
    assert "told" in table.refit("selected").feature_names, "where all rows train it is relevant"


def test_the_columns_of_a_fold_are_looked_for_once(monkeypatch):
    looked = []

    def counted(*arguments):
        looked.append(arguments)
        return relevance(*arguments)

    monkeypatch.setattr(make_dataset, "relevance", counted)
    frame, y = noisy()
    table = prepare_table(frame, y, validation=3)
    for view in ("selected", "selected bins"):
        for fold in range(3):
            table.dataset(view, fold)
    assert len(looked) == 3


def test_without_importance_the_best_are_all_columns():
    frame, _ = noisy()
    kinds = dict.fromkeys(frame.columns[:15], NUMBER)
    found = relevance(as_table(frame), kinds, np.arange(N), np.zeros(N, np.int32), 0)
    assert found == Relevance((), tuple(kinds))


@pytest.mark.parametrize("values", [np.full(N, 1e300), np.arange(N) * 1e300])
def test_values_beyond_float32_are_ranks(values):
    frame, y = noisy()
    assert chosen(frame.with_columns(pl.Series("noise 0", values)), y) == ["number", "level", "gap"]


def test_a_fold_without_a_relevant_column_has_the_most_important_one():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, 40))
    first, second = np.arange(100), np.arange(100, 200)
    y = np.where(np.arange(200) < 100, x[:, 0], rng.normal(size=200))  # the second fold trains on noise
    table = prepare_table(x, y, validation=[(first, second), (second, first)])
    widths = [table.dataset("selected", fold).x_train.shape[1] for fold in range(2)]
    assert widths == [1, 1], "not all columns, of which some views would make very wide networks"


def test_identifiers_are_never_chosen():
    rng = np.random.default_rng(0)
    x = rng.uniform(100, 999, N)
    price = [f"{value:.2f}" for value in x]
    price[7] = "n/a"  # text, whose alphabetical order says everything about the target
    frame = pl.DataFrame({**{f"n{i}": rng.normal(size=N) for i in range(20)}, "price": price})
    table = prepare_table(frame, x + 50 * rng.normal(size=N), validation=0.2)
    for view in table.views:
        assert "price" not in "".join(table.dataset(view).feature_names)


def test_many_classes_and_any_seed_give_no_warning(recwarn):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({f"n{i}": rng.normal(size=60) for i in range(8)})
    prepare_table(frame, np.arange(60) % 25, validation=2, seed=-5)
    assert not [w for w in recwarn if "unique classes" in str(w.message)]


def test_a_search_keeps_its_choice(tmp_path):
    frame, y = noisy(200)
    space = hb.Space({"view": hb.Choice(["selected"]), "width": hb.Choice([8])})
    result = hb.search(frame, y, space=space, algorithm=hb.RandomSearch(2, n=2), validation=2, seed=0)
    path = tmp_path / "model.npz"
    result.model.save(path)
    predicted = result.model.predict_proba(frame)
    np.testing.assert_array_equal(hb.Model.load(path).predict_proba(frame), predicted)
    shown = as_text(result, prepare_table(frame, y), "model", "command")
    assert re.search(r"^columns        \d of 20: .*number", shown, re.MULTILINE)
