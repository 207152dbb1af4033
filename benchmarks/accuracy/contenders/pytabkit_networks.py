"""RealMLP-TD, RealMLP-TD-S and TabM-D by pytabkit, with the number of epochs that the time allows.

The schedules of RealMLP end at its number of epochs, so that number is chosen first: runs of one and of three epochs
say what an epoch costs. More than 256, its default, are not taken. TabM has no schedule and stops early by itself; it
gets what the time allows at most. Where not even a few epochs fit, the first run is what predicts.
"""

from __future__ import annotations

import contextlib
import io
import logging

import numpy as np
import pytabkit
import torch

from benchmarks.accuracy.contenders.base import Allowance, Fitted, held_out
from benchmarks.accuracy.measures import figures
from benchmarks.accuracy.tasks import Task

#: Later epochs were seen to take up to 1.8 times as long as the first ones.
SLOWER_LATER = 1.4
MOST_EPOCHS = {"RealMLP_TD": 256, "RealMLP_TD_S": 256, "TabM_D": 100_000}


def fit(task: Task, given: Allowance, estimator: str) -> Fitted:
    """See `Contender`; ``estimator`` is the first part of the name of its class."""
    for name in ("lightning", "pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    torch.set_num_threads(given.threads)
    made = getattr(pytabkit, f"{estimator}_{'Classifier' if task.classification else 'Regressor'}")
    medians = task.x_train[task.numeric].median()

    def ready(frame):
        frame = frame.copy()
        frame[task.numeric] = frame[task.numeric].fillna(medians).astype(np.float32)
        return frame.astype(dict.fromkeys(task.categorical, "category"))

    x = ready(task.x_train)
    validation = held_out(task, np.arange(len(x)))[1]

    def train(epochs):
        model = made(device="cpu", random_state=given.seed, n_threads=given.threads, verbosity=0, n_epochs=epochs)
        began = given.elapsed()
        with contextlib.redirect_stdout(io.StringIO()):
            model.fit(x, task.y_train, val_idxs=validation, cat_col_names=list(task.categorical) or None)
        return model, given.elapsed() - began

    epochs, (model, one) = 1, train(1)
    epoch, three = one, 0.0
    if 3.0 * one < given.remaining() / 2:
        epochs, (model, three) = 3, train(3)
        epoch = max((three - one) / 2, 0.7 * three / 3)
    affordable = (given.remaining() - max(one - epoch, 0.0)) / (epoch * SLOWER_LATER)
    if affordable >= epochs + 1:
        epochs = int(min(affordable, MOST_EPOCHS[estimator]))
        model, _ = train(epochs)

    def predict(frame):
        return model.predict_proba(ready(frame)) if task.classification else model.predict(ready(frame)).ravel()

    about = {
        "networks": 1,
        "epochs": epochs,
        "seconds_per_epoch": epoch,
        "seconds_to_calibrate": one + three,
    }
    seen = figures(task.y_train[validation], predict(task.x_train.iloc[validation]), len(task.classes))
    return Fitted(predict, seen, about)
