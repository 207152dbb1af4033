"""What a resource means for one network: steps to reach, rows and columns to see."""

from __future__ import annotations

from dataclasses import dataclass

from hyperband.engine.architecture import Architecture
from hyperband.engine.population import steps_per_epoch
from hyperband.errors import InputError
from hyperband.evaluation.networks.training import DEFAULT_EPOCHS, Training


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a network's training has to go; None: all rows, all columns."""

    step: int
    rows: int | None = None
    inputs: int | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """Turns a resource into goals.

    Parameters
    ----------
    training : Training
        Says what the resource is, and how many passes over all rows the maximum means.
    maximum : float > 0
        Resource of the highest rung; at most the number of training rows or columns where it counts those.
    n_rows, n_inputs : int, of the training data

    Examples
    --------
    >>> resource = Resource(Training(resource="rows", epochs=10), 1000, n_rows=1000, n_inputs=8)
    >>> resource.goal(Architecture(batch_size=100), 250)
    Goal(step=25, rows=250, inputs=None)
    """

    training: Training
    maximum: float
    n_rows: int
    n_inputs: int

    def __post_init__(self) -> None:
        if self.kind == "epochs":
            return
        there, what = (self.n_rows, "training rows") if self.kind == "rows" else (self.n_inputs, "columns")
        if self.maximum > there:
            raise InputError(
                f"`max_resource` must be at most the number of {what} ({there}) for resource={self.kind!r}; "
                f"got {self.maximum:g}."
            )

    @property
    def kind(self) -> str:
        """What is counted: "epochs", "rows" or "features"."""
        return self.training.resource

    @property
    def passes(self) -> float:
        """Passes over all rows that a network has made at the maximal resource."""
        if self.kind == "epochs":
            return float(self.maximum)
        return float(DEFAULT_EPOCHS if self.training.epochs is None else self.training.epochs)

    def total_steps(self, architecture: Architecture, share: float = 1.0) -> int:
        """Optimiser steps at this share of the maximal resource, >= 1."""
        return max(1, round(share * self.passes * steps_per_epoch(architecture, self.n_rows)))

    def goal(self, architecture: Architecture, resource: float) -> Goal:
        """Where a network stands that has this much of the resource in all.

        "rows" and "features": ``round(total_steps * resource / maximum)`` steps in all, on the first ``resource`` rows
        or columns.
        """
        if self.kind == "epochs":
            return Goal(max(1, round(resource * steps_per_epoch(architecture, self.n_rows))))
        step = max(1, round(self.total_steps(architecture) * resource / self.maximum))
        seen = max(1, round(resource))
        if self.kind == "rows":
            return Goal(step, rows=min(seen, self.n_rows))
        return Goal(step, inputs=min(seen, self.n_inputs))

    def reached(self, architecture: Architecture, step: int) -> float:
        """The resource that a network with so many steps has, as a fraction between two goals where it is one."""
        return self.maximum * step / (self.passes * steps_per_epoch(architecture, self.n_rows))
