"""Hyperband: brackets of successive halving, from many briefly trained configurations to few fully trained ones."""

from __future__ import annotations

from dataclasses import dataclass

from hyperband.schedule import Number, Plan, hyperband_plan
from hyperband.schedulers.brackets import BracketAllocation


@dataclass(frozen=True, slots=True)
class HyperbandScheduler:
    """Hyperband (Li et al., JMLR 2017, Algorithm 1), all brackets at once; settings as `hyperband_plan`.

    Examples
    --------
    >>> HyperbandScheduler(max_resource=81, eta=3).plan().n_evaluations
    206
    """

    max_resource: Number
    eta: Number = 3
    min_resource: Number = 1
    variant: str = "algorithm1"
    whole: bool = True

    def __post_init__(self) -> None:
        self.plan()

    def plan(self) -> Plan:
        """The exact table; see `hyperband.schedule.hyperband_plan`."""
        return hyperband_plan(self.max_resource, self.eta, self.min_resource, self.variant, whole=self.whole)

    def start(self) -> BracketAllocation:
        """A fresh allocation."""
        return BracketAllocation(self.plan())
