"""Views: each formula recomputed, sensible defaults for odd columns, and the same bits for any chunk."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_table import odd
from sklearn.preprocessing import TargetEncoder

import hyperband as hb
from hyperband.errors import DataError
from hyperband.tables import Preprocessing, prepare_table
from hyperband.tables.fit_categories import CROSS_FIT_PARTS, ONE_HOT_LEVELS
from hyperband.tables.number_encoders import (
    LEAST_BINS,
    N_COSINES,
    Bins,
    Fourier,
    RobustClip,
    cosine_of_half_turns,
)
from hyperband.tables.views import MOST_RANKED, MOST_VALUES, VIEWS, WIDEST, sensible_views

NAMES = tuple(name for name, view in VIEWS.items() if not view.selects)
N = 400


# ---- formulas -----------------------------------------------------------------


def smooth_clip(z):
    return z / np.sqrt(1 + (z / 3) ** 2)


def test_robust_scaling_and_smooth_clip():
    rng = np.random.default_rng(1)
    x = np.column_stack([rng.normal(5, 3, 101), rng.exponential(size=101)])
    q25, q50, q75 = np.quantile(x, [0.25, 0.5, 0.75], axis=0)
    found = RobustClip.fit(x)
    assert found.median == pytest.approx(q50, rel=1e-14)
    assert found.scale == pytest.approx(1 / (q75 - q25), rel=1e-14)
    assert found.transform(x) == pytest.approx(smooth_clip((x - q50) / (q75 - q25)), rel=1e-13)
    assert np.abs(found.transform(x * 1e12)).max() <= 3.0


def test_robust_scaling_of_columns_without_width():
    spiked = np.r_[np.zeros(90), np.linspace(-1, 4, 10)]
    constant = np.full(100, 3.0)
    found = RobustClip.fit(np.column_stack([spiked, constant]))
    assert found.scale == (2 / 5, 0.0)
    x = found.transform(np.array([[4.0, 3.0], [0.0, 9.0]]))
    assert x[0, 0] == pytest.approx(smooth_clip(8 / 5))
    assert x[:, 1].tolist() == [0.0, 0.0]


def test_robust_scaling_of_extreme_numbers_is_finite_and_monotone():
    x = np.array([-1.7e308, -1e300, -1.0, 0.0, 1e-320, 1.0, 1e300, 1.7e308])[:, None]
    for fitted in (RobustClip.fit(x), RobustClip((0.0,), (1.0,)), RobustClip((-1.7e308,), (1e300,))):
        z = fitted.transform(x)[:, 0]
        assert np.isfinite(z).all()
        assert (np.diff(z) >= 0).all()
        assert np.abs(z).max() <= 3.0


@pytest.mark.parametrize("n_bins", [1, 2, 8, LEAST_BINS])
def test_piecewise_linear_encoding(n_bins):
    """The formula of the paper, value by value."""
    x = np.random.default_rng(2).normal(size=(300, 1))
    encoding = Bins.fit(x, n_bins)
    edges = encoding.edges[0]
    assert edges == pytest.approx(np.quantile(x, np.linspace(0, 1, n_bins + 1)), rel=1e-14)
    for value in (*x[:20, 0], x.min() - 1, x.max() + 1):
        expected = []
        for t in range(n_bins):
            part = (value - edges[t]) / (edges[t + 1] - edges[t])
            if t > 0:
                part = max(part, 0.0)
            if t < n_bins - 1:
                part = min(part, 1.0)
            expected.append(part)
        assert encoding.transform(np.array([[value]]))[0] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_bins_of_few_values_and_of_spikes():
    whole = np.random.default_rng(0).integers(0, 9, 500).astype(float)
    spiked = np.r_[np.zeros(400), np.random.default_rng(0).exponential(size=100)]
    encoding = Bins.fit(np.column_stack([whole, spiked]))
    assert encoding.edges[0] == tuple(range(9))  # a step at every value
    steps = encoding.transform(np.column_stack([np.arange(9.0), np.zeros(9)]))[:, :8]
    assert np.array_equal(steps, np.tri(9, 8, -1))
    edges = np.array(encoding.edges[1])
    assert len(edges) == LEAST_BINS + 1  # though 80 % of the quantiles are 0
    assert edges[0] == 0.0
    assert edges[1:] == pytest.approx(np.quantile(spiked[400:], np.linspace(0, 1, LEAST_BINS)))


def test_columns_share_the_room_for_bins():
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=(8000, 6)), rng.integers(0, 40, 8000)])
    counts = [len(edges) - 1 for edges in Bins.fit(x).edges]
    assert counts == [(512 - 39) // 6] * 6 + [39]
    assert [len(edges) - 1 for edges in Bins.fit(x[:1000, :2]).edges] == [31, 31], "32 rows a bin"
    assert [len(edges) - 1 for edges in Bins.fit(x[:, :1]).edges] == [128]


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=50))
def test_cosine(values):
    u = np.array(values)
    exact = np.cos(np.pi * np.remainder(u, 2.0))
    assert np.abs(cosine_of_half_turns(u) - exact).max() < 1e-12
    assert np.array_equal(cosine_of_half_turns(u[:1]), cosine_of_half_turns(u)[:1])


def test_fourier_features():
    x = np.random.default_rng(3).normal(size=(200, 2))
    encoding = Fourier.fit(x, keys=[0, 4], seed=7)
    out = encoding.transform(x)
    z = RobustClip.fit(x).transform(x)
    assert out.shape == (200, 2 * (1 + N_COSINES))
    assert np.array_equal(out[:, :2], z)
    for j in range(2):
        w, b = np.array(encoding.frequency[j]), np.pi * np.array(encoding.phase[j])
        cosines = out[:, 2 + j * N_COSINES : 2 + (j + 1) * N_COSINES]
        assert cosines == pytest.approx(np.cos(np.pi * w * z[:, [j]] + b), abs=1e-12)
    assert Fourier.fit(x[:, :1], keys=[4], seed=7).frequency[0] == encoding.frequency[1]  # keyed by the column
    assert Fourier.fit(x[:50], keys=[0, 4], seed=7).frequency == encoding.frequency
    assert Fourier.fit(x, keys=[0, 4], seed=8).frequency != encoding.frequency


def test_fourier_draws_have_their_distributions():
    encoding = Fourier.fit(np.tile([[0.0], [1.0]], (1, 500)), keys=range(500), seed=0)
    w, b = np.array(encoding.frequency).ravel(), np.array(encoding.phase).ravel()
    assert w.mean() == pytest.approx(0.0, abs=5 / np.sqrt(len(w)))
    assert w.std() == pytest.approx(1.0, abs=0.06)
    assert (np.abs(w) < 1.0).mean() == pytest.approx(0.6827, abs=0.04)
    assert b.min() >= -1
    assert b.max() < 1
    assert b.std() == pytest.approx(2 / np.sqrt(12), abs=0.03)


def test_quantiles_are_normal_and_spare_spikes():
    data = prepare_table(odd(2000), target="y").dataset("quantile")
    column = dict(zip(data.feature_names, data.x_train.T, strict=True))
    for name in ("number", "heavy"):
        assert np.mean(column[name]) == pytest.approx(0.0, abs=1e-5)
        assert np.quantile(column[name], [0.1587, 0.8413]) == pytest.approx([-1, 1], abs=0.08)
    assert len(np.unique(column["spiked"])) > 100
    assert (column["spiked"] == np.median(column["spiked"])).mean() > 0.7
    assert np.abs(np.median(column["spiked"])) < 1.0  # not at -5.2, the smallest quantile


# ---- columns ------------------------------------------------------------------


def test_features_of_a_view():
    data = prepare_table(odd(), target="y").dataset("robust")
    names = data.feature_names
    assert names[:5] == ("number", "heavy", "spiked", "whole", "holes")
    assert data.n_numbers == 5
    assert names[5:9] == ("flag", "two", "holes is missing", "codes=1")
    own = ONE_HOT_LEVELS - 1
    assert names[12:16] == ("sex=m", "colour=blue", "colour=green", "colour=red")
    assert len(names) == 16 + own + 3
    assert names[-4:] == ("city=None", "city=(rare)", "city target mean", "city frequency")
    column = dict(zip(names, data.x_train.T, strict=True))
    for name in ("flag", "two"):
        assert set(column[name]) == {-1.0, 1.0}
    assert set(column["sex=m"]) == {-1.0, 0.0, 1.0}
    assert set(column["holes is missing"]) == {0.0, 1.0}
    assert (column["holes"][column["holes is missing"] == 1] == 0).all()
    assert "same" not in names
    one_hot = data.x_train[:, 16 : 16 + own + 1]
    assert np.array_equal(one_hot.sum(axis=1), np.ones(len(one_hot)))


@pytest.mark.parametrize(
    ("view", "per_number", "n_numbers"),
    [("standard", 1, 7), ("robust", 1, 5), ("quantile", 1, 5), ("fourier", 1 + N_COSINES, 5)],
)
def test_numbers_come_first(view, per_number, n_numbers):
    data = prepare_table(odd(), target="y").dataset(view)
    assert data.n_numbers == n_numbers
    true_numbers = {"number", "heavy", "spiked", "whole", "holes"}
    flags = {"flag", "two"} if view == "standard" else set()
    assert set(data.feature_names[:n_numbers]) == true_numbers | flags
    expanded = data.feature_names[: 5 * per_number] if per_number > 1 else data.feature_names[:n_numbers]
    assert not any("=" in name or "missing" in name for name in expanded)


def test_bins_have_no_numbers():
    data = prepare_table(odd(), target="y").dataset("bins")
    assert data.n_numbers == 0
    assert data.feature_names[:2] == ("number bin 1", "number bin 2")
    assert data.x_train[:, : 4 * LEAST_BINS].min() >= 0.0
    assert data.x_train[:, : 4 * LEAST_BINS].max() <= 1.0


def test_new_rows():
    table = prepare_table(odd(), target="y")
    prep = table.dataset("robust").preprocessing
    row = {name: [None] for name in odd().columns if name != "y"}
    column = dict(zip(prep.feature_names, prep.transform(pl.DataFrame(row))[0], strict=True))
    assert column["number"] == column["flag"] == column["sex=m"] == column["two"] == 0.0
    assert column["holes is missing"] == 1.0
    assert column["city=None"] == 1.0
    new = odd(8).with_columns(city=pl.lit("never seen"), sex=pl.lit("x"), two=pl.lit(2.5), flag=pl.lit(None))
    column = dict(zip(prep.feature_names, prep.transform(new).T, strict=True))
    assert (column["city=(rare)"] == 1.0).all()
    assert (column["sex=m"] == 0.0).all()
    assert (column["two"] == 0.0).all()
    assert (column["flag"] == 0.0).all()
    assert (column["city frequency"] < column["city frequency"].mean() + 1e-6).all()


@pytest.mark.parametrize("view", NAMES)
def test_extreme_new_values_are_finite(view):
    frame = odd()
    prep = prepare_table(frame, target="y").dataset(view).preprocessing
    for value in (1.7e308, -1.7e308, 1e-320, 0.0):
        extreme = frame.with_columns(pl.lit(value).alias(name) for name in ("number", "heavy", "spiked", "two"))
        x = prep.transform(extreme)
        assert np.isfinite(x).all()
        assert np.abs(x).max() <= 10.0
    with pytest.raises(DataError, match="'number' is infinite"):
        prep.transform(frame.with_columns(number=pl.lit(float("inf"))))


@pytest.mark.parametrize("view", NAMES[1:])
def test_extreme_training_values_are_finite(view):
    rng = np.random.default_rng(0)
    x = np.column_stack([
        np.r_[1.7e308, -1.7e308, rng.normal(size=98)],
        np.r_[np.full(50, 1e-310), np.arange(50) * 1e-310],
        rng.normal(size=100) * 1e300,
        rng.normal(size=100),
    ])  # fmt: skip
    data = prepare_table(x, rng.normal(size=100)).dataset(view)
    assert np.isfinite(data.x_train).all()
    assert np.abs(data.x_train).max() <= 10.0


@pytest.mark.parametrize("view", NAMES)
def test_chunks_do_not_change_a_bit(view, monkeypatch):
    frame = odd(700)
    table = prepare_table(frame, target="y", test=0.1)
    prep = table.dataset(view).preprocessing
    x = prep.transform(frame)
    assert np.array_equal(prep.transform(frame[5:6]), x[5:6])
    rows = np.array([699, 3, 3, 500])
    assert np.array_equal(prep.transform(frame, rows), x[rows])
    monkeypatch.setattr("hyperband.tables.preprocess._BLOCK_BYTES", 1)
    assert np.array_equal(prep.transform(frame), x)
    assert np.array_equal(table.dataset(view).x_test, x[table.test_rows])


@pytest.mark.parametrize("view", NAMES)
def test_plain_data(view):
    """Through JSON and back the same bits."""
    frame = odd()
    data = prepare_table(frame, target="y").dataset(view)
    plain = json.loads(json.dumps(data.preprocessing.to_dict(), allow_nan=False))
    back = Preprocessing.from_dict(plain)
    assert np.array_equal(back.transform(frame), data.preprocessing.transform(frame))
    assert back.to_dict() == data.preprocessing.to_dict()
    assert (back.view, back.n_numbers, back.feature_names) == (view, data.n_numbers, data.feature_names)


def test_matrices_and_frames_agree():
    x = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    x[:, 1] = x[:, 1] > 0
    y = x[:, 0] * 2.0
    for view in ("robust", "bins", "fourier"):
        matrix = prepare_table(x, y).dataset(view)
        frame = prepare_table({f"x{j}": column for j, column in enumerate(x.T)}, y).dataset(view)
        assert np.array_equal(matrix.x_train, frame.x_train)
        assert matrix.feature_names == frame.feature_names


# ---- target means -------------------------------------------------------------


def test_target_means_equal_scikit_learn():
    frame = odd(1000)
    table = prepare_table(frame, target="y")
    data = table.dataset("robust")
    at = data.feature_names.index("city target mean")
    rows = np.setdiff1d(np.arange(1000), table.validation_rows(0))
    encoder = TargetEncoder(target_type="continuous").fit(
        frame["city"][rows].fill_null("(none)").to_numpy()[:, None], (frame["y"][rows].to_numpy())
    )
    expected = encoder.transform(frame["city"].fill_null("(none)").to_numpy()[:, None])[:, 0]
    found = data.preprocessing.transform(frame)[:, at].astype(float)
    slope, offset = np.polyfit(expected, found, 1)
    assert slope > 0
    assert found == pytest.approx(slope * expected + offset, abs=1e-4)


def test_training_rows_do_not_see_their_own_target():
    """With a target of noise and few rows a level, own targets would make the training rows' means predict it."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"id": [f"c{k}" for k in rng.integers(0, 500, 3000)], "y": rng.normal(size=3000)})
    data = prepare_table(frame, target="y").dataset("robust")
    at = data.feature_names.index("id target mean")
    assert abs(np.corrcoef(data.x_train[:, at], data.y_train[:, 0])[0, 1]) < 0.1
    assert data.x_train[:, at].mean() == pytest.approx(0.0, abs=1e-5)
    assert data.x_train[:, at].std() == pytest.approx(1.0, abs=1e-4)


def test_each_part_has_the_means_of_the_others():
    n = 1000
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"city": [f"c{k}" for k in rng.integers(0, 40, n)], "y": rng.normal(size=n) + 3})
    base = prepare_table(frame, target="y", seed=1)
    data = base.dataset("robust")
    at = data.feature_names.index("city target mean")
    order = np.round(data.target.values(data.y_train), 9)
    row = int(np.flatnonzero(np.isclose(frame["y"].to_numpy(), order[0], atol=1e-6))[0])
    changed = frame.with_columns(y=pl.when(pl.int_range(n) == row).then(500.0).otherwise(pl.col("y")))
    other = prepare_table(changed, target="y", seed=1).dataset("robust")
    size = n * 4 // 5 // CROSS_FIT_PARTS
    before, after = (d.x_train[:, at].astype(float) for d in (data, other))
    # The first part's means do not depend on its row 0; standardised, they differ by one affine map.
    slope, offset = np.polyfit(before[:size], after[:size], 1)
    assert after[:size] == pytest.approx(slope * before[:size] + offset, abs=1e-4)
    assert not np.allclose(after[size:], slope * before[size:] + offset, atol=1e-2)


@pytest.mark.parametrize(("n_classes", "n_means"), [(2, 1), (3, 3), (10, 10), (12, 0)])
def test_target_means_of_classes(n_classes, n_means):
    rng = np.random.default_rng(0)
    n = 2000
    city = rng.integers(0, 50, n)
    y = [f"k{k}" for k in (city + (rng.random(n) < 0.2)) % n_classes]
    data = prepare_table(pl.DataFrame({"city": [f"c{k}" for k in city], "y": y}), target="y").dataset("robust")
    means = [j for j, name in enumerate(data.feature_names) if "target mean" in name]
    assert len(means) == n_means
    for k, j in enumerate(means):
        right = data.y_train == (1 if n_classes == 2 else k)
        assert data.x_train[right, j].mean() > data.x_train[~right, j].mean() + 0.5


def test_several_targets_have_a_mean_each():
    frame = odd(800).with_columns(z=-pl.col("y"))
    data = prepare_table(frame, target=["y", "z"]).dataset("robust")
    a, b = (data.x_train[:, data.feature_names.index(f"city target mean {k}")] for k in (1, 2))
    assert a == pytest.approx(-b, abs=1e-4)


# ---- which views --------------------------------------------------------------


def test_views_that_make_sense():
    assert prepare_table(odd(), target="y").views == (*NAMES, "selected", "selected bins")
    assert prepare_table(odd(), target="y", options=hb.TableOptions(scaling="standard")).views == ("standard",)
    few = odd().select("colour", "y")
    assert prepare_table(few, target="y").views == ("standard",)
    for name in ("city", "sex", "flag"):
        assert prepare_table(odd().select("colour", name, "y"), target="y").views == ("standard", "robust")
    wide = np.random.default_rng(0).normal(size=(20, WIDEST // LEAST_BINS + 1))
    assert prepare_table(wide, wide.sum(axis=1)).views == ("standard", "robust", "quantile", "fourier")
    assert sensible_views(WIDEST, 20, True, "auto") == ("standard", "robust", "quantile")
    assert sensible_views(WIDEST + 1, 20, True, "auto") == ("standard", "robust")
    most = MOST_VALUES // (10 * LEAST_BINS)
    assert sensible_views(10, most, True, "auto") == tuple(name for name in NAMES if name != "quantile")
    assert sensible_views(8, MOST_RANKED // 8, True, "auto") == NAMES
    assert "quantile" not in sensible_views(8, MOST_RANKED // 8 + 1, True, "auto")
    assert "bins" not in sensible_views(10, most + 1, True, "auto")


@pytest.mark.parametrize("view", NAMES)
def test_only_training_rows_fit_a_view(view):
    frame = odd(500)
    table = prepare_table(frame, target="y", validation=0.3, test=0.1)
    base = table.dataset(view)
    held = np.concatenate([table.validation_rows(0), table.test_rows])
    hidden = pl.int_range(len(frame)).is_in(pl.Series(held))
    other = frame.with_columns(
        number=pl.when(hidden).then(1e6).otherwise(pl.col("number")),
        y=pl.when(hidden).then(-1e6).otherwise(pl.col("y")),
        city=pl.when(hidden).then(pl.lit("new")).otherwise(pl.col("city")),
    )
    found = prepare_table(other, target="y", validation=0.3, test=0.1).dataset(view)
    assert np.array_equal(found.x_train, base.x_train)
    assert found.target == base.target
