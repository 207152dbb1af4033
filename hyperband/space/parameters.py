"""The protocol of an axis: a vectorised map between points of [0, 1] and values.

Numeric maps are monotone. Whole numbers and options divide [0, 1] into one bin a value; encoding gives the middle of
the bin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.choice import Choice
from hyperband.space.numbers import Column, Float, Int


class Parameter(Protocol):
    """An axis of a space. Points ``u`` are float64 arrays of shape (n,), in [0, 1] and without NaN."""

    @property
    def default(self) -> Any:
        """The default as it was given, or None."""

    @property
    def n_values(self) -> float:
        """Number of distinct values; infinite for a `Float`."""

    @property
    def default_point(self) -> float:
        """Point of the default; without one, of the middle of the axis or of an unordered choice's first option."""

    def decode(self, u: Column) -> NDArray[Any]:
        """Values at points, shape (n,): numeric where all values are numbers."""

    def values(self, u: Column) -> list[Any]:
        """Values at points, as Python values."""

    def encode(self, values: Sequence[Any]) -> Column:
        """Points that decode to these values; raises `InputError` for a value that the axis does not have."""

    def canonical(self, u: Column) -> Column:
        """One point for each value: points that decode to equal values become equal."""

    def grid(self, points: int) -> Column:
        """At most ``points`` evenly spaced points with distinct values, ascending; a single one is the default."""

    def from_prior(self, u: Column) -> Column:
        """Draws of the prior from uniform draws; unchanged without a prior."""

    def log_prior(self, u: Column) -> Column:
        """Logarithm of the prior's density relative to the uniform density; of the whole bin where values have bins."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data; see `hyperband.space.serialization`."""


def parameter_of(value: Any) -> Parameter:
    """A parameter itself; any other value becomes a constant, a choice of one option.

    Raises
    ------
    InputError
        When ``value`` is the class of an axis instead of an axis.

    Examples
    --------
    >>> parameter_of(7).options
    (7,)
    """
    if isinstance(value, type) and issubclass(value, Float | Int | Choice):
        raise InputError(f"A parameter must be made with its bounds or options; got the class {value.__name__} itself.")
    return value if isinstance(value, Float | Int | Choice) else Choice((value,))
