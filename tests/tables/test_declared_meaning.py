"""Data that says more than its values: declared categories, weights of 0, columns of types that are no features."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from hyperband.errors import DataError
from hyperband.tables import TableOptions, prepare, prepare_table
from hyperband.tables.data_warning import DataWarning


def test_declared_categories_of_numbers_are_categories():
    rng = np.random.default_rng(0)
    codes = rng.choice([101, 205, 333, 404, 515, 606, 777], 300)
    frame = pd.DataFrame({"x": rng.normal(size=300), "zip": pd.Categorical(codes)})
    p = prepare(frame, np.arange(300) % 2)
    assert {i.name: i.kind for i in p.preprocessing.inputs} == {"x": "number", "zip": "category"}
    plain = pd.DataFrame({"x": frame["x"], "zip": codes})
    assert np.array_equal(p.preprocessing.transform(plain), p.preprocessing.transform(frame))
    labels = pd.Series(pd.Categorical(rng.integers(0, 26, 300)))
    for q in (prepare(frame[["x"]], labels), prepare(frame[["x"]].assign(y=labels), target="y")):
        assert q.task == "classification" and q.classes == tuple(range(26))
    assert prepare(frame[["x"]].assign(zip=labels), np.linspace(0, 1, 300)).task == "regression"


def test_rows_of_weight_0_do_not_exist():
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(300, 2)), rng.random(300) + 0.5
    y = np.where(x[:, 0] > 0, "p", "n").astype(object)
    gone = rng.choice(300, 60, replace=False)
    x[gone], weight[gone], y[gone] = 1e6, 0.0, "only here"
    y[gone[0]] = None
    p = prepare(x, y, sample_weight=weight)
    stay = np.setdiff1d(np.arange(300), gone)
    q = prepare(x[stay], y[stay], sample_weight=weight[stay])
    assert p.classes == ("n", "p") and "60 rows of weight 0 are left out." in p.notes
    for name in ("x_train", "y_train", "weight_train", "x_validation"):
        assert np.array_equal(getattr(p, name), getattr(q, name))
    pairs = [(np.arange(200), np.arange(200, 300))]
    fold = prepare_table(x, y, validation=pairs, options=TableOptions(sample_weight=weight)).dataset("standard")
    assert len(fold.x_train) == (stay < 200).sum() and len(fold.x_validation) == (stay >= 200).sum()
    with pytest.raises(DataError, match="at least two rows"):
        prepare(x, y, sample_weight=np.zeros(300))


@pytest.mark.parametrize("value", [[1.0], dt.date(2020, 1, 1), dt.timedelta(days=1), b"x"])
@pytest.mark.parametrize("column", ["a", "c"])
def test_columns_of_another_kind_are_refused(value, column):
    frame = pl.DataFrame({"a": [k % 2 + k / 1000 for k in range(80)], "c": ["u", "v"] * 40})
    fitted = prepare(frame, ["p", "n"] * 40).preprocessing
    with pytest.raises(DataError, match=f"as in training; '{column}' holds"):
        fitted.transform(frame.head(3).with_columns(pl.lit(value).alias(column)))


def test_numbers_that_a_frame_has_as_texts_are_told():
    rng = np.random.default_rng(0)
    n = 200
    frame = pl.DataFrame(
        {
            "price": [f"${v:,.2f}" for v in 1e6 * rng.random(n)],
            "code": [f"{v}" for v in rng.permutation(10**6)[:n]],
            "number": rng.normal(size=n),
        }
    )
    y = rng.integers(0, 2, n)
    with pytest.warns(DataWarning, match=r"look like numbers: price\. .*TableOptions\(numeric=\['price'\]\)"):
        found = prepare_table(frame, y).dataset("standard").preprocessing
    assert found.feature_names == ("number",)
    read = prepare_table(frame, y, options=TableOptions(numeric=["price"])).dataset("standard")
    assert read.preprocessing.feature_names == ("price", "number")
