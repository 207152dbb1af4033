"""Standardised columns, normal quantiles, one-hot columns: what scikit-learn's give, and bad parts refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from hyperband.errors import InputError
from hyperband.tables.fit_categories import MOST_LEVELS, fit_one_hot
from hyperband.tables.standard_scaling import HEAVY, PLAIN, QUANTILE_ROWS, TWO_VALUED, Standard
from hyperband.tables.table import as_table

RNG = np.random.default_rng(0)
LATER = np.concatenate([RNG.normal(size=(500, 1)) * 3, [[-1e9], [1e9]]])


def test_plain_columns_are_standardised():
    x = RNG.normal(5.0, 3.0, (1000, 1))
    expected = StandardScaler().fit(x).transform(LATER)
    assert np.allclose(Standard.fit(x, [PLAIN]).transform(LATER), expected, rtol=1e-12)


@pytest.mark.parametrize(("n_rows", "digits"), [(7, 9), (1000, 9), (2500, 1)])
def test_heavy_columns_become_normal_quantiles(n_rows, digits):
    x = np.round(RNG.standard_t(2, (n_rows, 1)), digits)  # of one digit many are equal
    quantiles = QuantileTransformer(n_quantiles=min(1000, n_rows), output_distribution="normal").fit(x)
    expected = StandardScaler().fit(quantiles.transform(x)).transform(quantiles.transform(LATER))
    assert np.allclose(Standard.fit(x, [HEAVY]).transform(LATER), expected, atol=1e-9)


def test_quantiles_are_of_the_first_rows_of_a_large_table():
    x = np.concatenate([np.linspace(0.0, 1.0, QUANTILE_ROWS), np.full(1000, 50.0)])[:, None]
    quantiles = np.array(Standard.fit(x, [HEAVY]).quantiles[0])
    assert np.allclose(quantiles, np.linspace(0.0, 1.0, 1000), atol=1e-5)


def test_missing_values_become_what_is_usual():
    nan = np.nan
    x = np.array([[1.0, 5.0, 1.0, 0.0], [9.0, nan, 2.0, nan], [nan, 5.0, 9.0, 3.0], [2.0, 8.0, 4.0, 3.0]])
    fitted = Standard.fit(x, [PLAIN, TWO_VALUED, PLAIN, TWO_VALUED])
    assert fitted.fill == (
        2.0,
        5.0,
        4.0,
        3.0,
    )  # median, most frequent, mean of a column that misses none, most frequent
    missing = fitted.transform(np.full((1, 4), nan))
    assert np.array_equal(missing, fitted.transform(np.array([fitted.fill])))
    assert np.array_equal(fitted.transform(x)[:, [1, 3]], [[0, 0], [0, 1], [0, 1], [1, 1]])


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300, 1.7e308])
def test_any_size_of_numbers(size):
    x = size * np.array([[-1.0, -1.0, 0.0], [1.0, 1.0, 0.25], [-0.5, 1.0, 1.0], [0.75, -1.0, 0.5]])
    fitted = Standard.fit(x, [PLAIN, TWO_VALUED, HEAVY])
    like = Standard.fit(x / size, [PLAIN, TWO_VALUED, HEAVY])
    assert np.allclose(fitted.transform(x), like.transform(x / size), atol=1e-9)
    assert np.array_equal(fitted.transform(x)[:, 1], [0.0, 1.0, 1.0, 0.0])


def test_rows_do_not_depend_on_their_neighbours():
    x = np.round(RNG.standard_t(2, (300, 3)), 2)
    fitted = Standard.fit(x, [PLAIN, HEAVY, HEAVY])
    whole = fitted.transform(x)
    assert all(np.array_equal(fitted.transform(x[k : k + 7]), whole[k : k + 7]) for k in range(290))


@pytest.mark.parametrize("n_levels", [3, MOST_LEVELS - 2, MOST_LEVELS + 1, 200])
@pytest.mark.parametrize("missing", [False, True])
def test_one_hot_columns_are_those_of_scikit_learn(n_levels, missing):
    """Levels that occur as often as others, a missing one, unseen ones, and more than there are columns for."""
    draws = np.concatenate([np.arange(n_levels), (n_levels * RNG.random(400) ** 2).astype(int)])
    texts = [None if missing and k % 7 == 3 else f"l{k}" for k in draws]
    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MOST_LEVELS, sparse_output=False, dtype=np.float32
    ).fit(np.array(texts, dtype=object)[:, None])
    encoding = fit_one_hot(as_table({"a": texts}), ["a"], np.arange(len(texts)))
    later = [*texts, "new", "l0 "]
    expected = encoder.transform(np.array(later, dtype=object)[:, None])
    assert np.array_equal(encoding.transform([pl.Series(later)]), expected)
    rare = encoder.infrequent_categories_[0]
    frequent = [level for level in encoder.categories_[0] if rare is None or level not in rare]
    assert encoding.names(["a"]) == [*(f"a={level}" for level in frequent), *(["a=(rare)"] if rare is not None else [])]


def test_as_many_levels_as_there_are_columns_for_have_one_each():
    """scikit-learn then lets the rarest share a column with nobody."""
    texts = [f"l{k}" for k in range(MOST_LEVELS)] * 2
    (column,) = fit_one_hot(as_table({"a": texts}), ["a"], np.arange(len(texts))).columns
    assert (len(column.own), column.shared) == (MOST_LEVELS, False)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (((1.0,), ((),), (0.0, 1.0), (1.0,)), "`centre` must have one value a column, 1; got 2"),
        (((np.nan,), ((),), (0.0,), (1.0,)), "`fill` must be finite"),
        (((True,), ((),), (0.0,), (1.0,)), "`fill` must be finite"),
        ((("1",), ((),), (0.0,), (1.0,)), "`fill` must be finite"),
        (((1.0,), ((),), (0.0,), (0.0,)), "`half_scale` must be above 0"),
        (((1.0,), ((2.0, 1.0),), (0.0,), (1.0,)), "`quantiles` must ascend"),
        (((1.0,), (), (0.0,), (1.0,)), "`quantiles` must have one row a column"),
    ],
)
def test_bad_parts_are_refused(parts, words):
    with pytest.raises(InputError, match=words):
        Standard(*parts)
