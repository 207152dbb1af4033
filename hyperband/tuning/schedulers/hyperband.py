"""Hyperband: brackets of successive halving, from many briefly trained configurations to few fully trained ones."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from hyperband.tuning.plans import Plan, hyperband_plan, repeated
from hyperband.tuning.schedulers.base import RungScheduler
from hyperband.tuning.schedulers.brackets import BracketAllocation
from hyperband.tuning.settings import register


@register
@dataclass(frozen=True, slots=True)
class HyperbandScheduler(RungScheduler):
    """Hyperband (Li et al., JMLR 2017, Algorithm 1), all brackets at once; settings as `hyperband_plan`.

    ``repetitions``: times that all brackets are run, with new configurations; None: until a budget is spent.

    Examples
    --------
    >>> HyperbandScheduler(max_resource=81, eta=3).plan().n_evaluations
    206
    """

    _: KW_ONLY
    variant: str = "algorithm1"
    repetitions: int | None = 1

    synchronous: ClassVar[bool] = True

    def plan(self) -> Plan:
        """The exact table; see `hyperband.tuning.plans.hyperband_plan`."""
        once = hyperband_plan(self.max_resource, self.eta, self.min_resource, self.variant, whole=self.whole)
        return repeated(once, self.repetitions)

    def start(self, one_by_one: bool = False) -> BracketAllocation:
        """A fresh allocation."""
        return BracketAllocation(self.plan(), one_by_one)
