"""Hyperband with samplers that learn: BOHB, DEHB, PriorBand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperband._common.checks import as_float, exact
from hyperband.tuning.algorithms.base import BracketAlgorithm, scheduler_of
from hyperband.tuning.samplers.evolution import EvolutionSampler
from hyperband.tuning.samplers.kde import KDESampler
from hyperband.tuning.samplers.priorband import PriorBandSampler
from hyperband.tuning.schedulers import EvolutionScheduler, HyperbandScheduler
from hyperband.tuning.schedulers.base import Scheduler
from hyperband.tuning.settings import register

if TYPE_CHECKING:
    from hyperband.tuning.samplers.base import Sampler


@register
@dataclass(frozen=True, slots=True)
class BOHB(BracketAlgorithm):
    """Hyperband whose configurations come from kernel density estimates (Falkner, Klein, Hutter 2018).

    Brackets run one after another, so that each learns from those before.

    Parameters
    ----------
    max_resource, eta, min_resource, seed, whole : as `Hyperband`
    sampler : Sampler, optional
        A `hyperband.tuning.samplers.KDESampler` with settings of its own.
    repetitions : int or None
        Times that all brackets are run; None: until a budget is spent.

    Raises
    ------
    InputError
        When a value breaks a rule of `Hyperband`.

    Examples
    --------
    >>> BOHB(max_resource=27).plan().n_evaluations
    69
    """

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler of `Hyperband`."""
        return scheduler_of(HyperbandScheduler, self)

    def default_sampler(self) -> Sampler:
        """The kernel density estimate of the paper."""
        return KDESampler()


@register
@dataclass(frozen=True, slots=True)
class DEHB(BracketAlgorithm):
    """Differential evolution over the brackets of Hyperband (Awad, Mallik, Hutter, IJCAI 2021).

    After a first bracket of successive halving every rung is a new generation, bred from what was best at the next
    lower resource; its trials start from zero. Parameters and errors as `BOHB`; ``sampler``: a
    `hyperband.tuning.samplers.EvolutionSampler` with settings of its own.

    Examples
    --------
    >>> plan = DEHB(max_resource=27).plan()
    >>> plan.n_evaluations, plan.cost
    (69, 396)
    """

    @property
    def scheduler(self) -> Scheduler:
        """Generation after generation."""
        return scheduler_of(EvolutionScheduler, self)

    def default_sampler(self) -> Sampler:
        """DE/rand/1/bin with the factors of the paper."""
        return EvolutionSampler()


@register
@dataclass(frozen=True, slots=True)
class PriorBand(BracketAlgorithm):
    """Hyperband whose configurations come from the user's priors, the incumbent's neighbourhood, and at random.

    Mallik, Bergman, Hvarfner, Stoll, Janowski, Lindauer, Nardi, Hutter, NeurIPS 2023. Priors are part of the space:
    ``Float(1e-4, 1e-1, log=True, default=1e-3, prior="medium")``. Parameters and errors as `BOHB`; ``sampler``: a
    `hyperband.tuning.samplers.PriorBandSampler` with settings of its own.

    Examples
    --------
    >>> PriorBand(max_resource=27).plan().cost
    357
    """

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler of `Hyperband`."""
        return scheduler_of(HyperbandScheduler, self)

    def default_sampler(self) -> Sampler:
        """The mixture of the paper, for this eta."""
        return PriorBandSampler(eta=as_float(exact(self.eta, "eta")))
