"""Every configuration gets the whole resource: grid, random and adaptive search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from hyperband._common.checks import whole_number
from hyperband.errors import InputError
from hyperband.space.combinations import at_most
from hyperband.tuning.algorithms.base import (
    SchedulerAlgorithm,
    SettingsAlgorithm,
    check,
    check_space,
    scheduler_of,
    seed_of,
)
from hyperband.tuning.plans import Plan
from hyperband.tuning.run.run import Run
from hyperband.tuning.samplers.adaptive import AdaptiveSampler
from hyperband.tuning.samplers.grid import GridSampler
from hyperband.tuning.schedulers import FullScheduler
from hyperband.tuning.schedulers.base import Scheduler
from hyperband.tuning.settings import register

if TYPE_CHECKING:
    from hyperband.space import Space
    from hyperband.tuning.samplers.base import Sampler


@register
@dataclass(frozen=True, slots=True)
class RandomSearch(SchedulerAlgorithm):
    """``n`` random configurations, each with the whole resource (Bergstra & Bengio, JMLR 13, 2012).

    Parameters and errors as `Hyperband`, as far as it has them.

    Examples
    --------
    >>> RandomSearch(81, n=20).plan().cost
    1620
    """

    _: KW_ONLY
    n: int = 64

    @property
    def scheduler(self) -> Scheduler:
        """One rung for all."""
        return scheduler_of(FullScheduler, self)


@register
@dataclass(frozen=True, slots=True)
class AdaptiveSearch(SchedulerAlgorithm):
    """A coarse random search, then more points around the best ones, in rounds; each with the whole resource.

    Parameters
    ----------
    max_resource, seed, whole : as `Hyperband`
    n : int
        Configurations in all. Each round takes ``n // (2 * rounds)`` of them (at least 1), the coarse search the rest.
    rounds : int, smaller than ``n``
    sampler : AdaptiveSampler, optional
        In place of ``rounds``, with settings of its own.

    Examples
    --------
    >>> AdaptiveSearch(9, n=20, rounds=3).plan().cost
    180
    """

    _: KW_ONLY
    n: int = 64
    rounds: int = 4

    def __post_init__(self) -> None:
        SchedulerAlgorithm.__post_init__(self)
        if whole_number(self.rounds, "rounds") >= self.n:
            raise InputError(f"`rounds` must be smaller than `n` ({self.n}); got {self.rounds}.")

    @property
    def scheduler(self) -> Scheduler:
        """One rung for all."""
        return scheduler_of(FullScheduler, self)

    def default_sampler(self) -> Sampler:
        """A coarse search and rounds of these sizes."""
        n, rounds = whole_number(self.n, "n"), whole_number(self.rounds, "rounds")
        per_round = max(1, n // (2 * rounds))
        return AdaptiveSampler(n_coarse=n - rounds * per_round, n_per_round=per_round, rounds=rounds)


@register
@dataclass(frozen=True, slots=True)
class GridSearch(SettingsAlgorithm):
    """Evenly spaced points of the space, each with the whole resource; log axes are spaced in the logarithm.

    Parameters
    ----------
    max_resource : number
    points_per_axis : int or mapping of parameter name to int, optional
        Points on every axis, or on each by name; 3 when neither this nor ``n`` is given.
    n : int, optional
        Instead: as many points on every axis as give a grid of at most ``n`` configurations, and then one more on each
        axis that allows it, in the order of the space. (In many dimensions a grid is mostly one or two points wide.)
    seed, whole : as `Hyperband`; a grid draws nothing, the seed is for the evaluator

    Raises
    ------
    InputError
        When a value breaks one of these rules, or the smallest grid of the space has more than ``n`` configurations.

    Examples
    --------
    >>> from hyperband.space import Float, Space
    >>> GridSearch(9, points_per_axis=4).plan(Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)})).cost
    144
    """

    _: KW_ONLY
    points_per_axis: int | Mapping[str, int] | None = None
    n: int | None = None

    def __post_init__(self) -> None:
        check(None, self.seed)
        self._scheduler(1)
        if self.n is not None and self.points_per_axis is not None:
            raise InputError("Only one of `points_per_axis` and `n` must be given; got both.")
        if self.n is not None:
            whole_number(self.n, "n")
        points = self.points_per_axis
        for value in points.values() if isinstance(points, Mapping) else () if points is None else (points,):
            whole_number(value, "points_per_axis")

    @property
    def small_space(self) -> bool:
        """Two points on each axis of a large space are more configurations than anyone tries."""
        return True

    def plan(self, space: Space | None = None) -> Plan:
        """The exact table: one rung with every point of the grid on ``space``."""
        if space is None:
            raise InputError("`plan` of a grid needs the space; got None. Pass it: algorithm.plan(space).")
        return self._scheduler(self._sampler(space).size(space)).plan()

    def start(self, space: Space, seed: int | None = None) -> Run:
        """A fresh run; ``seed`` overrules the seed of the settings."""
        sampler = self._sampler(space)
        return Run(space, self._scheduler(sampler.size(space)), sampler, seed_of(seed, self.seed))

    def _scheduler(self, n: int) -> FullScheduler:
        return scheduler_of(FullScheduler, self, n=n)

    def _sampler(self, space: Space) -> GridSampler:
        check_space(space)
        if self.n is None:
            return GridSampler(3 if self.points_per_axis is None else self.points_per_axis)
        return GridSampler(at_most(space, whole_number(self.n, "n")))
