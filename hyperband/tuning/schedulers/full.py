"""No early stopping: every configuration gets the whole resource at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hyperband._common.checks import Number
from hyperband.tuning.plans import Plan, full_plan
from hyperband.tuning.schedulers.brackets import BracketAllocation
from hyperband.tuning.settings import Settings, register


@register
@dataclass(frozen=True, slots=True)
class FullScheduler(Settings):
    """``n`` configurations, each evaluated once, at ``max_resource``; the scheduler of grid and random search.

    Examples
    --------
    >>> FullScheduler(n=10, max_resource=81).plan().cost
    810
    """

    n: int
    max_resource: Number = 1
    whole: bool = True

    synchronous: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.plan()

    def plan(self) -> Plan:
        """The exact table; see `hyperband.tuning.plans.full_plan`."""
        return full_plan(self.n, self.max_resource, whole=self.whole)

    def start(self, one_by_one: bool = False) -> BracketAllocation:
        """A fresh allocation."""
        return BracketAllocation(self.plan(), one_by_one)
