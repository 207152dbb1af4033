"""Search tasks whose evaluations take no time, one file a family; `ALL` in the order of the tables."""

from collections.abc import Callable
from functools import cache, partial

from benchmarks.quality.tasks.base import SearchTask
from benchmarks.quality.tasks.counting_ones import CountingOnes
from benchmarks.quality.tasks.hartmann import Hartmann
from benchmarks.quality.tasks.lcbench import TASKS, LCBench

#: name -> how it is made; making one raises `Unavailable` where something that it needs is not there
ALL: dict[str, Callable[[], SearchTask]] = {
    **{f"lcbench-{number}": partial(LCBench, number) for number in TASKS},
    **{f"hartmann-{n}": partial(Hartmann, n) for n in (3, 6)},
    **{f"counting-ones-{2 * n}": partial(CountingOnes, n) for n in (4, 8)},
}


@cache
def task(name: str) -> SearchTask:
    """The task of a name, made once in each process."""
    return ALL[name]()


__all__ = ["ALL", "SearchTask", "task"]
