"""From a table to arrays ready for training: target, splits, preprocessing, weights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common import memory
from hyperband.errors import DataError, InputError
from hyperband.tables import holdout
from hyperband.tables.features_and_target import (
    LabelledRows,
    check_features,
    held_out_rows,
    match_rows,
    separate_target,
)
from hyperband.tables.fit_transformers import fit_preprocessing
from hyperband.tables.options import VALIDATION, TableOptions
from hyperband.tables.prepared import Prepared
from hyperband.tables.preprocess import IGNORED, InputColumn, Preprocessing
from hyperband.tables.table import Table, as_table, resolve_columns
from hyperband.tables.target import fit_classes, fit_scale
from hyperband.tables.target_input import infer_task
from hyperband.tables.weights import F64, class_weights, row_weights

F32 = NDArray[np.float32]
Array = NDArray[Any]
RowNumbers = NDArray[np.intp]


def prepare(
    X: Any,
    y: Any = None,
    *,
    target: str | int | Sequence[str | int] | None = None,
    validation: Any = VALIDATION,
    test: Any = None,
    seed: int = 0,
    options: TableOptions | None = None,
    **settings: Any,
) -> Prepared:
    """Training, validation and test rows of a table, preprocessed to float32.

    Parameters
    ----------
    X : array, data frame, dict of columns, list of rows, path or ``"sklearn:NAME"``, see `hyperband.tables.as_table`
        NaN and None in features are missing values and are imputed; infinite values are an error.
    y : array, series or list, optional
        The target: one value a row, or shape (n_rows, n_outputs) for regression.
    target : column of ``X`` to predict, instead of ``y``; see `hyperband.tables.resolve_target`
        Several columns make a regression with several outputs.
    validation : fraction of all rows, rows as (X, y), or a table with the target column
        A fraction is stratified by class, and every class keeps at least one training row.
    test : None, or rows as for ``validation``; the search never reads them
        A fraction is held out before the validation rows.
    seed : int, of the splits and of the order of the training rows
    options : TableOptions, optional
        Task, columns to drop, categorical columns, scaling and weights; None uses the defaults.
    settings : fields of `TableOptions` by name, instead of ``options``: ``prepare(X, y, drop=["id"])``

    Returns
    -------
    Prepared

    Raises
    ------
    DataError
        When an argument breaks one of these rules, or the table cannot be used; it names the column and the reason.
    InputError
        When there are both ``options`` and settings by name.
    InsufficientMemory
        When the rows do not fit in free memory.

    Examples
    --------
    >>> prepared = prepare("sklearn:iris", target="target")
    >>> prepared.x_train.shape, prepared.x_validation.shape, prepared.loss
    ((120, 4), (30, 4), 'cross_entropy')
    """
    if options is not None and settings:
        raise InputError(
            "Settings of the table must be in `options` or given by name, not both; got both, with "
            f"{', '.join(settings)}."
        )
    options = options or TableOptions(**settings)
    table, y, names, weight = separate_target(as_table(X), y, target, options.sample_weight)
    dropped = set(resolve_columns(table.names, options.drop, "drop"))
    categories = set(resolve_columns(table.names, options.categorical, "categorical"))
    check_features(table, dropped)
    rows = match_rows(table, y, names, weight, options.missing_target)
    notes = [f"{rows.dropped} rows without a target are left out."] if rows.dropped else []
    if rows.table.n_rows < 2:
        raise DataError(f"A table must have at least two rows; got {rows.table.n_rows}.")
    task = options.task
    if task == "auto":
        task, note = infer_task(rows.values)
        notes += [note] if note else []
    classes = fit_classes(rows.values, names) if task == "classification" else None
    labels = classes.encode(rows.values) if classes else None
    parts = _split(rows.table.n_rows, labels, validation, test, seed)
    goal = classes or fit_scale(rows.values, parts["train"], names)
    usable = rows.table.without(dropped)
    prep, more = fit_preprocessing(usable, parts["train"], goal, options.scaling, categories - dropped, seed)
    prep = _with_dropped(prep, rows.table, dropped)
    given = {name: value for name, value in (("validation", validation), ("test", test)) if _is_rows(value)}
    held = {name: held_out_rows(value, prep, name, options.missing_target) for name, value in given.items()}
    return _assemble(rows, parts, held, prep, options.class_weight, notes + more)


def _split(n_rows: int, labels: Array | None, validation: Any, test: Any, seed: int) -> dict[str, RowNumbers]:
    """Row numbers of the training part, in random order, and of validation and test where they are fractions."""
    parts = {}
    train = np.arange(n_rows)
    for name, value, purpose in (("test", test, holdout.TEST), ("validation", validation, holdout.VALIDATION)):
        if not _is_rows(value) and value is not None:
            fraction = holdout.check_fraction(value, name)
            if name == "validation" and "test" in parts:  # both are fractions of the whole table
                fraction = fraction * n_rows / len(train)
                if fraction >= 1:
                    raise DataError(
                        f"`validation` and `test` must leave rows to train on; got {validation!r} and {test!r}, whose "
                        "sum "
                        "is 1 or more. Hold out less."
                    )
            present = None if labels is None else labels[train]
            stay, held = holdout.hold_out(len(train), fraction, present, seed, purpose)
            parts[name] = np.sort(train[held])
            train = train[np.sort(stay)]
    if validation is None:
        raise DataError("`validation` must be a fraction, (X, y) or a table; got None. A search needs held-out rows.")
    parts["train"] = train[holdout.shuffled(len(train), seed, holdout.ORDER)]
    return parts


def _is_rows(value: Any) -> bool:
    """Whether a part is given as rows, not as a fraction."""
    return value is not None and not isinstance(value, (int, float, np.number)) and not _is_float_text(value)


def _is_float_text(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str)


def _with_dropped(prep: Preprocessing, table: Table, dropped: Collection[str]) -> Preprocessing:
    """Dropped columns stay among the inputs as ignored ones, so that arrays with all columns still fit."""
    if not dropped:
        return prep
    known = {column.name: column for column in prep.inputs}
    return replace(prep, inputs=tuple(known.get(name, InputColumn(name, IGNORED)) for name in table.names))


@dataclass(frozen=True, slots=True)
class _Part:
    """The arrays of one part of the rows: training, validation or test."""

    x: F32
    y: Array
    weight: F32 | None

    @classmethod
    def of(
        cls, rows: LabelledRows, prep: Preprocessing, name: str, by_class: F64 | None, take: RowNumbers | None = None
    ) -> _Part:
        """The listed rows, or all of them, transformed and encoded."""
        values, weight = rows.values, rows.weight
        if take is not None:
            values, weight = values[take], None if weight is None else weight[take]
        y = prep.target.encode(values, name)
        return cls(prep.transform(rows.table, take), y, row_weights(weight, by_class, y))


def _assemble(
    rows: LabelledRows,
    parts: dict[str, RowNumbers],
    held: dict[str, LabelledRows],
    prep: Preprocessing,
    class_weight: Any,
    notes: list[str],
) -> Prepared:
    """All parts as arrays: those drawn from the table, and those that were given as rows."""
    n_rows = sum(map(len, parts.values())) + sum(part.table.n_rows for part in held.values())
    memory.require(
        4 * n_rows * prep.n_features,
        f"The table as {n_rows:,} x {prep.n_features:,} float32 rows",
        "Use fewer rows, or drop columns.",
    )
    by_class = None
    if class_weight is not None:
        by_class = class_weights(class_weight, prep.target, prep.target.encode(rows.values[parts["train"]]))
    made = {name: _Part.of(rows, prep, "y", by_class, take) for name, take in parts.items()}
    made |= {name: _Part.of(part, prep, name, by_class) for name, part in held.items()}
    more = [
        f"{part.dropped} rows of the {name} table without a target are left out."
        for name, part in held.items()
        if part.dropped
    ]
    train, validation, test = made["train"], made["validation"], made.get("test")
    return Prepared(
        train.x,
        train.y,
        validation.x,
        validation.y,
        prep,
        train.weight,
        validation.weight,
        None if test is None else test.x,
        None if test is None else test.y,
        (*notes, *more),
    )
