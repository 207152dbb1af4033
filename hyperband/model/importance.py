"""How much worse a model predicts when the values of a column are shuffled among the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hyperband._common.philox import COLUMN_SHUFFLE, ROW_GROUP, uniform
from hyperband.errors import InputError

if TYPE_CHECKING:
    from hyperband.tables.table import Table

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

#: At most so many groups of rows, within which values are shuffled, and each of which is left out once.
_GROUPS = 20
#: The 97.5 % quantile of the normal distribution.
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class ColumnImportance:
    """How much worse a model predicts without what each column says, from `Model.importance`.

    Parameters
    ----------
    names : tuple of str, columns of the table that the model reads, most important first
    mean : float64 array, shape (n_columns,)
        How much worse the figure gets when a column is shuffled: how much a loss or an error rises, or how much a
        figure falls of which more is better. Mean over the shuffles; below 0 only by chance.
    low, high : float64 arrays, shape (n_columns,)
        Interval that holds the importance for rows like these about 95 times in 100; NaN where it is not defined.
    figure : str, "loss" or the name of the metric
    value : float, of the figure, before any column is shuffled
    n_rows : int
    repeats : int, shuffles of each column

    Examples
    --------
    >>> found = ColumnImportance(("age",), np.array([0.2]), np.array([0.1]), np.array([0.3]), "loss", 0.5, 100, 5)
    >>> print(found)
    loss 0.5 on 100 rows; shuffled, it gets worse by
    age  0.2 (0.1 to 0.3)
    """

    names: tuple[str, ...]
    mean: F64
    low: F64
    high: F64
    figure: str
    value: float
    n_rows: int
    repeats: int

    def __str__(self) -> str:
        wide = max(map(len, self.names), default=0)
        rows = zip(self.names, self.mean.tolist(), self.low.tolist(), self.high.tolist(), strict=True)
        lines = [f"{name:<{wide}}  {mean:.3g} ({low:.3g} to {high:.3g})" for name, mean, low, high in rows]
        return "\n".join([f"{self.figure} {self.value:.4g} on {self.n_rows} rows; shuffled, it gets worse by", *lines])


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of predictions for chosen rows.

    Parameters
    ----------
    name : str
    of : callable (predictions of all rows, numbers of the rows that count) -> float
    greater_is_better : bool
    """

    name: str
    of: Callable[[F64, I64], float]
    greater_is_better: bool = False


def column_importance(
    table: Table,
    columns: Mapping[str, Sequence[str]],
    predict: Callable[[Table], F64],
    figure: Figure,
    *,
    repeats: int,
    seed: int,
    classes: I64 | None = None,
) -> ColumnImportance:
    """Permutation importance of columns (Breiman 2001, "Random forests", section 10; Fisher, Rudin, Dominici 2019).

    Parameters
    ----------
    table : Table, as the model reads it
    columns : mapping of the name of a column to its parts in ``table``, which are shuffled together
    predict : callable
    figure : Figure
    repeats : int >= 1
    seed : int >= 0
    classes : int64 array, shape (n_rows,), or None
        The class of each row: each group of rows then has about the same part of every class.

    Notes
    -----
    Rows are divided into at most 20 groups at random, and a column is shuffled within each: every row gets the value of
    the next row of its group, in random order. So no row keeps its value, and groups are independent of one another.
    The interval is that of Student's distribution with the standard error of the jackknife over the groups (Efron
    1982): it has the chance in the rows, those that give values among them, and in the shuffles.
    """
    n = table.n_rows
    if n < 2:
        raise InputError(f"The importance of columns needs at least two rows, whose values are swapped; got {n}.")
    rows, sign = np.arange(n), -1.0 if figure.greater_is_better else 1.0
    group = _groups(n, seed, classes)
    n_groups = int(group.max()) + 1
    kept = [np.flatnonzero(group != k) for k in range(n_groups)] if n_groups > 1 else []

    def losses(predicted: F64) -> F64:
        """The figure for all rows, then without each group; smaller is better."""
        return sign * np.array([figure.of(predicted, rows), *(_defined(figure, predicted, part) for part in kept)])

    whole = losses(predict(table))
    if np.isnan(whole[0]):
        raise InputError(
            f"`metric` must be defined for these rows; {figure.name!r} is NaN. Choose another, or more rows."
        )
    worse = np.empty((len(columns), 1 + len(kept)))
    for j, parts in enumerate(columns.values()):
        total = np.zeros(1 + len(kept))
        for repeat in range(repeats):
            draws = uniform(seed, COLUMN_SHUFFLE, rows, 1, repeat * 2**16 + j)[:, 0]
            total += losses(predict(_shuffled(table, parts, _next_of_its_group(group, draws))))
        worse[j] = total / repeats - whole
    mean, half = worse[:, 0], _half_width(worse[:, 1:])
    first = np.argsort(-mean, kind="stable")
    names = tuple(columns)
    return ColumnImportance(
        tuple(names[j] for j in first), mean[first], (mean - half)[first], (mean + half)[first],
        figure.name, float(sign * whole[0]), n, repeats,
    )  # fmt: skip


def _groups(n: int, seed: int, classes: I64 | None) -> I64:
    """The group of each row, at random; each group has two rows or more."""
    draws = uniform(seed, ROW_GROUP, np.arange(n), 1)[:, 0]
    order = np.argsort(draws, kind="stable") if classes is None else np.lexsort((draws, classes))
    group = np.empty(n, dtype=np.int64)
    group[order] = np.arange(n) % min(_GROUPS, n // 2)
    return group


def _next_of_its_group(group: I64, draws: F64) -> I64:
    """For each row the next one of its group in the order of the draws; after the last comes the first.

    Examples
    --------
    >>> _next_of_its_group(np.array([0, 1, 0, 1, 0]), np.array([0.1, 0.2, 0.3, 0.4, 0.5])).tolist()
    [2, 3, 4, 1, 0]
    """
    order = np.lexsort((draws, group))
    following = np.roll(order, -1)
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    following[np.append(starts[1:], len(group)) - 1] = order[starts]
    found = np.empty_like(order)
    found[order] = following
    return found


def _defined(figure: Figure, predicted: F64, rows: I64) -> float:
    """The figure, or NaN where a scorer refuses rows from which a class is missing."""
    try:
        return figure.of(predicted, rows)
    except InputError:
        return float("nan")


def _half_width(without: F64) -> F64:
    """Half of a 95 % interval, from the values without each group, shape (n_columns, n_groups); NaN without."""
    groups = without.shape[1]
    if groups < 2:
        return np.full(len(without), np.nan)
    apart = without - without.mean(axis=1, keepdims=True)
    error = np.sqrt((groups - 1) / groups * (apart**2).sum(axis=1))
    return np.asarray(_student(groups - 1) * error)


def _student(freedom: int) -> float:
    """The 97.5 % quantile of Student's distribution, by its expansion around the normal one (Hill 1970).

    Examples
    --------
    >>> round(_student(19), 3)
    2.093
    """
    first, second = (_Z**3 + _Z) / 4, (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / 96
    return _Z + first / freedom + second / freedom**2


def _shuffled(table: Table, parts: Sequence[str], order: I64) -> Table:
    """The table with the values of these columns moved from row to row, all of a row together."""
    if table.matrix is not None:
        matrix = table.matrix.copy()
        chosen = [table.names.index(name) for name in parts]
        matrix[:, chosen] = matrix[np.ix_(order, np.array(chosen))]
        return replace(table, matrix=matrix)
    assert table.frame is not None
    return replace(table, frame=table.frame.with_columns([table.frame[name][order] for name in parts]))
