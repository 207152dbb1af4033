"""Carries out asynchronous brackets: a trial is promoted as soon as it has earned it, and waits for no full rung."""

from __future__ import annotations

import math
from bisect import bisect_right
from fractions import Fraction
from itertools import accumulate, repeat
from typing import Any

import numpy as np

from hyperband._common.checks import as_float, whole_number
from hyperband.errors import InputError
from hyperband.tuning.plans import Plan
from hyperband.tuning.schedulers.async_rungs import AsyncRungs
from hyperband.tuning.schedulers.base import F64, I64, Slot, slots_of, tell_each
from hyperband.tuning.trial import Loss, is_finite


class AsyncAllocation:
    """One run over asynchronous brackets.

    New trials go to the brackets in turn, as many to each as its bottom rung has in the plan, so that a trial's bracket
    depends on its number alone. A trial that is not promoted stays paused: a better rank later can still promote it.

    Parameters
    ----------
    plan : Plan
        With an endless plan new trials never end; else there are as many as it has.
    eta : Fraction
    repetitions : int
        Rounds of turns that the plan consists of.
    """

    def __init__(self, plan: Plan, eta: Fraction, repetitions: int = 1) -> None:
        self._resources = [[as_float(rung.r) for rung in bracket.rungs] for bracket in plan.brackets]
        self._ends = list(accumulate(bracket.n_configurations // repetitions for bracket in plan.brackets))
        self._planned: float = math.inf if plan.endless else plan.n_configurations
        self._left = self._planned
        self._rungs = AsyncRungs([len(bracket.rungs) for bracket in plan.brackets], eta)
        self._tops: I64 = np.array([len(resources) - 1 for resources in self._resources])
        self._dropped: list[int] = []
        self._paused_dropped = False

    @property
    def done(self) -> bool:
        """Nothing is open and nothing will be handed out."""
        return self._left == 0 and self._rungs.n_open == 0 and not self._rungs.ready

    def ask(self, n: int | None = None, new: bool = True) -> list[Slot]:
        """Up to ``n`` evaluations: promotions from the top rung down, then new trials.

        None: everything that can start; of endless new trials as many as keep one round of the brackets open.
        """
        many = self._ends[-1] + self._rungs.n_trials if n is None else n
        slots = self._promoted(many)
        room = many - len(slots)
        if n is None:
            room = max(0, self._ends[-1] - self._rungs.n_open) if math.isinf(self._left) else int(self._left)
        count = int(min(room, self._left))
        if new and count:
            brackets = self._brackets(np.arange(self._rungs.n_trials, self._rungs.n_trials + count)).tolist()
            first = self._rungs.begin(brackets)
            bottoms = [self._resources[b][0] for b in brackets]
            slots += slots_of(range(first, first + count), brackets, repeat(0), bottoms, repeat(0))
            self._left -= count
        return slots

    def tell(self, trial: int, rung: int, loss: Loss) -> None:
        """The loss of an evaluation that was handed out; NaN and infinity count, and are never promoted."""
        self._rungs.record_one(trial, rung, loss)
        bracket = self._bracket(trial)
        if rung + 1 == len(self._resources[bracket]) or not is_finite(loss):
            self._dropped.append(trial)

    def tell_all(self, identities: I64, losses: F64) -> None:
        """Many losses of evaluations that were handed out."""
        if losses.ndim > 1:
            tell_each(self, identities, losses)
            return
        trials, _, rungs = identities
        self._rungs.record(trials, rungs, losses)
        over = ~np.isfinite(losses) | (rungs == self._tops[self._brackets(trials)])
        self._dropped += trials[over].tolist()

    def withdraw(self, trials: list[int]) -> None:
        """Forget new trials that could not be given a configuration; none begins any more."""
        self._rungs.withdraw(trials)
        self._left = 0

    def dropped(self) -> list[int]:
        """Trials that will never continue, each named once, since the last call; ascending. Paused ones at the end."""
        if self.done and not self._paused_dropped:
            self._paused_dropped = True
            self._dropped += self._rungs.paused()
        gone, self._dropped = sorted(self._dropped), []
        return gone

    def limit(self, rung: int) -> None:
        """Promotion reaches this rung and no higher one, in every bracket."""
        for bracket in range(len(self._resources)):
            self._rungs.limit(bracket, rung)

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        return {
            "rungs": self._rungs.state_dict(),
            "left": None if math.isinf(self._left) else self._left,
            "dropped": sorted(self._dropped),
            "paused_dropped": self._paused_dropped,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken, of an allocation with the same plan."""
        left = math.inf if state["left"] is None else whole_number(state["left"], "left", 0)
        dropped = [whole_number(trial, "dropped", 0) for trial in state["dropped"]]
        self._rungs.load_state_dict(state["rungs"])
        to_come = self._planned - self._rungs.n_trials
        if left not in (0, to_come):  # 0 too where the space had no more
            raise InputError(
                f"`left` must be the trials of the plan that have not begun, {to_come:g}, or 0; got {left:g}."
            )
        self._left, self._dropped, self._paused_dropped = left, dropped, bool(state["paused_dropped"])

    def _promoted(self, n: int) -> list[Slot]:
        found = self._rungs.promote(n)
        if not found:
            return []
        trials, brackets, rungs = zip(*found, strict=True)
        resources = [self._resources[b][r] for b, r in zip(brackets, rungs, strict=True)]
        before = [self._resources[b][r - 1] for b, r in zip(brackets, rungs, strict=True)]
        return slots_of(trials, brackets, rungs, resources, before)

    def _bracket(self, trial: int) -> int:
        return bisect_right(self._ends, trial % self._ends[-1])

    def _brackets(self, trials: I64) -> I64:
        """Brackets of trials, which follow from their numbers."""
        if len(self._ends) == 1:
            return np.zeros(len(trials), dtype=np.int64)
        return np.searchsorted(self._ends, trials % self._ends[-1], side="right")
