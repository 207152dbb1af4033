"""One axis of the space each: a map between the unit interval and values.

Every map is monotone and vectorised. Whole numbers and choices split the interval into one bin a value; encoding gives
the middle of the bin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError

Column = NDArray[np.float64]


class Parameter(Protocol):
    """What the space asks of an axis."""

    default: Any

    @property
    def n_values(self) -> float:
        """Distinct values; infinite for a `Float`."""

    def decode(self, u: Column) -> NDArray[Any]:
        """Values at these points of [0, 1]."""

    def encode(self, values: Sequence[Any]) -> Column:
        """Points of [0, 1] that decode to these values."""

    def grid(self, points: int) -> Column:
        """At most ``points`` evenly spaced points of [0, 1] with distinct values, in rising order."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data; see `hyperband.space.space.Space.from_json`."""


@dataclass(frozen=True, slots=True)
class Float:
    """Real numbers from ``low`` to ``high``, evenly spread, or in the logarithm with ``log=True``.

    Examples
    --------
    >>> Float(1e-4, 1e-1, log=True).decode(np.array([0.0, 1 / 3])).round(6).tolist()
    [0.0001, 0.001]
    """

    low: float
    high: float
    log: bool = False
    default: float | None = None

    def __post_init__(self) -> None:
        _check_bounds(self.low, self.high, self.log, self.default)

    @property
    def n_values(self) -> float:
        return math.inf

    def decode(self, u: Column) -> NDArray[np.float64]:
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return np.clip(np.exp(low + u * (high - low)), self.low, self.high)
        return np.clip(self.low + u * (self.high - self.low), self.low, self.high)

    def encode(self, values: Sequence[Any]) -> Column:
        v = _numbers(values, self.low, self.high)
        if self.log:
            return (np.log(v) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (v - self.low) / (self.high - self.low)

    def grid(self, points: int) -> Column:
        return np.array([0.5]) if points == 1 else np.linspace(0.0, 1.0, points)

    def to_dict(self) -> dict[str, Any]:
        return {"type": "float", "low": self.low, "high": self.high, "log": self.log, "default": self.default}


@dataclass(frozen=True, slots=True)
class Int:
    """Whole numbers from ``low`` to ``high``, both included; with ``log=True`` each gets its share of the logarithm.

    Examples
    --------
    >>> Int(1, 4).decode(np.array([0.0, 0.3, 1.0])).tolist()
    [1, 2, 4]
    """

    low: int
    high: int
    log: bool = False
    default: int | None = None

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            value = getattr(self, name)
            if isinstance(value, bool) or int(value) != value:
                raise InputError(f"`{name}` of an Int must be a whole number; got {value!r}. Use Float for others.")
            object.__setattr__(self, name, int(value))
        _check_bounds(self.low, self.high, self.log, self.default, equal=True)
        if self.high - self.low >= 2**52:
            raise InputError(f"`high` - `low` of an Int must be below 2**52; got {self.high - self.low}.")

    @property
    def n_values(self) -> float:
        return self.high - self.low + 1

    def _edges(self) -> tuple[float, float]:
        low, high = self.low - 0.5, self.high + 0.5
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def decode(self, u: Column) -> NDArray[np.int64]:
        low, high = self._edges()
        x = low + u * (high - low)
        x = np.exp(x) if self.log else x
        return np.clip(np.floor(x + 0.5), self.low, self.high).astype(np.int64)

    def encode(self, values: Sequence[Any]) -> Column:
        v = _numbers(values, self.low, self.high)
        if (v != np.floor(v)).any():
            raise InputError(f"Values of an Int must be whole numbers; got {v[v != np.floor(v)][0]}.")
        low, high = self._edges()
        middle = (np.log(v - 0.5) + np.log(v + 0.5)) / 2.0 if self.log else v
        return (middle - low) / (high - low)

    def grid(self, points: int) -> Column:
        if points >= self.n_values:
            return self.encode(range(self.low, self.high + 1))
        if points == 1:
            return self.encode(self.decode(np.array([0.5])).tolist())
        ends = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        even = np.linspace(*ends, points)
        return self.encode(np.unique(np.round(np.exp(even) if self.log else even)).tolist())

    def to_dict(self) -> dict[str, Any]:
        return {"type": "int", "low": self.low, "high": self.high, "log": self.log, "default": self.default}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list of values of any kind; ``ordered=True`` says that neighbours in the list are alike.

    Examples
    --------
    >>> Choice(["relu", "tanh"]).decode(np.array([0.1, 0.9])).tolist()
    ['relu', 'tanh']
    """

    options: tuple[Any, ...]
    default: Any = None
    ordered: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.options, str):
            raise InputError(f"`options` of a Choice must be a list of values; got the text {self.options!r}.")
        object.__setattr__(self, "options", tuple(self.options))
        if not self.options:
            raise InputError("`options` of a Choice must hold at least one value; got none.")
        for place, option in enumerate(self.options):
            if any(_same(option, earlier) for earlier in self.options[:place]):
                raise InputError(f"`options` of a Choice must differ from one another; got {option!r} twice.")
        if self.default is not None:
            self.index(self.default)

    @property
    def n_values(self) -> float:
        return len(self.options)

    def index(self, value: Any) -> int:
        """Place of a value among the options."""
        for place, option in enumerate(self.options):
            if _same(option, value):
                return place
        raise InputError(f"The value must be one of {', '.join(map(repr, self.options))}; got {value!r}.")

    def indices(self, u: Column) -> NDArray[np.int64]:
        """Places of the options at these points of [0, 1]."""
        return np.minimum((u * len(self.options)).astype(np.int64), len(self.options) - 1)

    def decode(self, u: Column) -> NDArray[Any]:
        table = np.empty(len(self.options), dtype=object)
        table[:] = self.options
        chosen: NDArray[Any] = table[self.indices(u)]
        return chosen

    def encode(self, values: Sequence[Any]) -> Column:
        return (np.array([self.index(v) for v in values], dtype=np.float64) + 0.5) / len(self.options)

    def grid(self, points: int) -> Column:
        m = min(points, len(self.options))
        places = ((np.arange(m) + 0.5) / m * len(self.options)).astype(np.int64)
        return (places + 0.5) / len(self.options)

    def to_dict(self) -> dict[str, Any]:
        return {"type": "choice", "options": list(self.options), "default": self.default, "ordered": self.ordered}


def parameter_of(value: Any) -> Parameter:
    """A parameter as it is; any other value becomes a constant: a choice of one."""
    return value if isinstance(value, Float | Int | Choice) else Choice((value,))


def _same(a: Any, b: Any) -> bool:
    """Equal and of one kind: True is not 1, but 1 is 1.0."""
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _check_bounds(low: float, high: float, log: bool, default: float | None, equal: bool = False) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(f"`low` and `high` must be finite; got {low!r} and {high!r}.")
    if not (low < high or (equal and low == high)):
        raise InputError(f"`low` must be smaller than `high`; got {low!r} and {high!r}.")
    if log and low <= 0:
        raise InputError(f"`low` must be greater than 0 for a logarithmic axis; got {low!r}.")
    if default is not None and not low <= default <= high:
        raise InputError(f"`default` must lie in [{low}, {high}]; got {default!r}.")


def _numbers(values: Sequence[Any], low: float, high: float) -> Column:
    try:
        v = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"Values must be numbers from {low} to {high}; got {values!r}.") from None
    outside = ~((v >= low) & (v <= high))
    if outside.any():
        raise InputError(f"Values must lie in [{low}, {high}]; got {v[outside][0]}.")
    return v
