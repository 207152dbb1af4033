"""LightGBM, its settings found by Optuna."""

from __future__ import annotations

from typing import ClassVar

import lightgbm as lgb

from benchmarks.accuracy.contenders.base import Allowance, Fitted, both_columns, held_out, with_categories
from benchmarks.accuracy.contenders.tuned_trees import MOST_ROUNDS, PATIENCE, Trained, tune
from benchmarks.accuracy.tasks import Task


class LightGBM:
    """See `Library`."""

    defaults: ClassVar = {
        "learning_rate": 0.1, "num_leaves": 31, "min_child_samples": 20, "feature_fraction": 1.0,
        "bagging_fraction": 1.0, "lambda_l1": 1e-8, "lambda_l2": 1e-8,
    }  # fmt: skip

    def __init__(self, task: Task, given: Allowance) -> None:
        self._typed, self._task, self.n_classes = with_categories(task), task, len(task.classes)
        objective = {0: "regression", 2: "binary"}.get(self.n_classes, "multiclass")
        self._fixed = {"verbosity": -1, "num_threads": given.threads, "seed": given.seed, "objective": objective,
                       "feature_pre_filter": False, "bagging_freq": 1}  # fmt: skip
        if objective == "multiclass":
            self._fixed["num_class"] = self.n_classes
        self._x = self._typed(task.x_train)
        x, self._x_validation, y, self.y_validation = held_out(task, self._x, task.y_train)
        self._train = lgb.Dataset(x, y, params=self._fixed, free_raw_data=False).construct()
        self._validation = lgb.Dataset(self._x_validation, self.y_validation, reference=self._train).construct()

    def suggest(self, trial):
        """See `Library`."""
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 8, 256, log=True),
            "min_child_samples": trial.suggest_int("min_child_samples", 2, 100, log=True),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.4, 1.0),
            "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
            "lambda_l1": trial.suggest_float("lambda_l1", 1e-8, 10.0, log=True),
            "lambda_l2": trial.suggest_float("lambda_l2", 1e-8, 10.0, log=True),
        }

    def train(self, settings, over):
        """See `Library`."""

        def stop(env):
            if over():
                raise lgb.callback.EarlyStopException(env.iteration, env.evaluation_result_list)

        model = lgb.train(
            {**self._fixed, **settings}, self._train, MOST_ROUNDS, valid_sets=[self._validation],
            callbacks=[lgb.early_stopping(PATIENCE, verbose=False), stop],
        )  # fmt: skip
        trained = model.current_iteration()
        return Trained(model, model.best_iteration if model.best_iteration > 0 else trained, trained)

    def train_on_all(self, settings, rounds):
        """See `Library`."""
        rows = lgb.Dataset(self._x, self._task.y_train, params=self._fixed)
        return lgb.train({**self._fixed, **settings}, rows, rounds)

    def on_validation(self, found):
        """See `Library`."""
        return self._of(found.model, found.rounds, self._x_validation)

    def predict(self, model, rounds, frame):
        """See `Library`."""
        return self._of(model, rounds, self._typed(frame))

    def _of(self, model, rounds, rows):
        p = model.predict(rows, num_iteration=rounds)
        return both_columns(p) if self.n_classes == 2 else p


def fit(task: Task, given: Allowance) -> Fitted:
    """See `Contender`."""
    return tune(LightGBM(task, given), given)
