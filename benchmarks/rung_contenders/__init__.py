"""Ways to keep rungs, one file a kind; `ALL` in the order of the table."""

from benchmarks.rung_contenders.base import Contender, Losses, Promoting, Unavailable
from benchmarks.rung_contenders.libraries import OptunaPruner, RayAsha, SyneAsha
from benchmarks.rung_contenders.ours import Batched, OneByOne
from benchmarks.rung_contenders.plain import Heaps, Sorting

ALL: dict[str, type[Contender]] = {
    kind.name: kind for kind in (Batched, OneByOne, Heaps, Sorting, OptunaPruner, RayAsha, SyneAsha)
}

__all__ = ["ALL", "Batched", "Contender", "Heaps", "Losses", "OneByOne", "Promoting", "Sorting", "Unavailable"]
