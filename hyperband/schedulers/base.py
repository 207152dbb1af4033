"""What every scheduler offers: a frozen recipe with an exact plan, and a stateful allocation of resource."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from hyperband.schedule import Plan


class Slot(NamedTuple):
    """One evaluation to be done: trial ids, resources and places, never a configuration."""

    trial: int
    bracket: int
    rung: int
    resource: float
    previous: float = 0
    parent: int | None = None  #: the trial starts as a copy of this one


class Allocation(Protocol):
    """One run of a scheduler."""

    @property
    def done(self) -> bool:
        """Nothing is open and nothing will be handed out."""

    def ask(self, n: int | None = None) -> list[Slot]:
        """Up to ``n`` evaluations that can start now (None: all of them). New trials get the next free ids."""

    def tell(self, trial: int, rung: int, loss: float) -> None:
        """The loss of an evaluation that was handed out; NaN ranks last and is never promoted."""

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

    def plan(self) -> Plan:
        """The exact table of brackets and rungs."""

    def start(self) -> Allocation:
        """A fresh allocation."""
