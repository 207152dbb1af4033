"""Successive halving in brackets that follow one another, each with a size of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar

from hyperband._common.checks import Number, exact
from hyperband.errors import InputError
from hyperband.tuning.plans import Plan, successive_halving_plan
from hyperband.tuning.schedulers.base import Size
from hyperband.tuning.schedulers.brackets import BracketAllocation
from hyperband.tuning.settings import Settings, register


@register
@dataclass(frozen=True, slots=True)
class HalvingSequenceScheduler(Settings):
    """Brackets of successive halving, no bracket before the previous one has ended.

    Parameters
    ----------
    max_resource, eta, whole : as `hyperband.tuning.plans.successive_halving_plan`
    brackets : sequence of (n, min_resource) or (n, min_resource, max_resource), one a bracket
        Its configurations, and the resource of its lowest rung and of its highest one: ``max_resource`` when not given,
        and in one bracket at least.

    Examples
    --------
    >>> scheduler = HalvingSequenceScheduler(27, 3, brackets=[(9, 3), (2, 27), (6, 1, 3)])
    >>> [[(rung.n, rung.r) for rung in bracket.rungs] for bracket in scheduler.plan().brackets]
    [[(9, 3), (3, 9), (1, 27)], [(2, 27)], [(6, 1), (2, 3)]]
    """

    max_resource: Number
    eta: Number = 3
    _: KW_ONLY
    brackets: Sequence[Size]
    whole: bool = True

    synchronous: ClassVar[bool] = True

    def __post_init__(self) -> None:
        try:
            sizes = tuple(tuple(size) for size in self.brackets)
        except TypeError:
            sizes = ((),)
        if not all(len(size) in (2, 3) for size in sizes):
            raise InputError(
                "`brackets` must list (n, min_resource) or (n, min_resource, max_resource), one a bracket; got "
                f"{self.brackets!r}."
            )
        if not sizes:
            raise InputError("`brackets` must list at least one bracket (n, min_resource); got none.")
        object.__setattr__(self, "brackets", sizes)
        tops = [bracket.rungs[-1].r for bracket in self.plan().brackets]
        if max(tops) != exact(self.max_resource, "max_resource"):
            raise InputError(
                f"The highest of `brackets` must end at `max_resource` ({self.max_resource!r}); got {self.brackets!r}."
            )

    def plan(self) -> Plan:
        """The exact table: the brackets in their order."""
        plans = (
            successive_halving_plan(top[0] if top else self.max_resource, self.eta, n, least, whole=self.whole)
            for n, least, *top in self.brackets
        )
        return Plan(tuple(bracket for plan in plans for bracket in plan.brackets))

    def start(self, one_by_one: bool = True) -> BracketAllocation:
        """A fresh allocation; brackets follow one another whatever the sampler is."""
        return BracketAllocation(self.plan(), one_by_one=True)

    def extended(self, brackets: Iterable[Size]) -> HalvingSequenceScheduler:
        """The same scheduler with further brackets at its end, which may go beyond its ``max_resource``."""
        further = tuple(brackets)
        longer = [size[2] for size in further if len(size) == 3 and size[2] > self.max_resource]
        if not longer:
            return replace(self, brackets=(*self.brackets, *further))
        own = tuple((size[0], size[1], size[2] if len(size) == 3 else self.max_resource) for size in self.brackets)
        return replace(self, max_resource=max(longer), brackets=own + further)
