"""Everything between a table and training: target, splits, preprocessing, weights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.data import split
from hyperband.data.columns import check_feature
from hyperband.data.fit import SCALINGS, fit_preprocessing
from hyperband.data.memory import require_memory
from hyperband.data.preprocess import Preprocessing
from hyperband.data.table import Table, as_table, resolve_columns, resolve_target
from hyperband.data.target import TASKS, Target, fit_classes, fit_scale, infer_task, target_values
from hyperband.data.weights import F64, class_weights, row_weights, sample_weights
from hyperband.errors import DataError

F32 = NDArray[np.float32]
Array = NDArray[Any]


@dataclass(frozen=True)
class Prepared:
    """Rows ready for training.

    Parameters
    ----------
    x_train, x_validation : float32 arrays, shape (n_rows, n_features), C-contiguous, finite
        Training rows are in random order: the first r of them are a random subset.
    y_train, y_validation : int32 class numbers, shape (n_rows,), or float32 standardised values, (n_rows, n_outputs)
    weight_train, weight_validation : float32 arrays, shape (n_rows,), with mean 1; None: all rows count the same
    x_test, y_test : likewise, never seen by a search; None without a test split
    preprocessing : Preprocessing, fitted on the training rows; its ``target`` turns outputs back
    notes : tuple of str, what was done to the table, for people
    """

    x_train: F32
    y_train: Array
    x_validation: F32
    y_validation: Array
    preprocessing: Preprocessing
    weight_train: F32 | None = None
    weight_validation: F32 | None = None
    x_test: F32 | None = None
    y_test: Array | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def target(self) -> Target:
        """What is predicted."""
        return self.preprocessing.target

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return self.target.task

    @property
    def loss(self) -> str:
        """``"cross_entropy"``, ``"logistic"`` (two classes, one output) or ``"mse"``."""
        return self.target.loss

    @property
    def n_outputs(self) -> int:
        """Outputs of a network."""
        return self.target.n_outputs

    @property
    def classes(self) -> tuple[Any, ...]:
        """Original labels, sorted; empty for regression."""
        return self.target.classes

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name per column of ``x_train``."""
        return self.preprocessing.feature_names

    @property
    def n_features(self) -> int:
        """Columns of ``x_train``."""
        return self.preprocessing.n_features


@dataclass(frozen=True, slots=True)
class _Rows:
    """Features and target values that belong together."""

    table: Table
    values: Array
    names: tuple[str, ...]
    weight: F64 | None = None
    dropped: int = 0


def prepare(
    X: Any,
    y: Any = None,
    *,
    target: str | int | Sequence[str | int] | None = None,
    task: str = "auto",
    validation: Any = 0.2,
    test: Any = None,
    seed: int = 0,
    scaling: str = "auto",
    class_weight: Any = None,
    sample_weight: Any = None,
    drop: Collection[str | int] = (),
    categorical: Collection[str | int] = (),
    missing_target: str = "error",
) -> Prepared:
    """Training, validation and test rows from a table.

    Parameters
    ----------
    X : array, data frame, dict of columns, list of rows, path or ``"sklearn:NAME"``, see `hyperband.data.as_table`
        NaN and None in features are missing values and are imputed; infinities are refused.
    y : array, series or list, optional: the target, one per row, or shape (n_rows, n_outputs) for regression
    target : column of ``X`` that is the target, instead of ``y``: see `hyperband.data.resolve_target`
        Several columns make a regression with several outputs.
    task : {"auto", "classification", "regression"}, see `hyperband.data.target.infer_task`
    validation : fraction of all rows held out, (X, y), or a table that holds the target column
        Stratified by class; every class keeps at least one training row.
    test : likewise, or None; never seen by the search, and drawn first when it is a fraction
    seed : int, of the splits and of the order of the training rows
    scaling : {"auto", "standard", "quantile"}, see `hyperband.data.fit.fit_preprocessing`
    class_weight : None, "balanced", or dict of label to weight
    sample_weight : one number a row, or the name of a column
    drop : columns that are not used
    categorical : columns of numbers that are categories
    missing_target : {"error", "drop"}: refuse rows without a target, or leave them out and say so

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
    _one_of(task, ("auto", *TASKS), "task")
    _one_of(scaling, SCALINGS, "scaling")
    _one_of(missing_target, ("error", "drop"), "missing_target")
    notes: list[str] = []
    table, y, names, weight = _take_target(as_table(X), y, target, sample_weight)
    dropped = set(resolve_columns(table.names, drop, "drop"))
    categories = set(resolve_columns(table.names, categorical, "categorical"))
    _check_features(table, dropped)
    rows = _match_rows(table, y, names, weight, missing_target)
    if rows.dropped:
        notes.append(f"{rows.dropped} rows without a target are left out.")
    if rows.table.n_rows < 2:
        raise DataError(f"A table must have at least two rows; got {rows.table.n_rows}.")
    if task == "auto":
        task, note = infer_task(rows.values)
        notes += [note] if note else []
    classes = fit_classes(rows.values, names) if task == "classification" else None
    numbers = classes.encode(rows.values) if classes else None
    parts = _split(rows.table.n_rows, numbers, validation, test, seed)
    goal = classes or fit_scale(rows.values, parts["train"], names)
    usable = rows.table.without(dropped)
    prep, more = fit_preprocessing(usable, parts["train"], goal, scaling, categories - dropped, seed)
    prep = _with_dropped(prep, rows.table, dropped)
    return _assemble(rows, parts, prep, (validation, test, class_weight), notes + more)


def _one_of(value: str, allowed: Sequence[str], name: str) -> None:
    if value not in allowed:
        raise DataError(f"`{name}` must be one of {', '.join(allowed)}; got {value!r}.")


def _take_target(table: Table, y: Any, target: Any, sample_weight: Any) -> tuple[Table, Any, tuple[str, ...], Any]:
    """Features, target, its names, and sample weights, each on its own."""
    if isinstance(sample_weight, str):
        (name,) = resolve_columns(table.names, [sample_weight], "sample_weight")
        sample_weight = table.column(name).to_numpy()
        weight_column: tuple[str, ...] = (name,)
    else:
        weight_column = ()
    if y is not None:
        if target is not None:
            raise DataError("Give the target as `y` or name it by `target`, not both.")
        label = getattr(y, "name", None)
        return table.without(weight_column), y, (str(label) if label else "y",), sample_weight
    wanted = list(target) if isinstance(target, (list, tuple)) else [target]
    names = tuple(dict.fromkeys(resolve_target(table, t) for t in wanted))
    columns = [table.column(n) for n in names]
    values = columns[0] if len(columns) == 1 else as_table(dict(zip(names, columns, strict=True))).frame
    return table.without(names + weight_column), values, names, sample_weight


def _check_features(table: Table, dropped: Collection[str]) -> None:
    if all(name in dropped for name in table.names):
        raise DataError("A table must have at least one feature; nothing is left beside the target and `drop`.")
    if table.frame is not None:
        for name in table.names:
            if name not in dropped:
                check_feature(table.frame[name])


def _match_rows(
    table: Table, y: Any, names: tuple[str, ...], weight: Any, missing_target: str, what: str = "y"
) -> _Rows:
    values, missing = target_values(y, names[0] if names != ("y",) else what)
    if len(values) != table.n_rows:
        raise DataError(f"`X` and `{what}` must have the same number of rows; got {table.n_rows} and {len(values)}.")
    if values.ndim == 2 and len(names) != values.shape[1]:
        names = tuple(f"{names[0]}{j}" for j in range(values.shape[1]))
    weights = None if weight is None else sample_weights(weight, table.n_rows)
    count = int(missing.sum())
    if not count:
        return _Rows(table, values, names, weights)
    if missing_target == "error":
        raise DataError(
            f"Every row must have a target; {names[0]!r} is missing (NaN or empty) in {count} of {len(values)} rows, first "
            f"in row {int(np.flatnonzero(missing)[0])}. Remove these rows, or leave them out by missing_target='drop'."
        )
    keep = ~missing
    return _Rows(table.rows(keep), values[keep], names, None if weights is None else weights[keep], count)


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
    from dataclasses import replace

    from hyperband.data.preprocess import IGNORED, Input

    known = {column.name: column for column in prep.inputs}
    return replace(prep, inputs=tuple(known.get(name, Input(name, IGNORED)) for name in table.names))


def _assemble(
    rows: _Rows,
    parts: dict[str, NDArray[np.intp]],
    prep: Preprocessing,
    options: tuple[Any, Any, Any],
    notes: list[str],
) -> Prepared:
    validation, test, class_weight = options
    held = {
        name: held_rows(value, prep, name)
        for name, value in (("validation", validation), ("test", test))
        if _is_rows(value)
    }
    n_rows = sum(map(len, parts.values())) + sum(table.n_rows for table, _ in held.values())
    require_memory(
        4 * n_rows * prep.n_features,
        f"The table as {n_rows:,} x {prep.n_features:,} float32 rows",
        "Use fewer rows, or drop columns.",
    )
    x, y, weight = {}, {}, {}
    y_train = prep.target.encode(rows.values[parts["train"]])
    by_class = None if class_weight is None else class_weights(class_weight, prep.target, y_train)
    for name in ("train", "validation", "test"):
        if name in parts:
            take = parts[name]
            x[name], y[name] = prep.transform(rows.table, take), prep.target.encode(rows.values[take])
            weight[name] = row_weights(None if rows.weight is None else rows.weight[take], by_class, y[name])
        elif name in held:
            table, values = held[name]
            x[name], y[name] = prep.transform(table), prep.target.encode(values, name)
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


def held_rows(value: Any, prep: Preprocessing, name: str) -> tuple[Table, Array]:
    """Features and target values of held-out rows, given as (X, y) or as a table with the target column.

    Raises
    ------
    DataError
        When the target is absent or missing somewhere, there are no rows, or rows do not match.
    """
    if isinstance(value, (list, tuple)) and len(value) == 2:
        table, y = as_table(value[0], f"X of {name}"), value[1]
    else:
        table = as_table(value, name)
        width = len(prep.inputs) + len(prep.target.names)
        if not table.named and not prep.named and len(table.names) != width:
            raise DataError(f"`{name}` must have {width} columns, the target among them; got {len(table.names)}.")
        absent = [n for n in prep.target.names if n not in table.names]
        if absent:
            raise DataError(f"`{name}` must hold the target column {absent[0]!r}, or be given as (X, y); it does not.")
        columns = {n: table.column(n) for n in prep.target.names}
        y = next(iter(columns.values())) if len(columns) == 1 else as_table(columns).frame
        table = table.without(prep.target.names)
    rows = _match_rows(
        table, y, prep.target.names if len(prep.target.names) == 1 else ("y",), None, "error", f"y of {name}"
    )
    if rows.table.n_rows == 0:
        raise DataError(f"`{name}` must have at least one row; it has none.")
    return rows.table, rows.values
