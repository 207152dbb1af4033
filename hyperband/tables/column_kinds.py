"""What each column is: numbers, categories, or ignored; and which treatment a column of numbers needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.tables.columns import first_names
from hyperband.tables.preprocess import CATEGORY, NUMBER, InputColumn, finite_block, text_column
from hyperband.tables.readings import NUMBER as NUMBERS
from hyperband.tables.readings import find_reading
from hyperband.tables.table import Table

RowNumbers = NDArray[np.intp]

#: A text column with more distinct values than this, and than half of its rows, is an identifier.
FEWEST_IDS = 20
#: Values of a column of texts that are looked at for numbers.
_LOOKED_AT = 1000
#: A column of consecutive whole numbers, from three to this many of them, holds codes: it becomes a category.
MOST_CODES = 5
#: Columns of numbers that are read together.
_TOGETHER = 32
#: Why a column is ignored that holds one value.
CONSTANT = "constant in the training rows"
#: A column with values beyond this many standard deviations has heavy tails, unless half of its rows hold one value:
#: quantiles would move all other values far away from that one.
HEAVY_TAIL = 10.0


@dataclass(frozen=True, slots=True)
class NumberColumns:
    """Columns of numbers by treatment, as positions among the columns of numbers."""

    constant: list[int]
    two_valued: list[int]
    heavy: list[int]
    plain: list[int]
    with_missing: list[int]

    def among(self, used: Sequence[int]) -> NumberColumns:
        """The same columns as positions among those that are used."""
        position = {j: p for p, j in enumerate(used)}
        return NumberColumns(
            *([position[j] for j in getattr(self, field.name) if j in position] for field in fields(self))
        )


def column_kinds(
    table: Table, train: RowNumbers, categorical: Collection[str], numeric: Collection[str] = ()
) -> tuple[list[InputColumn], list[str]]:
    """Each column with its kind, `NUMBER` or `CATEGORY`, and notes, as sentences.

    Categories are text, categorical columns, those listed in ``categorical``, and columns of three to `MOST_CODES`
    consecutive whole numbers that are not listed in ``numeric``.

    Examples
    --------
    >>> from hyperband.tables.table import as_table
    >>> columns, _ = column_kinds(as_table({"a": [1.5, 2.5], "b": ["x", "y"], "c": [1, 2]}), np.arange(2), ["c"])
    >>> [column.kind for column in columns]
    ['number', 'category', 'category']
    """
    columns = [_by_type(table, name, categorical) for name in table.names]
    found = _codes(table, [c.name for c in columns if c.kind == NUMBER and c.name not in numeric], train)
    codes = {name: InputColumn(name, CATEGORY, why=f"3 to {MOST_CODES} consecutive whole numbers") for name in found}
    return [codes.get(column.name, column) for column in columns], _codes_note(found)


def kinds_of(columns: Iterable[InputColumn]) -> dict[str, str]:
    """The kind of each column."""
    return {column.name: column.kind for column in columns}


def _by_type(table: Table, name: str, categorical: Collection[str]) -> InputColumn:
    if name in categorical:
        return InputColumn(name, CATEGORY, why="listed as categorical")
    if name in table.declared:
        return InputColumn(name, CATEGORY, why="declared by the data")
    if table.matrix is not None:
        return InputColumn(name, NUMBER)
    dtype = table.column(name).dtype
    if dtype.is_numeric() or dtype in (pl.Boolean, pl.Null):  # a column without values is constant: ignored below
        return InputColumn(name, NUMBER)
    return InputColumn(name, CATEGORY)


def _codes(table: Table, names: Sequence[str], train: RowNumbers) -> list[str]:
    """Columns of numbers that are codes: networks learn more easily from a column a level than from one number."""
    found = [name for name in names if table.matrix is not None or table.column(name).dtype != pl.Boolean]
    found = [name for name, levels in _levels(table, found, train[:1000]) if _few(levels)]  # this rules out most
    return [
        name
        for name, levels in _levels(table, found, train)
        if _few(levels) and len(levels) >= 3 and levels[-1] - levels[0] == len(levels) - 1
    ]


def _levels(table: Table, names: Sequence[str], rows: RowNumbers) -> Iterator[tuple[str, Any]]:
    """Each column of numbers with its different values; some columns are read at a time."""
    for start in range(0, len(names), _TOGETHER):
        some = names[start : start + _TOGETHER]
        for name, column in zip(some, finite_block(table, some, rows).T, strict=True):
            levels = np.unique(column)
            yield name, levels[~np.isnan(levels)]


def _few(levels: Any) -> bool:
    """Whether these can be values of a column of codes."""
    return len(levels) <= MOST_CODES and bool((levels == np.floor(levels)).all())


def _codes_note(codes: Sequence[str]) -> list[str]:
    if not codes:
        return []
    shown = first_names(codes)
    return [f"Columns of 3 to {MOST_CODES} consecutive whole numbers are treated as categories: {shown}."]


def examine(block: Any, scaling: str) -> NumberColumns:
    """The treatment of each column of numbers.

    Parameters
    ----------
    block : float array, shape (n_rows, n_columns), NaN where missing
    scaling : {"auto", "standard", "quantile", "most quantile"}
        Which columns are heavy: those with heavy tails, none, all of more than two values, or all except those in which
        half of the rows hold one value.

    Examples
    --------
    >>> groups = examine(np.array([[1.0, 0.0, 1.5], [1.0, 1.0, 2.5], [1.0, 1.0, np.nan], [1.0, 0.0, 7.0]]), "standard")
    >>> groups.constant, groups.two_valued, groups.plain, groups.with_missing
    ([0], [1], [2], [2])
    """
    groups = NumberColumns([], [], [], [], [])
    for j in range(block.shape[1]):
        column = block[:, j].astype(np.float64)
        missing = np.isnan(column)
        if missing.any():
            groups.with_missing.append(j)
            column = column[~missing]
        if len(column) == 0:
            groups.with_missing.remove(j)
            groups.constant.append(j)
            continue
        low, high = column.min(), column.max()
        if low == high:
            groups.constant.append(j)
        elif ((column == low) | (column == high)).all():
            groups.two_valued.append(j)
        elif _wants_quantiles(column, scaling):
            groups.heavy.append(j)
        else:
            groups.plain.append(j)
    return groups


def _wants_quantiles(column: Any, scaling: str) -> bool:
    if scaling in ("standard", "quantile"):
        return scaling == "quantile"
    if scaling == "auto" and not _reach(column) > HEAVY_TAIL:
        return False
    return float((column == np.median(column)).mean()) < 0.5


def _reach(column: Any) -> float:
    """Largest distance of a value from the mean, in standard deviations."""
    with np.errstate(over="ignore", invalid="ignore"):  # 1e300 squared overflows: infinitely far
        mean, deviation = column.mean(), column.std()
        reach = float(max(column.max() - mean, mean - column.min()) / deviation) if deviation > 0 else 0.0
    return reach if np.isfinite(deviation) and np.isfinite(reach) else np.inf


def unusable_categories(
    table: Table, names: Sequence[str], train: RowNumbers, most_levels: int
) -> tuple[dict[str, str], list[str]]:
    """Category columns to ignore with the reason, constant ones and identifiers, and notes.

    The notes are on them and on columns of many levels.
    """
    ignored: dict[str, str] = {}
    notes: list[str] = []
    for name in names:
        column = text_column(table, name, train)
        levels, present = column.n_unique(), column.len() - column.null_count()
        if levels < 2:
            ignored[name] = CONSTANT
        elif levels > max(FEWEST_IDS, present // 2):
            ignored[name] = f"{levels} different texts in {present} rows"
            notes.append(f"Column {name!r} is ignored: {ignored[name]}{_numbers_hint(column)}.")
        elif levels > most_levels:
            notes.append(
                f"Column {name!r} has {levels} levels: the {most_levels - 1} most frequent have a column each, the "
                f"others share one{_numbers_hint(column)}."
            )
    constant = [name for name, why in ignored.items() if why == CONSTANT]
    return ignored, notes + ignored_note(constant, CONSTANT)


def numbers_as_texts(table: Table, train: RowNumbers) -> list[str]:
    """Columns of a data frame that are ignored for their many different texts, which a file would have as numbers.

    Such are $1,200.50 or 7 %, not digits alone, which may be names.

    Examples
    --------
    >>> from hyperband.tables.table import as_table
    >>> frame = {"price": [f"${k}.50" for k in range(30)], "id": [f"{k}" for k in range(30)]}
    >>> numbers_as_texts(as_table(frame), np.arange(30))
    ['price']
    """
    found = []
    for name in table.names if table.frame is not None else ():
        if table.column(name).dtype == pl.String:
            texts = text_column(table, name, train).drop_nulls()
            if texts.n_unique() > max(FEWEST_IDS, texts.len() // 2):
                reading = find_reading(texts.head(_LOOKED_AT).str.strip_chars(), False)
                found += [name] if reading.form == NUMBERS and (reading.signs or reading.thousands) else []
    return found


def _numbers_hint(column: pl.Series) -> str:
    """A note for a text column that is mostly numbers, with the first value that is none."""
    numbers = column.cast(pl.Float64, strict=False)
    wrong = column.filter(numbers.is_null() & column.is_not_null())
    if wrong.len() == 0 or numbers.len() - numbers.null_count() < column.len() // 2:
        return ""
    return f" (most are numbers, but not {wrong[0]!r}: leave such fields empty to have it read as numbers)"


def ignored_note(names: Collection[str], why: str) -> list[str]:
    if not names:
        return []
    return [f"Ignored, {why}: {first_names(sorted(names))}."]
