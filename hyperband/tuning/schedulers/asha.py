"""Asynchronous successive halving, and asynchronous Hyperband over its brackets."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from hyperband._common.checks import exact
from hyperband.tuning.plans import Plan, async_hyperband_plan, async_plan, times_of
from hyperband.tuning.schedulers.asynchronous import AsyncAllocation
from hyperband.tuning.schedulers.base import RungScheduler
from hyperband.tuning.settings import register


@register
@dataclass(frozen=True, slots=True)
class ASHAScheduler(RungScheduler):
    """ASHA with promotion (Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht, Talwalkar, MLSys 2020,
    Algorithm 2): one bracket from ``min_resource`` on (the paper's s = 0).

    Settings as `hyperband.tuning.plans.async_plan`.

    Examples
    --------
    >>> allocation = ASHAScheduler(max_resource=9, eta=3).start()
    >>> [slot.trial for slot in allocation.ask(3)]
    [0, 1, 2]
    >>> for trial, loss in enumerate([0.3, 0.1, 0.2]):
    ...     allocation.tell(trial, 0, loss)
    >>> [(slot.trial, slot.resource) for slot in allocation.ask(2)]
    [(1, 3), (3, 1)]
    """

    _: KW_ONLY
    n: int | None = None

    synchronous: ClassVar[bool] = False

    def plan(self) -> Plan:
        """The rungs, and the least that will run; see `hyperband.tuning.plans.async_plan`."""
        return async_plan(self.max_resource, self.eta, self.n, self.min_resource, whole=self.whole)

    def start(self, one_by_one: bool = False) -> AsyncAllocation:
        """A fresh allocation; there is only one bracket."""
        return AsyncAllocation(self.plan(), exact(self.eta, "eta"))


@register
@dataclass(frozen=True, slots=True)
class AsyncHyperbandScheduler(RungScheduler):
    """Asynchronous Hyperband: every bracket of Hyperband as an asynchronous one, new trials going to them in turn
    (Li et al., MLSys 2020, section 3.2).

    Settings as `hyperband.tuning.plans.async_hyperband_plan`. Bracket s takes n_s new trials in each of the
    ``repetitions`` (None: until a budget is spent), then the next bracket takes its share; promotions never wait.

    Examples
    --------
    >>> allocation = AsyncHyperbandScheduler(max_resource=9, eta=3).start()
    >>> [(slot.bracket, slot.resource) for slot in allocation.ask()][8:10]
    [(0, 1), (1, 3)]
    """

    _: KW_ONLY
    repetitions: int | None = 1

    synchronous: ClassVar[bool] = False

    def plan(self) -> Plan:
        """The brackets, and the least that will run in them."""
        return async_hyperband_plan(self.max_resource, self.eta, self.min_resource, self.repetitions, whole=self.whole)

    def start(self, one_by_one: bool = False) -> AsyncAllocation:
        """A fresh allocation; asynchronous brackets never wait for one another."""
        times = times_of(self.repetitions)
        return AsyncAllocation(self.plan(), exact(self.eta, "eta"), times)
