"""Everybody gets the whole resource: grid, random and adaptive search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperband._common.checks import Number, whole_number
from hyperband.errors import InputError
from hyperband.tuning.algorithms.base import AlgorithmBase, Joined, check, check_space, seed_of
from hyperband.tuning.plans import Plan
from hyperband.tuning.run.run import Run
from hyperband.tuning.samplers.adaptive import AdaptiveSampler
from hyperband.tuning.samplers.grid import GridSampler
from hyperband.tuning.schedulers import FullScheduler
from hyperband.tuning.schedulers.base import Scheduler

if TYPE_CHECKING:
    from hyperband.space import Space
    from hyperband.tuning.samplers.base import Sampler


@dataclass(frozen=True, slots=True)
class RandomSearch(Joined):
    """``n`` random configurations, each with the whole resource (Bergstra & Bengio, JMLR 13, 2012).

    Examples
    --------
    >>> RandomSearch(n=20, max_resource=81).plan().cost
    1620
    """

    n: int = 64
    max_resource: Number = 81
    sampler: Sampler | None = None
    seed: int | None = None
    whole: bool = True

    def __post_init__(self) -> None:
        self.check()

    @property
    def scheduler(self) -> Scheduler:
        """Who goes on: everyone."""
        return FullScheduler(self.n, self.max_resource, self.whole)


@dataclass(frozen=True, slots=True)
class AdaptiveSearch(Joined):
    """A coarse random search, then more points around the best ones, in rounds; each with the whole resource.

    Parameters
    ----------
    n : int
        Configurations in all. Each round takes ``n // (2 * rounds)`` of them (at least 1), the coarse search the rest.
    rounds : int, smaller than ``n``
    max_resource, seed, whole : as `Hyperband`
    sampler : AdaptiveSampler, optional
        In place of ``rounds``, with settings of its own.

    Examples
    --------
    >>> AdaptiveSearch(n=20, rounds=3, max_resource=9).plan().cost
    180
    """

    n: int = 64
    rounds: int = 4
    max_resource: Number = 81
    sampler: Sampler | None = None
    seed: int | None = None
    whole: bool = True

    def __post_init__(self) -> None:
        self.check()
        if whole_number(self.rounds, "rounds") >= self.n:
            raise InputError(f"`rounds` must be smaller than `n` ({self.n}); got {self.rounds}.")

    @property
    def scheduler(self) -> Scheduler:
        """Who goes on: everyone."""
        return FullScheduler(self.n, self.max_resource, self.whole)

    def default_sampler(self) -> Sampler:
        """A coarse search and rounds as said."""
        n, rounds = whole_number(self.n, "n"), whole_number(self.rounds, "rounds")
        per_round = max(1, n // (2 * rounds))
        return AdaptiveSampler(n_coarse=n - rounds * per_round, n_per_round=per_round, rounds=rounds)


@dataclass(frozen=True, slots=True)
class GridSearch(AlgorithmBase):
    """Evenly spaced points of the space, each with the whole resource; log axes are spaced in the logarithm.

    Parameters
    ----------
    points_per_axis : int or mapping of parameter name to int, optional
        Points on every axis, or on each by name; 3 when neither this nor ``n`` is given.
    max_resource : number
    n : int, optional
        Instead: as many points on every axis as give a grid of at most ``n`` configurations, and then one more on each
        axis that allows it, in the order of the space. (In many dimensions a grid is mostly one or two points wide.)
    seed, whole : as `Hyperband`; a grid draws nothing, the seed is for the evaluator

    Raises
    ------
    InputError
        When a value breaks one of these rules, or the smallest grid of the space has more than ``n`` configurations.
    """

    points_per_axis: int | Mapping[str, int] | None = None
    max_resource: Number = 81
    n: int | None = None
    seed: int | None = None
    whole: bool = True

    def __post_init__(self) -> None:
        check(None, self.seed)
        FullScheduler(1, self.max_resource, self.whole)
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
        return FullScheduler(_count(self._sampler(space), space), self.max_resource, self.whole).plan()

    def start(self, space: Space, seed: int | None = None) -> Run:
        """A fresh run; ``seed`` overrules the seed of the settings."""
        sampler = self._sampler(space)
        scheduler = FullScheduler(_count(sampler, space), self.max_resource, self.whole)
        return Run(space, scheduler, sampler, seed_of(seed, self.seed))

    def _sampler(self, space: Space) -> GridSampler:
        check_space(space)
        if self.n is None:
            return GridSampler(3 if self.points_per_axis is None else self.points_per_axis)
        limit = whole_number(self.n, "n")
        if _count(GridSampler(1), space, limit) > limit:
            raise InputError(f"`n` must allow at least one point on every axis of the space; got {self.n}.")
        # Doubling before halving the interval: a grid far larger than the limit is never laid out.
        low, high = 1, 2
        while high <= limit and _count(GridSampler(high), space, limit) <= limit:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _count(GridSampler(middle), space, limit) <= limit else (low, middle)
        points = dict.fromkeys(space.names, low)
        for name in space.names:
            more = {**points, name: low + 1}
            points = more if _count(GridSampler(more), space, limit) <= limit else points
        return GridSampler(points)


def _count(sampler: Sampler, space: Space, limit: int | None = None) -> int:
    """Configurations that a sampler proposes before it is exhausted; counting stops once there are more than limit."""
    proposer, total, chunk = sampler.start(space, 0), 0, 1024
    while not proposer.exhausted and (limit is None or total <= limit):
        found = len(proposer.propose(range(total, total + chunk)))
        total += found
        if found < chunk:
            break
    return total
