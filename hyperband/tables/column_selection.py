"""Which columns say something about the target: those that trees use more than columns of noise."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.tables.preprocess import NUMBER, finite_block, text_column
from hyperband.tables.table import Table

RowNumbers = NDArray[np.intp]
F32 = NDArray[np.float32]

#: Rows that are looked at, at most; of up to `FEW` rows more trees are grown, since each of them splits few columns.
ROWS, FEW = 4_000, 500
#: Trees, and how many are grown at a time, because each holds a number for every node and class.
TREES, TREES_OF_FEW, AT_A_TIME = 100, 400, 10
#: Columns that a split of a tree looks at: at most half of them, and so many or the root of their number.
LOOKED_AT = 64
#: Shadows for each column that is chosen, at most: among thousands of columns some shadows look relevant.
FALSE = 0.1


@dataclass(frozen=True, slots=True)
class Relevance:
    """What trees say of the columns of a table.

    Parameters
    ----------
    relevant : tuple of str, the columns that say something about the target, in the order of the table; may be empty
    best : tuple of str, the most important column; all columns where none has any importance
    """

    relevant: tuple[str, ...]
    best: tuple[str, ...]


def relevance(table: Table, kinds: Mapping[str, str], train: RowNumbers, y: NDArray[Any], seed: int) -> Relevance:
    """Columns that extremely randomised trees (Geurts et al. 2006) use more than noise.

    Each column gets a shadow, its values in random order, as in Boruta (Kursa and Rudnicki 2010). A column is relevant
    when its importance, the mean decrease of impurity, exceeds those of all shadows by their standard deviation, or of
    so many that shadows would be at most `FALSE` of the columns chosen, as in the knockoff filter (Barber and Candes
    2015).

    Parameters
    ----------
    table : Table
    kinds : mapping of each column to choose from to its kind, `NUMBER` or `CATEGORY`
    train : int array, numbers of the training rows, in random order; the first `ROWS` of them are looked at
    y : array, targets of these rows: class numbers (integers), or values, shape (n_rows,) or (n_rows, n_targets)
    seed : int

    Raises
    ------
    DataError
        When a number is infinite.

    Examples
    --------
    >>> from hyperband.tables.table import as_table
    >>> x = np.random.default_rng(0).normal(size=(300, 9))
    >>> table = as_table(x)
    >>> relevance(table, dict.fromkeys(table.names, NUMBER), np.arange(300), (x[:, 4] > 0).astype(np.int32), 0)
    Relevance(relevant=('x4',), best=('x4',))
    """
    names, rows, seed = list(kinds), train[:ROWS], seed & 0xFFFFFFFF
    if not names:
        return Relevance((), ())
    x = _ranks(table, kinds, rows)
    shadows = np.random.default_rng([seed, len(rows)]).permuted(x, axis=0)
    importance, noise = np.split(_importance(np.hstack([x, shadows]), y[: len(rows)], seed), 2)
    exceeds = importance > _limit(importance, noise)
    relevant = tuple(name for name, chosen in zip(names, exceeds.tolist(), strict=True) if chosen)
    return Relevance(relevant, (names[int(importance.argmax())],) if importance.any() else tuple(names))


def _importance(x: F32, y: NDArray[Any], seed: int) -> NDArray[np.float64]:
    """Mean decrease of impurity by each column, over all trees."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    n = x.shape[1]
    trees = ExtraTreesClassifier if y.dtype.kind == "i" else ExtraTreesRegressor
    looked_at = min(max(1, n // 2), max(LOOKED_AT, math.isqrt(n)))
    random = np.random.RandomState(seed)
    total = np.zeros(n)
    for _ in range((TREES_OF_FEW if len(x) <= FEW else TREES) // AT_A_TIME):
        forest = trees(AT_A_TIME, min_samples_leaf=3, max_features=looked_at, random_state=random)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of many classes: the target was checked before
            forest.fit(x, y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y)
        total += forest.feature_importances_
    return total


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


def _ranks(table: Table, kinds: Mapping[str, str], rows: RowNumbers) -> F32:
    """Each column as numbers that trees split evenly: ranks in [0, 1], of levels by their frequency; missing -1."""
    x = np.empty((len(rows), len(kinds)), dtype=np.float32)
    numbers = [name for name, kind in kinds.items() if kind == NUMBER]
    ranks = iter(finite_block(table, numbers, rows).T)
    for j, (name, kind) in enumerate(kinds.items()):
        x[:, j] = _rank(next(ranks)) if kind == NUMBER else _rank_of_levels(text_column(table, name, rows))
    return x


def _rank_of_levels(texts: pl.Series) -> NDArray[np.float64]:
    levels, level = np.unique(texts.fill_null("").to_numpy(), return_inverse=True)
    by_frequency = np.argsort(np.argsort(-np.bincount(level, minlength=len(levels)), kind="stable"))
    return np.where(texts.is_null().to_numpy(), -1.0, by_frequency[level] / len(levels))


def _rank(values: NDArray[Any]) -> F32:
    present = ~np.isnan(values)
    levels, level = np.unique(values[present], return_inverse=True)
    counts = np.bincount(level, minlength=len(levels))
    ranks = np.full(len(values), -1.0, dtype=np.float32)
    ranks[present] = ((np.cumsum(counts) - 0.5 * counts) / max(1, len(level)))[level]
    return ranks
