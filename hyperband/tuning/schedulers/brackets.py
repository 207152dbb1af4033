"""Carries out a plan: brackets side by side, each rung promoted when all of its losses are in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from hyperband._common.checks import as_float, whole_number
from hyperband.errors import InputError
from hyperband.tuning.plans import Bracket, Plan
from hyperband.tuning.schedulers.base import F64, I64, Slot, tell_each
from hyperband.tuning.schedulers.rung_table import RungTable
from hyperband.tuning.trial import Loss, is_finite


class BracketAllocation:
    """One run over the brackets of a `Plan`. Trials are numbered bracket after bracket, so that a trial's
    number never depends on the order of arrival.

    Parameters
    ----------
    plan : Plan
        An endless one begins again at its end.
    one_by_one : bool
        No bracket begins before the previous one has ended (for samplers that learn). Else no evaluation waits for
        another bracket; only ``ask(None)`` of an endless plan begins no repetition before the previous one has ended.
    later : callable (bracket) -> bracket, optional
        What replaces every bracket but the first.

    Notes
    -----
    A rung promotes when its last loss is in: as many as the next rung holds, ties by trial number, NaN and infinite
    losses never. A rung of new trials opens when the one below is complete. When a bracket has fewer trials than
    planned (exhausted space, failed trials) its later rungs hold those that there are, and it still ends.
    """

    def __init__(self, plan: Plan, one_by_one: bool = False, later: Callable[[Bracket], Bracket] | None = None) -> None:
        self._plan, self._one_by_one, self._later = plan, one_by_one, later
        self._live: dict[int, _Halving] = {}  # brackets that have begun and not ended
        self._firsts: list[int] = []  # first trial of every bracket that has begun
        self._end = 0
        self._exhausted = False
        self._dropped: list[int] = []

    @property
    def done(self) -> bool:
        """Nothing is open and nothing will be handed out."""
        return not self._live and not self._more()

    def ask(self, n: int | None = None, new: bool = True) -> list[Slot]:
        """Up to ``n`` evaluations that can start now, promoted trials first, new ones in the order of their numbers."""
        slots: list[Slot] = []
        for fresh in (False, True) if new else (False,):
            for k, bracket in self._live.items():
                if bracket.fresh is fresh and (n is None or len(slots) < n):
                    slots += bracket.ask(k, None if n is None else n - len(slots))
        while new and (n is None or len(slots) < n) and self._may_begin(n):
            k = self._begin()
            slots += self._live[k].ask(k, None if n is None else n - len(slots))
        return slots

    def tell(self, trial: int, rung: int, loss: Loss) -> None:
        """The loss of an evaluation that was handed out; NaN and infinity rank last and are never promoted."""
        if not 0 <= trial < self._end:
            raise InputError(f"A loss must be of a trial from 0 to {self._end - 1}; got trial {trial}.")
        k = bisect_right(self._firsts, trial) - 1
        if k not in self._live:
            raise InputError(f"A trial must be told once a rung; got trial {trial} again.")
        self._dropped += self._live[k].tell(trial, rung, loss)
        self._forget(k)

    def tell_all(self, identities: I64, losses: F64) -> None:
        """Many losses of evaluations that were handed out."""
        tell_each(self, identities, losses)

    def withdraw(self, trials: list[int]) -> None:
        """Forget new trials that could not be given a configuration; no bracket starts further ones."""
        self._exhausted = True
        grouped: dict[int, list[int]] = {}
        for trial in trials:
            grouped.setdefault(bisect_right(self._firsts, trial) - 1, []).append(trial)
        for k, bracket in list(self._live.items()):
            self._dropped += bracket.withdraw(grouped.get(k, []))
            self._forget(k)

    def extend(self, plan: Plan) -> None:
        """Continue by a plan that begins with the present one."""
        if plan.brackets[: len(self._plan.brackets)] != self._plan.brackets:
            raise InputError("A longer plan must begin with the present one; got another. Only add brackets.")
        self._plan = plan

    def dropped(self) -> list[int]:
        """Trials that will never continue, each named once, since the last call; ascending."""
        gone, self._dropped = sorted(self._dropped), []
        return gone

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        return {
            "brackets": len(self._plan.brackets),
            "firsts": list(self._firsts),
            "live": {str(k): bracket.state_dict() for k, bracket in self._live.items()},
            "exhausted": self._exhausted,
            "dropped": sorted(self._dropped),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken, of an allocation with the same plan."""
        if state.get("brackets") != len(self._plan.brackets):
            raise InputError(
                f"The state must be of a plan with {len(self._plan.brackets)} brackets; got {state.get('brackets')}. "
                "Start the algorithm with the settings that the state was saved under."
            )
        self._firsts, self._live, self._end = [], {}, 0
        for first in state["firsts"]:
            if first != self._end:
                raise InputError(f"The state must have a bracket that begins with trial {self._end}; got {first}.")
            self._begin()
        for k in [k for k in self._live if str(k) not in state["live"]]:
            del self._live[k]
        for k, bracket in self._live.items():
            bracket.load_state_dict(state["live"][str(k)])
        self._exhausted = bool(state["exhausted"])
        self._dropped = [whole_number(trial, "dropped", 0) for trial in state["dropped"]]

    def _more(self) -> bool:
        """Another bracket will begin."""
        return not self._exhausted and (self._plan.endless or len(self._firsts) < len(self._plan.brackets))

    def _may_begin(self, n: int | None) -> bool:
        if not self._more():
            return False
        repetition = len(self._firsts) % len(self._plan.brackets) == 0
        return not self._live or not (self._one_by_one or (n is None and self._plan.endless and repetition))

    def _begin(self) -> int:
        k = len(self._firsts)
        bracket = self._plan.brackets[k % len(self._plan.brackets)]
        if k and self._later is not None:
            bracket = self._later(bracket)
        self._firsts.append(self._end)
        self._live[k] = _Halving(bracket, self._end)
        self._end += bracket.n_configurations
        return k

    def _forget(self, k: int) -> None:
        if self._live[k].closed:
            del self._live[k]


class _Halving:
    """One bracket in progress: the table of its current rung, and how much of it was handed out."""

    __slots__ = ("_bracket", "_first", "closed", "exhausted", "handed", "rung", "table", "to_start")

    def __init__(self, bracket: Bracket, first: int) -> None:
        self._bracket, self._first = bracket, first  # the first trial of this rung, where it is one of new trials
        self.rung = 0
        self.table = RungTable()
        self.to_start = bracket.rungs[0].n  #: new trials not yet handed out
        self.handed = 0  #: of new trials: numbers used so far, withdrawn ones too; else: rows of the table
        self.closed = self.exhausted = False

    @property
    def fresh(self) -> bool:
        """This rung consists of new trials."""
        return self.rung == 0 or self._bracket.rungs[self.rung].new > 0

    def ask(self, k: int, n: int | None) -> list[Slot]:
        available = self.to_start if self.fresh else len(self.table) - self.handed
        count = available if n is None else max(0, min(n, available))
        if count == 0 or self.closed:
            return []
        start, self.handed = self.handed, self.handed + count
        previous: float = 0
        if self.fresh:
            new = range(self._first + start, self._first + self.handed)
            self.table.extend(new)
            self.to_start -= count
            trials = list(new)
        else:
            trials = self.table.trials[start : self.handed].tolist()
            previous = as_float(self._bracket.rungs[self.rung - 1].r)
        resource = as_float(self._bracket.rungs[self.rung].r)
        return [Slot(trial, k, self.rung, resource, previous) for trial in trials]

    def tell(self, trial: int, rung: int, loss: Loss) -> list[int]:
        """Enter a loss; returns the trials that this drops."""
        if rung != self.rung:
            raise InputError(f"A loss of trial {trial} must be of the open rung {self.rung}; got rung {rung}.")
        if not self.fresh and self.table.find(trial) >= self.handed:
            raise InputError(f"A loss must be of a trial that was handed out in this rung; got trial {trial}.")
        self.table.record(trial, loss)
        none_is_promoted = self.rung == len(self._bracket.rungs) - 1 or self._bracket.rungs[self.rung + 1].new > 0
        gone = [trial] if none_is_promoted or not is_finite(loss) else []
        return gone + self._advance()

    def withdraw(self, trials: list[int]) -> list[int]:
        """Forget new trials and start no more; returns the trials that this drops, when it completes the rung."""
        if trials and not self.fresh:
            raise InputError(f"Only new trials can be withdrawn; trial {trials[0]} is in rung {self.rung}.")
        self.table.discard(trials)
        self.exhausted, self.to_start = True, 0
        return self._advance()

    def _advance(self) -> list[int]:
        """Open the next rung when this one is complete; returns the trials that this drops."""
        if self.closed or self.to_start > 0 or not self.table.complete:
            return []
        if self.rung == len(self._bracket.rungs) - 1:
            self._close()
            return []
        above = self._bracket.rungs[self.rung + 1]
        if above.new:
            self._first += self._bracket.rungs[self.rung].n
            self.table, self.handed, self.to_start = RungTable(), 0, 0 if self.exhausted else above.n
            self.rung += 1
            if self.exhausted:
                self._close()
            return []
        survivors = self.table.survivors(above.n)
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
            "first": self._first,
            "rung": self.rung,
            "to_start": self.to_start,
            "handed": self.handed,
            "exhausted": self.exhausted,
            "table": self.table.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        names = ("first", "rung", "to_start", "handed")
        self._first, self.rung, self.to_start, self.handed = (whole_number(state[name], name, 0) for name in names)
        self.exhausted = bool(state["exhausted"])
        if self.rung >= len(self._bracket.rungs):
            raise InputError(f"The state must be in one of {len(self._bracket.rungs)} rungs; got {self.rung}.")
        self.table = RungTable.from_state(state["table"])
