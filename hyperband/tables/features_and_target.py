"""Features and target: separated, checked, and matched row by row."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.errors import DataError
from hyperband.tables.columns import check_columns
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.readings import MISSING, NUMBER, Reading, stripped
from hyperband.tables.schema import Schema
from hyperband.tables.table import Table, as_table, resolve_columns, resolve_target
from hyperband.tables.target_input import read_target_by, target_values
from hyperband.tables.weights import F64, sample_weights

Array = NDArray[Any]


class RowForm(Protocol):
    """What further rows of a table must look like."""

    @property
    def n_inputs(self) -> int: ...
    @property
    def named(self) -> bool: ...
    @property
    def target_names(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Features with their target values and sample weights.

    Parameters
    ----------
    dropped, weightless : int, rows without a target, and with weight 0, that were left out
    kept : bool array, or None
        Which of the rows that were given are here; None means all.
    """

    table: Table
    values: Array
    names: tuple[str, ...]
    weight: F64 | None = None
    dropped: int = 0
    weightless: int = 0
    kept: NDArray[np.bool_] | None = None

    @property
    def n_inputs(self) -> int:
        """Number of columns besides the target."""
        return len(self.table.names)

    @property
    def named(self) -> bool:
        """Whether columns have names, and are not matched by position."""
        return self.table.named

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of the target columns."""
        return self.names


def separate_target(table: Table, y: Any, target: Any, sample_weight: Any) -> tuple[Table, Any, tuple[str, ...], Any]:
    """Features, target, names of the target, and sample weights, separated.

    Parameters
    ----------
    table : Table
    y, target : the target, given as values or by its columns, not both; see `hyperband.tables.prepare`
    sample_weight : one number a row, the name of a column, or None

    Raises
    ------
    DataError
        When the target is given twice, or a column does not exist.

    Examples
    --------
    >>> features, values, names, _ = separate_target(as_table({"a": [1, 2], "b": [3, 4]}), None, "b", None)
    >>> features.names, values.to_list(), names
    (('a',), [3, 4], ('b',))
    """
    if isinstance(sample_weight, str):
        (name,) = resolve_columns(table, [sample_weight], "sample_weight")
        column = table.column(name)
        if table.texts is not None:
            (column,) = stripped(column.to_frame(), MISSING)
            column = Reading(NUMBER, "," if table.texts.decimal_comma else ".").of(column)
        sample_weight = column.to_numpy()
        weight_column: tuple[str, ...] = (name,)
    else:
        weight_column = ()
    if y is not None:
        if target is not None:
            raise DataError("The target must be given as `y` or named by `target`, not both; got both. Leave one out.")
        label = getattr(y, "name", None)  # a series has a name, an array or list has none
        return table.without(weight_column), y, (str(label) if label else "y",), sample_weight
    wanted = list(target) if isinstance(target, (list, tuple)) else [target]
    names = tuple(dict.fromkeys(resolve_target(table, t) for t in wanted))
    columns = [table.column(n) for n in names]
    values = columns[0] if len(columns) == 1 else pl.DataFrame(columns)
    return table.without(names + weight_column), values, names, sample_weight


def check_features(table: Table, dropped: Collection[str]) -> None:
    """Check that a table has features, and that every column that is not dropped can be one.

    Raises
    ------
    DataError
    """
    if all(name in dropped for name in table.names):
        raise DataError(
            "A table must have at least one feature; none is left besides the target and `drop`. Drop fewer columns."
        )
    if table.frame is not None:
        check_columns([table.frame[name] for name in table.names if name not in dropped])


def match_rows(
    table: Table, y: Any, names: tuple[str, ...], weight: Any, missing_target: str, what: str = "y", hint: str = ""
) -> LabelledRows:
    """Features and target matched row by row; rows without a target are left out unless they are an error.

    Rows of weight 0, and rows without any value, as spreadsheets leave them, are left out in any case.

    Parameters
    ----------
    what : str, the target in errors that it has no name of its own for
    hint : str, added to the error on missing targets

    Raises
    ------
    DataError
        When the numbers of rows differ, or targets are missing with ``missing_target="error"``.

    Examples
    --------
    >>> rows = match_rows(as_table([[1.0], [2.0]]), [0.5, None], ("y",), None, "drop")
    >>> rows.values.tolist(), rows.dropped
    ([0.5], 1)
    """
    values, missing = target_values(y, names[0] if names != ("y",) else what)
    if len(values) != table.n_rows:
        raise DataError(f"`X` and `{what}` must have the same number of rows; got {table.n_rows} and {len(values)}.")
    if values.ndim == 2 and len(names) != values.shape[1]:
        names = tuple(f"{names[0]}{j}" for j in range(values.shape[1]))
    weights = None if weight is None else sample_weights(weight, table.n_rows)
    weightless = np.zeros(len(missing), dtype=np.bool_) if weights is None else weights == 0
    missing = missing & ~weightless
    keep = ~(missing | weightless)
    if keep.all():
        return LabelledRows(table, values, names, weights)
    if missing_target == "error" and len(wrong := np.flatnonzero(missing & ~table.empty_rows())):
        raise DataError(
            f"Every row must have a target; {names[0]!r} is missing (NaN or empty) in {len(wrong)} of {len(values)} "
            f"rows, first in row {wrong[0]}. Remove these rows, or leave them out "
            f"by missing_target='drop'.{hint}"
        )
    left = None if weights is None else weights[keep]
    n_missing, n_weightless = int(missing.sum()), int(weightless.sum())
    return LabelledRows(table.rows(keep), values[keep], names, left, n_missing, n_weightless, keep)


def when_missing(missing_target: str, apart: bool) -> str:
    """What "auto" means for a target that is given apart from the table, or is a column of it.

    Examples
    --------
    >>> when_missing("auto", True), when_missing("auto", False), when_missing("drop", True)
    ('error', 'drop', 'drop')
    """
    automatic = "error" if apart else "drop"
    return automatic if missing_target == "auto" else missing_target


def held_out_rows(value: Any, form: RowForm, name: str, schema: Schema, missing_target: str = "auto") -> LabelledRows:
    """Features and target values of rows given as (X, y) or as a table with the target column.

    Parameters
    ----------
    value : (X, y), or anything that `hyperband.tables.as_table` takes
    form : RowForm, such as the preprocessing, or the labelled rows of the table itself
    name : str, such as "validation", in errors
    schema : Schema, by which the target in a text file is read
    missing_target : {"auto", "error", "drop"}

    Raises
    ------
    DataError
        When the target is absent or missing in a row, there are no rows, or the numbers of rows differ.
    """
    apart = isinstance(value, (list, tuple)) and len(value) == 2
    if apart:
        table, y = as_table(value[0], f"X of {name}"), value[1]
    else:
        table = as_table(value, name)
        texts = table.texts
        width = form.n_inputs + len(form.target_names)
        if not table.named and not form.named and len(table.names) != width:
            raise DataError(f"`{name}` must have {width} columns, the target among them; got {len(table.names)}.")
        absent = [n for n in form.target_names if n not in table.names]
        if absent:
            raise DataError(
                f"`{name}` must hold the target column {absent[0]!r}, or be given as (X, y); it does neither."
            )
        columns = {n: table.column(n) for n in form.target_names}
        y = next(iter(columns.values())) if len(columns) == 1 else pl.DataFrame(columns)
        if texts is not None:
            y = read_target_by(schema.targets, y, schema.missing)
        table = table.without(form.target_names)
    names = form.target_names if len(form.target_names) == 1 else ("y",)
    rows = match_rows(table, y, names, None, when_missing(missing_target, apart), f"y of {name}")
    if rows.table.n_rows == 0:
        raise DataError(f"`{name}` must have at least one row; it has none.")
    return rows


def known_rows(value: Any, form: RowForm, schema: Schema) -> LabelledRows:
    """`held_out_rows` for a model, with a `DataWarning` where rows without a target are left out."""
    rows = held_out_rows(value, form, "table", schema)
    if rows.dropped:
        warnings.warn(f"{rows.dropped} rows without a target are left out.", DataWarning, stacklevel=4)
    return rows
