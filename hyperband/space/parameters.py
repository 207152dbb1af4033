"""What every axis of the space offers: a map between the unit interval and values.

Every map is monotone and vectorised. Whole numbers and choices split the interval into one bin a value; encoding gives
the middle of the bin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.choice import Choice
from hyperband.space.numbers import Column, Float, Int


class Parameter(Protocol):
    """What the space asks of an axis."""

    @property
    def default(self) -> Any:
        """Value of the default configuration as it was given, or None."""

    @property
    def n_values(self) -> float:
        """Distinct values; infinite for a `Float`."""

    @property
    def default_point(self) -> float:
        """Where on the axis the default is: the given one, else the middle, else the first of an unordered choice."""

    def decode(self, u: Column) -> NDArray[Any]:
        """Values at these points of [0, 1], as numbers where all values are numbers."""

    def values(self, u: Column) -> list[Any]:
        """The same as Python values."""

    def encode(self, values: Sequence[Any]) -> Column:
        """Points of [0, 1] that decode to these values."""

    def canonical(self, u: Column) -> Column:
        """The same values, each always at the same point."""

    def grid(self, points: int) -> Column:
        """At most ``points`` evenly spaced points of [0, 1] with distinct values, in rising order; one: the default."""

    def from_prior(self, u: Column) -> Column:
        """Uniform draws made draws of the prior; unchanged without one."""

    def log_prior(self, u: Column) -> Column:
        """Logarithm of the prior's density over the uniform one, of the whole bin where values have bins."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data; see `hyperband.space.text`."""


def parameter_of(value: Any) -> Parameter:
    """A parameter as it is; any other value becomes a constant: a choice of one."""
    if isinstance(value, type) and issubclass(value, Float | Int | Choice):
        raise InputError(f"A parameter must be made with its bounds or options; got the class {value.__name__} itself.")
    return value if isinstance(value, Float | Int | Choice) else Choice((value,))
