"""Axes of numbers: real ones and whole ones, evenly spread or in the logarithm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.priors import Bell, spread_of
from hyperband.space.priors import Column as Column

#: Largest magnitude of an `Int`, and of one with ``log=True``: beyond it bins are narrower than float64 can tell.
LARGEST, LARGEST_LOG = 2**50, 2**40


@dataclass(frozen=True, slots=True)
class Float:
    """Real numbers from ``low`` to ``high``, evenly spread, or in the logarithm with ``log=True``.

    Parameters
    ----------
    low, high : float, low < high; low > 0 with ``log``
    log : bool
    default : float in [low, high], optional
    prior : None, "low", "medium", "high" or float, optional
        How much the default (else the middle) is trusted: a normal distribution around its place on the axis (in the
        logarithm with ``log``), cut off at the ends. Standard deviation 0.5, 0.25 or 0.125 of the axis, or the number
        given. Samplers that know priors use it; see `Space.from_prior`.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> Float(1e-4, 1e-1, log=True).decode(np.array([0.0, 1 / 3])).round(6).tolist()
    [0.0001, 0.001]
    """

    low: float
    high: float
    log: bool = False
    default: float | None = None
    prior: str | float | None = None

    def __post_init__(self) -> None:
        for name in ("low", "high", *([] if self.default is None else ["default"])):
            object.__setattr__(self, name, _number(getattr(self, name), name, "Float"))
        if not self.low < self.high:
            raise InputError(
                f"`low` of a Float must be smaller than `high`; got {self.low!r} and {self.high!r}. "
                "A fixed value is written as it is, without Float."
            )
        if not math.isfinite(self.high - self.low):
            raise InputError(f"`high` - `low` of a Float must be finite; got {self.low!r} and {self.high!r}.")
        _check_rest(self.low, self.high, self.log, self.default)
        if not isinstance(self.prior, str):
            object.__setattr__(self, "prior", spread_of(self.prior))
        spread_of(self.prior)

    @property
    def n_values(self) -> float:
        return math.inf

    @property
    def default_point(self) -> float:
        return 0.5 if self.default is None else float(self.encode([self.default])[0])

    def decode(self, u: Column) -> NDArray[np.float64]:
        low, high = self._ends()
        x = low + u * (high - low)
        return np.clip(np.exp(x) if self.log else x, self.low, self.high)

    def values(self, u: Column) -> list[float]:
        numbers: list[float] = self.decode(u).tolist()
        return numbers

    def encode(self, values: Sequence[Any]) -> Column:
        v = _numbers(values, self.low, self.high)
        low, high = self._ends()
        x = np.log(v) if self.log else v
        u = np.clip((x - low) / (high - low), 0.0, 1.0)
        # Rounding may have moved the point by a few last places: a neighbour decodes to the very value.
        missed = np.flatnonzero(self.decode(u) != v)
        step = np.maximum(np.spacing(u), np.spacing(np.abs(x)) / (2 * (high - low)))
        for k in (place * sign for place in range(1, 9) for sign in (1, -1)):
            if not len(missed):
                break
            near = np.clip(u[missed] + k * step[missed], 0.0, 1.0)
            met = self.decode(near) == v[missed]
            u[missed[met]] = near[met]
            missed = missed[~met]
        return u

    def canonical(self, u: Column) -> Column:
        return u

    def grid(self, points: int) -> Column:
        return np.array([self.default_point]) if points == 1 else np.linspace(0.0, 1.0, points)

    def to_dict(self) -> dict[str, Any]:
        return {"type": "float", **_fields(self)}

    def from_prior(self, u: Column) -> Column:
        bell = _bell(self)
        return u if bell is None else bell.quantile(u)

    def log_prior(self, u: Column) -> Column:
        bell = _bell(self)
        return np.zeros(len(u)) if bell is None else bell.log_ratio(u)

    def _ends(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Int:
    """Whole numbers from ``low`` to ``high``, both included.

    With ``log=True`` the number k gets its share of the logarithm, the bin [k - 0.5, k + 0.5).

    Parameters
    ----------
    low, high : int, low <= high; low > 0 with ``log``
    log : bool
    default : int in [low, high], optional
    prior : None, "low", "medium", "high" or float, optional
        How much the default (else the middle) is trusted: a normal distribution around its place on the axis (in the
        logarithm with ``log``), cut off at the ends. Standard deviation 0.5, 0.25 or 0.125 of the axis, or the number
        given. Samplers that know priors use it; see `Space.from_prior`.

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
    log: bool = False
    default: int | None = None
    prior: str | float | None = None

    def __post_init__(self) -> None:
        for name in ("low", "high", *([] if self.default is None else ["default"])):
            value = _number(getattr(self, name), name, "Int")
            if value != math.floor(value):
                raise InputError(f"`{name}` of an Int must be a whole number; got {value!r}. Use Float for others.")
            object.__setattr__(self, name, int(value))
        if self.low > self.high:
            raise InputError(f"`low` of an Int must not be greater than `high`; got {self.low!r} and {self.high!r}.")
        largest = LARGEST_LOG if self.log else LARGEST
        if max(abs(self.low), abs(self.high)) > largest:
            raise InputError(
                f"`low` and `high` of an Int must lie within ±{largest}{' with log' if self.log else ''}; got "
                f"{self.low!r} and {self.high!r}. Use Float."
            )
        _check_rest(self.low, self.high, self.log, self.default)
        if not isinstance(self.prior, str):
            object.__setattr__(self, "prior", spread_of(self.prior))
        spread_of(self.prior)

    @property
    def n_values(self) -> float:
        return self.high - self.low + 1

    @property
    def default_point(self) -> float:
        value = self.decode(np.array([0.5])) if self.default is None else [self.default]
        return float(self.encode(list(value))[0])

    def decode(self, u: Column) -> NDArray[np.int64]:
        low, high = self._edges()
        x = low + u * (high - low)
        x = np.exp(x) if self.log else x
        return np.clip(np.floor(x + 0.5), self.low, self.high).astype(np.int64)

    def values(self, u: Column) -> list[int]:
        numbers: list[int] = self.decode(u).tolist()
        return numbers

    def encode(self, values: Sequence[Any]) -> Column:
        v = _numbers(values, self.low, self.high)
        if (v != np.floor(v)).any():
            raise InputError(f"Values of an Int must be whole numbers; got {v[v != np.floor(v)][0]}.")
        low, high = self._edges()
        middle = (np.log(v - 0.5) + np.log(v + 0.5)) / 2.0 if self.log else v
        return (middle - low) / (high - low)

    def canonical(self, u: Column) -> Column:
        return self.encode(self.decode(u))  # type: ignore[arg-type]

    def grid(self, points: int) -> Column:
        if points == 1:
            return np.array([self.default_point])
        if points >= self.n_values:
            return self.encode(range(self.low, self.high + 1))
        if self.log:
            even = np.exp(np.linspace(math.log(self.low), math.log(self.high), points))
        else:
            even = np.linspace(self.low, self.high, points)
        return self.encode(np.unique(np.round(even)).tolist())

    def to_dict(self) -> dict[str, Any]:
        return {"type": "int", **_fields(self)}

    def from_prior(self, u: Column) -> Column:
        bell = _bell(self)
        return u if bell is None else bell.quantile(u)

    def log_prior(self, u: Column) -> Column:
        bell = _bell(self)
        if bell is None:
            return np.zeros(len(u))
        low, high = self._edges()
        numbers = self.decode(u).astype(np.float64)
        ends: list[Column] = [numbers - 0.5, numbers + 0.5]
        ends = [np.log(end) for end in ends] if self.log else ends
        lower, upper = ((end - low) / (high - low) for end in ends)
        return bell.log_ratio_of_bins(lower, upper)

    def _edges(self) -> tuple[float, float]:
        low, high = self.low - 0.5, self.high + 0.5
        return (math.log(low), math.log(high)) if self.log else (low, high)


def _bell(axis: Float | Int) -> Bell | None:
    spread = spread_of(axis.prior)
    return None if spread is None else Bell(axis.default_point, spread)


def _fields(axis: Float | Int) -> dict[str, Any]:
    """What both write down; a prior only where there is one."""
    fields = {"low": axis.low, "high": axis.high, "log": axis.log, "default": axis.default}
    return fields if axis.prior is None else {**fields, "prior": axis.prior}


def _number(value: Any, name: str, kind: str) -> float:
    """A finite number, an int kept exact."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"`{name}` of {'an' if kind == 'Int' else 'a'} {kind} must be a finite number; got {value!r}.")
    return value if kind == "Int" else float(value)


def _check_rest(low: float, high: float, log: bool, default: float | None) -> None:
    if log and low <= 0:
        raise InputError(f"`low` must be greater than 0 for a logarithmic axis; got {low!r}.")
    if default is not None and not low <= default <= high:
        raise InputError(f"`default` must lie in [{low}, {high}]; got {default!r}.")


def _numbers(values: Sequence[Any], low: float, high: float) -> Column:
    for value in values:
        if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
            raise InputError(f"Values must be numbers from {low} to {high}; got {value!r}.")
    v = np.asarray(values, dtype=np.float64)
    outside = ~((v >= low) & (v <= high))
    if outside.any():
        raise InputError(f"Values must lie in [{low}, {high}]; got {v[outside][0]}.")
    return v
