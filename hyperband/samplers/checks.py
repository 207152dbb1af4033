"""Rules that settings of samplers share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hyperband.errors import InputError


def whole(value: Any, name: str, least: int = 1) -> None:
    """A whole number of at least ``least``; `InputError` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"`{name}` must be a whole number of at least {least}; got {value!r}.")


def fraction(value: Any, name: str, open_: bool = False) -> None:
    """A number in [0, 1], with ``open_`` in (0, 1); `InputError` otherwise."""
    good = _is_number(value) and (0.0 < value < 1.0 if open_ else 0.0 <= value <= 1.0)
    if not good:
        raise InputError(f"`{name}` must lie in {'(0, 1)' if open_ else '[0, 1]'}; got {value!r}.")


def positive(value: Any, name: str, above: float = 0.0) -> None:
    """A finite number greater than ``above``; `InputError` otherwise."""
    if not _is_number(value) or not math.isfinite(value) or value <= above:
        raise InputError(f"`{name}` must be a finite number greater than {above:g}; got {value!r}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
