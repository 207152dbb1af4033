"""The parts of a search space, as a protocol for the modules that convert, count and write spaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hyperband.space.conditions import CompiledConditions
from hyperband.space.parameters import Parameter
from hyperband.space.rules import Constraint, When

#: Rows of the unit cube, shape (n, n_dimensions); NaN where a condition makes a parameter inactive.
Points = NDArray[np.float64]


@runtime_checkable
class Definition(Protocol):
    """The parts of a search space; `hyperband.space.Space` is the only implementation.

    It can be checked at run time, since `nested`, which `Space` imports, must recognise a space.
    """

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Axes by name, in the order of the columns."""

    @property
    def nests(self) -> Mapping[str, str]:
        """Names below which other names are nested, with their kind; see `hyperband.space.nested`."""

    @property
    def conditions(self) -> tuple[When, ...]:
        """When parameters are active."""

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """What a configuration must satisfy."""

    @property
    def compiled_conditions(self) -> CompiledConditions:
        """The conditions, ready to be applied to points."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the columns."""

    @property
    def n_dimensions(self) -> int:
        """Number of columns of a point."""

    def column_of(self, name: str, where: str = "This") -> int:
        """Column of a parameter; ``where`` is the subject of the error when there is none of that name."""

    def activate(self, points: Points) -> Points:
        """A copy of the points with NaN where conditions make a parameter inactive."""

    def allowed(self, points: Points) -> NDArray[np.bool_]:
        """Which points satisfy all constraints, shape (n,)."""
