"""What is predicted: class labels and their numbers, or values and their scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import DataError, InputError
from hyperband.tables.fitted_numbers import check_finite, check_positive, check_texts
from hyperband.tables.target_input import MOST_INTEGER_CLASSES

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Target:
    """Converts labels or values to the numbers that networks learn, and back.

    Parameters
    ----------
    names : tuple of str, the target columns; ("y",) for a target without a name
    task : {"classification", "regression"}
    classes : tuple of str, int, bool or float, sorted
        Class number k means ``classes[k]``; empty for regression.
    mean, scale : tuple of float, one an output
        Mean and standard deviation over the training rows, in original units; empty for classification.
    low, high : tuple of float, one an output
        Smallest and largest training value, in original units; empty for classification.

    Raises
    ------
    InputError
        When there are fewer than two different classes, or numbers are not finite, one an output.

    Examples
    --------
    >>> target = Target(("label",), "classification", ("no", "yes"))
    >>> target.encode(np.array(["yes", "no"], dtype=object)).tolist(), target.loss, target.n_outputs
    ([1, 0], 'logistic', 1)
    >>> target.labels(np.array([1, 0])).tolist()
    ['yes', 'no']
    """

    names: tuple[str, ...]
    task: str
    classes: tuple[Any, ...] = ()
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_texts(self.names, "names")
        if self.task == "classification":
            known = all(isinstance(label, (str, bool, int, float)) for label in self.classes)
            if not known or len({label_text(label) for label in self.classes}) < max(2, len(self.classes)):
                raise InputError(f"`classes` must be two or more different labels; got {_some(self.classes)}.")
        elif self.task != "regression" or not self.names or not self.mean:
            raise InputError(f"`task` must be classification, or regression with its mean; got {self.task!r:.80}.")
        check_finite(self.mean, "mean", len(self.mean))
        for name in ("low", "high"):
            check_finite(getattr(self, name), name, len(self.mean) if self.low else 0)
        check_positive(self.scale, "scale", len(self.mean))

    @property
    def loss(self) -> str:
        """``"cross_entropy"``, for two classes ``"logistic"``, for regression ``"mse"``."""
        if self.task == "regression":
            return "mse"
        return "logistic" if len(self.classes) == 2 else "cross_entropy"

    @property
    def n_outputs(self) -> int:
        """Outputs of the network: 1 for two classes, otherwise one a class or a target column."""
        if self.task == "regression":
            return len(self.mean)
        return 1 if len(self.classes) == 2 else len(self.classes)

    def encode(self, values: Array, name: str = "y") -> Array:
        """Class numbers, int32 of shape (n_rows,), or standardised values, float32 of shape (n_rows, n_outputs).

        Labels are compared as text, so 1, 1.0 and "1" are the same label; where a text is none of them, as numbers or
        truth values, so that 1 is "001" and True "TRUE" if no other class is. Where no label is known, but all are
        known without a final dot, the dot is ignored: the test file of the Adult data set has such labels.

        Raises
        ------
        DataError
            When a label does not occur in the training data, or values are no numbers or have another width.
        """
        if self.task == "classification":
            return self._numbers(values, name)
        table = _as_float(values, name)
        table = table[:, None] if table.ndim == 1 else table
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
        by_value = {_value(text): number for text, number in known.items()}
        if len(by_value) == len(known):
            known |= {t: by_value[_value(t)] for t in texts if t not in known and _value(t) in by_value}
        unknown = [t for t in texts if t not in known]
        if unknown:
            raise DataError(
                f"`{name}` must hold classes of the training data ({_some(self.classes)}); got {_some(unknown)}. "
                f"Remove these rows, or put some of them among the training rows."
            )
        numbers = np.array([known[t] for t in texts], dtype=np.int32)
        return np.ascontiguousarray(numbers[inverse])

    def labels(self, numbers: Array) -> Array:
        """Labels of class numbers, an array of the same shape."""
        return np.array(self.classes)[numbers]

    def values(self, outputs: Array) -> Array:
        """Values in original units, float64, of standardised outputs of shape (n_rows, n_outputs).

        The shape is (n_rows,) for one target and (n_rows, n_outputs) for several.
        """
        values = outputs.astype(np.float64) * self.scale + self.mean
        return values[:, 0] if self.n_outputs == 1 else values

    def to_dict(self) -> dict[str, Any]:
        """The target as plain data that JSON can hold; `from_dict` reads it back.

        Examples
        --------
        >>> target = fit_classes(np.array(["no", "yes", "no"], dtype=object), ("label",))
        >>> Target.from_dict(target.to_dict()) == target
        True
        """
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Target:
        """The target that `to_dict` wrote."""
        numbers = (tuple(plain[name]) for name in ("classes", "mean", "scale", "low", "high"))
        return cls(tuple(plain["names"]), plain["task"], *numbers)


def label_text(label: Any) -> str:
    """The text by which labels are compared: the same for 1, 1.0 and "1".

    Examples
    --------
    >>> label_text(1.0), label_text(1), label_text(1.5)
    ('1', '1', '1.5')
    """
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return str(int(label))
    return str(label)


def _value(text: str) -> float | str:
    """What a label says, however it is written."""
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        return float(text)
    except ValueError:
        return text


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
    """The target of a classification.

    Parameters
    ----------
    values : array, shape (n_rows,), without missing values
    names : tuple of str, the target column

    Raises
    ------
    DataError
        When there is only one class, or more than 20 that are also more than half as many as the rows.

    Examples
    --------
    >>> fit_classes(np.array([2, 1, 2]), ("y",)).classes
    (1, 2)
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
            f"Classes must have several rows each; {names[0]!r} has {len(classes)} different values in {len(values)} "
            f"rows. Use task='regression' if it is a quantity, or choose another target."
        )
    return Target(names, "classification", classes)


def fit_scale(values: Array, train: NDArray[np.intp], names: tuple[str, ...]) -> Target:
    """The target of a regression, standardised by the training rows.

    Parameters
    ----------
    values : array, shape (n_rows,) or (n_rows, n_outputs), without missing values
    train : int array, numbers of the training rows
    names : tuple of str, the target columns

    Raises
    ------
    DataError
        When a target column is constant in the training rows, holds no numbers, or has no finite deviation.

    Examples
    --------
    >>> target = fit_scale(np.array([1.0, 3.0, 9.0]), np.array([0, 1]), ("y",))
    >>> target.mean, target.scale
    ((2.0,), (1.0,))
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
    low, high = (tuple(edge.tolist()) for edge in (rows.min(axis=0), rows.max(axis=0)))
    return Target(names, "regression", (), tuple(mean.tolist()), tuple(scale.tolist()), low, high)
