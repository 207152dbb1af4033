"""The states of paused trials, in memory."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from hyperband.evaluation.functions.evaluation import Outcome
from hyperband.evaluation.interrupts import is_from_outside


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


class StateMemory:
    """States by trial.

    A state is taken out while its trial is evaluated, and put back only if the call succeeds: a call that failed may
    have left it half changed.

    Examples
    --------
    >>> states = StateMemory()
    >>> states.keep(3, ({"weights": [1.0]},))
    >>> states.copy(3, 7)
    >>> states.take(3), states.take(3), states.take(7)
    (({'weights': [1.0]},), None, ({'weights': [1.0]},))
    """

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}

    def take(self, trial: int) -> Held | None:
        """Take out the state of a trial."""
        return self._held.pop(trial, None)

    def keep(self, trial: int, held: Held) -> None:
        """Put back the state of a trial."""
        self._held[trial] = held

    def copy(self, parent: int, trial: int) -> None:
        """Give a trial a deep copy of the state of another, if that has one.

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
        except BaseException as error:  # the user's objects can do anything when they are copied
            if is_from_outside(error):
                raise
            raise TypeError(f"the state of trial {parent} cannot be copied: {error}") from error

    def release(self, trials: Iterable[int]) -> None:
        """Forget the states of trials; paused generators are closed."""
        for trial in trials:
            held = self._held.pop(trial, None)
            if isinstance(held, Paused):
                try:
                    held.generator.close()
                except BaseException as error:  # in code after a `yield`: it concerns no trial any more
                    if is_from_outside(error):
                        raise

    def close(self) -> None:
        """Forget everything."""
        self.release([*self._held])
