"""Synchronous early stopping: successive halving, brackets of it in sequence, and Hyperband."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from hyperband._common.checks import Number
from hyperband.tuning.algorithms.base import BracketAlgorithm, SchedulerAlgorithm, scheduler_of
from hyperband.tuning.schedulers import (
    HalvingSequenceScheduler,
    HyperbandScheduler,
    SuccessiveHalvingScheduler,
)
from hyperband.tuning.schedulers.base import Scheduler, Size
from hyperband.tuning.settings import register


@register
@dataclass(frozen=True, slots=True)
class Hyperband(BracketAlgorithm):
    """Hyperband: brackets of successive halving, from many briefly trained configurations to few fully trained ones.

    Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar, JMLR 18.1 (2017), Algorithm 1.

    Parameters
    ----------
    max_resource : number, R
        The most that a single configuration gets, for instance 81 epochs.
    eta : number > 1
        One in ``eta`` is promoted from a rung, with ``eta`` times the resource.
    min_resource : number
        The resource of the lowest rung is at least this.
    sampler : Sampler, optional
        What proposes configurations; uniformly random when not given.
    seed : int, optional
    variant : {"algorithm1", "table1", "ceil"}, see `hyperband.tuning.plans.hyperband_plan`
    whole : bool
        Resources are whole numbers only (epochs, rows); False allows fractions.
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

    _: KW_ONLY
    variant: str = "algorithm1"

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler with these settings."""
        return scheduler_of(HyperbandScheduler, self)


@register
@dataclass(frozen=True, slots=True)
class SuccessiveHalving(BracketAlgorithm):
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

    _: KW_ONLY
    n: int | None = None
    aggressive: bool = False
    variant: str = "algorithm1"

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler with these settings."""
        return scheduler_of(SuccessiveHalvingScheduler, self)


@register
@dataclass(frozen=True, slots=True)
class HalvingSequence(SchedulerAlgorithm):
    """Brackets of successive halving one after another, each with its own number of configurations.

    What a search with nothing but a time limit runs: it decides the size of each bracket when the one before has ended.
    The result's ``algorithm`` lists what was decided, so that the same search can be run again without a clock.

    Parameters
    ----------
    max_resource, eta, sampler, seed, whole : as `Hyperband`
    brackets : sequence of (n, min_resource) or (n, min_resource, max_resource), one a bracket
        Its configurations, and the resource of its lowest rung and of its highest one: ``max_resource`` when not given,
        and in one bracket at least. Schedules of networks end with the highest rung of their bracket.

    Raises
    ------
    InputError
        When a value breaks a rule of `hyperband.tuning.plans.successive_halving_plan`.

    Examples
    --------
    >>> HalvingSequence(27, brackets=[(9, 3), (2, 27), (6, 1, 3)]).plan().cost
    127
    """

    eta: Number = 3
    _: KW_ONLY
    brackets: Sequence[Size] = ((27, 1),)

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler with these settings."""
        return scheduler_of(HalvingSequenceScheduler, self)
