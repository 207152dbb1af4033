"""Figures of a network on the validation rows, beside its loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from hyperband.engine.backends.base import F32, HostSplit
from hyperband.engine.losses import parse

#: From rows to raw outputs.
Predict: TypeAlias = Callable[[F32], F32]


class Metrics:
    """Accuracy of a classifier, or RMSE and R2 of a regression, of the snapshot that gave the loss.

    Parameters
    ----------
    loss : str, as `hyperband.engine.losses.parse` reads it
    validation : HostSplit
    scale : sequence of float
        Standard deviation of each target of a regression, in original units; empty for classification.
    """

    def __init__(self, loss: str, validation: HostSplit, scale: Sequence[float]) -> None:
        self._loss, self._validation = parse(loss), validation
        self._scale = np.array(scale)

    def of(self, predict: Predict, error: float, loss: float, train_loss: float) -> dict[str, float]:
        """Finite figures of a network whose snapshot has this error and validation loss; ``predict`` gives outputs."""
        figures = {"accuracy": 1.0 - error} if not self._loss.regression else self._regression(predict, error)
        figures |= {"validation_loss": loss, "train_loss": train_loss}
        return {name: value for name, value in figures.items() if math.isfinite(value)}

    def _regression(self, predict: Predict, error: float) -> dict[str, float]:
        """In original units; of several targets the mean."""
        truth = self._validation.y.astype(np.float64)
        if truth.shape[1] == 1 and self._loss.name != "quantile":  # then the error is the mean squared one
            squares = np.array([error])
        else:
            outputs = predict(self._validation.x).astype(np.float64)
            squares = np.mean((outputs - truth) ** 2, axis=0)
        spread = np.var(truth, axis=0)
        r2 = np.mean(1.0 - squares / np.where(spread > 0, spread, np.nan))
        rmse = float(np.mean(np.sqrt(squares) * self._scale))
        return {"rmse": rmse, "r2": float(r2)}
