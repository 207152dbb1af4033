"""CatBoost with default settings on all training rows; the time ends it where a thousand trees take longer."""

from __future__ import annotations

from catboost import CatBoostClassifier, CatBoostRegressor

from benchmarks.accuracy.contenders.base import Allowance, Fitted
from benchmarks.accuracy.tasks import Task


def fit(task: Task, given: Allowance) -> Fitted:
    """See `Contender`."""

    class UntilTheEnd:
        def after_iteration(self, info):
            return given.remaining() > 0.5

    made = CatBoostClassifier if task.classification else CatBoostRegressor
    model = made(thread_count=given.threads, random_seed=given.seed, verbose=0, allow_writing_files=False)
    model.fit(task.x_train, task.y_train, cat_features=list(task.categorical), callbacks=[UntilTheEnd()])
    return Fitted(model.predict_proba if task.classification else model.predict, about={"trees": model.tree_count_})
