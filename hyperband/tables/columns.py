"""Single columns: typed series from Python objects, and which columns cannot be features."""

from __future__ import annotations

import datetime as dt
import decimal
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.errors import DataError

_TEMPORAL = (dt.date, dt.time, dt.timedelta, np.datetime64, np.timedelta64)

#: Texts that are a date, a time of day or both: 2013-01-01, 2013-01-01T10:00:00Z, 31.12.1999, 1/31/99, 10:15
_DATE = (
    r"^(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{1,2}/\d{1,2}/\d{2})"
    r"([T ]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*([AaPp][Mm])?(Z|\s?[A-Z]{3,4}|[+-]\d{2}:?\d{2})?)?$"
    r"|^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*([AaPp][Mm])?$"
)


def series_from_objects(name: str, values: Sequence[Any] | NDArray[Any]) -> pl.Series:
    """A typed column from Python objects: numbers, truth values or dates where all are, otherwise text.

    None and NaN are missing values. Mixed numbers become float64.

    Examples
    --------
    >>> series_from_objects("a", [1, None, 2.5]).to_list()
    [1.0, None, 2.5]
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "mM":  # polars supports only some of NumPy's units
        return pl.Series(name, values.astype(f"{values.dtype.kind}8[us]"))
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return pl.Series(name, values)
    if isinstance(values, pl.Series):
        return values.alias(name)
    items = [None if _is_missing(v) else v for v in values]
    present = [v for v in items if v is not None]
    if all(isinstance(v, str) for v in present):
        return pl.Series(name, items, dtype=pl.String)
    if all(isinstance(v, (bool, np.bool_)) for v in present):
        return pl.Series(name, [None if v is None else bool(v) for v in items], dtype=pl.Boolean)
    if all(isinstance(v, (int, np.integer)) and abs(int(v)) < 1 << 62 for v in present):
        return pl.Series(name, [None if v is None else int(v) for v in items], dtype=pl.Int64)
    if all(isinstance(v, (numbers.Real, decimal.Decimal)) for v in present):
        return pl.Series(name, [None if v is None else float(v) for v in items], dtype=pl.Float64)
    if any(isinstance(v, _TEMPORAL) for v in present):
        return pl.Series(name, [None] * len(items), dtype=pl.Datetime)  # `check_feature` rejects this type
    if any(isinstance(v, (list, tuple, dict, set, np.ndarray)) for v in present):
        return pl.Series(name, [None] * len(items), dtype=pl.List(pl.Null))  # likewise
    return pl.Series(name, [None if v is None else _text(v) for v in items], dtype=pl.String)


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, (float, np.floating)):
        return bool(np.isnan(value))
    if isinstance(value, decimal.Decimal):
        return value.is_nan()
    return type(value).__name__ in ("NAType", "NaTType") or (
        isinstance(value, (np.datetime64, np.timedelta64)) and bool(np.isnat(value))
    )


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def as_text(column: pl.Series) -> pl.Series:
    """A column as text; 1, 1.0 and "1" give the same text.

    Examples
    --------
    >>> as_text(pl.Series("a", [1.0, 2.5, None])).to_list()
    ['1', '2.5', None]
    """
    if not column.dtype.is_float():
        return column.cast(pl.String)
    column = column.fill_nan(None)
    whole = (column == column.round()) & (column.abs() < 2.0**62)  # by value: other rows do not matter
    numbers, texts = column.cast(pl.Int64, strict=False).cast(pl.String), column.cast(pl.String)
    return pl.select(pl.when(whole).then(numbers).otherwise(texts)).to_series().alias(column.name)


def looks_like_dates(column: pl.Series) -> bool:
    """Whether the first 1000 values of a text column are all dates or times.

    Examples
    --------
    >>> looks_like_dates(pl.Series("day", ["2013-01-01", "2013-01-02"]))
    True
    """
    if column.dtype != pl.String:
        return False
    some = column.drop_nulls().head(1000)
    return some.len() > 0 and bool(some.str.contains(_DATE).all())


def check_feature(column: pl.Series) -> None:
    """Check that a column can be a feature: it holds no dates, lists or infinities.

    Raises
    ------
    DataError
        It says how to convert the column or how to drop it.

    Examples
    --------
    >>> check_feature(pl.Series("day", ["2013-01-01"]))
    Traceback (most recent call last):
        ...
    hyperband.errors.DataError: Features must be numbers, text or truth values; column 'day' holds dates or times...
    """
    dtype = column.dtype
    if dtype.is_temporal() or looks_like_dates(column):
        example = column.drop_nulls()
        value = f" such as {str(example[0])!r}" if example.len() else ""
        raise DataError(
            f"Features must be numbers, text or truth values; column {column.name!r} holds dates or times{value}. "
            f"Convert it to numbers (for instance days since a fixed day, hour of the day), or drop it "
            f"(drop=[{column.name!r}], --drop {column.name})."
        )
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        raise DataError(
            f"Features must be numbers, text or truth values; column {column.name!r} holds {dtype}. Spread it over "
            f"plain columns, or drop it (drop=[{column.name!r}], --drop {column.name})."
        )
    if dtype.is_float() and column.is_infinite().any():
        raise_infinite(column.name, np.flatnonzero(column.is_infinite().fill_null(False).to_numpy()))


def raise_infinite(name: str, rows: NDArray[np.intp]) -> None:
    """Raise the `DataError` for a column that is infinite in these rows."""
    raise DataError(
        f"Features must be finite, or NaN where missing; column {name!r} is infinite in {len(rows)} rows, first in row "
        f"{rows[0]}. Replace these values, for instance by NaN."
    )
