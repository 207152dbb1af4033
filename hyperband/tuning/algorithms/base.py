"""What every algorithm is: a sampler, which proposes configurations, joined with a scheduler, which promotes trials."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from hyperband._common.checks import Number, as_float, exact, whole_number
from hyperband.errors import InputError
from hyperband.tuning.plans import Plan
from hyperband.tuning.run.run import Run
from hyperband.tuning.samplers.random import RandomSampler
from hyperband.tuning.schedulers.base import Scheduler
from hyperband.tuning.settings import Settings

if TYPE_CHECKING:
    from hyperband.space import Space
    from hyperband.tuning.samplers.base import Sampler

S = TypeVar("S")


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

    @property
    def note(self) -> str | None:
        """What somebody who runs it should know of its plan; None where there is nothing to say."""

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

    @property
    def note(self) -> str | None:
        """What somebody who runs it should know of its plan."""
        return None

    @property
    def explore(self) -> Sequence[str] | None:
        """Parameters that change in a copy of a trial; this algorithm makes no copies."""
        return None

    def changing(self, names: Collection[str]) -> Algorithm:
        """The same algorithm: no trial starts as a copy of another."""
        return self

    @abstractmethod
    def plan(self, space: Space | None = None) -> Plan:
        """The exact table of brackets and rungs."""

    @abstractmethod
    def start(self, space: Space, seed: int | None = None) -> Run:
        """A fresh run; ``seed`` overrules the seed of the settings."""


@dataclass(frozen=True, slots=True)
class SettingsAlgorithm(Settings, AlgorithmBase):
    """The settings that all algorithms of this package have: ``max_resource`` first, all others by name."""

    max_resource: Number = 81
    _: KW_ONLY
    seed: int | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class SchedulerAlgorithm(SettingsAlgorithm):
    """A scheduler that does not depend on the space, and a sampler: how such algorithms plan and start."""

    _: KW_ONLY
    sampler: Sampler | None = None

    def __post_init__(self) -> None:
        check(self.sampler, self.seed)
        self.plan()

    @property
    @abstractmethod
    def scheduler(self) -> Scheduler:
        """The scheduler with these settings."""

    def default_sampler(self) -> Sampler:
        """The sampler when none is given."""
        return RandomSampler()

    @property
    def endless(self) -> bool:
        """Whether only a budget ends the search."""
        return self.plan().endless

    def plan(self, space: Space | None = None) -> Plan:
        """The exact table of brackets and rungs."""
        return self.scheduler.plan()

    def start(self, space: Space, seed: int | None = None) -> Run:
        """A fresh run; ``seed`` overrules the seed of the settings."""
        check_space(space)
        sampler = self.default_sampler() if self.sampler is None else self.sampler
        return Run(space, self.scheduler, sampler, seed_of(seed, self.seed), explore=self.explore)


@dataclass(frozen=True, slots=True)
class RungAlgorithm(SchedulerAlgorithm):
    """The settings of algorithms whose rungs are a factor ``eta`` apart: ``max_resource, eta``, others by name."""

    eta: Number = 3
    _: KW_ONLY
    min_resource: Number = 1

    @property
    def note(self) -> str | None:
        """Where the plan is one configuration and nobody has asked for one: nothing is compared.

        Examples
        --------
        >>> from hyperband.tuning.algorithms import Hyperband
        >>> Hyperband(2).note is None, Hyperband(3).note is None
        (False, True)
        """
        if getattr(self, "n", None) is not None or self.endless or self.plan().n_configurations > 1:
            return None
        least = as_float(exact(self.eta, "eta") * exact(self.min_resource, "min_resource"))
        return (
            "The plan has one configuration, which is compared with none: for several, `max_resource` must be at least "
            f"{least:g}, eta times min_resource; got {self.max_resource}."
        )


@dataclass(frozen=True, slots=True)
class BracketAlgorithm(RungAlgorithm):
    """The settings of algorithms that run all brackets of Hyperband ``repetitions`` times (None: without end)."""

    _: KW_ONLY
    repetitions: int | None = 1


def scheduler_of(kind: Callable[..., S], settings: Any, **others: Any) -> S:
    """A scheduler with those of its settings that an algorithm has by the same name.

    Examples
    --------
    >>> from hyperband.tuning.algorithms import ASHA
    >>> from hyperband.tuning.schedulers import ASHAScheduler
    >>> scheduler_of(ASHAScheduler, ASHA(9, n=40)).n
    40
    """
    shared = {field.name for field in fields(kind)} & {field.name for field in fields(settings)}  # type: ignore[arg-type]
    return kind(**{**{name: getattr(settings, name) for name in shared}, **others})


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
