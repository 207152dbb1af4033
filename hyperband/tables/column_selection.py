"""Which columns say something about the target: those that trees use more than columns of noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.tables.columns import as_text
from hyperband.tables.preprocess import CATEGORY, NUMBER, finite_block
from hyperband.tables.table import Table

RowNumbers = NDArray[np.intp]
F32 = NDArray[np.float32]

#: Rows that are looked at, and trees. Half a second for 100 columns.
ROWS, TREES = 5_000, 100
#: Columns that a split of a tree looks at: at most half of them, and so many or the root of their number.
LOOKED_AT = 200
#: Shadows for each column that is chosen, at most: among thousands of columns some shadows look relevant.
FALSE = 0.1


def relevant_columns(table: Table, kinds: Sequence[str], train: RowNumbers, y: NDArray[Any], seed: int) -> list[str]:
    """Columns that extremely randomised trees (Geurts et al. 2006) use more than noise.

    Each column gets a shadow, its values in random order, as in Boruta (Kursa and Rudnicki 2010). A column is relevant
    when its importance, the mean decrease of impurity, exceeds those of all shadows by their standard deviation, or of
    so many that shadows would be at most `FALSE` of the columns chosen, as in the knockoff filter (Barber and Candes
    2015).

    Parameters
    ----------
    table : Table
    kinds : of the columns, `NUMBER` or `CATEGORY`
    train : int array, numbers of the training rows, in random order
    y : array, targets of these rows: class numbers (integers), or values, shape (n_rows,) or (n_rows, n_targets)
    seed : int

    Returns
    -------
    list of str
        In the order of the table; empty when no column exceeds noise.
    """
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    rows = train[:ROWS]
    names = table.names
    x = _ranks(table, kinds, rows)
    shadows = np.random.default_rng([seed, len(rows)]).permuted(x, axis=0)
    n = 2 * len(names)
    trees = ExtraTreesClassifier if y.dtype.kind == "i" else ExtraTreesRegressor
    forest = trees(
        TREES,
        min_samples_leaf=3,
        max_features=min(max(1, n // 2), max(LOOKED_AT, math.isqrt(n))),
        random_state=np.random.RandomState(seed & 0xFFFFFFFF),
    )
    target = y[: len(rows)]
    forest.fit(np.hstack([x, shadows]), target.ravel() if target.ndim == 2 and target.shape[1] == 1 else target)
    importance, noise = np.split(forest.feature_importances_, 2)
    limit = _limit(importance, noise)
    return [name for name, value in zip(names, importance.tolist(), strict=True) if value > limit]


def _limit(importance: NDArray[Any], noise: NDArray[Any]) -> float:
    """The importance that a relevant column exceeds, by those of columns and of shadows.

    Examples
    --------
    >>> noise = np.array([0.3, 0.1, 0.2, 0.2])
    >>> _limit(np.array([5.0, 0.3, 0.2, 0.1]), noise) > 0.3
    True
    >>> _limit(np.arange(1000.0), np.array([100.0, 950.5, 0.0]))
    0.0
    """
    limit = float(noise.max() + noise.std())
    for passing, shadow in enumerate(np.sort(noise)[::-1].tolist()):
        if passing and passing <= FALSE * np.count_nonzero(importance > shadow):
            limit = shadow
    return limit


def _ranks(table: Table, kinds: Sequence[str], rows: RowNumbers) -> F32:
    """Each column as numbers that trees split evenly: ranks in [0, 1], of levels by their frequency; missing -1."""
    names = table.names
    x = np.empty((len(rows), len(names)), dtype=np.float32)
    numbers = [j for j, kind in enumerate(kinds) if kind == NUMBER]
    block = finite_block(table, [names[j] for j in numbers], rows)
    for k, j in enumerate(numbers):
        x[:, j] = _rank(block[:, k])
    for j in (j for j, kind in enumerate(kinds) if kind == CATEGORY):
        texts = as_text(table.column(names[j]).gather(pl.Series(rows, dtype=pl.Int64)))
        levels, level = np.unique(texts.fill_null("").to_numpy().astype(str), return_inverse=True)
        by_frequency = np.argsort(np.argsort(-np.bincount(level, minlength=len(levels)), kind="stable"))
        x[:, j] = np.where(texts.is_null().to_numpy(), -1.0, by_frequency[level] / len(levels))
    return x


def _rank(values: NDArray[Any]) -> F32:
    present = ~np.isnan(values)
    levels, level = np.unique(values[present], return_inverse=True)
    counts = np.bincount(level, minlength=len(levels))
    ranks = np.full(len(values), -1.0, dtype=np.float32)
    ranks[present] = ((np.cumsum(counts) - 0.5 * counts) / max(1, len(level)))[level]
    return ranks
