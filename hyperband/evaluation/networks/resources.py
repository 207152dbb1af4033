"""What an amount of resource means for one network: steps to reach, rows and columns to see."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hyperband.engine.architecture import Architecture
from hyperband.engine.population import steps_per_epoch
from hyperband.errors import InputError

KINDS = ("epochs", "rows", "features")

#: Passes over the rows at the maximal resource, when the resource is not epochs.
DEFAULT_EPOCHS = 50


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a network's training has to go; None: all rows, all columns."""

    step: int
    rows: int | None = None
    inputs: int | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """Turns amounts of resource into goals.

    Parameters
    ----------
    kind : {"epochs", "rows", "features"}
    maximum : float > 0
        Resource of the highest rung. Training rows or columns at most for the kinds of that name.
    n_rows, n_inputs : int, of the training data
    epochs : float > 0 or None
        Passes over all rows at ``maximum``, for "rows" and "features" (default 50). For "epochs" the resource itself
        is the number of passes, and this stays None.

    Examples
    --------
    >>> resource = Resource("rows", 1000, n_rows=1000, n_inputs=8, epochs=10)
    >>> resource.goal(Architecture(batch_size=100), 250)
    Goal(step=25, rows=250, inputs=None)
    """

    kind: str
    maximum: float
    n_rows: int
    n_inputs: int
    epochs: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"`resource` must be one of {', '.join(KINDS)}; got {self.kind!r}.")
        if self.kind == "epochs":
            if self.epochs is not None:
                raise InputError(
                    f"`epochs` is for resource='rows' or 'features'; got {self.epochs!r} with resource='epochs'. "
                    "Set max_resource of the algorithm."
                )
            return
        if self.epochs is None:
            object.__setattr__(self, "epochs", float(DEFAULT_EPOCHS))
        if not (_is_number(self.epochs) and math.isfinite(float(self.epochs or 0)) and float(self.epochs or 0) > 0):
            raise InputError(f"`epochs` must be a number greater than 0; got {self.epochs!r}.")
        there, what = (self.n_rows, "training rows") if self.kind == "rows" else (self.n_inputs, "columns")
        if self.maximum > there:
            raise InputError(
                f"`max_resource` must be at most the number of {what} ({there}) for resource={self.kind!r}; "
                f"got {self.maximum:g}."
            )

    @property
    def passes(self) -> float:
        """Passes over all rows that a network has made at the maximal resource."""
        return float(self.maximum if self.kind == "epochs" else self.epochs or 0)

    def total_steps(self, architecture: Architecture) -> int:
        """Optimiser steps at the maximal resource, >= 1."""
        return max(1, round(self.passes * steps_per_epoch(architecture, self.n_rows)))

    def goal(self, architecture: Architecture, amount: float) -> Goal:
        """Where a network stands that has this cumulative amount of resource.

        "rows" and "features": ``round(total_steps * amount / maximum)`` steps in all, seeing only the first ``amount``
        rows or columns.
        """
        if self.kind == "epochs":
            return Goal(max(1, round(amount * steps_per_epoch(architecture, self.n_rows))))
        step = max(1, round(self.total_steps(architecture) * amount / self.maximum))
        seen = max(1, round(amount))
        if self.kind == "rows":
            return Goal(step, rows=min(seen, self.n_rows))
        return Goal(step, inputs=min(seen, self.n_inputs))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
