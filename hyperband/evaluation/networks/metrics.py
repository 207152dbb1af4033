"""Figures of a network on the validation rows, beside its loss."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hyperband.engine.backends.base import Engine, Split
from hyperband.engine.losses import parse


class Metrics:
    """Accuracy of a classifier, or RMSE and R2 of a regression, of the snapshot that gave the loss.

    Parameters
    ----------
    engine : Engine
    loss : str, as `hyperband.engine.losses.parse` reads it
    validation : Split
    scale : sequence of float
        Standard deviation of each target of a regression, in original units; empty for classification.
    """

    def __init__(self, engine: Engine, loss: str, validation: Split, scale: Sequence[float]) -> None:
        self._engine, self._loss, self._validation = engine, parse(loss), validation
        self._scale = np.array(scale)

    def of(self, member: int, error: float, loss: float, train_loss: float) -> dict[str, float]:
        """Finite figures of a member whose snapshot has this error and validation loss."""
        figures = {"accuracy": 1.0 - error} if not self._loss.regression else self._regression(member, error)
        figures |= {"validation_loss": loss, "train_loss": train_loss}
        return {name: value for name, value in figures.items() if math.isfinite(value)}

    def _regression(self, member: int, error: float) -> dict[str, float]:
        """In original units; of several targets the mean."""
        truth = self._validation.y.astype(np.float64)
        if truth.shape[1] == 1 and self._loss.name != "quantile":  # then the error is the mean squared one
            squares = np.array([error])
        else:
            outputs = self._engine.predict(member, self._validation.x, weights="best").astype(np.float64)
            squares = np.mean((outputs - truth) ** 2, axis=0)
        spread = np.var(truth, axis=0)
        r2 = np.mean(1.0 - squares / np.where(spread > 0, spread, np.nan))
        rmse = float(np.mean(np.sqrt(squares) * self._scale))
        return {"rmse": rmse, "r2": float(r2)}
