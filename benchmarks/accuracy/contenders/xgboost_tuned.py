"""XGBoost, its settings found by Optuna."""

from __future__ import annotations

from typing import ClassVar

import xgboost as xgb

from benchmarks.accuracy.contenders.base import Allowance, Fitted, both_columns, held_out, with_categories
from benchmarks.accuracy.contenders.tuned_trees import MOST_ROUNDS, PATIENCE, Trained, tune
from benchmarks.accuracy.tasks import Task


class Stop(xgb.callback.TrainingCallback):
    """Ends training when the time is over."""

    def __init__(self, over) -> None:
        super().__init__()
        self._over = over

    def after_iteration(self, model, epoch, evals_log):
        """True ends it."""
        return self._over()


class XGBoost:
    """See `Library`."""

    defaults: ClassVar = {
        "learning_rate": 0.3, "max_depth": 6, "min_child_weight": 1.0, "colsample_bytree": 1.0, "subsample": 1.0,
        "alpha": 1e-8, "lambda": 1.0, "gamma": 1e-8,
    }  # fmt: skip

    def __init__(self, task: Task, given: Allowance) -> None:
        self._typed, self._task, self.n_classes = with_categories(task), task, len(task.classes)
        objective = {0: "reg:squarederror", 2: "binary:logistic"}.get(self.n_classes, "multi:softprob")
        self._fixed = {"verbosity": 0, "nthread": given.threads, "seed": given.seed, "objective": objective}
        if objective == "multi:softprob":
            self._fixed["num_class"] = self.n_classes
        self._x = self._typed(task.x_train)
        x, x_validation, y, self.y_validation = held_out(task, self._x, task.y_train)
        self._train, self._validation = self._matrix(x, y), self._matrix(x_validation, self.y_validation)

    def _matrix(self, x, y=None):
        return xgb.DMatrix(x, y, enable_categorical=True, nthread=self._fixed["nthread"])

    def suggest(self, trial):
        """See `Library`."""
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
            "max_depth": trial.suggest_int("max_depth", 3, 12),
            "min_child_weight": trial.suggest_float("min_child_weight", 1.0, 100.0, log=True),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.4, 1.0),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            "alpha": trial.suggest_float("alpha", 1e-8, 10.0, log=True),
            "lambda": trial.suggest_float("lambda", 1e-8, 10.0, log=True),
            "gamma": trial.suggest_float("gamma", 1e-8, 7.0, log=True),
        }

    def train(self, settings, over):
        """See `Library`."""
        model = xgb.train(
            {**self._fixed, **settings}, self._train, MOST_ROUNDS, evals=[(self._validation, "validation")],
            early_stopping_rounds=PATIENCE, verbose_eval=False, callbacks=[Stop(over)],
        )  # fmt: skip
        return Trained(model, model.best_iteration + 1, model.num_boosted_rounds())

    def train_on_all(self, settings, rounds):
        """See `Library`."""
        return xgb.train({**self._fixed, **settings}, self._matrix(self._x, self._task.y_train), rounds)

    def on_validation(self, found):
        """See `Library`."""
        return self._of(found.model, found.rounds, self._validation)

    def predict(self, model, rounds, frame):
        """See `Library`."""
        return self._of(model, rounds, self._matrix(self._typed(frame)))

    def _of(self, model, rounds, matrix):
        p = model.predict(matrix, iteration_range=(0, rounds))
        return both_columns(p) if self.n_classes == 2 else p


def fit(task: Task, given: Allowance) -> Fitted:
    """See `Contender`."""
    return tune(XGBoost(task, given), given)
