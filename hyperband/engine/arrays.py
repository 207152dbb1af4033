"""From a user's arrays to the splits that engines train on: strict checks, no guessing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperband._common.row_weights import with_mean_one
from hyperband.engine.backends.base import F32, Backend, Split
from hyperband.engine.backends.device_array import DeviceMatrix, device_array, device_matrix, on_device, reader
from hyperband.engine.losses import LOSSES, parse
from hyperband.errors import DataError, InputError


def matrix(
    X: ArrayLike, name: str = "X", n_columns: int | None = None, backend: Backend | None = None
) -> F32 | DeviceMatrix:
    """Check a table of numbers and turn it into a C-contiguous float32 array of shape (n_rows, n_columns).

    An array on a GPU is returned as it is, if ``backend`` reads it there.
    """
    if on_device(X):
        arrays, there = reader(backend, name), device_matrix(X, name)
        assert there is not None  # it is on a device
        _same_columns(there.shape[1], name, n_columns)
        return arrays.admit(there, name)
    array = _numeric(X, name)
    if array.ndim != 2 or 0 in array.shape:
        raise DataError(
            f"`{name}` must have the shape (n_rows, n_columns) with at least one of each; got {array.shape}."
            + (f" Use {name}.reshape(-1, 1) for a single column." if array.ndim == 1 and array.size else "")
        )
    _same_columns(array.shape[1], name, n_columns)
    return _finite32(array, name)


def on_host(values: ArrayLike, name: str, backend: Backend | None) -> ArrayLike:
    """``values``, brought from a GPU if they lie on one that ``backend`` reads."""
    if not on_device(values):
        return values
    arrays, there = reader(backend, name), device_array(values, name)
    assert there is not None  # it is on a device
    return arrays.fetch(there, name)


def _same_columns(n: int, name: str, n_columns: int | None) -> None:
    if n_columns is not None and n != n_columns:
        raise DataError(f"`{name}` must have {n_columns} columns like the training data; got {n}.")


def targets(y: ArrayLike, loss: str, n_rows: int, name: str = "y") -> NDArray[np.generic]:
    """Check targets: int32 classes, shape (n_rows,), or float32 values, shape (n_rows, n_outputs), for regressions."""
    array = _numeric(y, name)
    if array.shape[:1] != (n_rows,):
        raise DataError(f"`{name}` must have one entry per row of X ({n_rows}); got shape {array.shape}.")
    if parse(loss).regression:
        if array.ndim not in (1, 2) or array.size == 0:
            raise DataError(f"`{name}` must have the shape (n_rows,) or (n_rows, n_outputs); got {array.shape}.")
        return _finite32(array.reshape(n_rows, -1), name)
    if array.ndim != 1:
        raise DataError(f"`{name}` must have the shape (n_rows,) for loss {loss!r}; got {array.shape}.")
    if array.dtype.kind not in "iub" and not np.array_equal(array, np.floor(array)):
        raise DataError(f"`{name}` must hold whole class numbers for loss {loss!r}; got fractions. Use loss='mse'.")
    if array.min() < 0:
        raise DataError(f"`{name}` must hold classes 0 to K-1; got {array.min()}. {_RECODE}")
    if array.max() >= 2**31 - 1:
        raise DataError(f"`{name}` must hold classes 0 to K-1; got {array.max()}. {_RECODE}")
    return np.ascontiguousarray(array, dtype=np.int32)


def resolve_loss(loss: str, y: ArrayLike) -> str:
    """``"auto"``: whole-number types of two values are ``logistic``, of more ``cross_entropy``, others ``mse``.

    Other losses come back with their numbers, as in "huber:1.0".
    """
    if loss == "auto":
        array = _numeric(y, "y")
        if array.dtype.kind == "f" or array.ndim != 1:
            return "mse"
        return "logistic" if array.size and array.max() <= 1 else "cross_entropy"
    if str(loss).partition(":")[0] not in LOSSES:
        raise InputError(f"`loss` must be 'auto' or one of {', '.join(LOSSES)}; got {loss!r}.")
    return str(parse(loss))


def count_outputs(y: NDArray[np.generic], loss: str) -> int:
    """Outputs that a network needs; every class from 0 to the largest must occur among the training rows."""
    if parse(loss).regression:
        return int(y.shape[1])
    counts = np.bincount(y)
    if len(counts) < 2:
        raise DataError("`y` must hold at least two classes; got only class 0.")
    if len(counts) > _MAX_CLASSES:
        raise DataError(f"`y` must hold at most {_MAX_CLASSES} classes; got class {len(counts) - 1}. {_RECODE}")
    if not counts.all():
        missing = int(np.flatnonzero(counts == 0)[0])
        raise DataError(f"`y` must hold every class from 0 to {len(counts) - 1}; class {missing} is absent. {_RECODE}")
    if loss == "logistic":
        if len(counts) > 2:
            raise DataError(
                f"`y` must hold the classes 0 and 1 for loss 'logistic'; got {len(counts)} classes. "
                "Use loss='cross_entropy'."
            )
        return 1
    return len(counts)


def row_weights(
    y: NDArray[np.generic], loss: str, sample_weight: ArrayLike | None, class_weight: Mapping[Any, float] | str | None
) -> F32 | None:
    """Sample weight times class weight, scaled to mean 1; None when there is neither."""
    if sample_weight is None and class_weight is None:
        return None
    weight = np.ones(len(y))
    if sample_weight is not None:
        given = _numeric(sample_weight, "sample_weight").astype(np.float64)
        if given.shape != (len(y),):
            raise DataError(f"`sample_weight` must have the shape ({len(y)},); got {given.shape}.")
        weight *= given
    if class_weight is not None:
        weight *= _class_weights(y, loss, class_weight)
    wrong = weight[~(np.isfinite(weight) & (weight >= 0))]
    if wrong.size:
        raise DataError(f"Weights must be finite and at least 0; got {wrong[0]}. Drop or correct these rows.")
    return with_mean_one(weight)


def _class_weights(y: NDArray[np.generic], loss: str, class_weight: Mapping[Any, float] | str) -> NDArray[np.float64]:
    if parse(loss).regression:
        raise InputError(f"`class_weight` needs classes; loss {loss!r} has none. Use `sample_weight`.")
    counts = np.bincount(y)
    if class_weight == "balanced":
        table = len(y) / (len(counts) * np.maximum(counts, 1.0))
    elif isinstance(class_weight, Mapping):
        unknown = [key for key in class_weight if key not in range(len(counts))]
        if unknown:
            raise InputError(f"`class_weight` must name classes 0 to {len(counts) - 1}; got {unknown[0]!r}.")
        table = np.array([float(class_weight.get(k, 1.0)) for k in range(len(counts))])
    else:
        raise InputError(f"`class_weight` must be 'balanced' or a mapping class -> weight; got {class_weight!r}.")
    chosen: NDArray[np.float64] = np.asarray(table, dtype=np.float64)[y.astype(np.int64)]
    return chosen


def split(
    X: ArrayLike, y: ArrayLike, loss: str, n_inputs: int, n_outputs: int, names: tuple[str, str] = ("X", "y"),
    backend: Backend | None = None,
) -> Split:  # fmt: skip
    """A split to evaluate on, checked against the training data's shape; on a GPU if ``backend`` reads it there."""
    x = matrix(X, names[0], n_inputs, backend)
    values = targets(on_host(y, names[1], backend), loss, x.shape[0], names[1])
    if parse(loss).regression and values.shape[1] != n_outputs:
        raise DataError(f"`{names[1]}` must have {n_outputs} outputs like the training data; got {values.shape[1]}.")
    n_classes = max(2, n_outputs)
    if not parse(loss).regression and int(values.max()) >= n_classes:
        raise DataError(
            f"`{names[1]}` must hold classes 0 to {n_classes - 1} like the training data; got {values.max()}."
        )
    return Split(x, values)


_MAX_CLASSES = 65536
_RECODE = "Number them with numpy.unique(y, return_inverse=True)[1]."


def _numeric(values: ArrayLike, name: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise DataError(f"`{name}` must be a regular array of numbers; got {error}.") from None
    if array.dtype.kind not in "iufb":
        raise DataError(
            f"`{name}` must be an array of numbers; got dtype {array.dtype}. "
            "Tables with text belong to hyperband.search, which encodes them."
        )
    return array


def _finite32(array: NDArray[Any], name: str) -> F32:
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(converted).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(converted))[0])
        raise DataError(f"`{name}` must be finite (in float32); got {array[index]} at {index}. Impute or drop it.")
    return converted
