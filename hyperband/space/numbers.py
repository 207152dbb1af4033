"""Numeric axes: `Float` for real numbers and `Int` for whole numbers, both linear or logarithmic."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.priors import Column as Column
from hyperband.space.priors import TruncatedNormal, deviation_of

#: Largest magnitude of an `Int`, and of one with ``log=True``: beyond it bins are narrower than float64 resolves.
LARGEST, LARGEST_LOG = 2**50, 2**40
#: Neighbouring float64 numbers that `Float.encode` tries on either side of a point.
_NEIGHBOURS = 8


@dataclass(frozen=True, slots=True)
class NumberAxis(ABC):
    """What `Float` and `Int` share: bounds, the logarithm, the default, the prior."""

    low: float
    high: float
    log: bool = False
    default: float | None = None
    prior: str | float | None = None

    #: Type in `to_dict`, name with its article in errors, and how far the axis reaches beyond ``low`` and ``high``.
    _TYPE: ClassVar[str]
    _NAME: ClassVar[str]
    _MARGIN: ClassVar[float]

    def __post_init__(self) -> None:
        given = {"low": self.low, "high": self.high, "default": self.default}
        for name, value in given.items():
            if name != "default" or value is not None:
                object.__setattr__(self, name, self._checked(name, value))
        self._check_bounds()
        if self.log and self.low <= 0:
            raise InputError(f"`low` must be greater than 0 for a logarithmic axis; got {self.low!r}.")
        if self.default is not None and not self.low <= self.default <= self.high:
            raise InputError(f"`default` must lie in [{self.low}, {self.high}]; got {self.default!r}.")
        deviation = deviation_of(self.prior)
        if not isinstance(self.prior, str):
            object.__setattr__(self, "prior", deviation)

    @property
    @abstractmethod
    def n_values(self) -> float:
        """Number of distinct values."""

    @property
    def default_point(self) -> float:
        """The default on [0, 1]; without one, the middle of the axis."""
        point = self.canonical(np.array([0.5])) if self.default is None else self.encode([self.default])
        return float(point[0])

    @abstractmethod
    def decode(self, u: Column) -> NDArray[Any]:
        """Values at points of [0, 1]."""

    @abstractmethod
    def encode(self, values: Sequence[Any]) -> Column:
        """Points of [0, 1] that decode to these values."""

    @abstractmethod
    def canonical(self, u: Column) -> Column:
        """One point for each value."""

    def values(self, u: Column) -> list[Any]:
        """Values at points of [0, 1], as Python numbers."""
        numbers: list[Any] = self.decode(u).tolist()
        return numbers

    def from_prior(self, u: Column) -> Column:
        """Draws of the prior from uniform draws, by its inverse distribution function."""
        normal = self._normal()
        return u if normal is None else normal.quantile(u)

    def log_prior(self, u: Column) -> Column:
        """Logarithm of the prior's density relative to the uniform density."""
        normal = self._normal()
        return np.zeros(len(u)) if normal is None else self._log_ratio(normal, u)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; ``prior`` only where there is one."""
        fields = {"type": self._TYPE, "low": self.low, "high": self.high, "log": self.log, "default": self.default}
        return fields if self.prior is None else {**fields, "prior": self.prior}

    @abstractmethod
    def _checked(self, name: str, value: Any) -> float: ...

    @abstractmethod
    def _check_bounds(self) -> None: ...

    @abstractmethod
    def _log_ratio(self, normal: TruncatedNormal, u: Column) -> Column: ...

    def _finite(self, name: str, value: Any) -> float:
        """A finite number; an int stays exact."""
        value = value.item() if isinstance(value, np.generic) else value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"`{name}` of {self._NAME} must be a finite number; got {value!r}.")
        return value

    def _normal(self) -> TruncatedNormal | None:
        deviation = deviation_of(self.prior)
        return None if deviation is None else TruncatedNormal(self.default_point, deviation)

    def _ends(self) -> tuple[float, float]:
        """Ends of the axis, in the logarithm where the axis is logarithmic."""
        low, high = self.low - self._MARGIN, self.high + self._MARGIN
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def _numbers(self, values: Sequence[Any]) -> Column:
        """Values as float64, checked against the bounds."""
        for value in values:
            if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
                raise InputError(f"Values must be numbers from {self.low} to {self.high}; got {value!r}.")
        v = np.asarray(values, dtype=np.float64)
        outside = ~((v >= self.low) & (v <= self.high))
        if outside.any():
            raise InputError(f"Values must lie in [{self.low}, {self.high}]; got {v[outside][0]}.")
        return v


@dataclass(frozen=True, slots=True)
class Float(NumberAxis):
    """Real numbers from ``low`` to ``high``, uniform on a linear axis, or on a logarithmic one with ``log=True``.

    Parameters
    ----------
    low, high : float, low < high; low > 0 with ``log``
    log : bool
    default : float in [low, high], optional
    prior : None, "low", "medium", "high" or float, optional
        Confidence in the default, or in the middle where there is none: a normal distribution around its point on the
        axis, truncated at the ends. The names stand for a standard deviation of 0.5, 0.25 and 0.125 of the axis; a
        number is the standard deviation itself. Only samplers that use priors read it; see `Space.from_prior`.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> Float(1e-4, 1e-1, log=True).decode(np.array([0.0, 1 / 3])).round(6).tolist()
    [0.0001, 0.001]
    """

    _TYPE: ClassVar[str] = "float"
    _NAME: ClassVar[str] = "a Float"
    _MARGIN: ClassVar[float] = 0.0

    @property
    def n_values(self) -> float:
        """Infinity."""
        return math.inf

    def decode(self, u: Column) -> NDArray[np.float64]:
        """Values at points of [0, 1], float64."""
        low, high = self._ends()
        x = low + u * (high - low)
        return np.clip(np.exp(x) if self.log else x, self.low, self.high)

    def encode(self, values: Sequence[Any]) -> Column:
        """Points of [0, 1] that decode to exactly these values.

        Raises
        ------
        InputError
            When a value is no number in [low, high].
        """
        v = self._numbers(values)
        low, high = self._ends()
        x = np.log(v) if self.log else v
        u = np.clip((x - low) / (high - low), 0.0, 1.0)
        # Rounding may have moved the point by a few last places: one of its neighbours decodes to the very value.
        missed = np.flatnonzero(self.decode(u) != v)
        step = np.maximum(np.spacing(u), np.spacing(np.abs(x)) / (2 * (high - low)))
        for k in (distance * sign for distance in range(1, _NEIGHBOURS + 1) for sign in (1, -1)):
            if not len(missed):
                break
            near = np.clip(u[missed] + k * step[missed], 0.0, 1.0)
            met = self.decode(near) == v[missed]
            u[missed[met]] = near[met]
            missed = missed[~met]
        return u

    def canonical(self, u: Column) -> Column:
        """The points themselves: each stands for its own value."""
        return u

    def grid(self, points: int) -> Column:
        """``points`` evenly spaced points of [0, 1], the ends among them; a single one is the default."""
        return np.array([self.default_point]) if points == 1 else np.linspace(0.0, 1.0, points)

    def _checked(self, name: str, value: Any) -> float:
        return float(self._finite(name, value))

    def _check_bounds(self) -> None:
        if not self.low < self.high:
            raise InputError(
                f"`low` of a Float must be smaller than `high`; got {self.low!r} and {self.high!r}. "
                "Write a constant as the value itself, without Float."
            )
        if not math.isfinite(self.high - self.low):
            raise InputError(f"`high` - `low` of a Float must be finite; got {self.low!r} and {self.high!r}.")

    def _log_ratio(self, normal: TruncatedNormal, u: Column) -> Column:
        return normal.log_ratio(u)


@dataclass(frozen=True, slots=True)
class Int(NumberAxis):
    """Whole numbers from ``low`` to ``high``, both included.

    The number k owns the bin [k - 0.5, k + 0.5) of the axis, with ``log=True`` the same bin of a logarithmic axis.

    Parameters
    ----------
    low, high : int, low <= high; low > 0 with ``log``
    log : bool
    default : int in [low, high], optional
    prior : None, "low", "medium", "high" or float, optional, as of a `Float`

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> Int(1, 4).decode(np.array([0.0, 0.3, 1.0])).tolist()
    [1, 2, 4]
    """

    low: int
    high: int
    default: int | None = None

    _TYPE: ClassVar[str] = "int"
    _NAME: ClassVar[str] = "an Int"
    _MARGIN: ClassVar[float] = 0.5

    @property
    def n_values(self) -> float:
        """Whole numbers from ``low`` to ``high``."""
        return self.high - self.low + 1

    def decode(self, u: Column) -> NDArray[np.int64]:
        """Values at points of [0, 1], int64."""
        low, high = self._ends()
        x = low + u * (high - low)
        x = np.exp(x) if self.log else x
        return np.clip(np.floor(x + 0.5), self.low, self.high).astype(np.int64)

    def encode(self, values: Sequence[Any]) -> Column:
        """The middle of each value's bin, on [0, 1].

        Raises
        ------
        InputError
            When a value is no whole number in [low, high].
        """
        v = self._numbers(values)
        if (v != np.floor(v)).any():
            raise InputError(f"Values of an Int must be whole numbers; got {v[v != np.floor(v)][0]}.")
        low, high = self._ends()
        middle = (np.log(v - 0.5) + np.log(v + 0.5)) / 2.0 if self.log else v
        return (middle - low) / (high - low)

    def canonical(self, u: Column) -> Column:
        """The middle of the bin that each point lies in."""
        return self.encode(self.decode(u))  # type: ignore[arg-type]

    def grid(self, points: int) -> Column:
        """At most ``points`` points of [0, 1] with distinct values, evenly spaced; a single one is the default."""
        if points == 1:
            return np.array([self.default_point])
        if points >= self.n_values:
            return self.encode(range(self.low, self.high + 1))
        if self.log:
            even = np.exp(np.linspace(math.log(self.low), math.log(self.high), points))
        else:
            even = np.linspace(self.low, self.high, points)
        return self.encode(np.unique(np.round(even)).tolist())

    def _checked(self, name: str, value: Any) -> int:
        number = self._finite(name, value)
        if number != math.floor(number):
            raise InputError(f"`{name}` of an Int must be a whole number; got {number!r}. Use Float for real numbers.")
        return int(number)

    def _check_bounds(self) -> None:
        if self.low > self.high:
            raise InputError(f"`low` of an Int must not be greater than `high`; got {self.low!r} and {self.high!r}.")
        largest = LARGEST_LOG if self.log else LARGEST
        if max(abs(self.low), abs(self.high)) > largest:
            raise InputError(
                f"`low` and `high` of an Int must lie within ±{largest}{' with log' if self.log else ''}; got "
                f"{self.low!r} and {self.high!r}. Use Float."
            )

    def _log_ratio(self, normal: TruncatedNormal, u: Column) -> Column:
        low, high = self._ends()
        numbers = self.decode(u).astype(np.float64)
        ends: list[Column] = [numbers - 0.5, numbers + 0.5]
        ends = [np.log(end) for end in ends] if self.log else ends
        lower, upper = ((end - low) / (high - low) for end in ends)
        return normal.log_ratio_of_bins(lower, upper)
