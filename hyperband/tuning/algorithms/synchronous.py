"""Synchronous early stopping: successive halving and Hyperband."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperband._common.checks import Number
from hyperband.tuning.algorithms.base import Joined
from hyperband.tuning.schedulers import HyperbandScheduler, SuccessiveHalvingScheduler
from hyperband.tuning.schedulers.base import Scheduler

if TYPE_CHECKING:
    from hyperband.tuning.samplers.base import Sampler


@dataclass(frozen=True, slots=True)
class Hyperband(Joined):
    """Hyperband: brackets of successive halving, from many briefly trained configurations to few fully trained ones.

    Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar, JMLR 18.1 (2017), Algorithm 1.

    Parameters
    ----------
    max_resource : number, R
        The most that a single configuration gets, for instance 81 epochs.
    eta : number > 1
        One in ``eta`` goes on from a rung, with ``eta`` times the resource.
    min_resource : number
        The least that a configuration is judged on.
    sampler : Sampler, optional
        Who is tried; uniformly random when not given.
    seed : int, optional
    variant : {"algorithm1", "table1", "ceil"}, see `hyperband.tuning.plans.hyperband_plan`
    whole : bool
        Whole amounts of resource only (epochs, rows); False allows fractions.
    repetitions : int or None
        Times that all brackets are run, with new configurations; None: until a budget is spent.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> plan = Hyperband(max_resource=81, eta=3).plan()
    >>> plan.n_configurations, plan.n_evaluations, plan.cost
    (143, 206, 1581)
    """

    max_resource: Number = 81
    eta: Number = 3
    min_resource: Number = 1
    sampler: Sampler | None = None
    seed: int | None = None
    variant: str = "algorithm1"
    whole: bool = True
    repetitions: int | None = 1

    def __post_init__(self) -> None:
        self.check()

    @property
    def scheduler(self) -> Scheduler:
        """Who goes on."""
        return HyperbandScheduler(
            self.max_resource, self.eta, self.min_resource, self.variant, self.whole, self.repetitions
        )


@dataclass(frozen=True, slots=True)
class SuccessiveHalving(Joined):
    """Successive halving: one bracket (Jamieson & Talwalkar, AISTATS 2016).

    Without ``n`` there are eta^s configurations, R / eta^s >= min_resource: the classical R = eta^s. With
    ``aggressive=True`` more of them than a bracket can halve are dropped at the least resource (aggressive
    elimination). ``variant``: "algorithm1" or "ceil". Other parameters and errors as `Hyperband`; the rules are those
    of `hyperband.tuning.plans.successive_halving_plan`.

    Examples
    --------
    >>> [(rung.n, rung.r) for rung in SuccessiveHalving(81, 3, n=40).plan().brackets[0].rungs]
    [(40, 3), (13, 9), (4, 27), (1, 81)]
    """

    max_resource: Number = 81
    eta: Number = 3
    n: int | None = None
    min_resource: Number = 1
    sampler: Sampler | None = None
    seed: int | None = None
    whole: bool = True
    repetitions: int | None = 1
    aggressive: bool = False
    variant: str = "algorithm1"

    def __post_init__(self) -> None:
        self.check()

    @property
    def scheduler(self) -> Scheduler:
        """Who goes on."""
        return SuccessiveHalvingScheduler(
            self.max_resource,
            self.eta,
            self.n,
            self.min_resource,
            self.whole,
            self.repetitions,
            self.aggressive,
            self.variant,
        )
