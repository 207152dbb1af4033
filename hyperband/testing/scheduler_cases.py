"""A fixed loss, and the way to drive an allocation to its end: what the scheduler contract runs on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from hyperband.tuning.schedulers.base import Allocation, Slot

#: No allocation takes more results than this.
LIMIT = 20_000


def loss_of(trial: int, rung: int, kind: str = "mixed") -> float:
    """A fixed loss of an evaluation, with many ties; ``kind`` "mixed": some NaN and infinite, "nan": all NaN."""
    draw = (trial * 7919 + rung * 104729) % 97
    if kind == "mixed" and draw % 9 == 0:
        return math.nan if draw % 2 else math.inf
    return math.nan if kind == "nan" else float(draw % 11)


def carry_out(
    allocation: Allocation,
    rng: np.random.Generator | None = None,
    kind: str = "mixed",
    checkpoint: Callable[[Any], Any] | None = None,
) -> tuple[list[Slot], list[int]]:
    """Drive an allocation to its end; returns the slots told, and the dropped trials. ``rng`` shuffles and splits."""
    told: list[Slot] = []
    dropped: list[int] = []
    waiting: list[Slot] = []
    while not allocation.done:
        waiting += allocation.ask(None if rng is None else int(rng.integers(1, 9)))
        assert waiting, "`ask` hands out nothing, no result is awaited, and `done` is False"
        assert len(told) < LIMIT, "the allocation does not end: look at `done`"
        if rng is not None:
            rng.shuffle(waiting)
        count = 1 if rng is None else int(rng.integers(1, len(waiting) + 1))
        for slot in waiting[:count]:
            allocation.tell(slot.trial, slot.rung, loss_of(slot.trial, slot.rung, kind))
            told.append(slot)
        waiting = waiting[count:]
        dropped += allocation.dropped()
        if checkpoint is not None:
            allocation = checkpoint(allocation)
    assert not waiting, "`done` is True although results are awaited"
    return told, dropped


def as_set(slots: Iterable[Slot]) -> set[tuple[Any, ...]]:
    """Slots without their order."""
    return {tuple(slot) for slot in slots}
