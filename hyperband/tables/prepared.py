"""The record of rows ready for training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.tables.preprocess import Preprocessing
from hyperband.tables.target import Target

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
    def scale(self) -> tuple[float, ...]:
        """Standard deviations of the targets of a regression; (1.0,) for classes."""
        return self.target.scale or (1.0,)

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
