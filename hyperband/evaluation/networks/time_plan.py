"""What to train with so much work: the largest resource, and brackets of successive halving in sequence."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import cycle

from hyperband._common.checks import as_float
from hyperband.tuning.plans import Plan, successive_halving_plan
from hyperband.tuning.run.run import Run

#: Passes over the rows beyond which a network of the default space gains little.
MOST_EPOCHS = 256

#: Networks that the whole work could train to the end; with fewer of them the largest resource is shorter. Few networks
#: that are trained long predict better than many that are trained briefly: see "accuracy" in benchmarks/RESULTS.md.
FULL_NETWORKS = 5

#: The trials of a bracket that are promoted from each rung: one in so many.
ETA = 3

#: The part of the work that is left which a bracket gets, so that later ones learn from it; once so few fully trained
#: networks are left, the last bracket takes everything.
SHARE, LAST = 0.4, 8.0

#: With work for more fully trained networks than this, a bracket halves twice and not once.
MANY = 24.0

#: The part of all work that the first bracket gets. The speed was measured for a moment only, and a bracket that is cut
#: off has trained nobody to the end.
FIRST_PART = 0.55

#: The part of the time that a bracket is planned for: what it costs is known only roughly before, at first even less.
CAUTION, FIRST_CAUTION = 0.95, 0.8

#: Networks of one bracket live as long as the largest resource, those of the next a part of it: some tables want a few
#: networks that are trained long, others many that are trained briefly. Below `SHORTEST` epochs nobody wants briefer.
SHORT, SHORTEST = 4, 16

#: A bracket: (n, least resource, largest resource).
Size = tuple[int, int, int]


def largest_resource(epochs: float) -> int:
    """Epochs of the highest rung, when there is time for ``epochs`` passes of single networks over the rows.

    Examples
    --------
    >>> largest_resource(600.0), largest_resource(1e6), largest_resource(2.5)
    (120, 256, 1)
    """
    return max(1, min(MOST_EPOCHS, int(epochs / FULL_NETWORKS)))


def lifetimes(max_resource: int) -> tuple[int, ...]:
    """Epochs after which schedules end, the longest first.

    Examples
    --------
    >>> lifetimes(256), lifetimes(50)
    ((256, 64), (50,))
    """
    short = max_resource // SHORT
    return (max_resource, short) if short >= SHORTEST else (max_resource,)


def next_bracket(epochs: float, lifetime: int) -> Size | None:
    """The bracket that comes next when ``epochs`` are left; None when not one network fits.

    Examples
    --------
    >>> next_bracket(600.0, 50), next_bracket(360.0, 50), next_bracket(20.0, 50)
    ((8, 16, 50), (13, 16, 50), None)
    """
    full = epochs / lifetime
    if full < 1.0:
        return None
    part = epochs if full <= LAST else SHARE * epochs
    halvings = 2 if full > MANY else 1
    least = max(1, lifetime // ETA**halvings)
    n = 1
    while _cost(n + 1, least, lifetime) <= part:
        n += max(1, n // 16)
    return n, least, lifetime


def _cost(n: int, least: int, lifetime: int) -> float:
    plan = successive_halving_plan(lifetime, ETA, n, min(least, lifetime))
    return as_float(plan.cost)


def brackets(epochs: float, max_resource: int) -> tuple[Size, ...]:
    """All brackets for ``epochs``, as if each cost what was planned, with long and short lives in turn; at least one.

    Examples
    --------
    >>> brackets(600.0, 50)
    ((8, 16, 50), (14, 16, 50))
    >>> brackets(600.0, 100)
    ((5, 33, 100), (11, 8, 25), (4, 33, 100), (1, 8, 25))
    """
    found: list[Size] = []
    lives = lifetimes(max_resource)
    for lifetime in cycle(lives):
        first = not found and len(lives) > 1
        size = next_bracket(FIRST_PART * epochs if first else epochs, lifetime)
        if size is not None:
            found.append(size)
            epochs -= _cost(*size)
        elif lifetime == lives[-1]:
            break
    return tuple(found) or ((1, max_resource, max_resource),)


@dataclass(slots=True)
class TimePlanner:
    """Adds brackets to a run until the time is used; called whenever the run has nothing left to do.

    Once every lifetime was tried, the next networks live as long as those that are worth the most to the ensemble.

    Parameters
    ----------
    deadline : float, monotonic seconds at which training has to end
    max_resource : int, of the run
    started : float, monotonic seconds at which the run began
    weights : callable () -> mapping of trial to its weight in the ensemble now
    added : list of brackets that were added
    """

    deadline: float
    max_resource: int
    started: float
    weights: Callable[[], Mapping[int, float]] = dict
    added: list[Size] = field(default_factory=list)

    def __call__(self, run: Run) -> bool:
        """Add the next bracket, if one fits; the speed is that of the run so far."""
        now = time.monotonic()
        pace = (now - self.started) / float(run.spent) if run.spent else 0.0
        if pace <= 0.0 or now >= self.deadline:
            return False
        epochs = CAUTION * (self.deadline - now) / pace
        wanted = self._by_worth(run.plan)
        size = next((size for life in wanted if (size := next_bracket(epochs, life)) is not None), None)
        if size is None:
            return False
        run.extend([size])
        self.added.append(size)
        return True

    def _by_worth(self, plan: Plan) -> list[int]:
        """Lifetimes that were not tried, then by the weight in the ensemble for an epoch spent, the most first."""
        spent = dict.fromkeys(lifetimes(self.max_resource), 0.0)
        weight = dict.fromkeys(spent, 0.0)
        weights, first = self.weights(), 0
        for bracket in plan.brackets:
            life, end = int(bracket.rungs[-1].r), first + bracket.n_configurations
            spent[life] += as_float(bracket.cost)
            weight[life] += math.fsum(weights.get(trial, 0.0) for trial in range(first, end))
            first = end
        return sorted(spent, key=lambda life: (spent[life] > 0, -weight[life] / max(1.0, spent[life]), -life))
