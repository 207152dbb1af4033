"""Population-based training."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hyperband._common.checks import Number, exact
from hyperband.errors import InputError
from hyperband.tuning.algorithms.base import AlgorithmBase, check, check_space, seed_of
from hyperband.tuning.plans import Plan
from hyperband.tuning.run.run import Run
from hyperband.tuning.samplers.pbt_perturb import explored
from hyperband.tuning.samplers.random import RandomSampler
from hyperband.tuning.schedulers import PopulationScheduler
from hyperband.tuning.schedulers.base import Scheduler

if TYPE_CHECKING:
    from hyperband.space import Space
    from hyperband.tuning.samplers.base import Sampler


@dataclass(frozen=True, slots=True)
class PBT(AlgorithmBase):
    """Population-based training: the worst members give way to changed copies of the best (Jaderberg et al. 2017).

    Parameters
    ----------
    n : int >= 2, members
    max_resource : number
    interval : number or None
        Resource between two rankings; None: a ninth of ``max_resource``, rounded up when amounts are whole.
    fraction : float in [0, 0.5]
        Share of the members that is replaced at each, rounded down to whole ones: with 0.25 three members never change.
    explore : sequence of str or None
        Parameters that change in a copy; None: all. An objective with a state gets a copy of the parent's state with
        the new configuration, so it must be able to go on with any of these changed (learning rates, dropout, ...).
        One without a state starts every evaluation from zero, and pays for it.
    sampler : Sampler, optional
        Who is in the first population; uniformly random when not given.
    seed : int, optional
    whole : bool
        Whole amounts of resource only.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> PBT(n=20, max_resource=30, interval=5).plan().cost
    600
    """

    n: int = 20
    max_resource: Number = 81
    interval: Number | None = None
    fraction: float = 0.25
    explore: Sequence[str] | None = None
    sampler: Sampler | None = None
    seed: int | None = None
    whole: bool = True

    def __post_init__(self) -> None:
        check(self.sampler, self.seed)
        if self.explore is not None:
            object.__setattr__(self, "explore", explored(self.explore))
        self.plan()

    @property
    def scheduler(self) -> Scheduler:
        """Who goes on."""
        interval = self.interval
        if interval is None:
            ninth = exact(self.max_resource, "max_resource") / 9
            interval = math.ceil(ninth) if self.whole else ninth
        return PopulationScheduler(self.n, self.max_resource, interval, self.fraction, self.whole)

    def changing(self, names: Collection[str]) -> PBT:
        """The same algorithm, whose copies change no others; `InputError` when ``explore`` names another."""
        if self.explore is None:
            return replace(self, explore=tuple(names))
        for name in self.explore:
            if name not in names:
                raise InputError(
                    f"`explore` must name parameters that may change in a copy ({', '.join(names)}); got {name!r}."
                )
        return self

    def plan(self, space: Space | None = None) -> Plan:
        """The exact table."""
        return self.scheduler.plan()

    def start(self, space: Space, seed: int | None = None) -> Run:
        """A fresh run; ``seed`` overrules the seed of the settings."""
        check_space(space)
        sampler = self.sampler or RandomSampler()
        return Run(space, self.scheduler, sampler, seed_of(seed, self.seed), explore=self.explore)
