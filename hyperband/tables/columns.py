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

_DAYS, _DURATIONS = (dt.date, np.datetime64), (dt.timedelta, np.timedelta64)


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
    if all(isinstance(v, _DAYS) for v in present):
        return pl.Series(name, [None if v is None else _instant(v) for v in items], dtype=pl.Datetime("us"))
    if all(isinstance(v, dt.time) for v in present):
        return pl.Series(name, [None if v is None else v.replace(tzinfo=None) for v in items], dtype=pl.Time)
    if any(isinstance(v, (*_DAYS, *_DURATIONS, dt.time)) for v in present):
        return pl.Series(name, [None] * len(items), dtype=pl.Duration)  # `check_columns` rejects this type
    if any(isinstance(v, (list, tuple, dict, set, np.ndarray)) for v in present):
        return pl.Series(name, [None] * len(items), dtype=pl.List(pl.Null))  # likewise
    return pl.Series(name, [None if v is None else _text(v) for v in items], dtype=pl.String)


def _instant(value: Any) -> dt.datetime:
    """A date as the instant at which it begins; an instant in its own zone."""
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if isinstance(value, dt.datetime):
        return dt.datetime(*value.timetuple()[:6], value.microsecond)
    return dt.datetime(value.year, value.month, value.day)


def is_declared(values: Any) -> bool:
    """Whether a series of pandas or polars declares its values to be categories."""
    if isinstance(values, pl.Series):
        return values.dtype in (pl.Categorical, pl.Enum)
    return hasattr(getattr(values, "dtype", None), "categories")


def unmasked(data: Any) -> NDArray[Any]:
    """An array; where a masked array is masked it holds NaN, or None where it holds no numbers.

    Examples
    --------
    >>> unmasked(np.ma.masked_equal([[1, 2], [3, 2]], 2)).tolist()
    [[1.0, nan], [3.0, nan]]
    """
    if not isinstance(data, np.ma.MaskedArray):
        return np.asarray(data)
    if data.dtype.kind not in "biuf":
        return masked_as_none(data)
    plain: NDArray[Any] = np.array(data.data, dtype=np.result_type(data.dtype, np.float32))
    plain[np.ma.getmaskarray(data)] = np.nan
    return plain


def masked_as_none(data: np.ma.MaskedArray[Any, Any]) -> NDArray[np.object_]:
    """The values of a masked array as objects, None where it is masked."""
    plain: NDArray[np.object_] = np.array(data.data, dtype=object)
    plain[np.ma.getmaskarray(data)] = None
    return plain


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
    """The same text as `as_text` gives a column of such values alone."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (float, np.floating)) and float(value).is_integer() and abs(float(value)) < 2.0**62:
        return str(int(value))
    return str(value)


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


#: Names that pandas and pyarrow give a saved index; in a csv it may have none.
INDEX_NAMES = ("Unnamed: 0", "__index_level_0__")


def is_index(column: pl.Series) -> bool:
    """Whether a column can be the index of a saved frame: different whole numbers, in any order.

    Examples
    --------
    >>> is_index(pl.Series([7, 3, 4])), is_index(pl.Series([7, 7, 4]))
    (True, False)
    """
    return column.dtype.is_integer() and not column.null_count() and bool(column.is_unique().all())


def holds_times(column: pl.Series) -> bool:
    """Whether a column holds dates, times of day or both; durations are none of these."""
    return column.dtype.is_temporal() and column.dtype != pl.Duration


def first_values(texts: pl.Series) -> str:
    """The first three different texts, as a part of a sentence.

    Examples
    --------
    >>> first_values(pl.Series(["b", "a", "b", "c", "d"]))
    "'b', 'a', 'c'"
    """
    return ", ".join(map(repr, texts.unique(maintain_order=True).head(3).to_list()))


def first_names(names: Sequence[str]) -> str:
    """Names of columns as a part of a sentence, the first eight of many.

    Examples
    --------
    >>> first_names(["a", "b"]), first_names(list("abcdefghijk"))
    ('a, b', 'a, b, c, d, e, f, g, h, ... (11 in all)')
    """
    return ", ".join(names[:8]) + (f", ... ({len(names)} in all)" if len(names) > 8 else "")


def check_columns(columns: Sequence[pl.Series]) -> None:
    """Check that columns can be features: they hold no lists, durations or infinities.

    Raises
    ------
    DataError
        It names all such columns, and says what to do.

    Examples
    --------
    >>> check_columns([pl.Series("tags", [["a"]]), pl.Series("n", [1])])
    Traceback (most recent call last):
        ...
    hyperband.errors.DataError: Features must be numbers, text, truth values, dates or times; these hold something...
    """
    wrong = [c for c in columns if c.dtype.is_nested() or c.dtype in (pl.Binary, pl.Object, pl.Duration)]
    if wrong:
        names = [column.name for column in wrong]
        shown = first_names([f"{column.name!r} ({column.dtype})" for column in wrong])
        raise DataError(
            f"Features must be numbers, text, truth values, dates or times; these hold something else: {shown}. Spread "
            f"lists over plain columns, write durations as numbers, or drop these columns (drop={names[:8]}, --drop "
            f"{' --drop '.join(names[:8])})."
        )
    for column in columns:
        if column.dtype.is_float() and len(
            rows := np.flatnonzero(column.alias("column").is_infinite().fill_null(False).to_numpy())
        ):
            raise_infinite(column.name, rows)


def raise_infinite(name: str, rows: NDArray[np.intp]) -> None:
    """Raise the `DataError` for a column that is infinite in these rows."""
    raise DataError(
        f"Features must be finite, or NaN where missing; column {name!r} is infinite in {len(rows)} rows, first in row "
        f"{rows[0]}. Replace these values, for instance by NaN."
    )
