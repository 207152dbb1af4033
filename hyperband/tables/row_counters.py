"""Columns that only number the rows: what they say of the target is the order of the file."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from hyperband.tables.table import Table

#: With fewer rows, different whole numbers say nothing.
FEWEST_ROWS = 20
_NAMES = re.compile(
    r"(?i:id|index|idx|key|nr|no|number|row|rownum|row[_ ]?(?:id|nr|no|number))|.*(?:[_ .-](?i:id)|[a-z]I[Dd]|ID)"
)


def row_counters(table: Table, kept: Collection[str | None] = ()) -> list[str]:
    """Columns of 0, 1, 2, ... or 1, 2, ..., forwards or back, and of different whole numbers called like an id.

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
    if not (column.dtype.is_integer() or column.dtype.is_float()) or column.null_count():
        return False
    called_so = _NAMES.fullmatch(name) is not None
    if not called_so and not _counts(column.head(FEWEST_ROWS).to_numpy()):  # rules out most
        return False
    values = column.to_numpy()
    if called_so:
        return bool((values == np.floor(values)).all()) and len(np.unique(values)) == len(values)
    return _counts(values) and float(values.min()) in (0.0, 1.0)


def _counts(values: np.ndarray) -> bool:
    """Whether each number is greater by one than the one before, or each is less by one."""
    steps = np.diff(values.astype(np.float64))
    return bool((steps == 1).all() or (steps == -1).all())
