"""What networks get more of when they are promoted, and by what they are ranked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hyperband._common.checks import whole_number
from hyperband.engine.losses import parse
from hyperband.errors import InputError
from hyperband.tuning.settings import Settings, register

RESOURCES = ("epochs", "rows", "features")
RANKINGS = ("auto", "loss", "error", "metric")

#: Passes over the rows at the maximal resource, when the resource is not epochs.
DEFAULT_EPOCHS = 50


class CutTrial(NamedTuple):
    """A trial whose evaluation in a rung was cut off by a clock, and the optimiser steps of its networks, one a fold.

    Without steps it is not in the ensemble with what it had got in that rung.
    """

    trial: int
    rung: int
    steps: tuple[int, ...]


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Training(Settings):
    """How `hyperband.search` trains and ranks networks.

    Parameters
    ----------
    resource : {"epochs", "rows", "features"}
        What a network gets more of when it is promoted; see `hyperband.evaluation.networks.resources.Resource`.
    epochs : float > 0 or None
        Passes over the rows at the maximal resource, for "rows" and "features"; None: 50. For "epochs" the algorithm's
        ``max_resource`` says it.
    loss : str
        What networks minimise: "auto" is cross-entropy for classes and "mse" for values, which can also have
        "huber:1.0" (errors beyond so many standard deviations of the target count linearly) and "quantile:0.9" (the
        model predicts that quantile).
    rank_by : {"auto", "loss", "error", "metric"}
        By what a network is ranked on the validation rows. "loss" is the loss that it is trained by, without label
        smoothing. "error" is the fraction misclassified, or the mean squared error. "metric", for "epochs", is the
        smooth loss by which the ensemble is chosen: the Brier score for accuracy, log loss for AUC, squared error for
        RMSE, and so on; it does not punish networks for probabilities that are calibrated later. "auto" is "metric"
        where a search plans itself, else "loss".
    refit : "auto", bool or int
        Whether the networks of the ensemble are trained once more, on all rows but the test rows, before they make the
        model, with resource "epochs"; a number: so many trials, those with the most weight. "auto": yes where a part of
        the rows was held out to validate; not where folds have trained on all rows, or where validation rows were
        given. Within a time limit as many as there is time for, which the result's ``training`` tells.
    cut : sequence of CutTrial
        What a clock left unfinished: the result's ``training`` tells it, and a search with it ends where that one was
        cut off, with the same model. Empty: everything is finished.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> Training(resource="rows", epochs=20).rank_by
    'auto'
    """

    resource: str = "epochs"
    epochs: float | None = None
    loss: str = "auto"
    rank_by: str = "auto"
    refit: bool | int | str = "auto"
    cut: Sequence[CutTrial] = ()

    def __post_init__(self) -> None:
        if self.resource not in RESOURCES:
            raise InputError(f"`resource` must be one of {', '.join(RESOURCES)}; got {self.resource!r}.")
        if self.rank_by not in RANKINGS:
            raise InputError(f"`rank_by` must be one of {', '.join(RANKINGS)}; got {self.rank_by!r}.")
        if self.rank_by == "metric" and self.resource != "epochs":
            raise InputError(
                f"rank_by='metric' is for resource='epochs'; got resource={self.resource!r}. Use 'loss' or 'error'."
            )
        if self.loss != "auto" and not parse(self.loss).regression:
            raise InputError(
                f"`loss` must be 'auto', mse, huber:1.0 or quantile:0.9; got {self.loss!r}. Classes have cross-entropy."
            )
        self._check_refit()
        object.__setattr__(self, "cut", tuple(map(_cut_trial, self.cut)))
        if self.epochs is None:
            return
        if self.resource == "epochs":
            raise InputError(
                f"`epochs` is for resource='rows' or 'features'; got {self.epochs!r} with resource='epochs'. "
                "Set max_resource of the algorithm."
            )
        number = isinstance(self.epochs, int | float) and not isinstance(self.epochs, bool)
        if not (number and math.isfinite(self.epochs) and self.epochs > 0):
            raise InputError(f"`epochs` must be a number greater than 0; got {self.epochs!r}.")

    def _check_refit(self) -> None:
        if isinstance(self.refit, str) and self.refit == "auto":
            return
        if not isinstance(self.refit, (int, np.integer)) or self.refit < 0:
            raise InputError(
                f"`refit` must be 'auto', True, False, or a number of trials, at least 0; got {self.refit!r}."
            )
        if self.refit and self.resource != "epochs":
            raise InputError(
                f"`refit` is for resource='epochs', whose model is an ensemble; got {self.refit!r} with "
                f"resource={self.resource!r}."
            )


def _cut_trial(entry: Sequence[object]) -> CutTrial:
    try:
        trial, rung, steps = entry
        numbers = [whole_number(step, "a step", 1) for step in steps]  # type: ignore[attr-defined]
        return CutTrial(whole_number(trial, "a trial", 0), whole_number(rung, "a rung", 0), tuple(numbers))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"`cut` of a training must list (trial, rung, (steps, ...)); got {entry!r}. Pass that of a result's "
            "`training`."
        ) from error
