"""Row weights: the product of sample weight and class weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.row_weights import with_mean_one
from hyperband.errors import DataError
from hyperband.tables.target import Target, label_text

F64 = NDArray[np.float64]


def sample_weights(weight: Any, n_rows: int) -> F64:
    """Sample weights as float64, shape (n_rows,).

    Raises
    ------
    DataError
        When there is not one finite weight of at least 0 for each row.

    Examples
    --------
    >>> sample_weights([1, 2], 2).tolist()
    [1.0, 2.0]
    """
    try:
        array = np.asarray(weight, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"`sample_weight` must be one number a row; got {weight!r}. Pass a float array.") from None
    if array.shape != (n_rows,):
        raise DataError(f"`sample_weight` must have shape ({n_rows},), one weight a row; got {array.shape}.")
    bad = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
    if len(bad):
        raise DataError(f"`sample_weight` must be finite and >= 0; row {bad[0]} has {array[bad[0]]}. Correct it.")
    return array


def class_weights(class_weight: Any, target: Target, y_train: NDArray[np.int32]) -> F64:
    """Weight of each class, float64 of shape (n_classes,).

    Parameters
    ----------
    class_weight : "balanced" or dict
        "balanced": ``n_rows / (n_classes * rows of the class)`` over the training rows, as in scikit-learn. A dict maps
        labels to weights; classes that it omits have weight 1.
    target : Target
    y_train : int32 array, shape (n_rows,), class numbers

    Raises
    ------
    DataError
        When the task is regression, a label is unknown, or a weight is no finite number of at least 0.

    Examples
    --------
    >>> target = Target(("label",), "classification", ("no", "yes"))
    >>> class_weights("balanced", target, np.array([0, 0, 0, 1])).round(3).tolist()
    [0.667, 2.0]
    """
    if target.task != "classification":
        raise DataError("`class_weight` must be None for regression; got weights. Use `sample_weight` instead.")
    k = len(target.classes)
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(y_train, minlength=k)
        return np.asarray(len(y_train) / (k * np.maximum(counts, 1)), dtype=np.float64)
    if not isinstance(class_weight, Mapping):
        raise DataError(f"`class_weight` must be None, 'balanced' or a dict of label to weight; got {class_weight!r}.")
    number = {label_text(label): j for j, label in enumerate(target.classes)}
    weights = np.ones(k)
    for label, weight in class_weight.items():
        if label_text(label) not in number:
            raise DataError(f"`class_weight` must name classes of the target ({', '.join(number)}); got {label!r}.")
        if not (np.isfinite(weight) and weight >= 0):
            raise DataError(f"`class_weight` must be finite and >= 0; got {weight!r} for {label!r}.")
        weights[number[label_text(label)]] = weight
    return weights


def row_weights(sample: F64 | None, by_class: F64 | None, y: NDArray[Any]) -> NDArray[np.float32] | None:
    """Weights of the rows of ``y``, float32 of shape (n_rows,) with mean 1; None without any weights.

    Parameters
    ----------
    sample : float64 array, shape (n_rows,), or None
    by_class : float64 array, shape (n_classes,), or None
    y : int32 array, shape (n_rows,), class numbers; not read without ``by_class``

    Raises
    ------
    DataError
        When every row has weight 0.

    Examples
    --------
    >>> row_weights(None, np.array([1.0, 3.0]), np.array([0, 1])).tolist()
    [0.5, 1.5]
    """
    if sample is None and by_class is None:
        return None
    weight = np.ones(len(y)) if sample is None else sample
    if by_class is not None:
        weight = weight * by_class[y]
    return with_mean_one(weight)
