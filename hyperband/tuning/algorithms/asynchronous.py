"""Asynchronous early stopping: ASHA, asynchronous Hyperband, PASHA. Nobody waits for a rung to fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperband._common.checks import Number
from hyperband.tuning.algorithms.base import Joined
from hyperband.tuning.schedulers import ASHAScheduler, AsyncHyperbandScheduler, PASHAScheduler
from hyperband.tuning.schedulers.base import Scheduler

if TYPE_CHECKING:
    from hyperband.tuning.samplers.base import Sampler


@dataclass(frozen=True, slots=True)
class ASHA(Joined):
    """Asynchronous successive halving, by promotion (Li et al., MLSys 2020, Algorithm 2).

    A trial goes on as soon as it is among the best 1/eta of its rung; the others stay paused and may still be promoted.
    What is run depends on the order in which losses arrive.

    Parameters
    ----------
    max_resource : number, R
    eta : number > 1
    min_resource : number
        Resource of the lowest rung: the paper's early-stopping rate s is 0 for it, and grows with it.
    n : int or None
        New configurations in all; None: without end, until a budget is spent.
    sampler : Sampler, optional
        Who is tried; uniformly random when not given.
    seed : int, optional
    whole : bool
        Whole amounts of resource only.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> ASHA(max_resource=27, n=40).plan().n_evaluations  # at least
    58
    """

    max_resource: Number = 81
    eta: Number = 3
    min_resource: Number = 1
    n: int | None = None
    sampler: Sampler | None = None
    seed: int | None = None
    whole: bool = True

    def __post_init__(self) -> None:
        self.check()

    @property
    def scheduler(self) -> Scheduler:
        """Who goes on."""
        return ASHAScheduler(self.max_resource, self.eta, self.n, self.min_resource, self.whole)


@dataclass(frozen=True, slots=True)
class AsyncHyperband(Joined):
    """Asynchronous Hyperband: ASHA in every bracket of Hyperband, new configurations going to them in turn.

    ``repetitions``: how often all brackets take as many configurations as those of `Hyperband`; None: until a budget is
    spent. Other parameters and errors as `ASHA` (Li et al., MLSys 2020, section 3.2).

    Examples
    --------
    >>> AsyncHyperband(max_resource=81).plan().n_configurations
    143
    """

    max_resource: Number = 81
    eta: Number = 3
    min_resource: Number = 1
    sampler: Sampler | None = None
    seed: int | None = None
    whole: bool = True
    repetitions: int | None = 1

    def __post_init__(self) -> None:
        self.check()

    @property
    def scheduler(self) -> Scheduler:
        """Who goes on."""
        return AsyncHyperbandScheduler(self.max_resource, self.eta, self.min_resource, self.whole, self.repetitions)


@dataclass(frozen=True, slots=True)
class PASHA(Joined):
    """Progressive ASHA: the highest rung rises only while the ranking of the leaders is not settled.

    Bohdal, Balles, Wistuba, Ermis, Archambeau, Zappella, ICLR 2023. ``epsilon``: losses that differ by no more count
    as equal; None: estimated from learning curves that cross. Other parameters and errors as `ASHA`.

    Examples
    --------
    >>> PASHA(max_resource=81, n=27).plan().max_resource
    81
    """

    max_resource: Number = 81
    eta: Number = 3
    min_resource: Number = 1
    n: int | None = None
    sampler: Sampler | None = None
    seed: int | None = None
    whole: bool = True
    epsilon: float | None = None

    def __post_init__(self) -> None:
        self.check()

    @property
    def scheduler(self) -> Scheduler:
        """Who goes on."""
        return PASHAScheduler(self.max_resource, self.eta, self.n, self.min_resource, self.whole, self.epsilon)
