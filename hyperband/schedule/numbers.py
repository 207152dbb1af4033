"""Exact numbers: integers and rationals, and how a user's number becomes one."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any, TypeAlias

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
        if isinstance(value, Rational | Decimal):
            return Fraction(value)
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
