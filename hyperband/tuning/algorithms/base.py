"""What every algorithm is: a sampler (who is tried) joined with a scheduler (who goes on)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from hyperband._common.checks import whole_number
from hyperband.errors import InputError
from hyperband.tuning.plans import Plan
from hyperband.tuning.run.run import Run
from hyperband.tuning.samplers.random import RandomSampler
from hyperband.tuning.schedulers.base import Scheduler

if TYPE_CHECKING:
    from hyperband.space import Space
    from hyperband.tuning.samplers.base import Sampler


@runtime_checkable
class Algorithm(Protocol):
    """What ``hb.search`` and ``hb.minimize`` take: frozen settings that start a run on a space.

    `AlgorithmBase` has everything but ``plan`` and ``start``.
    """

    @property
    def seed(self) -> int | None:
        """The seed of the settings, if they have one."""

    @property
    def endless(self) -> bool:
        """Whether only a budget ends the search."""

    @property
    def small_space(self) -> bool:
        """Whether the number of configurations grows so fast with the dimensions that a small default space is due."""

    def changing(self, names: Collection[str]) -> Algorithm:
        """The same algorithm, where a trial that starts as a copy of another changes these parameters at most."""

    def plan(self, space: Space | None = None) -> Plan:
        """The exact table of brackets and rungs; only a grid needs the space to know it."""

    def start(self, space: Space, seed: int | None = None) -> Run:
        """A fresh run. ``seed`` overrules the seed of the settings; 0 when neither is given."""


class AlgorithmBase(ABC):
    """The usual answers of an `Algorithm`: inherit it and write ``plan`` and ``start``."""

    __slots__ = ()
    seed: int | None = None

    @property
    def endless(self) -> bool:
        """Whether only a budget ends the search."""
        return False

    @property
    def small_space(self) -> bool:
        """Whether a small default space is due."""
        return False

    def changing(self, names: Collection[str]) -> Algorithm:
        """The same algorithm: no trial starts as a copy of another."""
        return self

    @abstractmethod
    def plan(self, space: Space | None = None) -> Plan:
        """The exact table of brackets and rungs."""

    @abstractmethod
    def start(self, space: Space, seed: int | None = None) -> Run:
        """A fresh run; ``seed`` overrules the seed of the settings."""


class Joined(AlgorithmBase):
    """A scheduler that does not depend on the space, and a sampler: how such algorithms plan and start."""

    __slots__ = ()
    sampler: Sampler | None

    @property
    @abstractmethod
    def scheduler(self) -> Scheduler:
        """Who goes on."""

    def default_sampler(self) -> Sampler:
        """Who is tried when no sampler is given."""
        return RandomSampler()

    @property
    def endless(self) -> bool:
        """Whether only a budget ends the search."""
        return self.plan().endless

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
