"""Limits of a whole search."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

from hyperband._common.checks import exact, whole_number
from hyperband.errors import InputError


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of a whole search; None is none. The first that is reached ends it.

    Parameters
    ----------
    seconds : float > 0
        Wall time. What is being evaluated then is given up; an evaluation in the caller's own thread is finished first.
    evaluations : int >= 1
        Losses asked for.
    resource : float > 0
        Total spend: no job is started that would exceed it.
    target : float
        The search ends as soon as a loss is this small.
    cost : float > 0
        Sum of what evaluations cost, in units of resource unless the objective says otherwise. Costs are known
        afterwards: no job is started once they have reached it, and those at work are finished.
    patience : int >= 1
        The search ends when so many evaluations in a row, failed ones included, have not improved the smallest loss.
        Several objectives are judged by their first.
    min_improvement : float >= 0
        A loss counts as improved when it is smaller by more than this than the last one that counted.

    Raises
    ------
    InputError
        When a value breaks one of these rules.
    """

    seconds: float | None = None
    evaluations: int | None = None
    resource: float | None = None
    target: float | None = None
    cost: float | None = None
    patience: int | None = None
    min_improvement: float = 0.0

    def __post_init__(self) -> None:
        for name in ("evaluations", "patience"):
            if getattr(self, name) is not None:
                whole_number(getattr(self, name), name)
        for name in ("seconds", "resource", "cost"):
            value = getattr(self, name)
            if value is not None and not _number(value) > 0:
                raise InputError(f"`{name}` of a budget must be greater than 0; got {value!r}. Pass None for no limit.")
        if self.target is not None and math.isnan(_number(self.target)):
            raise InputError(f"`target` of a budget must be a number; got {self.target!r}. Pass None for no target.")
        if exact(self.min_improvement, "min_improvement") < 0:
            raise InputError(f"`min_improvement` must be at least 0; got {self.min_improvement!r}.")
        if self.min_improvement and self.patience is None:
            raise InputError(f"`min_improvement` needs `patience`; got {self.min_improvement!r} without it.")

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return any(getattr(self, field.name) is not None for field in fields(self) if field.name != "min_improvement")


def _number(value: Any) -> float:
    """NaN for what is no number."""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
