"""The losses: their names as a user writes them, and what one needs to know of each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from hyperband.errors import InputError

#: In C++ they are numbered in this order.
LOSSES = ("cross_entropy", "logistic", "mse", "huber", "quantile")

#: Of the losses with a number: its name, what it is when none is given, and the open interval in which it lies.
_NUMBERS = {"huber": ("delta", 1.0, 0.0, math.inf), "quantile": ("level", 0.5, 0.0, 1.0)}


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss of rows; `parse` makes it from its text.

    Parameters
    ----------
    name : one of `LOSSES`
    number : float
        Of ``huber`` the size ``delta`` of a residual from which on it counts linearly, in units of the target (in a
        search they are standard deviations); of ``quantile`` the level in (0, 1); else 0.

    Examples
    --------
    >>> str(Loss("quantile", 0.9)), Loss("mse").regression
    ('quantile:0.9', True)
    """

    name: str
    number: float = 0.0

    @property
    def regression(self) -> bool:
        """Whether targets are numbers, not classes."""
        return self.name not in ("cross_entropy", "logistic")

    def __str__(self) -> str:
        return f"{self.name}:{self.number!r}" if self.name in _NUMBERS else self.name


@lru_cache(maxsize=64)
def parse(text: str) -> Loss:
    """The loss that a text names: ``"mse"``, ``"huber"``, ``"huber:1.5"``, ``"quantile:0.9"``.

    Without a number, delta of ``huber`` is 1 and the level of ``quantile`` 0.5.

    Raises
    ------
    InputError
        When the name is unknown, or the number is missing, not one, or out of its range.

    Examples
    --------
    >>> parse("huber:1.5")
    Loss(name='huber', number=1.5)
    >>> str(parse("quantile"))
    'quantile:0.5'
    """
    name, colon, rest = text.partition(":") if isinstance(text, str) else ("", "", "")
    if name not in LOSSES:
        raise InputError(f"`loss` must be one of {', '.join(LOSSES)}; got {text!r}.")
    if name not in _NUMBERS:
        if colon:
            raise InputError(f"`loss` {name!r} has no number; got {text!r}. Write {name!r}.")
        return Loss(name)
    what, usual, low, high = _NUMBERS[name]
    try:
        number = float(rest) if colon else usual
    except ValueError:
        number = math.nan
    if not (low < number < high and 1e-30 < number < 1e30):
        rule = "greater than 0" if high == math.inf else f"between {low:g} and {high:g}"
        raise InputError(f"The {what} of `loss` {name!r} must be a number {rule}, as in {name}:{usual}; got {text!r}.")
    return Loss(name, number)
