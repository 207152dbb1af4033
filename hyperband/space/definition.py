"""What a search space is made of, as the modules that convert, count and write it know it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband.space.conditions import Conditions
from hyperband.space.parameters import Parameter
from hyperband.space.rules import Constraint, When

#: Rows of the unit cube, shape (n, n_dimensions); NaN where a condition makes a parameter inactive.
Points = NDArray[np.float64]


class Definition(Protocol):
    """The parts of a `hyperband.space.Space`; the only implementation is `Space`."""

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Axes by name, in the order of the columns."""

    @property
    def nests(self) -> Mapping[str, str]:
        """Names that hold others, with their kind; see `hyperband.space.nested`."""

    @property
    def conditions(self) -> tuple[When, ...]:
        """When a parameter is active."""

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """What a configuration must satisfy."""

    @property
    def switches(self) -> Conditions:
        """The conditions, ready to be applied to points."""

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters in the order of the columns."""

    @property
    def n_dimensions(self) -> int:
        """Columns of a point."""

    def place(self, name: str, where: str = "This") -> int:
        """Column of a parameter; ``where`` begins the error when there is none of that name."""

    def activate(self, points: Points) -> Points:
        """Points with NaN where their own values make a parameter inactive."""

    def allowed(self, points: Points) -> NDArray[np.bool_]:
        """Which points satisfy all constraints, shape (n,)."""
