"""Many jobs as columns: what batched objectives and fast loops work with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from hyperband.tuning.schedulers.base import Slot
from hyperband.tuning.trial import Job

if TYPE_CHECKING:
    from hyperband.space import Points, Space

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


class JobBatch(Sequence[Job]):
    """Jobs as arrays; as a sequence, the `Job` records. Made by ``run.ask_batch``.

    Parameters
    ----------
    slots : list of Slot
    points : shape (n, n_dimensions)
        Points of the unit cube, NaN where a parameter is inactive.
    space : Space
    """

    def __init__(self, slots: list[Slot], points: Points, space: Space) -> None:
        self.slots, self.points, self.space = slots, points, space

    @cached_property
    def identities(self) -> I64:
        """Trial, bracket and rung of every job, shape (3, n)."""
        columns = list(zip(*self.slots, strict=True))[:3]
        return np.array(columns, dtype=np.int64).reshape(3, -1)

    @cached_property
    def resources(self) -> F64:
        """Resource of every trial after its job and before it, shape (2, n)."""
        columns = list(zip(*self.slots, strict=True))[3:5]
        return np.array(columns, dtype=np.float64).reshape(2, -1)

    @property
    def trial(self) -> I64:
        """Trial numbers, shape (n,)."""
        column: I64 = self.identities[0]
        return column

    @property
    def bracket(self) -> I64:
        """Brackets, shape (n,)."""
        column: I64 = self.identities[1]
        return column

    @property
    def rung(self) -> I64:
        """Rungs, shape (n,)."""
        column: I64 = self.identities[2]
        return column

    @property
    def resource(self) -> F64:
        """Resource of every trial after its job, shape (n,)."""
        column: F64 = self.resources[0]
        return column

    @property
    def previous(self) -> F64:
        """Resource of every trial before its job, shape (n,)."""
        column: F64 = self.resources[1]
        return column

    def columns(self) -> dict[str, NDArray[Any]]:
        """Values by parameter, shape (n,) each; see `hyperband.space.Space.columns`."""
        return self.space.columns(self.points)

    def __len__(self) -> int:
        return len(self.slots)

    @overload
    def __getitem__(self, index: int) -> Job: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | NDArray[Any]) -> JobBatch: ...

    def __getitem__(self, index: int | slice | Sequence[int] | NDArray[Any]) -> Job | JobBatch:
        if isinstance(index, int | np.integer):
            row = range(len(self))[index]
            return next(iter(JobBatch(self.slots[row : row + 1], self.points[row : row + 1], self.space)))
        rows = np.arange(len(self))[index if isinstance(index, slice) else np.asarray(index)]
        return JobBatch([self.slots[row] for row in rows.tolist()], self.points[rows], self.space)

    def __iter__(self) -> Iterator[Job]:
        configurations = self.space.decode(self.points) if self.slots else []
        for slot, configuration in zip(self.slots, configurations, strict=True):
            yield job_of(slot, configuration)

    def __repr__(self) -> str:
        return f"JobBatch({len(self)} jobs)"


def job_of(slot: Slot, configuration: dict[str, Any]) -> Job:
    """The record for people."""
    return Job(slot.trial, slot.bracket, slot.rung, configuration, slot.resource, slot.previous, slot.parent)
