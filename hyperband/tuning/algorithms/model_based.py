"""Hyperband with samplers that learn: BOHB, DEHB, PriorBand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hyperband._common.checks import Number, as_float, exact
from hyperband.tuning.algorithms.base import Joined
from hyperband.tuning.samplers.evolution import EvolutionSampler
from hyperband.tuning.samplers.kde import KDESampler
from hyperband.tuning.samplers.priorband import PriorBandSampler
from hyperband.tuning.schedulers import EvolutionScheduler, HyperbandScheduler
from hyperband.tuning.schedulers.base import Scheduler

if TYPE_CHECKING:
    from hyperband.tuning.samplers.base import Sampler


@dataclass(frozen=True, slots=True)
class _Settings(Joined):
    """The settings of all three; see `BOHB`."""

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
        """Who goes on: as Hyperband, or generation after generation."""
        if self._generations:
            return EvolutionScheduler(self.max_resource, self.eta, self.min_resource, self.whole, self.repetitions)
        return HyperbandScheduler(
            self.max_resource, self.eta, self.min_resource, whole=self.whole, repetitions=self.repetitions
        )

    _generations: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class BOHB(_Settings):
    """Hyperband whose configurations come from kernel densities of good and bad ones (Falkner, Klein, Hutter 2018).

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

    def default_sampler(self) -> Sampler:
        """The densities of the paper."""
        return KDESampler()


@dataclass(frozen=True, slots=True)
class DEHB(_Settings):
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

    _generations: ClassVar[bool] = True

    def default_sampler(self) -> Sampler:
        """DE/rand/1/bin with the factors of the paper."""
        return EvolutionSampler()


@dataclass(frozen=True, slots=True)
class PriorBand(_Settings):
    """Hyperband whose configurations come from the user's priors, the incumbent's neighbourhood, and at random.

    Mallik, Bergman, Hvarfner, Stoll, Janowski, Lindauer, Nardi, Hutter, NeurIPS 2023. Priors are part of the space:
    ``Float(1e-4, 1e-1, log=True, default=1e-3, prior="medium")``. Parameters and errors as `BOHB`; ``sampler``: a
    `hyperband.tuning.samplers.PriorBandSampler` with settings of its own.

    Examples
    --------
    >>> PriorBand(max_resource=27).plan().cost
    357
    """

    def default_sampler(self) -> Sampler:
        """The mixture of the paper, for this eta."""
        return PriorBandSampler(eta=as_float(exact(self.eta, "eta")))
