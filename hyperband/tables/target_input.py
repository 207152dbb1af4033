"""Target columns as they are given: values, missing rows, and the task they suggest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.errors import DataError
from hyperband.tables.columns import masked_as_none, series_from_objects
from hyperband.tables.dates import looks_like_dates
from hyperband.tables.polars_threads import check_polars_threads
from hyperband.tables.readings import NUMBER, Reading, find_reading, stripped

Array = NDArray[Any]

#: Whole numbers with at most this many different values are classes.
MOST_INTEGER_CLASSES = 20


def target_values(y: Any, name: str = "y") -> tuple[Array, NDArray[np.bool_]]:
    """Values of a target, and which rows have none.

    Parameters
    ----------
    y : array, series or list, shape (n_rows,), (n_rows, 1) or (n_rows, n_outputs); or a data frame
    name : str, the target in errors

    Returns
    -------
    values : array, shape (n_rows,) of bool, int64, float64 or objects (str), or (n_rows, n_outputs) of float64
    missing : bool array, shape (n_rows,)

    Raises
    ------
    DataError
        When ``y`` has another shape, holds dates or infinities, or has several columns that are no numbers.

    Examples
    --------
    >>> values, missing = target_values([1.5, None, 2.5])
    >>> missing.tolist()
    [False, True, False]
    """
    check_polars_threads()
    columns = _as_columns(y, name)
    for column in columns:
        if column.dtype.is_temporal() or looks_like_dates(column):
            raise DataError(
                f"`{name}` must be numbers, text or truth values; column {column.name!r} holds dates or times. Convert "
                f"it to numbers, for instance days since a fixed day."
            )
        if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
            raise DataError(
                f"`{name}` must be numbers, text or truth values; got a column of {column.dtype}. Convert it."
            )
    parts = [_values(column, name) for column in columns]
    missing: NDArray[np.bool_] = np.logical_or.reduce([m for _, m in parts])
    if len(parts) == 1:
        return parts[0][0], missing
    if any(values.dtype.kind not in "bif" for values, _ in parts):
        raise DataError(f"Several targets must all be numbers (regression); `{name}` holds text. Name one target.")
    return np.column_stack([values.astype(np.float64) for values, _ in parts]), missing


def _as_columns(y: Any, name: str) -> list[pl.Series]:
    if isinstance(y, pl.Series):
        return [y]
    if isinstance(y, np.ma.MaskedArray):
        y = masked_as_none(y)
    # A series of pandas and any array have a NumPy dtype; pandas need not be installed.
    if hasattr(y, "dtype") and isinstance(y.dtype, np.dtype) and y.dtype.kind in "biuf" and np.ndim(y) == 1:
        return [pl.Series(name, np.asarray(y).astype(np.float64) if y.dtype == np.float16 else np.asarray(y))]
    if isinstance(y, pl.DataFrame) or hasattr(y, "columns"):  # a data frame of pandas too
        from hyperband.tables.table import as_table

        table = as_table(y, name)
        columns = [table.column(n) for n in table.names]
    elif hasattr(y, "to_numpy") and hasattr(y, "isna"):  # pandas series
        columns = [series_from_objects(name, np.where(y.isna().to_numpy(dtype=bool), None, y.astype(object)))]
    else:
        try:
            array = np.asarray(y, dtype=object) if isinstance(y, (list, tuple)) else np.asarray(y)
        except ValueError:
            array = np.empty((0, 0, 0))
        if array.ndim not in (1, 2):
            raise DataError(f"`{name}` must be 1-D, or 2-D (rows, outputs); got shape {np.shape(array)}.")
        if array.dtype.kind == "c":
            raise DataError(f"`{name}` must be real; got dtype {array.dtype}.")
        flat = array.reshape(len(array), -1)
        columns = [series_from_objects(name if flat.shape[1] == 1 else f"{name}{j}", c) for j, c in enumerate(flat.T)]
    if not columns:
        raise DataError(f"`{name}` must have at least one column; it has none.")
    return columns


def _values(column: pl.Series, name: str) -> tuple[Array, NDArray[np.bool_]]:
    dtype = column.dtype
    if dtype.is_float() or dtype.is_decimal() or dtype in (pl.UInt64, pl.Int128):
        values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        infinite = np.flatnonzero(np.isinf(values))
        if len(infinite):
            raise DataError(
                f"`{name}` must be finite; it is infinite in {len(infinite)} rows, first in row {infinite[0]}. Remove "
                f"these rows."
            )
        return values, np.isnan(values)
    missing = column.is_null().to_numpy()
    if dtype == pl.Boolean or dtype.is_integer():
        plain = column.fill_null(False if dtype == pl.Boolean else 0)
        return (plain if dtype == pl.Boolean else plain.cast(pl.Int64)).to_numpy(), missing
    texts = np.empty(column.len(), dtype=object)
    texts[:] = column.cast(pl.String).fill_null("").to_list()
    return texts, missing


def read_target(
    texts: pl.Series | pl.DataFrame, task: str, missing: Collection[str], decimal_comma: bool
) -> tuple[pl.Series | pl.DataFrame, dict[str, Reading]]:
    """The target of a text file, and how its columns of numbers are read: quantities, or labels as they are written.

    Labels that are written as Python writes whole numbers are whole numbers.

    Parameters
    ----------
    texts : one column, or several
    task : {"auto", "classification", "regression"}; "auto" decides as `infer_task`
    missing, decimal_comma : as for `hyperband.tables.schema.find_schema`

    Examples
    --------
    >>> values, readings = read_target(pl.Series("y", ["1", "2", "1"]), "auto", [], False)
    >>> values.to_list(), list(readings)
    ([1, 2, 1], ['y'])
    >>> read_target(pl.Series("y", ["001", " +2 ", None]), "auto", [], False)[0].to_list()
    ['001', '+2', None]
    """
    frame = texts.to_frame() if isinstance(texts, pl.Series) else texts
    columns = dict(zip(frame.columns, stripped(frame, missing), strict=True))
    readings = {name: _number_reading(column, decimal_comma) for name, column in columns.items()}
    if isinstance(texts, pl.Series):
        (column,), (reading,) = columns.values(), readings.values()
        if reading is not None and _are_labels(column, reading.of(column), task):
            readings = {texts.name: None}
    found = {name: reading for name, reading in readings.items() if reading is not None}
    return read_target_by(found, texts, missing), found


def read_target_by(
    readings: Mapping[str, Reading], texts: pl.Series | pl.DataFrame, missing: Collection[str]
) -> pl.Series | pl.DataFrame:
    """Target columns of a text file as `read_target` has read others: numbers, or labels as they are written."""
    frame = texts.to_frame() if isinstance(texts, pl.Series) else texts
    columns = dict(zip(frame.columns, stripped(frame, missing), strict=True))
    read = [(readings[name].of(column) if name in readings else column).alias(name) for name, column in columns.items()]
    return read[0] if isinstance(texts, pl.Series) else pl.DataFrame(read)


def _number_reading(texts: pl.Series, decimal_comma: bool) -> Reading | None:
    """How a column is read as numbers; None where some of its texts are none, or would be the same number."""
    if texts.str.contains(r"^[+-]?\d{19,}$").any():
        return None
    if not texts.cast(pl.Float64, strict=False).null_count() > texts.null_count():
        return Reading(NUMBER)  # with zeros in front too: they are labels, or a quantity
    reading = find_reading(texts, decimal_comma)
    return reading if reading.form == NUMBER and not reading.words else None


def _are_labels(texts: pl.Series, values: pl.Series, task: str) -> bool:
    """Whether numbers are labels that are not written as whole numbers."""
    if values.null_count() == values.len():
        return True
    if task == "auto":
        task, _ = infer_task(_values(values.drop_nulls(), texts.name)[0])
    return task == "classification" and not values.cast(pl.Int64, strict=False).cast(pl.String).equals(texts)


def infer_task(values: Array) -> tuple[str, str | None]:
    """The task of a target, and a note where the guess may surprise, or None.

    Classification: text, truth values, whole numbers with at most 20 distinct values, and floats with exactly two
    distinct values that are whole numbers. Everything else is regression.

    Parameters
    ----------
    values : array as `target_values` returns

    Examples
    --------
    >>> infer_task(np.array([0.5, 1.5, 2.5]))[0]
    'regression'
    """
    if values.ndim == 2:
        return "regression", None
    if values.dtype.kind in "Ob":
        return "classification", None
    distinct = np.unique(values)
    few = len(distinct) <= MOST_INTEGER_CLASSES if values.dtype.kind == "i" else len(distinct) == 2
    if few and bool((distinct == np.round(distinct)).all()):
        if len(distinct) == 2:
            return "classification", None
        return "classification", (
            f"The target has {len(distinct)} different whole numbers: treated as classes (pass task='regression' "
            "otherwise)."
        )
    if values.dtype.kind == "i":
        return "regression", (
            f"The target has {len(distinct)} different whole numbers: treated as values "
            f"(pass task='classification' otherwise)."
        )
    return "regression", None
