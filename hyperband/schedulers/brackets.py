"""Carries out a plan: brackets side by side, each rung promoted when all of its losses are in."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate
from typing import Any

from hyperband.errors import InputError
from hyperband.rungs import RungTable
from hyperband.schedule import Bracket, Plan, as_float
from hyperband.schedulers.base import Slot


class BracketAllocation:
    """One run over a `Plan`. Trials are numbered bracket after bracket, so who is who never depends on arrival.

    Parameters
    ----------
    plan : Plan

    Notes
    -----
    All brackets are open at once: nothing that can start has to wait for another bracket. A rung promotes when its
    last loss is in: as many as the next rung holds, ties by trial number, NaN and infinite losses never. When a
    bracket comes up short (exhausted space, failed trials) its later rungs hold what is there, and it still ends.
    """

    def __init__(self, plan: Plan) -> None:
        firsts = [0, *accumulate(bracket.n_configurations for bracket in plan.brackets)]
        self._brackets = [_Halving(b, first) for b, first in zip(plan.brackets, firsts[:-1], strict=True)]
        self._firsts, self._end = firsts[:-1], firsts[-1]
        self._dropped: list[int] = []

    @property
    def done(self) -> bool:
        """Nothing is open and nothing will be handed out."""
        return all(bracket.closed for bracket in self._brackets)

    def ask(self, n: int | None = None) -> list[Slot]:
        """Up to ``n`` evaluations that can start now, promoted trials first, new ones in the order of their numbers."""
        slots: list[Slot] = []
        for promoted in (True, False):
            for k, bracket in enumerate(self._brackets):
                if (bracket.rung > 0) is promoted:
                    slots += bracket.ask(k, None if n is None else n - len(slots))
        return slots

    def tell(self, trial: int, rung: int, loss: float) -> None:
        """The loss of an evaluation that was handed out; NaN and infinity rank last and are never promoted."""
        self._dropped += self._find(trial).tell(trial, rung, loss)

    def withdraw(self, trials: list[int]) -> None:
        """Forget new trials that could not be given a configuration; no bracket starts further ones."""
        for bracket in self._brackets:
            bracket.to_start = 0
        grouped: dict[int, list[int]] = {}
        for trial in trials:
            grouped.setdefault(bisect_right(self._firsts, trial) - 1, []).append(trial)
        for k, bracket in enumerate(self._brackets):
            self._dropped += bracket.withdraw(grouped.get(k, []))

    def dropped(self) -> list[int]:
        """Trials that will never go on, each named once, since the last call; ascending."""
        gone, self._dropped = sorted(self._dropped), []
        return gone

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        return {"brackets": [bracket.state_dict() for bracket in self._brackets], "dropped": sorted(self._dropped)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken, of an allocation with the same plan."""
        if len(state["brackets"]) != len(self._brackets):
            raise InputError(
                f"The state must be of a plan with {len(self._brackets)} brackets; got {len(state['brackets'])}. "
                "Start the algorithm with the settings that the state was saved under."
            )
        for bracket, saved in zip(self._brackets, state["brackets"], strict=True):
            bracket.load_state_dict(saved)
        self._dropped = list(state["dropped"])

    def _find(self, trial: int) -> _Halving:
        if not 0 <= trial < self._end:
            raise InputError(f"A loss must be of a trial from 0 to {self._end - 1}; got trial {trial}.")
        return self._brackets[bisect_right(self._firsts, trial) - 1]


class _Halving:
    """One bracket on its way: the table of its current rung, and what is still to be handed out of it."""

    __slots__ = ("_bracket", "_first", "closed", "handed", "rung", "table", "to_start")

    def __init__(self, bracket: Bracket, first: int) -> None:
        self._bracket, self._first = bracket, first
        self.rung = 0
        self.table = RungTable()
        self.to_start = bracket.n_configurations  #: new trials not yet handed out
        self.handed = 0  #: of rung 0: numbers used so far, withdrawn ones too; later: rows of the table
        self.closed = False

    def ask(self, k: int, n: int | None) -> list[Slot]:
        available = self.to_start if self.rung == 0 else len(self.table) - self.handed
        count = available if n is None else max(0, min(n, available))
        if count == 0 or self.closed:
            return []
        start, self.handed = self.handed, self.handed + count
        previous: float
        if self.rung == 0:
            fresh = range(self._first + start, self._first + self.handed)
            self.table.extend(fresh)
            self.to_start -= count
            trials, previous = list(fresh), 0
        else:
            trials = self.table.trials[start : self.handed].tolist()
            previous = as_float(self._bracket.rungs[self.rung - 1].r)
        resource = as_float(self._bracket.rungs[self.rung].r)
        return [Slot(trial, k, self.rung, resource, previous) for trial in trials]

    def tell(self, trial: int, rung: int, loss: float) -> list[int]:
        """Enter a loss; returns the trials that this drops."""
        if rung != self.rung:
            raise InputError(f"A loss of trial {trial} must be of the open rung {self.rung}; got rung {rung}.")
        if self.rung > 0 and self.table.find(trial) >= self.handed:
            raise InputError(f"A loss must be of a trial that was handed out in this rung; got trial {trial}.")
        self.table.record(trial, loss)
        last = self.rung == len(self._bracket.rungs) - 1
        gone = [trial] if last or not math.isfinite(loss) else []
        return gone + self._advance()

    def withdraw(self, trials: list[int]) -> list[int]:
        """Forget new trials; returns the trials that this drops, when it completes the rung."""
        if trials:
            if self.rung > 0:
                raise InputError(f"Only new trials can be withdrawn; trial {trials[0]} is in rung {self.rung}.")
            self.table.discard(trials)
        return self._advance() if self.rung == 0 else []

    def _advance(self) -> list[int]:
        """Promote when the rung is complete; returns the trials that this drops."""
        if self.closed or self.to_start > 0 or not self.table.complete:
            return []
        if self.rung == len(self._bracket.rungs) - 1:
            self._close()
            return []
        survivors = self.table.survivors(self._bracket.rungs[self.rung + 1].n)
        gone = sorted(set(self.table.finite()) - set(survivors))
        self.table, self.handed = RungTable(sorted(survivors)), 0
        self.rung += 1
        if not survivors:
            self._close()
        return gone

    def _close(self) -> None:
        self.closed, self.table, self.to_start = True, RungTable(), 0

    def state_dict(self) -> dict[str, Any]:
        return {
            "rung": self.rung,
            "to_start": self.to_start,
            "handed": self.handed,
            "closed": self.closed,
            "table": self.table.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rung, self.to_start, self.handed = state["rung"], state["to_start"], state["handed"]
        self.closed, self.table = state["closed"], RungTable.from_state(state["table"])
