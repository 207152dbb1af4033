"""A fingerprint of what a table holds, by which a table that has changed is noticed."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import polars as pl

from hyperband.tables.table import as_table

#: Written into every fingerprint; another way to compute it gets another number.
VERSION = 1

#: Rows that are hashed at a time: the texts of a column are copied, and not all at once.
_ROWS, _MATRIX_ROWS = 1 << 17, 1 << 12


def fingerprint(table: Any) -> str:
    """A hash of the names of the columns and of all values in their order: the same for the same content anywhere.

    Values count as they were read: columns of a csv file are texts, so that 1 and 1.0 differ there, and a Parquet file
    with the same numbers has another fingerprint. The path, the machine and how the table lies in memory do not count.
    The time is linear in the size of the table, and small beside that of reading it.

    Parameters
    ----------
    table : anything that `hyperband.tables.as_table` takes

    Returns
    -------
    str
        The version of the method and 32 hexadecimal digits.

    Examples
    --------
    >>> fingerprint({"a": [1, 2], "b": ["x", None]})
    '1:aa70948a7f227270aa6cceb1d19f4ab6'
    >>> fingerprint({"a": [1, 2]}) == fingerprint({"a": [2, 1]})
    False
    """
    whole = as_table(table)
    digest = hashlib.blake2b(digest_size=16)
    _add(digest, repr((whole.n_rows, list(whole.names))).encode())
    if whole.matrix is not None:
        kind = whole.matrix.dtype.newbyteorder("<")
        _add(digest, kind.str.encode())
        for start in range(0, whole.n_rows, _MATRIX_ROWS):  # row by row, however the matrix lies in memory
            digest.update(np.ascontiguousarray(whole.matrix[start : start + _MATRIX_ROWS], dtype=kind).tobytes())
    for name in whole.names if whole.matrix is None else ():
        _add_column(digest, whole.column(name))
    return f"{VERSION}:{digest.hexdigest()}"


def _add(digest: Any, data: bytes) -> None:
    """Some bytes after their number, so that no two lists of parts look alike."""
    digest.update(len(data).to_bytes(8, "little"))
    digest.update(data)


def _add_column(digest: Any, column: pl.Series) -> None:
    zone = getattr(column.dtype, "time_zone", None)
    _add(digest, f"{type(column.dtype).__name__}{zone or ''}".encode())
    for start in range(0, len(column), _ROWS):
        part = _plain(column.slice(start, _ROWS))
        _add(digest, np.packbits(part.is_null().to_numpy()).tobytes() if part.null_count() else b"")
        if part.dtype == pl.String:
            texts = part.fill_null("")
            _add(digest, texts.str.len_bytes().to_numpy().astype("<u4").tobytes())
            _add(digest, texts.str.join("").item().encode())
        else:
            values = part.fill_null(0).to_numpy()
            _add(digest, values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())


def _plain(column: pl.Series) -> pl.Series:
    """A column as numbers or texts that say the same."""
    kind = column.dtype
    if kind == pl.Boolean:
        return column.cast(pl.UInt8)
    if kind in (pl.Date, pl.Datetime, pl.Time, pl.Duration):
        return column.to_physical()
    if kind == pl.Int128:
        return column.cast(pl.String)
    if kind.is_integer() or kind.is_float() or kind == pl.String:
        return column
    if kind in (pl.Categorical, pl.Enum, pl.Decimal, pl.Null):
        return column.cast(pl.String)
    return pl.Series(column.name, [None if value is None else str(value) for value in column.to_list()], pl.String)
