"""What a metric is: a figure of predictions, with a name and a direction."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError

Array = NDArray[Any]
Function = Callable[[Array, Array, Array | None], float]

CLASSIFICATION, REGRESSION = "classification", "regression"


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of predictions; `metric` makes one.

    Parameters
    ----------
    name : str, as it is reported
    task : {"classification", "regression"}
    greater_is_better : bool
    function : callable (y, prediction, weight) -> float
    kind : str
        The name in `NAMED`, or "quantile", of what this module computes; "" of scorers and functions.
    level : float, of a quantile loss
    scale : tuple of float
        Of each target, where ``y`` and predictions are standardised; see `of_standardised`.

    Examples
    --------
    >>> from hyperband.metrics import metric
    >>> metric("rmse", "regression").score(np.array([0.0, 0.0]), np.array([1.0, 7.0]))
    5.0
    """

    name: str
    task: str
    greater_is_better: bool
    function: Function = field(repr=False)
    kind: str = ""
    level: float = 0.5
    scale: tuple[float, ...] = ()

    def score(self, y: Array, prediction: Array, weight: Array | None = None) -> float:
        """The figure of a prediction; NaN where it is not defined.

        Parameters
        ----------
        y : int class numbers, shape (n_rows,), or float64 values in original units, (n_rows,) or (n_rows, n_targets)
        prediction : float64
            Probabilities, shape (n_rows, n_classes), or values of the shape of ``y``.
        weight : shape (n_rows,), >= 0, or None

        Raises
        ------
        InputError
            When the shapes do not belong together, there are no rows, or a scorer or function fails.
        """
        if self.task == CLASSIFICATION:
            fits = y.ndim == 1 and prediction.ndim == 2 and prediction.shape[1] > 1 and len(prediction) == len(y)
        else:
            fits = y.shape == prediction.shape and y.ndim in (1, 2)
        if not fits or not len(y) or (weight is not None and weight.shape != y.shape[:1]):
            shapes = f"y {y.shape}, prediction {prediction.shape}"
            raise InputError(
                f"Metric {self.name!r} needs at least one row, and y, prediction and weight of the same rows; got "
                f"{shapes if weight is None else f'{shapes}, weight {weight.shape}'}."
            )
        return self.function(y, prediction, weight)

    def loss(self, y: Array, prediction: Array, weight: Array | None = None) -> float:
        """`score`, negated where greater is better, and infinity where it is NaN: the smallest is the best."""
        return self.as_loss(self.score(y, prediction, weight))

    def as_loss(self, score: float) -> float:
        """The loss of a score."""
        if np.isnan(score):
            return float("inf")
        return -score if self.greater_is_better else score

    def of_standardised(self, mean: Sequence[float], scale: Sequence[float]) -> Metric:
        """The same figure, in original units, of values that are standardised: they are ``value * scale + mean``.

        Parameters
        ----------
        mean, scale : of each target, as in `hyperband.tables.Target`

        Examples
        --------
        >>> from hyperband.metrics import metric
        >>> rmse = metric("rmse", "regression").of_standardised([100.0], [10.0])
        >>> rmse.score(np.array([[0.0], [0.0]]), np.array([[1.0], [7.0]]))
        50.0
        """
        function = _Standardised(self.function, np.asarray(mean, np.float64), np.asarray(scale, np.float64))
        return replace(self, function=function, scale=tuple(float(s) for s in scale))


@dataclass(frozen=True, slots=True)
class _Standardised:
    function: Function
    mean: Array
    scale: Array

    def __call__(self, y: Array, prediction: Array, weight: Array | None) -> float:
        y, prediction = (values * self.scale + self.mean for values in (y, prediction))
        if len(self.scale) == 1 and y.ndim == 2:  # scorers and functions expect one target without a second axis
            y, prediction = y[:, 0], prediction[:, 0]
        return self.function(y, prediction, weight)


def parameter_names(function: Any, *, required: bool = False) -> list[str]:
    """Names of the parameters of a function, or of those that must be given; none where Python does not know them."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # of some builtin functions nothing is known
        return []
    if required:
        found = [p for p in found if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [p.name for p in found]
