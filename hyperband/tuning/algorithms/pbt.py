"""Population-based training."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import KW_ONLY, dataclass, replace

from hyperband._common.checks import Number, exact
from hyperband.errors import InputError
from hyperband.tuning.algorithms.base import SchedulerAlgorithm, scheduler_of
from hyperband.tuning.samplers.pbt_perturb import explored
from hyperband.tuning.schedulers import PopulationScheduler
from hyperband.tuning.schedulers.base import Scheduler
from hyperband.tuning.settings import register


@register
@dataclass(frozen=True, slots=True)
class PBT(SchedulerAlgorithm):
    """Population-based training: the worst members give way to changed copies of the best (Jaderberg et al. 2017).

    Parameters
    ----------
    max_resource : number
    n : int >= 2, members
    interval : number or None
        Resource between two rankings; None: a ninth of ``max_resource``, rounded up when resources are whole.
    fraction : float in [0, 0.5]
        Share of the members that is replaced at each, rounded down to whole ones: with 0.25 three members never change.
    explore : sequence of str or None
        Parameters that change in a copy; None: all. An objective with a state gets a copy of the parent's state with
        the new configuration, so it must be able to continue with any of these changed (learning rates, dropout, ...).
        One without a state starts every evaluation from zero, and pays for it.
    sampler : Sampler, optional
        What proposes the first population; uniformly random when not given.
    seed : int, optional
    whole : bool
        Resources are whole numbers only.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> PBT(30, n=20, interval=5).plan().cost
    600
    """

    _: KW_ONLY
    n: int = 20
    interval: Number | None = None
    fraction: float = 0.25
    explore: Sequence[str] | None = None

    def __post_init__(self) -> None:
        SchedulerAlgorithm.__post_init__(self)
        if self.explore is not None:
            object.__setattr__(self, "explore", explored(self.explore))

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler with these settings."""
        interval = self.interval
        if interval is None:
            ninth = exact(self.max_resource, "max_resource") / 9
            interval = math.ceil(ninth) if self.whole else ninth
        return scheduler_of(PopulationScheduler, self, interval=interval)

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
