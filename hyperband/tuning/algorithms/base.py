"""What every algorithm is: a sampler (who is tried) joined with a scheduler (who goes on)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

from hyperband._common.checks import whole_number
from hyperband.errors import InputError
from hyperband.tuning.plans import Plan
from hyperband.tuning.run.run import Run
from hyperband.tuning.samplers.random import RandomSampler
from hyperband.tuning.schedulers.base import Scheduler

if TYPE_CHECKING:
    from hyperband.space import Space
    from hyperband.tuning.samplers.base import Sampler


class Algorithm(Protocol):
    """What ``hb.search`` and ``hb.minimize`` take: frozen settings that start a run on a space."""

    def plan(self, space: Space | None = None) -> Plan:
        """The exact table of brackets and rungs; only a grid needs the space to know it."""

    def start(self, space: Space, seed: int | None = None) -> Run:
        """A fresh run. ``seed`` overrules the seed of the settings; 0 when neither is given."""


class Joined(ABC):
    """A scheduler that does not depend on the space, and a sampler: how such algorithms plan and start."""

    __slots__ = ()
    sampler: Sampler | None
    seed: int | None

    @property
    @abstractmethod
    def scheduler(self) -> Scheduler:
        """Who goes on."""

    def default_sampler(self) -> Sampler:
        """Who is tried when no sampler is given."""
        return RandomSampler()

    def check(self) -> None:
        """Refuse settings that cannot be carried out; `InputError` names the rule."""
        check(self.sampler, self.seed)
        self.plan()

    def plan(self, space: Space | None = None) -> Plan:
        """The exact table of brackets and rungs."""
        return self.scheduler.plan()

    def start(self, space: Space, seed: int | None = None) -> Run:
        """A fresh run; ``seed`` overrules the seed of the settings."""
        check_space(space)
        return Run(space, self.scheduler, self.sampler or self.default_sampler(), seed_of(seed, self.seed))


def check(sampler: Sampler | None, seed: int | None) -> None:
    """`InputError` unless these can be a sampler and a seed."""
    if isinstance(sampler, type) or (sampler is not None and not hasattr(sampler, "start")):
        raise InputError(f"`sampler` must be a sampler object such as RandomSampler(); got {sampler!r}.")
    if seed is not None:
        whole_number(seed, "seed", 0)


def check_space(space: Space) -> None:
    """`InputError` unless this can be a space."""
    if isinstance(space, type) or not hasattr(space, "n_dimensions"):
        raise InputError(f"`space` must be a Space such as Space({{'x': Float(0.0, 1.0)}}); got {space!r}.")


def seed_of(given: int | None, own: int | None) -> int:
    """The seed of a run: the given one, else the algorithm's, else 0."""
    return next((seed for seed in (given, own) if seed is not None), 0)
