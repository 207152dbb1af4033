"""Columns that only number the rows: what they say of the target is the order of the file."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from hyperband.tables.table import Table

#: With fewer rows, different whole numbers say nothing.
FEWEST_ROWS = 20
#: The whole range that numbers of rows may have, in rows: some rows may have been left out since they were numbered.
_WIDEST = 4
_NAMES = re.compile(
    r"(?i:id|index|idx|key|nr|no|number|row|rownum|row[_ ]?(?:id|nr|no|number))|.*(?:[_ .-](?i:id)|[a-z]I[Dd]|ID)"
)


def row_counters(table: Table, kept: Collection[str | None] = ()) -> list[str]:
    """Columns of different whole numbers that rise or fall by little from row to row, or are called like an id.

    There is none where no other column would be left.

    Parameters
    ----------
    table : Table, in the order of the file; without names no column is one, since somebody has chosen them
    kept : names of columns that stay

    Examples
    --------
    >>> from hyperband.tables.table import as_table
    >>> table = as_table({"n": range(1, 101), "user_id": np.random.default_rng(0).permutation(100), "x": np.ones(100)})
    >>> row_counters(table), row_counters(table, ["n"])
    (['n', 'user_id'], ['user_id'])
    """
    if not table.named or table.n_rows < FEWEST_ROWS:
        return []
    found = [name for name in table.names if name not in kept and _numbers_rows(table, name)]
    return found if len(found) < len(table.names) else []


def _numbers_rows(table: Table, name: str) -> bool:
    column = table.column(name)
    if not column.dtype.is_numeric() or column.null_count():
        return False
    called_so = _NAMES.fullmatch(name) is not None
    if not called_so and not _counts(column.head(FEWEST_ROWS).to_numpy(), _WIDEST * table.n_rows):  # rules out most
        return False
    values = column.to_numpy()
    return _counts(values, _WIDEST * len(values)) or (
        called_so and bool((values == np.floor(values)).all()) and len(np.unique(values)) == len(values)
    )


def _counts(values: np.ndarray, widest: int) -> bool:
    """Whether numbers are whole, and each is greater than the one before, or each is less."""
    if not np.isfinite(values).all() or (values != np.floor(values)).any():
        return False
    steps = np.diff(values.astype(np.float64))
    return bool((steps > 0).all() or (steps < 0).all()) and float(np.abs(steps).sum()) < widest
