"""Fitting the categories of a view: one-hot columns, signs of two levels, cross-fitted target means of many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.tables.category_encoding import CategoryColumn, CategoryEncoding, Codes
from hyperband.tables.preprocess import text_column
from hyperband.tables.table import Table

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
RowNumbers = NDArray[np.intp]

#: Columns of at most this many levels, the missing one among them, have one one-hot column a level.
ONE_HOT_LEVELS = 32
#: Most one-hot columns where they are all that a column of categories has.
MOST_LEVELS = 128
#: Parts of the training rows: each row's target means come from the other parts.
CROSS_FIT_PARTS = 5
#: With more outputs than this, target means would be wider than the one-hot columns that they help.
MOST_OUTPUTS = 10


def target_columns(y: NDArray[np.int32] | F32, n_classes: int) -> tuple[F64, list[str]]:
    """What target means are means of, float64 of shape (n_rows, n_columns), and their names.

    For two classes whether it is the second one, for more classes one such column each, for regression the standardised
    values. No column at all for more than `MOST_OUTPUTS`.

    Examples
    --------
    >>> target_columns(np.array([0, 2, 1], np.int32), 3)[0].tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    if n_classes == 0:
        columns = y.astype(np.float64)
    else:
        columns = (y[:, None] == (np.arange(n_classes) if n_classes > 2 else np.array([1]))).astype(np.float64)
    n = columns.shape[1]
    if n > MOST_OUTPUTS:
        return columns[:, :0], []
    return columns, [f"target mean {k + 1}" for k in range(n)] if n > 1 else ["target mean"]


def fit_categories(
    table: Table, names: Sequence[str], train: RowNumbers, target: tuple[F64, list[str]]
) -> tuple[CategoryEncoding, dict[int, F32]]:
    """The encoding fitted on the rows ``train``, and the features of these rows that differ from its own.

    The target mean of a training row must not contain its own target, or a network trusts it too much. So the training
    rows are in `CROSS_FIT_PARTS` parts, and each part has the means of the others; other rows have the means of all
    training rows. A mean is shrunk towards the mean of all rows, the more the fewer rows the level has
    (`sklearn.preprocessing.TargetEncoder`, ``smooth="auto"``; Micci-Barreca 2001).

    Parameters
    ----------
    table : Table
    names : names of the columns of categories, at least one
    train : int array, in random order: neighbours form the parts
    target : as `target_columns` returns, for the rows ``train``

    Returns
    -------
    encoding : CategoryEncoding
    cross_fitted : dict of feature number among those of the encoding to a float32 array, shape (len(train),)
    """
    columns, cross_fitted, start = [], {}, 0
    for name in names:
        texts = text_column(table, name, train)
        column, values = _fit_column(texts, target)
        for k, feature in enumerate(values.T):
            cross_fitted[start + column.n_own + k] = feature
        columns.append(column)
        start += column.n_features
    return CategoryEncoding(tuple(columns)), cross_fitted


def fit_one_hot(table: Table, names: Sequence[str], train: RowNumbers) -> CategoryEncoding:
    """One column a level, at most `MOST_LEVELS`: then the least frequent levels share the last one.

    A missing value is a level of its own. Levels that training never saw count as infrequent ones; of as frequent ones
    the alphabetically first share a column, as with `sklearn.preprocessing.OneHotEncoder`.
    """
    return CategoryEncoding(tuple(_one_hot(text_column(table, name, train)) for name in names))


def _one_hot(texts: pl.Series) -> CategoryColumn:
    counts = sorted(texts.drop_nulls().value_counts(sort=False).rows())
    levels, sizes = tuple(level for level, _ in counts), [size for _, size in counts]
    none = np.zeros((len(levels) + 2, 0), dtype=np.float32)
    if missing := texts.null_count():
        sizes.append(missing)
    n_shared = 0 if len(sizes) <= MOST_LEVELS else len(sizes) - MOST_LEVELS + 1
    own = np.sort(np.argsort(sizes, kind="stable")[n_shared:])
    return CategoryColumn(levels, False, tuple(own.tolist()), n_shared > 0, none, ())


def _fit_column(texts: pl.Series, target: tuple[F64, list[str]]) -> tuple[CategoryColumn, F32]:
    """The column, and the cross-fitted target means of its training rows."""
    counts = texts.drop_nulls().value_counts(sort=False)
    levels, sizes = counts[:, 0].to_list(), counts[:, 1].to_list()
    by_frequency = sorted(zip(sizes, levels, strict=True), key=lambda level: (-level[0], level[1]))
    ordered = tuple(level for _, level in by_frequency)
    missing = texts.null_count() > 0
    none = np.zeros((len(ordered) + 2, 0), dtype=np.float32)
    no_rows = np.zeros((texts.len(), 0), dtype=np.float32)
    if len(ordered) == 2:
        return CategoryColumn(tuple(sorted(ordered)), True, (), False, none, ()), no_rows
    if len(ordered) + missing <= ONE_HOT_LEVELS:
        return _one_hot(texts), no_rows
    own = (*range(ONE_HOT_LEVELS - 1 - missing), *([len(ordered)] if missing else []))
    plain = CategoryColumn(ordered, False, own, True, none, ())
    codes = plain.codes(texts)
    means, cross_fitted = _target_means(codes, len(ordered) + 2, target[0])
    frequency = np.log1p(np.bincount(codes, minlength=len(ordered) + 2))
    centre, width = frequency[codes].mean(), frequency[codes].std()
    frequency = (frequency - centre) / (width if width > 0 else 1.0)
    values = np.column_stack([means, frequency]).astype(np.float32)
    names = (*target[1], "frequency")
    return CategoryColumn(ordered, False, own, True, values, names), cross_fitted


def _target_means(codes: Codes, n_levels: int, y: F64) -> tuple[F64, F32]:
    """Standardised target means, of each level from all rows, and of each row from the other parts."""
    parts = np.arange(len(codes)) * CROSS_FIT_PARTS // len(codes)
    levels, rows = np.empty((n_levels, y.shape[1])), np.empty((len(codes), y.shape[1]))
    for k in range(y.shape[1]):
        levels[:, k] = _means(codes, n_levels, y[:, k])
        for part in range(CROSS_FIT_PARTS):
            inside = parts == part
            rows[inside, k] = _means(codes[~inside], n_levels, y[~inside, k])[codes[inside]]
    centre, width = rows.mean(axis=0), rows.std(axis=0)
    width = np.where(width > 0, width, 1.0)
    limit = 10.0  # a mean of all rows may lie far from those of the parts when few rows have a level
    return np.clip((levels - centre) / width, -limit, limit), ((rows - centre) / width).astype(np.float32)


def _means(codes: Codes, n_levels: int, y: F64) -> F64:
    from sklearn.preprocessing import TargetEncoder

    encoder = TargetEncoder(categories=[np.arange(n_levels)], target_type="continuous")
    encoder.fit(codes[:, None], y)
    found: F64 = encoder.encodings_[0]
    return found
