"""scikit-learn's multi-layer perceptron with default settings, on standardised features and target."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from benchmarks.accuracy.contenders.base import Allowance, Fitted, dense
from benchmarks.accuracy.tasks import Task


def fit(task: Task, given: Allowance) -> Fitted:
    """See `Contender`.

    ``partial_fit`` takes the epochs that ``fit`` would take, with the same rule to stop, so that the time can be kept.
    """
    features = dense(task)
    x = np.asarray(features.fit_transform(task.x_train), np.float32)
    draws = np.random.RandomState(given.seed)  # an integer would give every epoch the same order of rows
    if task.classification:
        network, y, scale = MLPClassifier(random_state=draws), task.y_train, None
        epoch = partial(network.partial_fit, x, y, classes=np.arange(len(task.classes)))
    else:
        network, scale = MLPRegressor(random_state=draws), StandardScaler()
        y = scale.fit_transform(task.y_train[:, None]).ravel()
        epoch = partial(network.partial_fit, x, y)
    best, worse, longest = np.inf, 0, 0.0
    for _ in range(network.max_iter):
        began = given.elapsed()
        epoch()
        longest = max(longest, given.elapsed() - began)
        worse = worse + 1 if network.loss_ > best - network.tol else 0
        best = min(best, network.loss_)
        if worse > network.n_iter_no_change or given.remaining() < longest:
            break

    def predict(frame):
        rows = np.asarray(features.transform(frame), np.float32)
        if scale is None:
            return network.predict_proba(rows)
        return scale.inverse_transform(network.predict(rows)[:, None]).ravel()

    return Fitted(predict, about={"epochs": len(network.loss_curve_), "networks": 1})
