"""What to train with so much work: the largest resource, and brackets of successive halving in sequence."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from hyperband._common.checks import as_float
from hyperband.tuning.plans import successive_halving_plan
from hyperband.tuning.run.run import Run

#: Passes over the rows beyond which a network of the default space gains little.
MOST_EPOCHS = 256

#: Networks that the whole work could train to the end, at least; with work for E network-epochs the largest resource is
#: at most `GROWTH` sqrt(E) besides, so that more work means more networks and longer training alike. Tables without
#: noise want few networks that are trained long, regressions many that are trained briefly: see docs/search.md.
FULL_NETWORKS, GROWTH = 2, 2.5

#: By what factor the largest resource that the time allows must have changed for the next bracket to have another one.
#: The speed is measured for a moment before the search: a machine that was busy then would have its plan for good.
CHANGE = 1.3

#: The trials of a bracket that are promoted from each rung: one in so many. The rate of schedule coslog4 is 0 after
#: 7/15 of all steps (and after 3/15, 1/15): there networks are compared at rest, and those that go no further are as
#: good as networks whose schedule ends there.
ETA = Fraction(15, 7)

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

#: The part of what is reserved that a bracket may use up which takes longer than planned: what is cut off is half lost.
OVERRUN = 0.5

#: When not one network fits any more, a last one gets what is left, if that is this part of the largest resource.
REST = 0.25

#: A bracket: (n, least resource, largest resource).
Size = tuple[int, int, int]


def largest_resource(epochs: float) -> int:
    """Epochs of the highest rung, when there is time for ``epochs`` passes of single networks over the rows.

    Examples
    --------
    >>> largest_resource(30.0), largest_resource(600.0), largest_resource(1e6), largest_resource(2.5)
    (13, 61, 256, 1)
    """
    return max(1, min(MOST_EPOCHS, int(epochs / FULL_NETWORKS), int(GROWTH * math.sqrt(epochs))))


def next_bracket(epochs: float, max_resource: int) -> Size | None:
    """The bracket that comes next when ``epochs`` are left; None when nothing does.

    Examples
    --------
    >>> next_bracket(600.0, 50), next_bracket(360.0, 50), next_bracket(20.0, 50), next_bracket(9.0, 50)
    ((6, 23, 50), (10, 23, 50), (1, 20, 20), None)
    """
    full = epochs / max_resource
    if full < 1.0:
        rest = int(epochs)
        return (1, rest, rest) if rest >= max(1.0, REST * max_resource) else None
    part = epochs if full <= LAST else SHARE * epochs
    halvings = 2 if full > MANY else 1
    least = max(1, int(max_resource / ETA**halvings))
    n = 1
    while _cost(n + 1, least, max_resource) <= part:
        n += max(1, n // 16)
    return n, least, max_resource


def _cost(n: int, least: int, top: int) -> float:
    return as_float(successive_halving_plan(top, ETA, n, min(least, top)).cost)


def brackets(epochs: float, max_resource: int) -> tuple[Size, ...]:
    """All brackets for ``epochs``, as if each cost what was planned; at least one, and the first ends at the maximum.

    Examples
    --------
    >>> brackets(600.0, 50)
    ((6, 23, 50), (4, 23, 50), (8, 23, 50), (1, 24, 24))
    """
    first = next_bracket(epochs, max_resource)
    if first is None or first[2] < max_resource:
        return ((1, max_resource, max_resource),)
    return (first, *following(epochs - _cost(*first), max_resource))


def following(epochs: float, max_resource: int) -> tuple[Size, ...]:
    """The brackets for ``epochs`` that are left after a first one.

    Examples
    --------
    >>> following(240.0, 50)
    ((6, 23, 50), (1, 48, 48))
    """
    found: list[Size] = []
    while (size := next_bracket(epochs, max_resource)) is not None:
        found.append(size)
        epochs -= _cost(*size)
    return tuple(found)


@dataclass(slots=True)
class TimePlanner:
    """Adds brackets to a run until the time is used; called whenever the run has nothing left to do.

    Parameters
    ----------
    deadline : float, monotonic seconds at which training has to end
    max_resource : int, of the next bracket; it follows the speed of the run
    started : float, monotonic seconds at which the run began
    reserve : callable (seconds an epoch of a typical network takes) -> seconds, optional
        What has to be left for other work before the deadline, as things stand.
    added : list of brackets that were added
    stop_at : float, monotonic seconds at which the newest of them is cut off: it leaves half of what was reserved
    """

    deadline: float
    max_resource: int
    started: float
    reserve: Callable[[float], float] | None = None
    added: list[Size] = field(default_factory=list)
    stop_at: float = math.inf

    def __call__(self, run: Run) -> bool:
        """Add the next bracket, if one fits; the speed is that of the run so far."""
        now = time.monotonic()
        pace = (now - self.started) / float(run.spent) if run.spent else 0.0
        if pace <= 0.0 or now >= self.deadline:
            return False
        reserved = 0.0 if self.reserve is None else self.reserve(pace)
        self.stop_at = self.deadline - OVERRUN * reserved
        left = self.deadline - reserved - time.monotonic()  # what is reserved is not known at once
        epochs = max(0.0, CAUTION * left / pace)
        largest = largest_resource(float(run.spent) + epochs)
        if not 1.0 / CHANGE < largest / self.max_resource < CHANGE:
            self.max_resource = largest
        size = next_bracket(epochs, self.max_resource)
        if size is None:
            return False
        run.extend([size])
        self.added.append(size)
        return True
