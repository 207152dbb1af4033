"""The argument `validation=`: which of its forms was given, and the columns of groups and times that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.errors import DataError
from hyperband.tables.columns import as_text, series_from_objects
from hyperband.tables.splitters import GroupSplit, KFold, TimeSplit
from hyperband.tables.table import Table, resolve_columns

#: ``validation="auto"`` repeats five folds this many times on tables of at most so many rows; a hold-out beyond.
#: Which rows are held out decides most where there are fewest of them, and there training is cheapest. With the same
#: minute, phoneme (4,323 rows) is predicted better with folds, and from 9,000 rows on other tables are not.
AUTO_REPEATS = ((200, 3), (500, 2), (5000, 1))
AUTO_FOLDS = 5
#: A hold-out is this share of the rows: at most while it has fewer than `ENOUGH_HELD` rows, then at least while it has
#: fewer than `MOST_HELD`. More rows would tell networks apart no better, and rows that are held out do not train.
MOST_SHARE, LEAST_SHARE = 0.2, 0.1
ENOUGH_HELD, MOST_HELD = 2_000, 20_000
AUTO = "auto"

#: Dates as text whose order is that of the texts.
_ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?Z?)?$"


@dataclass(frozen=True, slots=True, eq=False)
class RowPairs:
    """Pairs (training rows, validation rows) as they were given, not checked yet."""

    pairs: tuple[Any, ...]


def is_rows(value: Any) -> bool:
    """Whether held-out rows are given themselves: as (X, y) or as a table.

    Examples
    --------
    >>> is_rows(0.2), is_rows(KFold(3)), is_rows([([0, 1], [2]), ([1, 2], [0])]), is_rows(([[0.0]], [1]))
    (False, False, False, True)
    """
    if value is None or isinstance(value, (int, float, np.number, KFold, GroupSplit, TimeSplit, RowPairs)):
        return False
    if isinstance(value, str):
        return value != AUTO and not _is_number(value)
    return not (is_splitter(value) or _are_pairs(value))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_splitter(value: Any) -> bool:
    """Whether a value is a splitter of scikit-learn's kind; texts and tables of strings have another ``split``."""
    return callable(getattr(value, "split", None)) and not isinstance(value, (str, bytes, np.ndarray))


def _are_pairs(value: Any) -> bool:
    """Whether a value is a list of (training rows, validation rows), or an iterator, which can be nothing else."""
    if isinstance(value, Iterator):
        return True
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(pair, (tuple, list)) and len(pair) == 2 and all(map(_is_numbers, pair)) for pair in value)


def _is_numbers(rows: Any) -> bool:
    if isinstance(rows, np.ndarray):
        return rows.ndim == 1 and rows.dtype.kind in "iu"
    return isinstance(rows, (list, tuple, range)) and all(
        isinstance(row, (int, np.integer)) and not isinstance(row, bool) for row in rows
    )


def normalised(value: Any) -> Any:
    """The value with whole numbers, also as text, made a `KFold`, and pairs `RowPairs`; everything else as it is.

    Examples
    --------
    >>> normalised(3), normalised("5"), normalised(0.2)
    (KFold(k=3, repeats=1), KFold(k=5, repeats=1), 0.2)
    """
    if isinstance(value, bool) or value is None:
        return value
    if _are_pairs(value):
        return RowPairs(tuple(value))
    number = float(value) if isinstance(value, str) and _is_number(value) else value
    if isinstance(number, (int, float, np.number)) and number >= 2 and float(number).is_integer():
        return KFold(int(number))
    return value


def automatic(n_rows: int) -> KFold | float:
    """What ``validation="auto"`` means for a table of ``n_rows`` rows that are not test rows.

    Examples
    --------
    >>> automatic(150), automatic(1000)
    (KFold(k=5, repeats=3), KFold(k=5, repeats=1))
    >>> automatic(8_000), automatic(16_000), automatic(50_000), automatic(1_000_000)
    (0.2, 0.125, 0.1, 0.02)
    """
    for most, repeats in AUTO_REPEATS:
        if n_rows <= most:
            return KFold(max(2, min(AUTO_FOLDS, n_rows)), repeats)
    return min(MOST_SHARE, max(LEAST_SHARE, ENOUGH_HELD / n_rows), MOST_HELD / n_rows)


def key_column(split: Any, table: Table) -> str | None:
    """The column that holds the groups of a `GroupSplit` or the times of a `TimeSplit`; None without one.

    Raises
    ------
    DataError
        When there is no such column.

    Examples
    --------
    >>> from hyperband.tables.table import as_table
    >>> table = as_table({"a": [1, 2], "day": [3, 4]})
    >>> key_column(TimeSplit(-1), table), key_column(KFold(2), table)
    ('day', None)
    """
    given = _given(split) if isinstance(split, (GroupSplit, TimeSplit)) else None
    if not isinstance(given, (str, int, np.integer)):
        return None
    return resolve_columns(table, [given if isinstance(given, str) else int(given)], "validation")[0]


def _given(split: GroupSplit | TimeSplit) -> Any:
    return split.column if isinstance(split, TimeSplit) else split.groups


def split_keys(split: GroupSplit | TimeSplit, table: Table, kept: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """Groups or times of all rows as whole numbers in the order of the values, int64 of shape (n_rows,).

    Parameters
    ----------
    split : GroupSplit or TimeSplit
    table : Table, the labelled rows, without the target
    kept : bool array, which rows of an array of groups or times are those of ``table``; None for all

    Raises
    ------
    DataError
        When there is not one value a row, or a value is missing or has no order.

    Examples
    --------
    >>> split_keys(TimeSplit("t"), Table(("t",), matrix=np.array([[3.5], [1.0], [3.5]]))).tolist()
    [1, 0, 1]
    """
    by_time, name = isinstance(split, TimeSplit), key_column(split, table)
    what = "times" if by_time else "groups"
    if name is not None:
        column = table.column(name)
    else:
        column = _as_series(_given(split), table.n_rows if kept is None else len(kept), what)
        column = column if kept is None else column.filter(pl.Series(kept))
    label = f"column {name!r}" if name is not None else f"the array of {what}"
    if column.dtype.is_float():
        column = column.fill_nan(None)
    missing = column.is_null().to_numpy()
    if missing.any():
        raise DataError(
            f"`validation` by {'time' if by_time else 'group'} needs a value in every row; {label} is missing in "
            f"{int(missing.sum())} rows, first in row {int(np.flatnonzero(missing)[0])}. Fill them, or leave these "
            "rows out."
        )
    values = _ordered(column, label) if by_time else as_text(column)
    return np.asarray(values.rank("dense").to_numpy(), dtype=np.int64) - 1


def _as_series(given: Any, n_rows: int, what: str) -> pl.Series:
    if isinstance(given, pl.Series):
        column = given
    else:
        array = np.asarray(given)
        if array.ndim != 1:
            raise DataError(
                f"`validation` must name a column of {what}, or hold one value a row; got shape {array.shape}."
            )
        column = pl.Series(what, array) if array.dtype.kind in "mM" else series_from_objects(what, array)
    if column.len() != n_rows:
        raise DataError(f"`validation` must have one value a row in its {what}; got {column.len()} for {n_rows} rows.")
    return column


def _ordered(column: pl.Series, label: str) -> pl.Series:
    """The times as something whose order is that of time."""
    if column.dtype.is_temporal():
        return column.to_physical()
    if column.dtype.is_numeric():
        return column
    texts = column.cast(pl.String)
    if bool(texts.str.contains(_ISO).all()):
        return texts
    wrong = texts.filter(~texts.str.contains(_ISO))[0]
    raise DataError(
        f"`validation` by time needs numbers, dates, or dates as text in the form 2013-01-31; {label} holds {wrong!r}. "
        "Convert it to dates."
    )
