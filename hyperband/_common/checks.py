"""Rules that arguments share: exact numbers, whole numbers, fractions, positive numbers."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any, TypeAlias

import numpy as np

from hyperband.errors import InputError

Exact: TypeAlias = int | Fraction
Number: TypeAlias = int | float | Fraction | Decimal


def plain(value: Exact) -> Exact:
    """The same number, an int when it is whole."""
    return value.numerator if value.denominator == 1 else value


def as_float(value: Exact) -> int | float:
    """For jobs, arrays and JSON: an int when it is whole, else the nearest float."""
    return value.numerator if value.denominator == 1 else float(value)


def exact(value: Any, name: str) -> Fraction:
    """A finite number as a rational; a float as the shortest decimal that prints it (0.1 is 1/10, not 2**-55 off)."""
    try:
        if isinstance(value, bool | str | bytes):
            raise TypeError
        if isinstance(value, Decimal):
            return Fraction(value)
        if isinstance(value, Rational):  # of Python's integers: those of NumPy would overflow in silence
            return Fraction(int(value.numerator), int(value.denominator))
        return Fraction(int(value)) if hasattr(value, "__index__") else Fraction(repr(float(value)))
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"`{name}` must be a finite number; got {value!r}.") from None


def whole_number(value: Any, name: str, low: int = 1) -> int:
    """A whole number of at least ``low``; 8.0 and NumPy integers count."""
    try:
        number = exact(value, name)
    except InputError:
        number = Fraction(low - 1)
    if number.denominator != 1 or number < low:
        raise InputError(f"`{name}` must be a whole number of at least {low}; got {value!r}.")
    return number.numerator


def fraction(value: Any, name: str, *, open_: bool = False) -> float:
    """A number in [0, 1], with ``open_`` in (0, 1); `InputError` otherwise."""
    if not (_is_number(value) and (0.0 < value < 1.0 if open_ else 0.0 <= value <= 1.0)):
        raise InputError(f"`{name}` must lie in {'(0, 1)' if open_ else '[0, 1]'}; got {value!r}.")
    return float(value)


def positive(value: Any, name: str, *, above: float = 0.0) -> float:
    """A finite number greater than ``above``; `InputError` otherwise."""
    if not _is_number(value) or not math.isfinite(value) or value <= above:
        raise InputError(f"`{name}` must be a finite number greater than {above:g}; got {value!r}.")
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
