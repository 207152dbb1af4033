"""What paused trials have, in memory."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from hyperband.evaluation.functions.evaluation import Outcome


@dataclass(slots=True)
class Paused:
    """A generator between two rungs."""

    generator: Generator[Any, None, Any]
    n_yielded: int = 0
    last: Outcome | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """In place of a state: why there is none."""

    why: str


#: A state in a tuple (it may be None), a generator, or neither.
Held: TypeAlias = tuple[Any] | Paused | Broken


class States:
    """States by trial.

    A state is taken out while its trial is at work, and comes back only if the call succeeds: what a call that failed
    has left of it cannot be trusted.

    Examples
    --------
    >>> states = States()
    >>> states.keep(3, ({"weights": [1.0]},))
    >>> states.copy(3, 7)
    >>> states.take(3), states.take(3), states.take(7)
    (({'weights': [1.0]},), None, ({'weights': [1.0]},))
    """

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}

    def take(self, trial: int) -> Held | None:
        """What a trial has; it has nothing afterwards."""
        return self._held.pop(trial, None)

    def keep(self, trial: int, held: Held) -> None:
        """Put back what a trial has."""
        self._held[trial] = held

    def copy(self, parent: int, trial: int) -> None:
        """Let a trial start as a deep copy of what another one has, if it has anything.

        Raises
        ------
        TypeError
            When it cannot be copied.
        """
        held = self._held.get(parent)
        if held is None:
            return
        try:
            if isinstance(held, Paused):
                raise TypeError("a generator cannot be copied: use objective(configuration, resource, state)")
            self._held[trial] = copy.deepcopy(held)
        except Exception as error:  # the user's objects can do anything when they are copied
            raise TypeError(f"the state of trial {parent} cannot be copied: {error}") from error

    def release(self, trials: Iterable[int]) -> None:
        """Forget the states of trials; paused generators are closed."""
        for trial in trials:
            held = self._held.pop(trial, None)
            if isinstance(held, Paused):
                with suppress(Exception):  # code after a `yield` that fails has no trial left to cost
                    held.generator.close()

    def close(self) -> None:
        """Forget everything."""
        self.release([*self._held])
