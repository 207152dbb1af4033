"""What every scheduler offers: frozen settings with an exact plan, and a stateful allocation of resource."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hyperband._common.checks import Number, as_float, exact, whole_number
from hyperband.errors import InputError
from hyperband.tuning.plans import Plan
from hyperband.tuning.settings import Settings
from hyperband.tuning.trial import Loss

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


#: A bracket of a sequence: (n, min_resource) or (n, min_resource, max_resource).
Size = tuple[int, Number] | tuple[int, Number, Number]


class Slot(NamedTuple):
    """One evaluation to be done: trial, bracket, rung and resources, never a configuration."""

    trial: int
    bracket: int
    rung: int
    resource: float
    previous: float = 0
    parent: int | None = None  #: the trial starts as a copy of this one

    @property
    def begins(self) -> bool:
        """A new trial, whose configuration the sampler proposes."""
        return self.previous == 0 and self.parent is None


def slots_of(
    trials: Iterable[int], brackets: Iterable[int], rungs: Iterable[int], resources: Iterable[float],
    previous: Iterable[float],
) -> list[Slot]:  # fmt: skip
    """Many slots, in half of the time that a call for each takes."""
    return list(map(_slot, zip(trials, brackets, rungs, resources, previous, repeat(None))))


_slot = partial(tuple.__new__, Slot)


def slot_from(row: Sequence[Any]) -> Slot:
    """A slot as ``list(slot)`` wrote it; `InputError` when a number is out of its range."""
    trial, bracket, rung, resource, previous, parent = row
    numbers = [whole_number(number, "a number of the state", 0) for number in (trial, bracket, rung)]
    after, before = (as_float(exact(value, "a resource of the state")) for value in (resource, previous))
    if max(numbers) >= 2**31 or not 0 <= before < after:
        raise InputError(f"The state must have evaluations that add resource; got {list(row)!r}.")
    start = None if parent is None else whole_number(parent, "a parent of the state", 0)
    return Slot(numbers[0], numbers[1], numbers[2], resource, previous, start)


class Allocation(Protocol):
    """One run of a scheduler."""

    @property
    def done(self) -> bool:
        """Nothing is open and nothing will be handed out."""

    def ask(self, n: int | None = None, new: bool = True) -> list[Slot]:
        """Up to ``n`` evaluations that can start now. New trials get the next free ids.

        ``n=None``: all of them; of an endless supply as many as keep a round of it open. ``new=False``: only those of
        trials that have begun.
        """

    def tell(self, trial: int, rung: int, loss: Loss) -> None:
        """The loss of an evaluation that was handed out; NaN ranks last and is never promoted."""

    def tell_all(self, identities: I64, losses: F64) -> None:
        """Many losses of evaluations that were handed out; the run has checked that they are open.

        ``identities``: trial, bracket and rung, shape (3, n); ``losses``: shape (n,), or (n, n_objectives).
        """

    def withdraw(self, trials: list[int]) -> None:
        """New trials that could not be given a configuration (exhausted space): forget them, promise no more."""

    def dropped(self) -> list[int]:
        """Trials that will never continue, each named once, since the last call."""

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""


def tell_each(allocation: Allocation, identities: I64, losses: F64) -> None:
    """`Allocation.tell_all` one by one."""
    rows = losses.tolist()
    for (trial, _, rung), loss in zip(identities.T.tolist(), rows, strict=True):
        allocation.tell(trial, rung, tuple(loss) if isinstance(loss, list) else loss)


class Scheduler(Protocol):
    """Promotion: frozen settings."""

    @property
    def synchronous(self) -> bool:
        """What is run does not depend on the order in which losses arrive."""

    def plan(self) -> Plan:
        """The exact table of brackets and rungs."""

    def start(self, one_by_one: bool = False) -> Allocation:
        """A fresh allocation; ``one_by_one``: no bracket begins before the one before has ended."""


@runtime_checkable
class ExtensibleScheduler(Protocol):
    """A scheduler to whose plan brackets can be added."""

    def extended(self, brackets: Iterable[Size]) -> Self:
        """The same settings with further brackets at the end."""

    def plan(self) -> Plan:
        """The exact table of brackets and rungs."""


@runtime_checkable
class ExtensibleAllocation(Protocol):
    """Likewise a run of it."""

    def extend(self, plan: Plan) -> None:
        """Continue by a plan that begins with the present one."""


@dataclass(frozen=True, slots=True)
class RungScheduler(Settings, ABC):
    """The settings of schedulers whose rungs are a factor ``eta`` apart: ``max_resource, eta``, others by name."""

    max_resource: Number
    eta: Number = 3
    _: KW_ONLY
    min_resource: Number = 1
    whole: bool = True

    def __post_init__(self) -> None:
        self.plan()

    @abstractmethod
    def plan(self) -> Plan:
        """The exact table of brackets and rungs."""

    @abstractmethod
    def start(self, one_by_one: bool = False) -> Allocation:
        """A fresh allocation."""
