"""Population-based training: members train side by side, and copies of the best replace the worst."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

from hyperband._common.checks import Number, as_float, exact, whole_number
from hyperband.errors import InputError
from hyperband.tuning.plans import Plan, population_plan
from hyperband.tuning.schedulers.base import F64, I64, Slot, slot_from, tell_each
from hyperband.tuning.schedulers.rung_table import RungTable
from hyperband.tuning.settings import Settings, register
from hyperband.tuning.trial import Loss


@register
@dataclass(frozen=True, slots=True)
class PopulationScheduler(Settings):
    """Population-based training (Jaderberg et al. 2017, "Population based training of neural networks").

    ``n`` members are evaluated at every multiple of ``interval`` and at ``max_resource``. Each time (but the last)
    the worst share ``fraction`` of them, and all that failed, are replaced by copies of the best: the worst by a copy
    of the best, the second worst by one of the second best, and so on. A copy is a trial of its own that starts with
    the state of its parent; the run changes its parameters (`hyperband.tuning.samplers.pbt_perturb`).

    Parameters
    ----------
    n : int >= 2
    max_resource, interval : number > 0, interval <= max_resource
    fraction : float in [0, 0.5], rounded down to whole members
    whole : bool, resources are whole numbers only

    Examples
    --------
    >>> plan = PopulationScheduler(n=10, max_resource=6, interval=2, fraction=0.2).plan()
    >>> plan.n_configurations, plan.cost
    (14, 60)
    """

    n: int
    max_resource: Number
    interval: Number
    fraction: float = 0.25
    whole: bool = True

    synchronous: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole_number(self.n, "n", 2)
        if not (isinstance(self.fraction, Real) and 0 <= self.fraction <= 0.5):
            raise InputError(f"`fraction` must lie in [0, 0.5]; got {self.fraction!r}.")
        self.plan()

    @property
    def _n_replaced(self) -> int:
        # Exactly: 0.29 of 100 members are 29, although 0.29 * 100 < 29 in floating point.
        return math.floor(exact(self.fraction, "fraction") * whole_number(self.n, "n", 2))

    def plan(self) -> Plan:
        """The exact table, for members that do not fail; see `hyperband.tuning.plans.population_plan`."""
        n = whole_number(self.n, "n", 2)
        return population_plan(n, self.max_resource, self.interval, self._n_replaced, whole=self.whole)

    def start(self, one_by_one: bool = False) -> PopulationAllocation:
        """A fresh allocation."""
        return PopulationAllocation(self.plan(), self._n_replaced)


class PopulationAllocation:
    """See `hyperband.tuning.schedulers.base.Allocation`.

    Copies are handed out before their parents continue: an evaluator copies what the parent has when it gets the job.
    """

    def __init__(self, plan: Plan, n_replaced: int) -> None:
        self._resources: list[float] = [as_float(rung.r) for rung in plan.brackets[0].rungs]
        self._n, self._n_replaced = plan.brackets[0].rungs[0].n, n_replaced
        self._rung = 0
        self._next = 0  # number of the next new trial
        self._to_start = self._n
        self._table = RungTable()
        self._waiting: list[Slot] = []  # of this rung, not yet handed out; copies first
        self._dropped: list[int] = []
        self._closed = False

    @property
    def done(self) -> bool:
        """Nothing is open and nothing will be handed out."""
        return self._closed

    def ask(self, n: int | None = None, new: bool = True) -> list[Slot]:
        """Up to ``n`` evaluations that can start now."""
        slots = self._waiting[:n]
        self._waiting = self._waiting[len(slots) :]
        count = self._to_start if n is None else min(n - len(slots), self._to_start)
        if new and count:
            numbers = range(self._next, self._next + count)
            self._table.extend(numbers)
            slots += [Slot(trial, 0, 0, self._resources[0]) for trial in numbers]
            self._next, self._to_start = self._next + count, self._to_start - count
        return slots

    def tell(self, trial: int, rung: int, loss: Loss) -> None:
        """The loss of an evaluation that was handed out; NaN and infinity rank last and are replaced."""
        if not 0 <= trial < self._next:
            raise InputError(f"A loss must be of a trial from 0 to {self._next - 1}; got trial {trial}.")
        if rung != self._rung:
            raise InputError(f"A loss of trial {trial} must be of the open rung {self._rung}; got rung {rung}.")
        if any(slot.trial == trial for slot in self._waiting):
            raise InputError(f"A loss must be of a trial that was handed out in this rung; got trial {trial}.")
        self._table.record(trial, loss)
        self._advance()

    def tell_all(self, identities: I64, losses: F64) -> None:
        """Many losses of evaluations that were handed out."""
        tell_each(self, identities, losses)

    def withdraw(self, trials: list[int]) -> None:
        """Forget new members that could not be given a configuration; the population is smaller."""
        self._table.discard(trials)
        self._to_start = 0
        self._advance()

    def dropped(self) -> list[int]:
        """Trials that will never continue, each named once, since the last call; ascending."""
        gone, self._dropped = sorted(self._dropped), []
        return gone

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        return {
            "rung": self._rung,
            "next": self._next,
            "to_start": self._to_start,
            "table": self._table.state_dict(),
            "waiting": [list(slot) for slot in self._waiting],
            "dropped": sorted(self._dropped),
            "closed": self._closed,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken, of an allocation with the same plan."""
        rung, next_, to_start = (whole_number(state[name], name, 0) for name in ("rung", "next", "to_start"))
        # Every trial but the first members is a copy that a rung began with.
        most = self._n * len(self._resources)
        if rung >= len(self._resources) or to_start > self._n or next_ > most:
            raise InputError(f"The state must be of {self._n} members and {len(self._resources)} rungs.")
        self._rung, self._next, self._to_start = rung, next_, to_start
        self._table = RungTable.from_state(state["table"])
        self._waiting = [slot_from(row) for row in state["waiting"]]
        self._dropped = [whole_number(trial, "dropped", 0) for trial in state["dropped"]]
        self._closed = bool(state["closed"])

    def _advance(self) -> None:
        """When every member was evaluated: replace the worst, and open the next rung."""
        if self._closed or self._to_start > 0 or not self._table.complete:
            return
        members: list[int] = self._table.trials.tolist()
        ranking = self._table.survivors(len(members))
        if self._rung == len(self._resources) - 1 or not ranking:
            self._closed = True
            self._dropped += members
            return
        failed = sorted(set(members) - set(ranking))
        # The worst first. Nobody is both copied and replaced, unless more than half failed.
        worst = (failed[::-1] + ranking[::-1])[: max(min(self._n_replaced, len(members) // 2), len(failed))]
        staying = [trial for trial in members if trial not in set(worst)]
        parents = [ranking[i % len(staying)] for i in range(len(worst))]
        self._dropped += worst
        self._rung += 1
        before, resource = self._resources[self._rung - 1], self._resources[self._rung]
        copies = range(self._next, self._next + len(worst))
        self._next += len(worst)
        self._waiting = [
            *(Slot(new, 0, self._rung, resource, before, parent) for new, parent in zip(copies, parents, strict=True)),
            *(Slot(trial, 0, self._rung, resource, before) for trial in staying),
        ]
        self._table = RungTable(sorted([*staying, *copies]))
