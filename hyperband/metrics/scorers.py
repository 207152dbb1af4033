"""Scorers of scikit-learn, called on predictions that are there already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer

from hyperband.errors import InputError
from hyperband.metrics.metric import CLASSIFICATION, REGRESSION, Metric, parameter_names

Array = NDArray[Any]


class _Given(BaseEstimator):  # type: ignore[misc]
    """An estimator that answers with given predictions; its input are the numbers of rows, one column."""

    def __sklearn_is_fitted__(self) -> bool:
        return True


class _GivenClasses(ClassifierMixin, _Given):  # type: ignore[misc]
    def __init__(self, prediction: Array, classes: Array) -> None:
        self.prediction, self.classes_ = prediction, classes

    def predict(self, rows: Array) -> Array:
        return np.asarray(self.classes_[self.predict_proba(rows).argmax(axis=1)])

    def predict_proba(self, rows: Array) -> Array:
        return np.asarray(self.prediction[rows[:, 0]])


class _GivenValues(RegressorMixin, _Given):  # type: ignore[misc]
    def __init__(self, prediction: Array) -> None:
        self.prediction = prediction

    def predict(self, rows: Array) -> Array:
        return np.asarray(self.prediction[rows[:, 0]])


def scorer_metric(what: Any, task: str, classes: tuple[Any, ...], names: str) -> Metric:
    """The metric of a scorer, or of its name.

    Parameters
    ----------
    what : str or callable (estimator, X, y)
    task : {"classification", "regression"}
    classes : tuple of labels
    names : str, metrics of the task, for the error

    Raises
    ------
    InputError
        When scikit-learn has no scorer of this name.
    """
    name, scorer = what, what
    if isinstance(what, str):
        try:
            scorer = get_scorer(what)
        except (ValueError, KeyError):
            raise InputError(
                f"`metric` must be one of {names}, a scorer of scikit-learn or a function; got {what!r}. "
                f"sklearn.metrics.get_scorer_names() lists scorers."
            ) from None
    else:
        name = _name(scorer)
    return Metric(name, _task(scorer, task), True, _Scored(scorer, name, task, classes))


def _name(scorer: Any) -> str:
    function = getattr(scorer, "_score_func", scorer)
    sign = "neg_" if getattr(scorer, "_sign", 1) < 0 else ""
    return sign + str(getattr(function, "__name__", type(scorer).__name__))


def _task(scorer: Any, task: str) -> str:
    """The task of a scorer, by the module of scikit-learn that has its function; that of a user's is not known."""
    module = str(getattr(getattr(scorer, "_score_func", None), "__module__", ""))
    if module.startswith("sklearn.metrics.cluster"):
        raise InputError(f"`metric` must be one of {task}; {_name(scorer)!r} is one of clusters. Choose another.")
    if module == "sklearn.metrics._regression":
        return REGRESSION
    return CLASSIFICATION if module.startswith("sklearn.metrics._") else task


class _Scored:
    def __init__(self, scorer: Callable[..., Any], name: str, task: str, classes: tuple[Any, ...]) -> None:
        self._scorer, self._name, self._task = scorer, name, task
        self._classes = np.array(classes) if classes else None
        self._weighted = hasattr(scorer, "_score_func") or "sample_weight" in parameter_names(scorer)

    def __call__(self, y: Array, prediction: Array, weight: Array | None) -> float:
        rows = np.arange(len(y))[:, None]
        if self._task == CLASSIFICATION:
            classes = np.arange(prediction.shape[1]) if self._classes is None else self._classes
            estimator, truth = _GivenClasses(prediction, classes), classes[y]
        else:
            estimator, truth = _GivenValues(prediction), y
        extra = {} if weight is None or not self._weighted else {"sample_weight": weight}
        try:
            return float(self._scorer(estimator, rows, truth, **extra))
        except Exception as error:
            raise InputError(f"Metric {self._name!r} cannot be computed: {error}. Choose another.") from error
