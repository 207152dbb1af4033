"""Successive halving: one bracket, many configurations at first, the best of them with ever more resource."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from hyperband.tuning.plans import Plan, repeated, successive_halving_plan
from hyperband.tuning.schedulers.base import RungScheduler
from hyperband.tuning.schedulers.brackets import BracketAllocation
from hyperband.tuning.settings import register


@register
@dataclass(frozen=True, slots=True)
class SuccessiveHalvingScheduler(RungScheduler):
    """Synchronous successive halving (Jamieson & Talwalkar 2016); settings as `successive_halving_plan`.

    ``repetitions``: brackets with new configurations; None: until a budget is spent.

    Examples
    --------
    >>> SuccessiveHalvingScheduler(max_resource=27, eta=3).plan().n_evaluations
    40
    """

    _: KW_ONLY
    n: int | None = None
    aggressive: bool = False
    variant: str = "algorithm1"
    repetitions: int | None = 1

    synchronous: ClassVar[bool] = True

    def plan(self) -> Plan:
        """The exact table; see `hyperband.tuning.plans.successive_halving_plan`."""
        once = successive_halving_plan(
            self.max_resource,
            self.eta,
            self.n,
            self.min_resource,
            whole=self.whole,
            aggressive=self.aggressive,
            variant=self.variant,
        )
        return repeated(once, self.repetitions)

    def start(self, one_by_one: bool = False) -> BracketAllocation:
        """A fresh allocation."""
        return BracketAllocation(self.plan(), one_by_one)
