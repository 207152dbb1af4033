"""This package: `hyperband.search` with default settings, or with those of a variant of the ablation."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hyperband as hb
from benchmarks.accuracy import ingredients
from benchmarks.accuracy.contenders.base import Allowance, Fitted, Predict
from benchmarks.accuracy.measures import BETTER_IS_MORE
from benchmarks.accuracy.tasks import Frame, Task
from benchmarks.common.optional import Unavailable
from hyperband.engine.backends import registry

# What a first search imports must be there before the clock starts, as it is for the other contenders.
for _module in (
    "hyperband.interface.search",
    "hyperband.model",
    "sklearn.compose",
    "sklearn.impute",
    "sklearn.pipeline",
):
    import_module(_module)
BACKEND = registry.choose("auto")
registry.get(BACKEND.name)


def fit(task: Task, given: Allowance, variant: str | None = None) -> Fitted:
    """See `Contender`. ``variant`` names one of `ingredients.variants`.

    Raises
    ------
    Unavailable
        When the compiled engine is missing: a search with Numba is another contender.
    """
    if BACKEND.name == "numba":
        raise Unavailable(f"the compiled engine is not installed: {BACKEND.reason}")
    settings = {"compute.threads": given.threads, **(ingredients.variants()[variant] if variant else {})}
    arguments = ingredients.arguments(settings, task.x_train, labels(task), given.seed)
    if given.unit == "seconds":
        arguments["time_limit"] = given.budget
    else:
        arguments["budget"] = hb.Budget(resource=given.budget)
    result = hb.search(task.x_train, labels(task), seed=given.seed, **arguments)
    if result.best is None:
        raise RuntimeError(f"no network with a finite loss: {result!r}")
    return Fitted(predictor(task, result.model), validation(result), about(result))


def labels(task: Task) -> NDArray[Any]:
    """The target as a user has it: text for classes, so that nothing needs to be guessed."""
    return np.array([str(label) for label in task.classes])[task.y_train] if task.classification else task.y_train


def predictor(task: Task, model: Any) -> Predict:
    """Predictions with the columns in the order of ``task.classes``."""
    if not task.classification:
        return lambda frame: np.asarray(model.predict(frame), np.float64).ravel()
    order = [list(model.classes).index(str(label)) for label in task.classes]

    def predict(frame: Frame) -> NDArray[Any]:
        found: NDArray[Any] = np.asarray(model.predict_proba(frame))[:, order]
        return found

    return predict


def validation(result: Any) -> dict[str, float]:
    """Figures of the model that predicts on its validation rows: of the ensemble, else of the best network."""
    if result.ensemble is not None:
        return {result.ensemble.metric: float(result.ensemble.score)}
    return {name: float(result.best.metrics[name]) for name in BETTER_IS_MORE if name in result.best.metrics}


def about(result: Any) -> dict[str, Any]:
    """What was trained, who predicts, and the best configuration, as plain data."""
    found: dict[str, Any] = {
        "backend": BACKEND.name,
        "networks": result.n_configurations,
        "evaluations": result.n_evaluations,
        "stopped": result.stopped,
        "best": {name: _plain(value) for name, value in result.best.configuration.items()},
        "resource": float(result.best.resource),
        "max_resource": float(result.plan.max_resource),
    }
    if result.unit == "epochs":
        found["epochs"] = float(result.cost)
    if result.ensemble is not None:
        ensemble = result.ensemble
        found |= {"members": len(ensemble.members), "single": ensemble.single, "temperature": ensemble.temperature}
    return found


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str) else str(value)
