"""Rung tables in plain Python: one that sorts at every decision, as libraries do, and one on heaps."""

from __future__ import annotations

from heapq import heappop, heappush

from benchmarks.bookkeeping.contenders.base import ETA, RESOURCES, Losses, Promoting


class Sorting(Promoting):
    """Sorts each rung whenever a job is asked for: O(n log n) a decision."""

    name = "plain Python sorting at every decision"

    def __init__(self, losses: Losses) -> None:
        super().__init__(losses)
        self._rungs: list[list[tuple[float, int]]] = [[] for _ in RESOURCES]
        self._promoted: list[set[int]] = [set() for _ in RESOURCES]
        self._next = 0

    def ask(self) -> tuple[int, int]:
        """See `Promoting`."""
        for rung in range(len(RESOURCES) - 2, -1, -1):
            told, promoted = self._rungs[rung], self._promoted[rung]
            for _, trial in sorted(told)[: len(told) // ETA]:
                if trial not in promoted:
                    promoted.add(trial)
                    return trial, rung + 1
        self._next += 1
        return self._next - 1, 0

    def tell(self, trial: int, rung: int, loss: float) -> None:
        """See `Promoting`."""
        self._rungs[rung].append((loss, trial))


class _Heaps:
    """A rung as heaps: the best n // eta of n, the rest, and those of the best that were not promoted."""

    __slots__ = ("inside", "outside", "promoted", "ready", "told", "within")

    def __init__(self) -> None:
        self.inside: list[tuple[float, int]] = []  # negated: the worst of the best on top
        self.outside: list[tuple[float, int]] = []
        self.ready: list[tuple[float, int]] = []  # some have left the best since: `within` knows
        self.within: set[int] = set()
        self.promoted: set[int] = set()
        self.told = 0

    def tell(self, trial: int, loss: float) -> None:
        self.told += 1
        heappush(self.outside, (loss, trial))
        if len(self.inside) < self.told // ETA:
            self._enter()
        elif self.inside and self.outside[0] < (-self.inside[0][0], -self.inside[0][1]):
            worst_loss, worst_trial = heappop(self.inside)
            self.within.discard(-worst_trial)
            self._enter()
            heappush(self.outside, (-worst_loss, -worst_trial))

    def _enter(self) -> None:
        loss, trial = heappop(self.outside)
        heappush(self.inside, (-loss, -trial))
        self.within.add(trial)
        if trial not in self.promoted:
            heappush(self.ready, (loss, trial))

    def promote(self) -> int | None:
        while self.ready:
            _, trial = heappop(self.ready)
            if trial in self.within and trial not in self.promoted:
                self.promoted.add(trial)
                return trial
        return None


class Heaps(Promoting):
    """O(log n) a decision, in plain Python."""

    name = "plain Python on heaps"

    def __init__(self, losses: Losses) -> None:
        super().__init__(losses)
        self._rungs = [_Heaps() for _ in RESOURCES]
        self._next = 0

    def ask(self) -> tuple[int, int]:
        """See `Promoting`."""
        for rung in range(len(RESOURCES) - 2, -1, -1):
            trial = self._rungs[rung].promote()
            if trial is not None:
                return trial, rung + 1
        self._next += 1
        return self._next - 1, 0

    def tell(self, trial: int, rung: int, loss: float) -> None:
        """See `Promoting`."""
        self._rungs[rung].tell(trial, loss)
