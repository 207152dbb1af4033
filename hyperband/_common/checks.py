"""Checks that many arguments share: exact numbers, whole numbers, fractions, positive numbers."""

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
    """The same number, as an int when it is whole.

    Examples
    --------
    >>> plain(Fraction(6, 2)), plain(Fraction(1, 2))
    (3, Fraction(1, 2))
    """
    return value.numerator if value.denominator == 1 else value


def as_float(value: Exact) -> int | float:
    """A number for jobs, arrays and JSON: an int when it is whole, otherwise the nearest float.

    Examples
    --------
    >>> as_float(Fraction(6, 2)), as_float(Fraction(1, 2))
    (3, 0.5)
    """
    return value.numerator if value.denominator == 1 else float(value)


def exact(value: Any, name: str) -> Fraction:
    """A finite number as an exact rational.

    A float counts as the shortest decimal that prints it: 0.1 is exactly 1/10, not the nearest multiple of 2**-55.

    Parameters
    ----------
    value : int, float, Fraction, Decimal or NumPy number
    name : str, the argument in the error

    Raises
    ------
    InputError
        When ``value`` is no finite number; True, False and texts are none.

    Examples
    --------
    >>> exact(0.1, "eta")
    Fraction(1, 10)
    """
    try:
        if isinstance(value, bool | str | bytes):
            raise TypeError
        if isinstance(value, Decimal):
            return Fraction(value)
        if isinstance(value, Rational):  # as Python integers: NumPy's overflow silently
            return Fraction(int(value.numerator), int(value.denominator))
        # `__index__` is what marks an integer of any library, such as NumPy, which has no common base class.
        return Fraction(int(value)) if hasattr(value, "__index__") else Fraction(repr(float(value)))
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"`{name}` must be a finite number; got {value!r}.") from None


def whole_number(value: Any, name: str, low: int = 1, high: int | None = None) -> int:
    """A whole number of at least ``low`` and, where that is given, at most ``high``, as an int.

    8.0 and NumPy integers are whole numbers, True is not.

    Raises
    ------
    InputError
        When ``value`` is anything else.

    Examples
    --------
    >>> whole_number(8.0, "n")
    8
    """
    number: Exact
    if type(value) is int:  # most values are; a rational number takes four times as long
        number = value
    else:
        try:
            number = exact(value, name)
        except InputError:
            number = low - 1
    if number.denominator != 1 or number < low or (high is not None and number > high):
        rule = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise InputError(f"`{name}` must be a whole number {rule}; got {value!r}.")
    return number.numerator


def fraction(value: Any, name: str, *, open_: bool = False) -> float:
    """A number in [0, 1], or in (0, 1) with ``open_``, as a float; raises `InputError` for anything else.

    Examples
    --------
    >>> fraction(1, "top_fraction")
    1.0
    """
    if not (_is_number(value) and (0.0 < value < 1.0 if open_ else 0.0 <= value <= 1.0)):
        raise InputError(f"`{name}` must lie in {'(0, 1)' if open_ else '[0, 1]'}; got {value!r}.")
    return float(value)


def positive(value: Any, name: str, *, above: float = 0.0) -> float:
    """A finite number greater than ``above``, as a float; raises `InputError` for anything else.

    Examples
    --------
    >>> positive(2, "eta", above=1.0)
    2.0
    """
    if not _is_number(value) or not math.isfinite(value) or value <= above:
        raise InputError(f"`{name}` must be a finite number greater than {above:g}; got {value!r}.")
    return float(value)


def not_negative(value: Any, name: str) -> float:
    """A finite number of at least 0, as a float; raises `InputError` for anything else."""
    if not _is_number(value) or not math.isfinite(value) or value < 0:
        raise InputError(f"`{name}` must be a finite number of at least 0; got {value!r}.")
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
