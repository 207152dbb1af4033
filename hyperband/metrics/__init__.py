"""How good predictions are: figures by name, scorers of scikit-learn, calibration."""

from __future__ import annotations

from hyperband.metrics.calibration import PRIOR_ROWS, calibration_error, fit_temperature
from hyperband.metrics.metric import Metric
from hyperband.metrics.named import default_metric, metric
from hyperband.metrics.outputs import log_probabilities, probabilities
from hyperband.metrics.summary import figures

__all__ = [
    "PRIOR_ROWS",
    "Metric",
    "calibration_error",
    "default_metric",
    "figures",
    "fit_temperature",
    "log_probabilities",
    "metric",
    "probabilities",
]
