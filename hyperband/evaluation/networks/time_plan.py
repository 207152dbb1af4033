"""What to train with so much work: the largest resource, and brackets of successive halving in sequence."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from hyperband._common.checks import as_float
from hyperband.tuning.plans import successive_halving_plan
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

#: The part of the time that a bracket is planned for: what it costs is known only roughly before, at first even less.
CAUTION, FIRST_CAUTION = 0.95, 0.8

Pair = tuple[int, int]


def largest_resource(epochs: float) -> int:
    """Epochs of the highest rung, when there is time for ``epochs`` passes of single networks over the rows.

    Examples
    --------
    >>> largest_resource(600.0), largest_resource(1e6), largest_resource(2.5)
    (120, 256, 1)
    """
    return max(1, min(MOST_EPOCHS, int(epochs / FULL_NETWORKS)))


def next_bracket(epochs: float, max_resource: int) -> Pair | None:
    """The bracket (n, least resource) that comes next when ``epochs`` are left; None when not one network fits.

    Examples
    --------
    >>> next_bracket(600.0, 50), next_bracket(360.0, 50), next_bracket(20.0, 50)
    ((8, 16), (13, 16), None)
    """
    full = epochs / max_resource
    if full < 1.0:
        return None
    part = epochs if full <= LAST else SHARE * epochs
    halvings = 2 if full > MANY else 1
    least = max(1, max_resource // ETA**halvings)
    n = 1
    while _cost(n + 1, least, max_resource) <= part:
        n += max(1, n // 16)
    return n, least


def _cost(n: int, least: int, max_resource: int) -> float:
    plan = successive_halving_plan(max_resource, ETA, n, min(least, max_resource))
    return as_float(plan.cost)


def brackets(epochs: float, max_resource: int) -> tuple[Pair, ...]:
    """All brackets for ``epochs``, as if each cost what was planned; at least one.

    Examples
    --------
    >>> brackets(600.0, 50)
    ((8, 16), (14, 16))
    """
    found: list[Pair] = []
    while (pair := next_bracket(epochs, max_resource)) is not None:
        found.append(pair)
        epochs -= _cost(*pair, max_resource)
    return tuple(found) or ((1, max_resource),)


@dataclass(slots=True)
class TimePlanner:
    """Adds brackets to a run until the time is used; called whenever the run has nothing left to do.

    Parameters
    ----------
    deadline : float, monotonic seconds at which training has to end
    max_resource : int, of the run
    started : float, monotonic seconds at which the run began
    added : list of (n, least resource), the brackets that were added
    """

    deadline: float
    max_resource: int
    started: float
    added: list[Pair] = field(default_factory=list)

    def __call__(self, run: Run) -> bool:
        """Add the next bracket, if one fits; the speed is that of the run so far."""
        now = time.monotonic()
        pace = (now - self.started) / float(run.spent) if run.spent else 0.0
        if pace <= 0.0 or now >= self.deadline:
            return False
        pair = next_bracket(CAUTION * (self.deadline - now) / pace, self.max_resource)
        if pair is None:
            return False
        run.extend([pair])
        self.added.append(pair)
        return True
