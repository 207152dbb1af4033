"""Permutation importance of columns: what it finds, on which scale, and with which intervals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import hyperband as hb
from hyperband.engine.architecture import Architecture
from hyperband.errors import DataError, InputError
from hyperband.metrics import metric
from hyperband.tables import prepare

NUMPY = "numpy"


def linear(prepared, coefficients):
    """The model whose output is a sum of its features."""
    weights = np.asarray(coefficients, dtype=np.float32).reshape(prepared.preprocessing.n_features, -1)
    layers = [(weights, np.zeros(weights.shape[1], dtype=np.float32))]
    return hb.Model.of_one(prepared.preprocessing, Architecture(widths=[]), layers)


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 3))
    return X, 2 * X[:, 0] + X[:, 1]


@pytest.fixture(scope="module")
def model(numbers):
    prepared = prepare(*numbers)
    slopes = np.linalg.lstsq(prepared.x_train, prepared.y_train, rcond=None)[0]
    return linear(prepared, slopes)


def test_the_rise_of_a_squared_error_is_twice_the_variance_that_a_column_explains(model, numbers):
    found = model.importance(*numbers, backend=NUMPY)
    assert found.names == ("x0", "x1", "x2")
    assert (found.figure, found.n_rows, found.repeats) == ("loss", 1500, 5)
    assert found.value == pytest.approx(model.evaluate(*numbers, backend=NUMPY)["loss"])
    np.testing.assert_allclose(found.mean, [2 * 4 / 5, 2 * 1 / 5, 0.0], atol=0.1)
    assert ((found.low <= found.mean) & (found.mean <= found.high)).all()
    assert found.low[1] > 0.2 and found.high[0] - found.low[0] < 0.4


def test_intervals_hold_what_they_promise(model):
    """Of 40 tables of the same kind; about 38 should hold the importance."""
    held = 0
    for seed in range(40):
        X = np.random.default_rng(100 + seed).normal(size=(200, 3))
        found = model.importance(X, 2 * X[:, 0] + X[:, 1], seed=seed, repeats=3, backend=NUMPY)
        j = found.names.index("x1")
        scale = model.target.scale[0] ** 2
        held += found.low[j] <= 2 * 1.0 / scale <= found.high[j]
    assert held >= 33


@pytest.mark.parametrize("name", ["rmse", "r2", metric("mae", "regression")])
def test_a_metric_gets_worse_in_its_own_direction(model, numbers, name):
    found = model.importance(*numbers, metric=name, backend=NUMPY)
    assert found.figure == (name if isinstance(name, str) else "mae")
    assert found.value == pytest.approx(model.evaluate(*numbers, backend=NUMPY)[found.figure])
    assert found.names[0] == "x0" and found.mean[0] > 0.5
    assert abs(found.mean[2]) < 0.02


def test_shuffles_depend_on_the_seed_alone(model, numbers):
    first = model.importance(*numbers, repeats=2, seed=3, backend=NUMPY)
    again = model.importance(*numbers, repeats=2, seed=3, backend=NUMPY)
    np.testing.assert_array_equal(first.mean, again.mean)
    np.testing.assert_array_equal(first.high, again.high)
    assert (model.importance(*numbers, repeats=2, seed=4, backend=NUMPY).mean != first.mean).any()


def test_classes_and_a_column_of_categories():
    rng = np.random.default_rng(1)
    colour = rng.choice(["red", "green", "blue"], 400)
    frame = pl.DataFrame(
        {"noise": rng.normal(size=400), "colour": colour, "label": np.where(colour == "red", "a", "b")}
    )
    prepared = prepare(frame, target="label")
    names = prepared.preprocessing.feature_names
    # the logit of "b"
    red = np.array([-5.0 if name.endswith("red") else 2.0 if "colour" in name else 0.0 for name in names])
    model = linear(prepared, red)
    for figure in (None, "accuracy", "auc", "neg_log_loss"):
        found = model.importance(frame, metric=figure, backend=NUMPY)
        assert found.names == ("colour", "noise")
        assert found.mean[0] > 0.2 and found.mean[1] == 0.0
        assert found.low[0] > 0
    with pytest.raises(InputError, match="`metric` must be defined for these rows; 'auc' is NaN"):
        model.importance(frame.filter(pl.col("label") == "a"), metric="auc", backend=NUMPY)
    apart = model.importance(frame.drop("label"), frame["label"].to_list(), backend=NUMPY)
    np.testing.assert_array_equal(apart.mean, model.importance(frame, backend=NUMPY).mean)


def test_a_column_of_times_is_shuffled_as_a_whole():
    rng = np.random.default_rng(2)
    hours = rng.integers(0, 24 * 300, 500)
    base = np.datetime64("2024-01-01T00:00:00")
    times = [str(base + np.timedelta64(int(h), "h")).replace("T", " ") for h in hours]
    frame = pl.DataFrame({"noise": rng.normal(size=500), "when": times, "y": (hours % 24).astype(float)})
    prepared = prepare(frame, target="y")
    parts = [column.name for column in prepared.preprocessing.inputs if column.source == "when"]
    assert len(parts) > 1
    slopes = np.linalg.lstsq(prepared.x_train, prepared.y_train, rcond=None)[0]
    found = linear(prepared, slopes).importance(frame, backend=NUMPY)
    assert set(found.names) == {"noise", "when"}
    assert found.names[0] == "when" and found.low[0] > 0.1


def test_a_few_rows_and_wrong_settings(model, numbers):
    X, y = numbers
    found = model.importance(X[:2], y[:2], backend=NUMPY)
    assert found.n_rows == 2 and np.isfinite(found.mean).all()
    with pytest.raises(InputError, match="at least two rows, whose values are swapped; got 1"):
        model.importance(X[:1], y[:1], backend=NUMPY)
    with pytest.raises(InputError, match="`repeats`"):
        model.importance(X, y, repeats=0, backend=NUMPY)
    with pytest.raises(InputError, match="`metric` must be one of regression"):
        model.importance(X, y, metric="auc", backend=NUMPY)
    assert np.isnan(found.low).all(), "of one group nothing is known about others"
    with pytest.raises(DataError, match="must have 4 columns, the target among them; got 3"):
        model.importance(X, backend=NUMPY)


def test_as_text_and_as_a_picture(model, numbers):
    from hyperband.plots import column_importance

    found = model.importance(*numbers, backend=NUMPY)
    first, *rows = str(found).splitlines()
    assert first.startswith("loss ") and first.endswith("on 1500 rows; shuffled, it gets worse by")
    assert [row.split()[0] for row in rows] == list(found.names)
    ax = column_importance(found, style="dark")
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], found.mean)
    assert [t.get_text() for t in ax.get_yticklabels()] == list(found.names)
    (_, _, (ends,)) = ax.containers[1].lines
    drawn = np.array([segment[:, 0] for segment in ends.get_segments()])
    np.testing.assert_allclose(drawn, np.column_stack([found.low, found.high]))
    assert ax.get_xlabel().replace("\n", " ") == "loss: how much worse when a column is shuffled (mean, 95 % interval)"
    assert "on 1500 rows" in ax.get_title()


def test_columns_beside_parameters(model, numbers):
    space = hb.Space({"x": hb.Float(0.0, 1.0), "useless": hb.Float(0.0, 1.0)})
    result = hb.minimize(lambda c, r: c["x"], space, hb.RandomSearch(n=30), seed=0)
    found = model.importance(*numbers, backend=NUMPY)
    upper, lower = result.plot.importance(columns=found).child_axes
    assert [t.get_text() for t in upper.get_yticklabels()] == ["x", "useless"]
    assert [t.get_text() for t in lower.get_yticklabels()] == ["x0", "x1", "x2"]
    upper.figure.draw_without_rendering()
    above, below = upper.get_tightbbox(), lower.get_tightbbox()
    assert above.y0 > below.y1, "the texts of the panels must not touch"


def test_only_the_most_important_of_many_columns_are_drawn():
    from hyperband.model import ColumnImportance
    from hyperband.plots import column_importance

    mean = np.linspace(1, 0, 54)
    found = ColumnImportance(
        tuple(f"column {k}" for k in range(54)), mean, mean * np.nan, mean * np.nan, "auc", 0.9, 9, 5
    )
    ax = column_importance(found)
    assert len(ax.patches) == 20 and "(20 of 54 columns)" in ax.get_title()
