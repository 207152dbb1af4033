"""The search for settings of boosted trees that LightGBM and XGBoost share.

Optuna's TPE chooses settings, beginning with the library's defaults; each is trained with early stopping on a fifth of
the rows, which the log loss or the squared error decides, and evaluated by accuracy or squared error. The time that the
best one needs on all rows is kept, and spent on training it once more on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import optuna
from numpy.typing import NDArray

from benchmarks.accuracy.contenders.base import Allowance, Fitted
from benchmarks.accuracy.measures import figures, regret
from benchmarks.accuracy.tasks import Frame

MOST_ROUNDS, PATIENCE = 3000, 50


@dataclass(frozen=True)
class Trained:
    """A model, the rounds of it that count, and those that were trained."""

    model: Any
    rounds: int
    trained: int


class Library(Protocol):
    """Boosted trees of one library on one table."""

    defaults: Mapping[str, Any]
    y_validation: NDArray[Any]
    n_classes: int

    def suggest(self, trial: Any) -> dict[str, Any]:
        """Settings of a trial."""
        ...

    def train(self, settings: Mapping[str, Any], over: Callable[[], bool]) -> Trained:
        """With early stopping, and no longer than until ``over()``."""
        ...

    def train_on_all(self, settings: Mapping[str, Any], rounds: int) -> Any:
        """So many rounds on all rows."""
        ...

    def on_validation(self, found: Trained) -> NDArray[Any]:
        """Predictions of the validation rows."""
        ...

    def predict(self, model: Any, rounds: int, frame: Frame) -> NDArray[Any]:
        """Predictions of any rows."""
        ...


@dataclass
class Best:
    """The best settings so far."""

    settings: Mapping[str, Any]
    found: Trained
    validation: dict[str, float]
    seconds: float  #: that its rounds took


def tune(library: Library, given: Allowance) -> Fitted:
    """Search, then train the best on all rows."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    best: Best | None = None

    def until() -> float:
        """Seconds after the start at which the search has to stop."""
        end = given.budget - 0.5
        if best is None:
            return end
        last = 1.35 * best.seconds + 0.3
        return end if last > 0.4 * given.budget else end - last

    def objective(trial: Any) -> float:
        nonlocal best
        settings, began = library.suggest(trial), given.elapsed()
        found = library.train(settings, lambda: given.elapsed() > until())
        validation = figures(library.y_validation, library.on_validation(found), library.n_classes)
        seconds = (given.elapsed() - began) * found.rounds / max(found.trained, 1)
        if best is None or regret(validation) < regret(best.validation):
            best = Best(settings, found, validation, seconds)
        return regret(validation)

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=given.seed))
    study.enqueue_trial(dict(library.defaults))
    while best is None or given.elapsed() < until() - 0.2:
        study.optimize(objective, n_trials=1)
    model, rounds, refit = best.found.model, best.found.rounds, given.remaining() > 1.2 * best.seconds
    if refit:
        model = library.train_on_all(best.settings, rounds)
    about = {"trials": len(study.trials), "refit": refit, "trees": rounds, "best": dict(best.settings)}
    return Fitted(lambda frame: library.predict(model, rounds, frame), best.validation, about)
