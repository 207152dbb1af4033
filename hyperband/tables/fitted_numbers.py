"""Checks of what a fit gives and a model file brings back: numbers that mean something, one a column."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from hyperband.errors import InputError


def check_finite(values: Sequence[Any], name: str, n: int) -> None:
    """Refuse anything but ``n`` finite floats.

    Examples
    --------
    >>> check_finite((1.0, float("nan")), "median", 2)
    Traceback (most recent call last):
    ...
    hyperband.errors.InputError: `median` must be finite floats; got nan.
    """
    if len(values) != n:
        raise InputError(f"`{name}` must have one value a column, {n}; got {len(values)}.")
    for value in values:
        if not isinstance(value, float) or not math.isfinite(value):
            raise InputError(f"`{name}` must be finite floats; got {value!r:.80}.")


def check_flags(**flags: Any) -> None:
    """Refuse anything but True and False."""
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise InputError(f"`{name}` must be True or False; got {value!r:.80}.")


def check_positive(values: Sequence[Any], name: str, n: int) -> None:
    """Refuse anything but ``n`` finite floats above 0."""
    check_finite(values, name, n)
    if any(value <= 0 for value in values):
        raise InputError(f"`{name}` must be above 0; got {min(values)!r}.")


def check_ascending(rows: Sequence[Sequence[Any]], name: str, n: int, least: int = 0, strictly: bool = False) -> None:
    """Refuse anything but ``n`` ascending rows of at least so many finite floats; ``strictly``: without equal ones."""
    if len(rows) != n:
        raise InputError(f"`{name}` must have one row a column, {n}; got {len(rows)}.")
    for row in rows:
        check_finite(row, name, len(row))
        if len(row) < least:
            raise InputError(f"`{name}` must be at least {least} a column; got {len(row)}.")
        if any(high < low or (strictly and high == low) for low, high in pairwise(row)):
            raise InputError(f"`{name}` must ascend; {list(row)[:4]!r:.80}, ... do not.")


def check_positions(values: Iterable[Any], name: str, end: int | None = None) -> None:
    """Refuse anything but different whole numbers from 0 up to, but not including, ``end``."""
    found = list(values)
    for value in found:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0 or (end is not None and value >= end):
            below = "" if end is None else f" below {end}"
            raise InputError(f"`{name}` must be positions{below}; got {value!r:.80}.")
    if len(set(found)) < len(found):
        raise InputError(f"`{name}` must be different positions; got {found[:6]!r:.80}.")


def check_texts(values: Iterable[Any], name: str) -> None:
    """Refuse anything but different texts."""
    found = list(values)
    for value in found:
        if not isinstance(value, str):
            raise InputError(f"`{name}` must be texts; got {value!r:.80}.")
        value.encode()  # half of a pair of UTF-16 is no text
    if len(set(found)) < len(found):
        raise InputError(f"`{name}` must be different texts.")
