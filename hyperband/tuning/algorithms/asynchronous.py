"""Asynchronous early stopping: ASHA, asynchronous Hyperband, PASHA. No trial waits for a rung to fill."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from hyperband.tuning.algorithms.base import BracketAlgorithm, RungAlgorithm, scheduler_of
from hyperband.tuning.schedulers import ASHAScheduler, AsyncHyperbandScheduler, PASHAScheduler
from hyperband.tuning.schedulers.base import Scheduler
from hyperband.tuning.settings import register


@register
@dataclass(frozen=True, slots=True)
class ASHA(RungAlgorithm):
    """Asynchronous successive halving, by promotion (Li et al., MLSys 2020, Algorithm 2).

    A trial is promoted as soon as it is among the best 1/eta of its rung; the others stay paused and may still be
    promoted. What is run depends on the order in which losses arrive.

    Parameters
    ----------
    max_resource : number, R
    eta : number > 1
    min_resource : number
        Resource of the lowest rung: the paper's early-stopping rate s is 0 for it, and grows with it.
    n : int or None
        New configurations in all; None: without end, until a budget is spent.
    sampler : Sampler, optional
        What proposes configurations; uniformly random when not given.
    seed : int, optional
    whole : bool
        Resources are whole numbers only.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> ASHA(max_resource=27, n=40).plan().n_evaluations  # at least
    58
    """

    _: KW_ONLY
    n: int | None = None

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler with these settings."""
        return scheduler_of(ASHAScheduler, self)


@register
@dataclass(frozen=True, slots=True)
class AsyncHyperband(BracketAlgorithm):
    """Asynchronous Hyperband: ASHA in every bracket of Hyperband, new configurations going to them in turn.

    ``repetitions``: how often all brackets take as many configurations as those of `Hyperband`; None: until a budget is
    spent. Other parameters and errors as `ASHA` (Li et al., MLSys 2020, section 3.2).

    Examples
    --------
    >>> AsyncHyperband(max_resource=81).plan().n_configurations
    143
    """

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler with these settings."""
        return scheduler_of(AsyncHyperbandScheduler, self)


@register
@dataclass(frozen=True, slots=True)
class PASHA(RungAlgorithm):
    """Progressive ASHA: the highest rung rises only while the ranking of the leaders is not settled.

    Bohdal, Balles, Wistuba, Ermis, Archambeau, Zappella, ICLR 2023. ``epsilon``: losses that differ by no more count
    as equal; None: estimated from learning curves that cross. Other parameters and errors as `ASHA`.

    Examples
    --------
    >>> PASHA(max_resource=81, n=27).plan().max_resource
    81
    """

    _: KW_ONLY
    n: int | None = None
    epsilon: float | None = None

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler with these settings."""
        return scheduler_of(PASHAScheduler, self)
