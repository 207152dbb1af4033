"""All figures of a prediction that are reported."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.metrics.calibration import calibration_error
from hyperband.metrics.metric import CLASSIFICATION
from hyperband.metrics.named import NAMED

Array = NDArray[Any]


def figures(task: str, y: Array, prediction: Array, weight: Array | None = None) -> dict[str, float]:
    """Every named metric of the task, and for classes ``ece``, the expected calibration error.

    Parameters
    ----------
    task : {"classification", "regression"}
    y, prediction, weight : as in `Metric.score`

    Returns
    -------
    dict
        "accuracy", "balanced_accuracy", "log_loss", "auc", "f1", "ece", or "rmse", "mae", "r2"; NaN where a figure is
        not defined.

    Examples
    --------
    >>> figures("regression", np.array([0.0, 2.0]), np.array([0.0, 1.0]))["r2"]
    0.5
    """
    found = {name: function(y, prediction, weight) for name, (of, _, function) in NAMED.items() if of == task}
    if task == CLASSIFICATION:
        found["ece"] = calibration_error(y, np.asarray(prediction), weight)
    return found
