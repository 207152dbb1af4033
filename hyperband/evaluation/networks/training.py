"""What networks get more of when they are promoted, and by what they are ranked."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hyperband.errors import InputError

RESOURCES = ("epochs", "rows", "features")
RANKINGS = ("loss", "error")

#: Passes over the rows at the maximal resource, when the resource is not epochs.
DEFAULT_EPOCHS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How `hyperband.search` trains and ranks networks.

    Parameters
    ----------
    resource : {"epochs", "rows", "features"}
        What a network gets more of when it is promoted; see `hyperband.evaluation.networks.resources.Resource`.
    epochs : float > 0 or None
        Passes over the rows at the maximal resource, for "rows" and "features"; None: 50. For "epochs" the algorithm's
        ``max_resource`` says it.
    rank_by : {"loss", "error"}
        By what a network is ranked on the validation rows. "error" is the fraction misclassified, or the mean squared
        error; it differs from the loss where sample or class weights shape that.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> Training(resource="rows", epochs=20).rank_by
    'loss'
    """

    resource: str = "epochs"
    epochs: float | None = None
    rank_by: str = "loss"

    def __post_init__(self) -> None:
        if self.resource not in RESOURCES:
            raise InputError(f"`resource` must be one of {', '.join(RESOURCES)}; got {self.resource!r}.")
        if self.rank_by not in RANKINGS:
            raise InputError(f"`rank_by` must be one of {', '.join(RANKINGS)}; got {self.rank_by!r}.")
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
