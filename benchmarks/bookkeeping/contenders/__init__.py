"""Implementations of rungs, one file a kind; `ALL` in the order of the table."""

from benchmarks.bookkeeping.contenders.base import Contender, Losses, Promoting
from benchmarks.bookkeeping.contenders.libraries import OptunaPruner, RayAsha, SyneAsha
from benchmarks.bookkeeping.contenders.ours import Batched, OneByOne
from benchmarks.bookkeeping.contenders.plain import Heaps, Sorting

ALL: dict[str, type[Contender]] = {
    kind.name: kind for kind in (Batched, OneByOne, Heaps, Sorting, OptunaPruner, RayAsha, SyneAsha)
}

__all__ = ["ALL", "Batched", "Contender", "Heaps", "Losses", "OneByOne", "Promoting", "Sorting"]
