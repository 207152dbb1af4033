"""What every scheduler offers: a frozen recipe with an exact plan, and a stateful allocation of resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from hyperband.schedule import Plan
from hyperband.trial import Loss


class Slot(NamedTuple):
    """One evaluation to be done: trial ids, resources and places, never a configuration."""

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

    def tell_all(self, slots: Sequence[Slot], losses: Sequence[Loss]) -> None:
        """Many losses of evaluations that were handed out; the run has checked that they are open."""

    def withdraw(self, trials: list[int]) -> None:
        """New trials that could not be given a configuration (exhausted space): forget them, promise no more."""

    def dropped(self) -> list[int]:
        """Trials that will never go on, each named once, since the last call."""

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""


class Scheduler(Protocol):
    """Who goes on: frozen settings."""

    @property
    def synchronous(self) -> bool:
        """What is run does not depend on the order in which losses arrive."""

    def plan(self) -> Plan:
        """The exact table of brackets and rungs."""

    def start(self, one_by_one: bool = False) -> Allocation:
        """A fresh allocation; ``one_by_one``: no bracket begins before the one before has ended."""
