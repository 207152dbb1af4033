"""Metrics by name, by scorer of scikit-learn, or as a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hyperband.errors import InputError
from hyperband.metrics import classification, regression
from hyperband.metrics.metric import CLASSIFICATION, REGRESSION, Array, Function, Metric, parameter_names

#: name -> its task, whether greater is better, its function
NAMED: dict[str, tuple[str, bool, Function]] = {
    "accuracy": (CLASSIFICATION, True, classification.accuracy),
    "balanced_accuracy": (CLASSIFICATION, True, classification.balanced_accuracy),
    "log_loss": (CLASSIFICATION, False, classification.log_loss),
    "auc": (CLASSIFICATION, True, classification.auc),
    "f1": (CLASSIFICATION, True, classification.f1),
    "rmse": (REGRESSION, False, regression.rmse),
    "mae": (REGRESSION, False, regression.mae),
    "r2": (REGRESSION, True, regression.r2),
}
_QUANTILE = "quantile:"


def metric(what: Any, task: str, *, classes: Sequence[Any] = (), greater_is_better: bool = True) -> Metric:
    """The metric that ``what`` names or is.

    Parameters
    ----------
    what : Metric, str, scorer or callable
        "accuracy", "balanced_accuracy", "log_loss", "auc", "f1" of classes; "rmse", "mae", "r2", "quantile:0.9" (any
        level in (0, 1)) of values; any name that `sklearn.metrics.get_scorer` knows; a scorer of scikit-learn, or a
        function ``(estimator, X, y)`` like one; a function ``(y, prediction)`` that returns a number. It gets class
        numbers, positions in ``classes``, and probabilities, or values in original units; with a third argument
        ``weight`` also the weights of rows, or None.
    task : {"classification", "regression"}
    classes : sequence of labels, sorted
        Scorers of scikit-learn see these labels instead of class numbers.
    greater_is_better : bool, of a function ``(y, prediction)``; it is not read for all else

    Returns
    -------
    Metric
        Scorers have scikit-learn's sign: greater is better.

    Raises
    ------
    InputError
        When there is no such metric, or it is not one of this task.

    Examples
    --------
    >>> import numpy as np
    >>> metric("auc", "classification").greater_is_better
    True
    >>> metric("neg_mean_poisson_deviance", "regression").name
    'neg_mean_poisson_deviance'
    >>> worst = metric(lambda y, p: abs(y - p).max(), "regression", greater_is_better=False)
    >>> worst.score(np.array([0.0, 1.0]), np.array([0.5, 4.0]))
    3.0
    """
    if task not in (CLASSIFICATION, REGRESSION):
        raise InputError(f"`task` must be 'classification' or 'regression'; got {task!r}.")
    if isinstance(what, Metric):
        return _of_task(what, task)
    if isinstance(what, str):
        if what in NAMED:
            of, greater, function = NAMED[what]
            return _of_task(Metric(what, of, greater, function, kind=what), task)
        if what.startswith(_QUANTILE):
            return _of_task(_quantile(what), task)
    elif not callable(what):
        raise InputError(f"`metric` must be a name, a scorer of scikit-learn or a function; got {what!r}.")
    elif not _is_scorer(what):
        return Metric(getattr(what, "__name__", type(what).__name__), task, greater_is_better, _Called(what))
    from hyperband.metrics.scorers import scorer_metric

    return _of_task(scorer_metric(what, task, tuple(classes), _names(task)), task)


def default_metric(task: str, *, quantile: float | None = None) -> Metric:
    """The metric of a task when none is named: accuracy, RMSE, or the quantile loss where a quantile is predicted.

    Examples
    --------
    >>> default_metric("classification").name, default_metric("regression", quantile=0.9).name
    ('accuracy', 'quantile:0.9')
    """
    if quantile is not None:
        return metric(f"{_QUANTILE}{quantile!r}", task)
    return metric("accuracy" if task == CLASSIFICATION else "rmse", task)


def _names(task: str) -> str:
    names = [name for name, (of, *_) in NAMED.items() if of == task]
    return ", ".join(names if task == CLASSIFICATION else [*names, "quantile:0.9"])


def _of_task(found: Metric, task: str) -> Metric:
    if found.task != task:
        raise InputError(
            f"`metric` must be one of {task}; {found.name!r} is one of {found.task}. Use {_names(task)}, or a scorer "
            f"of scikit-learn for {task}."
        )
    return found


def _quantile(name: str) -> Metric:
    try:
        level = float(name.removeprefix(_QUANTILE))
    except ValueError:
        level = -1.0
    if not 0.0 < level < 1.0:
        raise InputError(f"The level of a quantile loss must lie in (0, 1), as in 'quantile:0.9'; got {name!r}.")
    return Metric(name, REGRESSION, False, partial(_quantile_loss, level=level), kind="quantile", level=level)


def _quantile_loss(y: Array, p: Array, weight: Array | None = None, *, level: float) -> float:
    return regression.quantile_loss(y, p, weight, level=level)


def _is_scorer(what: Any) -> bool:
    """Whether a callable takes an estimator: scorers do, and functions of three positional arguments besides weight."""
    if hasattr(what, "_score_func"):
        return True
    names = parameter_names(what, required=True)
    return len(names) == 3 and names[2] not in ("weight", "sample_weight")


class _Called:
    """A user's function as the function of a `Metric`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        names = parameter_names(function)
        self._weighted = next((name for name in names if name in ("weight", "sample_weight")), None)

    def __call__(self, y: Array, prediction: Array, weight: Array | None) -> float:
        extra = {} if self._weighted is None else {self._weighted: weight}
        value = self._function(y, prediction, **extra)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise InputError(f"A metric must return one number; got {value!r}.") from None
