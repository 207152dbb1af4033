"""One network that predicts what an ensemble predicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.checks import positive, whole_number
from hyperband.engine.architecture import Architecture
from hyperband.engine.population import Population
from hyperband.errors import DataError, InputError
from hyperband.model.member import MemberNetwork
from hyperband.model.predictor import Model
from hyperband.tables import as_table
from hyperband.tables.holdout import VALIDATION, shuffled
from hyperband.tables.table import Table

F64 = NDArray[np.float64]

#: Passes over the rows, and the part of them by which the best weights are chosen.
EPOCHS, HELD = 100.0, 0.1
#: Rows at least.
LEAST_ROWS = 10
#: Logits below the largest one of their row by more than this are limited to it: such classes are ruled out anyway, and
#: would rule the loss.
LIMIT = 16.0


def distil(
    model: Model,
    X: Any,
    *,
    architecture: Architecture | None = None,
    epochs: float = EPOCHS,
    seed: int = 0,
    backend: str = "auto",
    threads: int | None = None,
) -> Model:
    """Train one network to predict what a model of many predicts; no targets are needed.

    It minimises the squared distance to the ensemble's logits, or to its values (Ba, Caruana 2014, "Do deep nets really
    need to be deep?", section 2.1), on nine tenths of the rows, and keeps the weights that come closest on the others.
    It predicts up to as many times as fast as the ensemble has networks, and as a rule a little less well.

    Parameters
    ----------
    model : Model
    X : table, array or path, see `hyperband.tables.as_table`
        Rows like those that will be predicted, those of training or any others, and the more the better.
    architecture : Architecture or None
        None: that of the ensemble's member with the most parameters, without dropout and label smoothing.
    epochs : float > 0, passes over the rows
    seed : int, of the network and of the rows that are held out
    backend, threads : as for `hyperband.Population`

    Returns
    -------
    Model
        Of one network, in the view of the member whose architecture is taken by default.

    Raises
    ------
    DataError
        When ``X`` lacks a column, or has fewer than ten rows.
    InputError
        When another argument breaks a rule, or the network diverges.
    BackendUnavailable, InsufficientMemory
        As for `hyperband.Population`.

    Examples
    --------
    >>> import hyperband as hb
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> ensemble = hb.search(X, y, algorithm=hb.SuccessiveHalving(27), seed=0).model
    >>> small = hb.distil(ensemble, X)
    >>> len(ensemble.members) > 1, len(small.members)
    (True, 1)
    >>> bool((small.predict(X) == ensemble.predict(X)).mean() > 0.95)
    True
    """
    positive(epochs, "epochs")
    whole_number(seed, "seed", 0)
    if not isinstance(model, Model):
        raise InputError(f"`model` must be a Model; got {model!r}.")
    if architecture is not None and not isinstance(architecture, Architecture):
        raise InputError(f"`architecture` must be an Architecture or None; got {architecture!r}.")
    table = as_table(X)
    if table.n_rows < LEAST_ROWS:
        raise DataError(f"`X` must have at least {LEAST_ROWS} rows to learn from; got {table.n_rows}.")
    largest = max(model.members, key=lambda member: sum(array.size for layer in member.weights for array in layer))
    preprocessing = model.preprocessings[largest.view]
    chosen = architecture or replace(largest.architecture, dropout=0.0, label_smoothing=0.0)
    goal = _goal(model, table, backend)
    centre, width = goal.mean(axis=0), goal.std(axis=0)
    width = np.where(width > 0, width, 1.0)
    y = ((goal - centre) / width).astype(np.float32)
    x = preprocessing.transform(table)
    order = shuffled(len(x), seed, VALIDATION)
    held, train = np.split(order, [max(1, int(HELD * len(x)))])
    population = Population(
        [chosen], x[train], y[train], seeds=[seed], validation=(x[held], y[held]), loss="mse", epochs=epochs,
        numbers=preprocessing.n_numbers, backend=backend, threads=threads,
    )  # fmt: skip
    population.train()
    if population.progress().best_step[0] < 0:
        raise InputError(
            f"The network must learn; it diverged with learning rate {chosen.learning_rate:g}. Pass an `architecture` "
            "with a smaller one."
        )
    *layers, last = population.weights(0, weights="best")
    weights, bias, *others = last
    scaled = ((weights * width).astype(np.float32), (bias * width + centre).astype(np.float32), *others)
    provenance = {**model.provenance, "distilled": {"members": len(model.members), "epochs": epochs, "seed": seed}}
    return Model([preprocessing], [MemberNetwork(1.0, 0, chosen, [*layers, scaled])], 1.0, provenance)


def _goal(model: Model, table: Table, backend: str) -> F64:
    """Logits with mean 0 in each row, of two classes their difference; standardised values of a regression."""
    if model.task == "regression":
        return np.asarray(model.target.encode(model.predict(table, backend=backend)), dtype=np.float64)
    logits = np.log(np.maximum(model.predict_proba(table, backend=backend), np.finfo(np.float64).tiny))
    return centred_logits(logits, model.target.n_outputs)


def centred_logits(logits: F64, n_outputs: int) -> F64:
    """What a network is taught: limited logits with mean 0 in each row, or the difference of two.

    Examples
    --------
    >>> centred_logits(np.log([[0.7, 0.3, 1e-30]]), 3).round(2).tolist()
    [[5.62, 4.77, -10.38]]
    >>> centred_logits(np.log([[0.2, 0.8]]), 1).round(2).tolist()
    [[1.39]]
    """
    limited = np.maximum(logits, logits.max(axis=1, keepdims=True) - LIMIT)
    if n_outputs == 1:
        return np.asarray(limited[:, 1:] - limited[:, :1])
    return np.asarray(limited - limited.mean(axis=1, keepdims=True))
