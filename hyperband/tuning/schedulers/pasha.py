"""Progressive ASHA: the highest rung rises only while the ranking of the leaders is not settled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from hyperband._common.checks import exact, whole_number
from hyperband.errors import InputError
from hyperband.tuning.pareto import ranked
from hyperband.tuning.plans import Plan, Rung, async_plan
from hyperband.tuning.plans.plan import Bracket
from hyperband.tuning.schedulers.asynchronous import AsyncAllocation
from hyperband.tuning.schedulers.base import F64, I64, RungScheduler, Slot, tell_each
from hyperband.tuning.schedulers.rung_table import pack, unpack
from hyperband.tuning.settings import register
from hyperband.tuning.trial import Loss, is_finite

#: Trials whose learning curves are compared with one another; the ranking of the leaders is what matters.
MOST_COMPARED = 100


@register
@dataclass(frozen=True, slots=True)
class PASHAScheduler(RungScheduler):
    """PASHA (Bohdal, Balles, Wistuba, Ermis, Archambeau, Zappella, ICLR 2023, Algorithm 1).

    As ASHA, but promotion reaches the second rung at first. Whenever a loss arrives in the highest rung, the trials of
    that rung are ranked by their losses in it and in the one below; where these two rankings differ, the next rung
    opens. Losses that differ by at most ``epsilon`` count as equal.

    Parameters
    ----------
    epsilon : float >= 0 or None
        None: the 90th percentile of the differences between trials whose learning curves crossed and crossed back
        (section 4.2 of the paper), measured at the rungs; 0 as long as there are none.
    max_resource, eta, n, min_resource, whole : as `hyperband.tuning.plans.async_plan`

    Examples
    --------
    >>> PASHAScheduler(max_resource=81, eta=3, n=27).plan().n_evaluations
    36
    """

    _: KW_ONLY
    n: int | None = None
    epsilon: float | None = None

    synchronous: ClassVar[bool] = False

    def __post_init__(self) -> None:
        RungScheduler.__post_init__(self)
        if self.epsilon is not None and not (
            isinstance(self.epsilon, Real) and not isinstance(self.epsilon, bool) and self.epsilon >= 0
        ):
            raise InputError(f"`epsilon` must be at least 0; got {self.epsilon!r}. Pass None to have it estimated.")

    def plan(self) -> Plan:
        """The rungs, and the least that will run: the first two."""
        full = async_plan(self.max_resource, self.eta, self.n, self.min_resource, whole=self.whole)
        bracket = full.brackets[0]
        rungs = tuple(rung if i < 2 else Rung(0, rung.r) for i, rung in enumerate(bracket.rungs))
        return Plan((Bracket(bracket.s, rungs),), exact=False, endless=full.endless)

    def start(self, one_by_one: bool = False) -> PASHAAllocation:
        """A fresh allocation; there is only one bracket."""
        plan = async_plan(self.max_resource, self.eta, self.n, self.min_resource, whole=self.whole)
        return PASHAAllocation(AsyncAllocation(plan, exact(self.eta, "eta")), len(plan.brackets[0].rungs), self.epsilon)


class PASHAAllocation:
    """An asynchronous bracket whose highest rung rises; see `hyperband.tuning.schedulers.base.Allocation`."""

    def __init__(self, bracket: AsyncAllocation, n_rungs: int, epsilon: float | None) -> None:
        self._bracket, self._epsilon = bracket, epsilon
        self._losses: list[dict[int, float]] = [{} for _ in range(n_rungs)]  # by rung and trial
        self._raise_to(1)

    @property
    def done(self) -> bool:
        """Nothing is open and nothing will be handed out."""
        return self._bracket.done

    def ask(self, n: int | None = None, new: bool = True) -> list[Slot]:
        """Up to ``n`` evaluations that can start now."""
        return self._bracket.ask(n, new)

    def tell(self, trial: int, rung: int, loss: Loss) -> None:
        """A loss; one in the highest rung may open the next. Of several objectives the first ranks the leaders."""
        self._bracket.tell(trial, rung, loss)
        if is_finite(loss):
            self._losses[rung][trial] = loss[0] if isinstance(loss, tuple) else loss
            if rung == self._top < len(self._losses) - 1 and not self._settled():
                self._raise_to(self._top + 1)

    def tell_all(self, identities: I64, losses: F64) -> None:
        """Many losses of evaluations that were handed out."""
        tell_each(self, identities, losses)

    def withdraw(self, trials: list[int]) -> None:
        """Forget new trials that could not be given a configuration; none begins any more."""
        self._bracket.withdraw(trials)

    def dropped(self) -> list[int]:
        """Trials that will never continue, each named once, since the last call."""
        return self._bracket.dropped()

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        losses = [[list(rung), pack(np.array(list(rung.values()), dtype=np.float64))] for rung in self._losses]
        return {"bracket": self._bracket.state_dict(), "top": self._top, "losses": losses}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken, of an allocation with the same plan."""
        losses = [dict(zip(trials, unpack(values).tolist(), strict=True)) for trials, values in state["losses"]]
        top = whole_number(state["top"], "top", 0)
        self._bracket.load_state_dict(state["bracket"])
        reached = self._bracket.state_dict()["rungs"]["rungs"]  # the rung of every trial
        complete = all(trial in rung for trial, r in enumerate(reached) for rung in losses[:r])
        complete = complete and all(set(above) <= set(below) for below, above in pairwise(losses))
        if len(losses) != len(self._losses) or not complete or not all(map(_are_numbers, losses)):
            raise InputError(f"The state must have losses of {len(self._losses)} rungs, of every trial that left one.")
        self._losses = losses
        self._raise_to(top)

    def _raise_to(self, rung: int) -> None:
        self._top = min(rung, len(self._losses) - 1)
        self._bracket.limit(self._top)

    def _settled(self) -> bool:
        """The ranking in the highest rung is that of the rung below, apart from losses that count as equal."""
        above, below = self._losses[self._top], self._losses[self._top - 1]
        trials = sorted(above)
        now, then = np.array([above[t] for t in trials]), np.array([below[t] for t in trials])
        best_now, best_then = ranked(now, trials), ranked(then, trials)
        epsilon = noise(self._losses[: self._top + 1]) if self._epsilon is None else self._epsilon
        return bool((np.abs(then[best_now] - then[best_then]) <= epsilon).all())


def noise(rungs: Sequence[Mapping[int, float]]) -> float:
    """The 90th percentile of differences between trials whose curves crossed and crossed back; 0 without any.

    Of the best `MOST_COMPARED` trials of the highest rung, since every pair is looked at.

    Parameters
    ----------
    rungs : losses by trial, one mapping a rung from the lowest to the highest that is open

    Examples
    --------
    >>> noise([{0: 1.0, 1: 2.0}, {0: 2.0, 1: 1.0}, {0: 1.0, 1: 1.25}])
    0.25
    """
    if len(rungs) < 3:
        return 0.0  # two rungs cannot show two crossings
    top = rungs[-1]
    trials = sorted(sorted(top, key=lambda trial: (top[trial], trial))[:MOST_COMPARED])
    curves = np.array([[rung[trial] for trial in trials] for rung in rungs])
    last = np.zeros((len(trials), len(trials)))
    crossings = np.zeros(last.shape, dtype=np.int64)
    for losses in curves:
        sign = np.sign(losses[:, None] - losses)
        crossings += sign * last < 0
        last = np.where(sign == 0, last, sign)
    a, b = np.nonzero(np.triu(crossings >= 2))
    return float(np.percentile(np.abs(curves[-1][a] - curves[-1][b]), 90)) if len(a) else 0.0


def _are_numbers(losses: dict[Any, float]) -> bool:
    return all(type(trial) is int for trial in losses) and all(map(math.isfinite, losses.values()))
