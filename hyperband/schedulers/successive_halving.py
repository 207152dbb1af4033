"""Successive halving: one bracket, many configurations at first, the best of them with ever more resource."""

from __future__ import annotations

from dataclasses import dataclass

from hyperband.schedule import Number, Plan, successive_halving_plan
from hyperband.schedulers.brackets import BracketAllocation


@dataclass(frozen=True, slots=True)
class SuccessiveHalvingScheduler:
    """Synchronous successive halving (Jamieson & Talwalkar 2016); settings as `successive_halving_plan`.

    Examples
    --------
    >>> SuccessiveHalvingScheduler(max_resource=27, eta=3).plan().n_evaluations
    40
    """

    max_resource: Number
    eta: Number = 3
    n: int | None = None
    min_resource: Number = 1
    whole: bool = True

    def __post_init__(self) -> None:
        self.plan()

    def plan(self) -> Plan:
        """The exact table; see `hyperband.schedule.successive_halving_plan`."""
        return successive_halving_plan(self.max_resource, self.eta, self.n, self.min_resource, whole=self.whole)

    def start(self) -> BracketAllocation:
        """A fresh allocation."""
        return BracketAllocation(self.plan())
