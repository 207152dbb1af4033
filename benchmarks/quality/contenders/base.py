"""What every search contender offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.quality.tasks.base import SearchTask
from benchmarks.quality.virtual_clock import Searcher

ETA = 3


@dataclass(frozen=True)
class Contender:
    """A way to search.

    Parameters
    ----------
    name : str, in the tables
    start : callable of (task, seed, full evaluations that the budget allows)
        Raises `Unavailable` where something is not there.
    seeds, full : int
        The most seeds, and the most full evaluations of budget, that are run: slow libraries get fewer, and the table
        says so.
    workers : int, the most that it can serve at a time
    shown : bool, drawn in colour
    """

    name: str
    start: Callable[[SearchTask, int, int], Searcher]
    seeds: int = 1000
    full: int = 1000
    workers: int = 1000
    shown: bool = False


def levels(task: SearchTask) -> Sequence[float]:
    """Resources at which most contenders evaluate: R / eta^k as whole numbers, and min_resource * eta^k."""
    down, up, r = [float(task.max_resource)], [], float(task.min_resource)
    while down[-1] / ETA >= task.min_resource:
        down.append(down[-1] / ETA)
    while r < task.max_resource:
        up.append(r)
        r *= ETA
    return sorted({float(max(task.min_resource, round(x))) for x in (*down, *up)})
