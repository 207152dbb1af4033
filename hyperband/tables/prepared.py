"""The arrays of a table that are ready for training."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.tables.preprocess import Preprocessing
from hyperband.tables.target import Target

F32 = NDArray[np.float32]
Array = NDArray[Any]


@dataclass(frozen=True)
class Prepared:
    """Training, validation and test rows as arrays, and the preprocessing that made them.

    Parameters
    ----------
    x_train, x_validation : float32 arrays, shape (n_rows, n_features), C-contiguous, finite
        The training rows are in random order, so the first r of them are a random subset.
    y_train, y_validation : int32 class numbers, shape (n_rows,), or float32 standardised values, (n_rows, n_outputs)
    weight_train, weight_validation : float32 arrays, shape (n_rows,), with mean 1; None when all rows weigh the same
    x_test, y_test : as the validation rows, never read by a search; None without a test split
    preprocessing : Preprocessing
        Fitted on the training rows; its ``target`` turns outputs back into labels or original units.
    notes : tuple of str, what was done to the table, as sentences
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
        """What is predicted: the task, and the classes or the scale of the values."""
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
        """Number of outputs of a network."""
        return self.target.n_outputs

    @property
    def scale(self) -> tuple[float, ...]:
        """Standard deviation of each target in original units, over the training rows; empty for classification."""
        return self.target.scale

    @property
    def classes(self) -> tuple[Any, ...]:
        """Original labels, sorted; empty for regression."""
        return self.target.classes

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of ``x_train``."""
        return self.preprocessing.feature_names

    @property
    def n_numbers(self) -> int:
        """The first so many columns of ``x_train`` are numbers; indicators, one-hot columns and others follow."""
        return self.preprocessing.n_numbers

    @property
    def view(self) -> str:
        """How the table is seen: a name of `hyperband.tables.views`."""
        return self.preprocessing.view

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays = (getattr(self, f.name) for f in fields(self) if f.name not in ("preprocessing", "notes"))
        return sum(array.nbytes for array in arrays if array is not None)

    @property
    def n_features(self) -> int:
        """Number of columns of ``x_train``."""
        return self.preprocessing.n_features
