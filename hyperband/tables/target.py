"""What is predicted: the task, class labels and their numbers, values and their scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.errors import DataError
from hyperband.tables.columns import looks_like_dates, series_from_objects

Array = NDArray[Any]

#: whole numbers with at most so many different values are classes
MOST_INTEGER_CLASSES = 20


def target_values(y: Any, name: str = "y") -> tuple[Array, NDArray[np.bool_]]:
    """Values of a target and which rows miss one.

    Parameters
    ----------
    y : array, series or list, shape (n_rows,), (n_rows, 1) or (n_rows, n_outputs); or a data frame

    Returns
    -------
    values : array, shape (n_rows,) of bool, int64, float64 or objects (str), or (n_rows, n_outputs) of float64
    missing : bool array, shape (n_rows,)

    Raises
    ------
    DataError
        When it has no such shape, holds dates or infinities, or several columns that are not numbers.
    """
    columns = _as_columns(y, name)
    for column in columns:
        if column.dtype.is_temporal() or looks_like_dates(column):
            raise DataError(
                f"`{name}` must be numbers, text or truth values; column {column.name!r} holds dates or times. Convert "
                f"it to numbers, for instance days since a fixed day."
            )
        if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
            raise DataError(f"`{name}` must be numbers, text or truth values; got a column of {column.dtype}.")
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
    if hasattr(y, "dtype") and isinstance(y.dtype, np.dtype) and y.dtype.kind in "biuf" and np.ndim(y) == 1:
        return [pl.Series(name, np.asarray(y).astype(np.float64) if y.dtype == np.float16 else np.asarray(y))]
    if isinstance(y, pl.DataFrame) or hasattr(y, "columns"):
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


def infer_task(values: Array) -> tuple[str, str | None]:
    """Task of a target, and a note where the guess may surprise.

    Text and truth values are classes; whole numbers with at most 20 different values too, and so are floats that are
    whole numbers of exactly two values. Everything else is regression.

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
            f"The target has {len(distinct)} different whole numbers: taken as classes (task='regression' overrides)."
        )
    if values.dtype.kind == "i":
        return "regression", (
            f"The target has {len(distinct)} different whole numbers: taken as values "
            f"(task='classification' overrides)."
        )
    return "regression", None


@dataclass(frozen=True, slots=True)
class Target:
    """From labels or values to the numbers that networks learn, and back.

    Parameters
    ----------
    names : tuple of str, the target columns; ("y",) where it has no name
    task : {"classification", "regression"}
    classes : tuple of str, int, bool or float, sorted; class number k stands for ``classes[k]``. Empty: regression
    mean, scale : tuple of float, one per output, of the training rows; empty for classification
    """

    names: tuple[str, ...]
    task: str
    classes: tuple[Any, ...] = ()
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()

    @property
    def loss(self) -> str:
        """``"cross_entropy"``, for two classes ``"logistic"``, for regression ``"mse"``."""
        if self.task == "regression":
            return "mse"
        return "logistic" if len(self.classes) == 2 else "cross_entropy"

    @property
    def n_outputs(self) -> int:
        """Outputs of the network: 1 for two classes, else one per class or per target column."""
        if self.task == "regression":
            return len(self.mean)
        return 1 if len(self.classes) == 2 else len(self.classes)

    def encode(self, values: Array, name: str = "y") -> Array:
        """Class numbers, int32 (n_rows,), or standardised values, float32 (n_rows, n_outputs).

        Labels are compared as text, so that 1, 1.0 and "1" are one. Where no label is known but every one is known
        without a final dot (the test file of Adult has them), the dot is ignored.

        Raises
        ------
        DataError
            When a label was not among the training data, or values are not numbers of the right width.
        """
        if self.task == "classification":
            return self._numbers(values, name)
        table = _as_float(values, name).reshape(len(values), -1)
        if table.shape[1] != self.n_outputs:
            raise DataError(f"`{name}` must have {self.n_outputs} columns, as in training; got {table.shape[1]}.")
        return np.ascontiguousarray((table - self.mean) / self.scale, dtype=np.float32)

    def _numbers(self, values: Array, name: str) -> Array:
        if values.ndim != 1:
            raise DataError(f"`{name}` must have one label a row; got shape {values.shape}.")
        known = {label_text(label): k for k, label in enumerate(self.classes)}
        distinct, inverse = np.unique(values, return_inverse=True)
        texts = [label_text(label) for label in distinct]
        if texts and not any(t in known for t in texts) and all(t.endswith(".") and t[:-1] in known for t in texts):
            texts = [t[:-1] for t in texts]
        unknown = [t for t in texts if t not in known]
        if unknown:
            raise DataError(
                f"`{name}` must hold classes of the training data ({_some(list(known))}); got {_some(unknown)}. Remove "
                f"these rows, or put some of them among the training rows."
            )
        numbers = np.array([known[t] for t in texts], dtype=np.int32)
        return np.ascontiguousarray(numbers[inverse])

    def labels(self, numbers: Array) -> Array:
        """Original labels of class numbers."""
        return np.array(self.classes)[numbers]

    def values(self, outputs: Array) -> Array:
        """Values in original units, float64, from standardised ones; shape (n_rows,) for one target."""
        values = outputs.astype(np.float64) * self.scale + self.mean
        return values[:, 0] if self.n_outputs == 1 else values

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; `from_dict` reads it back."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Target:
        """The target that `to_dict` wrote down."""
        return cls(
            tuple(plain["names"]), plain["task"], tuple(plain["classes"]), tuple(plain["mean"]), tuple(plain["scale"])
        )


def label_text(label: Any) -> str:
    """One text for 1, 1.0 and "1"."""
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return str(int(label))
    return str(label)


def _some(items: Sequence[Any]) -> str:
    shown = ", ".join(repr(i) for i in items[:6])
    return f"{shown}, ... {len(items)} in all" if len(items) > 6 else shown


def _as_float(values: Array, name: str) -> NDArray[np.float64]:
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        wrong = next(v for v in values.ravel() if not _is_float(v))
        raise DataError(
            f"`{name}` must be numbers for regression; got {wrong!r}. Use task='classification' for labels."
        ) from None


def _is_float(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def fit_classes(values: Array, names: tuple[str, ...]) -> Target:
    """Classes of a target that misses no value.

    Raises
    ------
    DataError
        When there is one class only, or so many that they cannot be classes.
    """
    if values.ndim != 1:
        raise DataError(
            f"Classification needs one target column; got {values.shape[1]}. Name one, or use task='regression'."
        )
    if values.dtype.kind == "f" and bool((values == np.round(values)).all()) and bool((np.abs(values) < 2.0**53).all()):
        values = values.astype(np.int64)
    classes = tuple(np.unique(values).tolist())
    if len(classes) < 2:
        raise DataError(
            f"A target must have at least two classes; {names[0]!r} has only {classes[0]!r}. Choose another target, or "
            f"add rows of another class."
        )
    if len(classes) > max(MOST_INTEGER_CLASSES, len(values) // 2):
        raise DataError(
            f"Classes must have rows in common; {names[0]!r} has {len(classes)} different values in {len(values)} "
            f"rows. Use task='regression' if it is a quantity, or choose another target."
        )
    return Target(names, "classification", classes)


def fit_scale(values: Array, train: NDArray[np.intp], names: tuple[str, ...]) -> Target:
    """Mean and standard deviation of the training rows of a target of numbers.

    Raises
    ------
    DataError
        When a target column is constant, or is not numbers.
    """
    table = _as_float(values, names[0]).reshape(len(values), -1)
    rows = table[train]
    constant = np.flatnonzero(np.ptp(rows, axis=0) == 0)
    if len(constant):
        name = names[constant[0]] if len(names) > 1 else names[0]
        raise DataError(
            f"A target of regression must vary; {name!r} is {rows[0, constant[0]]:g} in every training row. Choose "
            f"another target."
        )
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise DataError(
            f"A target of regression must have a finite standard deviation; that of {names[0]!r} is {scale.max():g}. "
            f"Divide it by a power of ten first."
        )
    return Target(names, "regression", (), tuple(mean.tolist()), tuple(scale.tolist()))
