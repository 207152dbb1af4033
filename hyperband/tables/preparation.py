"""Everything between a table and training: target, splits, preprocessing, weights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common import memory
from hyperband.errors import DataError
from hyperband.tables import holdout as split
from hyperband.tables.fit import fit_preprocessing
from hyperband.tables.options import VALIDATION, TableOptions
from hyperband.tables.prepared import Prepared
from hyperband.tables.preprocess import IGNORED, Input, Preprocessing
from hyperband.tables.rows import Rows, check_features, held_rows, match_rows, take_target
from hyperband.tables.table import Table, as_table, resolve_columns
from hyperband.tables.target import fit_classes, fit_scale, infer_task
from hyperband.tables.weights import class_weights, row_weights

F32 = NDArray[np.float32]
Array = NDArray[Any]


def prepare(
    X: Any,
    y: Any = None,
    *,
    target: str | int | Sequence[str | int] | None = None,
    validation: Any = VALIDATION,
    test: Any = None,
    seed: int = 0,
    options: TableOptions | None = None,
) -> Prepared:
    """Training, validation and test rows from a table.

    Parameters
    ----------
    X : array, data frame, dict of columns, list of rows, path or ``"sklearn:NAME"``, see `hyperband.tables.as_table`
        NaN and None in features are missing values and are imputed; infinities are refused.
    y : array, series or list, optional: the target, one per row, or shape (n_rows, n_outputs) for regression
    target : column of ``X`` that is the target, instead of ``y``: see `hyperband.tables.resolve_target`
        Several columns make a regression with several outputs.
    validation : fraction of all rows held out, (X, y), or a table that holds the target column
        Stratified by class; every class keeps at least one training row.
    test : likewise, or None; never seen by the search, and drawn first when it is a fraction
    seed : int, of the splits and of the order of the training rows
    options : TableOptions, optional
        What few tables need: the task, columns to drop, weights, scaling.

    Raises
    ------
    DataError
        When the rule of a parameter is broken, or the table cannot be used; it says which column and why.
    InsufficientMemory
        When the rows do not fit in free memory.

    Examples
    --------
    >>> prepared = prepare("sklearn:iris", target="target")
    >>> prepared.x_train.shape, prepared.x_validation.shape, prepared.loss
    ((120, 4), (30, 4), 'cross_entropy')
    """
    options = options or TableOptions()
    notes: list[str] = []
    table, y, names, weight = take_target(as_table(X), y, target, options.sample_weight)
    dropped = set(resolve_columns(table.names, options.drop, "drop"))
    categories = set(resolve_columns(table.names, options.categorical, "categorical"))
    check_features(table, dropped)
    rows = match_rows(table, y, names, weight, options.missing_target)
    if rows.dropped:
        notes.append(f"{rows.dropped} rows without a target are left out.")
    if rows.table.n_rows < 2:
        raise DataError(f"A table must have at least two rows; got {rows.table.n_rows}.")
    task = options.task
    if task == "auto":
        task, note = infer_task(rows.values)
        notes += [note] if note else []
    classes = fit_classes(rows.values, names) if task == "classification" else None
    numbers = classes.encode(rows.values) if classes else None
    parts = _split(rows.table.n_rows, numbers, validation, test, seed)
    goal = classes or fit_scale(rows.values, parts["train"], names)
    usable = rows.table.without(dropped)
    prep, more = fit_preprocessing(usable, parts["train"], goal, options.scaling, categories - dropped, seed)
    prep = _with_dropped(prep, rows.table, dropped)
    return _assemble(rows, parts, prep, (validation, test), options, notes + more)


def _split(n_rows: int, numbers: Array | None, validation: Any, test: Any, seed: int) -> dict[str, NDArray[np.intp]]:
    """Row numbers of train (in random order), and of validation and test where they are fractions."""
    parts = {}
    train = np.arange(n_rows)
    for name, value, purpose in (("test", test, split.TEST), ("validation", validation, split.VALIDATION)):
        if not _is_rows(value) and value is not None:
            fraction = split.check_fraction(value, name)
            if name == "validation" and "test" in parts:  # both are fractions of the whole table
                fraction = fraction * n_rows / len(train)
                if fraction >= 1:
                    raise DataError("`validation` and `test` must leave rows to train on; their sum is 1 or more.")
            here = None if numbers is None else numbers[train]
            stay, held = split.hold_out(len(train), fraction, here, seed, purpose)
            parts[name] = np.sort(train[held])
            train = train[np.sort(stay)]
    if validation is None:
        raise DataError("`validation` must be a fraction, (X, y) or a table: a search needs held-out rows; got None.")
    parts["train"] = train[split.shuffled(len(train), seed, split.ORDER)]
    return parts


def _is_rows(value: Any) -> bool:
    """Whether held-out rows are given, rather than a fraction."""
    return value is not None and not isinstance(value, (int, float, np.number)) and not _is_float_text(value)


def _is_float_text(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str)


def _with_dropped(prep: Preprocessing, table: Table, dropped: Collection[str]) -> Preprocessing:
    """Dropped columns stay among the inputs as ignored ones, so that arrays of the whole width still fit."""
    if not dropped:
        return prep
    known = {column.name: column for column in prep.inputs}
    return replace(prep, inputs=tuple(known.get(name, Input(name, IGNORED)) for name in table.names))


def _assemble(
    rows: Rows,
    parts: dict[str, NDArray[np.intp]],
    prep: Preprocessing,
    given: tuple[Any, Any],
    options: TableOptions,
    notes: list[str],
) -> Prepared:
    held = {
        name: held_rows(value, prep, name, options.missing_target)
        for name, value in zip(("validation", "test"), given, strict=True)
        if _is_rows(value)
    }
    n_rows = sum(map(len, parts.values())) + sum(part.table.n_rows for part in held.values())
    memory.require(
        4 * n_rows * prep.n_features,
        f"The table as {n_rows:,} x {prep.n_features:,} float32 rows",
        "Use fewer rows, or drop columns.",
    )
    x, y, weight = {}, {}, {}
    y_train = prep.target.encode(rows.values[parts["train"]])
    by_class = None if options.class_weight is None else class_weights(options.class_weight, prep.target, y_train)
    for name in ("train", "validation", "test"):
        if name in parts:
            take = parts[name]
            x[name], y[name] = prep.transform(rows.table, take), prep.target.encode(rows.values[take])
            weight[name] = row_weights(None if rows.weight is None else rows.weight[take], by_class, y[name])
        elif name in held:
            part = held[name]
            x[name], y[name] = prep.transform(part.table), prep.target.encode(part.values, name)
            if part.dropped:
                notes.append(f"{part.dropped} rows of the {name} table without a target are left out.")
            weight[name] = row_weights(None, by_class, y[name])
    return Prepared(
        x["train"],
        y["train"],
        x["validation"],
        y["validation"],
        prep,
        weight["train"],
        weight["validation"],
        x.get("test"),
        y.get("test"),
        tuple(notes),
    )
