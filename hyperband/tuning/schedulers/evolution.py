"""The schedule of DEHB: Hyperband's brackets, but every rung after the first bracket is a new generation."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar

from hyperband.tuning.plans import Bracket, Plan, hyperband_plan, times_of
from hyperband.tuning.schedulers.base import RungScheduler
from hyperband.tuning.schedulers.brackets import BracketAllocation
from hyperband.tuning.settings import register


@register
@dataclass(frozen=True, slots=True)
class EvolutionScheduler(RungScheduler):
    """Brackets of DEHB (Awad, Mallik, Hutter, IJCAI 2021, section 4).

    The first bracket is successive halving. In every later one each rung consists of as many *new* trials, which start
    from zero at the rung's resource: offspring of what earlier rungs found, when the sampler is the evolutionary one.

    Settings as `hyperband.tuning.plans.hyperband_plan`; ``repetitions``: times that all brackets are run (None: until a
    budget is spent).

    Examples
    --------
    >>> plan = EvolutionScheduler(max_resource=9, eta=3).plan()
    >>> plan.n_configurations, plan.n_evaluations, plan.cost
    (18, 22, 72)
    """

    _: KW_ONLY
    repetitions: int | None = 1

    synchronous: ClassVar[bool] = True

    def plan(self) -> Plan:
        """The exact table. Of an endless search that of the first repetition; later ones have no successive halving."""
        once = hyperband_plan(self.max_resource, self.eta, self.min_resource, whole=self.whole)
        times = times_of(self.repetitions)
        first, *others = once.brackets * times
        return Plan((first, *map(generations, others)), endless=self.repetitions is None)

    def start(self, one_by_one: bool = False) -> BracketAllocation:
        """A fresh allocation. A generation always waits for the previous one; ``one_by_one`` is not read."""
        return BracketAllocation(self.plan(), one_by_one=True, later=generations)


def generations(bracket: Bracket) -> Bracket:
    """The same bracket with new trials in every rung."""
    return replace(bracket, rungs=tuple(replace(rung, new=rung.n if i else 0) for i, rung in enumerate(bracket.rungs)))
