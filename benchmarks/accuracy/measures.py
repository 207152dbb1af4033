"""Figures of predictions, and which of them compares contenders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: figure -> whether more of it is better
BETTER_IS_MORE = {"accuracy": True, "log_loss": False, "auc": True, "rmse": False, "r2": True}
#: What ranks contenders.
RANKED_BY = ("accuracy", "rmse")


def figures(y: NDArray[Any], predicted: NDArray[Any], n_classes: int) -> dict[str, float]:
    """Accuracy, mean log loss in nats and, of two classes, the area under the ROC curve; or RMSE and R2.

    Parameters
    ----------
    y : array, shape (n_rows,); numbers of classes, or values
    predicted : array, shape (n_rows, n_classes) of probabilities, or (n_rows,) of values
    n_classes : int, 0 for a regression

    Raises
    ------
    ValueError
        When the shape is another one, or a prediction is not finite.

    Examples
    --------
    >>> figures(np.array([0, 1]), np.array([[0.75, 0.25], [0.5, 0.5]]), 2)
    {'accuracy': 0.5, 'log_loss': 0.4904146265058631, 'auc': 1.0}
    >>> figures(np.array([1.0, 3.0]), np.array([1.0, 2.0]), 0)
    {'rmse': 0.7071067811865476, 'r2': 0.5}
    """
    predicted = np.asarray(predicted, np.float64)
    expected = (len(y), n_classes) if n_classes else (len(y),)
    if predicted.shape != expected or not np.isfinite(predicted).all():
        raise ValueError(
            f"Predictions must be finite, of shape {expected}; got shape {predicted.shape}, "
            f"{int((~np.isfinite(predicted)).sum())} not finite."
        )
    if not n_classes:
        squares = (predicted - y) ** 2
        return {
            "rmse": float(np.sqrt(squares.mean())),
            "r2": float(1.0 - squares.sum() / ((y - y.mean()) ** 2).sum()),
        }
    p = np.clip(predicted, 1e-15, 1.0)
    p /= p.sum(axis=1, keepdims=True)
    found = {
        "accuracy": float((p.argmax(axis=1) == y).mean()),
        "log_loss": float(-np.log(p[np.arange(len(y)), y]).mean()),
    }
    if n_classes == 2:
        from sklearn.metrics import roc_auc_score

        found["auc"] = float(roc_auc_score(y, predicted[:, 1]))
    return found


def ranked(found: Mapping[str, float]) -> str:
    """Name of the figure that compares contenders: accuracy or RMSE."""
    return next(name for name in RANKED_BY if name in found)


def regret(found: Mapping[str, float]) -> float:
    """That figure as something of which less is better: the share of wrong answers, or the RMSE.

    Examples
    --------
    >>> regret({"accuracy": 0.75, "log_loss": 0.5}), regret({"rmse": 3.0, "r2": 0.1})
    (0.25, 3.0)
    """
    name = ranked(found)
    return 1.0 - found[name] if name == "accuracy" else found[name]


def optimism(validation: Mapping[str, float], test: Mapping[str, float]) -> dict[str, float]:
    """How much better each figure was on the validation rows than on the test rows; positive: it promised too much.

    Examples
    --------
    >>> optimism({"accuracy": 1.0, "log_loss": 0.25}, {"accuracy": 0.75, "log_loss": 0.5})
    {'accuracy': 0.25, 'log_loss': 0.25}
    """
    common = [name for name in BETTER_IS_MORE if name in validation and name in test]
    return {name: (1 if BETTER_IS_MORE[name] else -1) * (validation[name] - test[name]) for name in common}
