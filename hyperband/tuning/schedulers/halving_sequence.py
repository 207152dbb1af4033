"""Successive halving in brackets that follow one another, each with a size of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar

from hyperband._common.checks import Number
from hyperband.errors import InputError
from hyperband.tuning.plans import Plan, successive_halving_plan
from hyperband.tuning.schedulers.brackets import BracketAllocation
from hyperband.tuning.settings import Settings, register


@register
@dataclass(frozen=True, slots=True)
class HalvingSequenceScheduler(Settings):
    """Brackets of successive halving, no bracket before the previous one has ended.

    Parameters
    ----------
    max_resource, eta, whole : as `hyperband.tuning.plans.successive_halving_plan`
    brackets : sequence of (n, min_resource), one a bracket: its configurations, and the resource of its lowest rung

    Examples
    --------
    >>> scheduler = HalvingSequenceScheduler(27, 3, brackets=[(9, 3), (2, 27)])
    >>> [[(rung.n, rung.r) for rung in bracket.rungs] for bracket in scheduler.plan().brackets]
    [[(9, 3), (3, 9), (1, 27)], [(2, 27)]]
    """

    max_resource: Number
    eta: Number = 3
    _: KW_ONLY
    brackets: Sequence[tuple[int, Number]]
    whole: bool = True

    synchronous: ClassVar[bool] = True

    def __post_init__(self) -> None:
        try:
            pairs = tuple((n, least) for n, least in self.brackets)
        except (TypeError, ValueError):
            raise InputError(
                f"`brackets` must list pairs (n, min_resource), one a bracket; got {self.brackets!r}."
            ) from None
        if not pairs:
            raise InputError("`brackets` must list at least one pair (n, min_resource); got none.")
        object.__setattr__(self, "brackets", pairs)
        self.plan()

    def plan(self) -> Plan:
        """The exact table: the brackets in their order."""
        plans = (
            successive_halving_plan(self.max_resource, self.eta, n, least, whole=self.whole)
            for n, least in self.brackets
        )
        return Plan(tuple(bracket for plan in plans for bracket in plan.brackets))

    def start(self, one_by_one: bool = True) -> BracketAllocation:
        """A fresh allocation; brackets follow one another whatever the sampler is."""
        return BracketAllocation(self.plan(), one_by_one=True)

    def extended(self, brackets: Iterable[tuple[int, Number]]) -> HalvingSequenceScheduler:
        """The same scheduler with further brackets at its end."""
        return replace(self, brackets=(*self.brackets, *brackets))
