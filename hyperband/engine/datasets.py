"""Members that train on different data sets, as one engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import (
    F32,
    F64,
    I64,
    Engine,
    Member,
    Split,
    TrainingPart,
    TrainingProgress,
    TrainsTogether,
)
from hyperband.engine.backends.device_array import DeviceMatrix
from hyperband.errors import InputError

_WHOLE, _REAL = np.zeros(0, np.int64), np.zeros(0)
#: The progress of no members.
_NOBODY = TrainingProgress(
    step=_WHOLE, epoch=_WHOLE, loss=_REAL, error=_REAL, best_loss=_REAL, best_error=_REAL, best_step=_WHOLE,
    train_loss=_REAL, diverged=np.zeros(0, np.bool_),
)  # fmt: skip


class DatasetEngines:
    """One engine for each data set in use, under one set of member ids; it follows the `Engine` protocol.

    A member's curve depends on its own data set alone, as in an engine of its own.

    Parameters
    ----------
    make : callable (dataset) -> Engine
        Makes the engine of a data set, when its first member is added.
    together : TrainsTogether or None
        The backend of these engines, when they can train at the same time; else one trains after the other.

    Examples
    --------
    >>> from hyperband.engine.architecture import Architecture
    >>> from hyperband.engine.backends.registry import get
    >>> x = np.zeros((20, 2), np.float32)
    >>> wide = np.zeros((20, 3), np.float32)
    >>> y = np.zeros((20, 1), np.float32)
    >>> engines = DatasetEngines(lambda k: get("numpy").engine(Split((x, wide)[k], y), None, "mse", 1))
    >>> ids = engines.add([Member(Architecture(widths=[4]), seed=1, dataset=k) for k in (0, 1)])
    >>> [engines.export_state(i)["weights.0"].shape for i in ids.tolist()]
    [(2, 4), (3, 4)]
    """

    def __init__(self, make: Callable[[int], Engine], together: TrainsTogether | None = None) -> None:
        self._make, self._together = make, together
        self._engines: dict[int, Engine] = {}
        self._datasets: list[int] = []  # of every member, by its id
        self._inner: list[int] = []  # its id in the engine of its data set

    def of(self, dataset: int) -> Engine:
        """The engine of a data set."""
        if dataset not in self._engines:
            self._engines[dataset] = self._make(dataset)
        return self._engines[dataset]

    def add(self, members: Sequence[Member]) -> I64:
        """Allocate and initialise members; returns their ids (never reused)."""
        ids = np.arange(len(self._inner), len(self._inner) + len(members), dtype=np.int64)
        datasets = np.array([member.dataset for member in members], dtype=np.int64)
        inner = np.empty(len(members), dtype=np.int64)
        for dataset in np.unique(datasets).tolist():
            rows = np.flatnonzero(datasets == dataset)
            inner[rows] = self.of(dataset).add([members[row] for row in rows.tolist()])
        self._datasets += datasets.tolist()
        self._inner += inner.tolist()
        return ids

    def train(
        self,
        members: I64,
        until_step: I64,
        *,
        rows: int | None = None,
        inputs: int | None = None,
        evaluate: bool = True,
        seconds: float | None = None,
    ) -> NDArray[np.bool_]:
        """Train all at once where the backend can; else each data set gets a share of ``seconds`` by its members."""
        arrived = np.zeros(len(members), dtype=np.bool_)
        groups = list(self._groups(members))
        parts = [TrainingPart(engine, inner, until_step[at], rows, inputs) for engine, at, inner in groups]
        if self._together is not None and len(parts) > 1:
            answers = self._together.train_together(parts, evaluate=evaluate, seconds=seconds)
        else:
            answers = [self._alone(part, len(members), evaluate, seconds) for part in parts]
        for (_, at, _), answer in zip(groups, answers, strict=True):
            arrived[at] = answer
        return arrived

    def _alone(self, part: TrainingPart, n: int, evaluate: bool, seconds: float | None) -> NDArray[np.bool_]:
        share = None if seconds is None else seconds * len(part.members) / n
        until = np.ascontiguousarray(part.until_step)
        return part.engine.train(
            part.members, until, rows=part.rows, inputs=part.inputs, evaluate=evaluate, seconds=share
        )

    def progress(self, members: I64) -> TrainingProgress:
        """Counters and losses of the listed members."""
        if len(members) == 0:
            return _NOBODY
        parts = [(at, engine.progress(inner)) for engine, at, inner in self._groups(members)]
        if len(parts) == 1:
            return parts[0][1]
        columns = {}
        for field in fields(TrainingProgress):
            columns[field.name] = np.empty(len(members), dtype=getattr(parts[0][1], field.name).dtype)
            for at, part in parts:
                columns[field.name][at] = getattr(part, field.name)
        return TrainingProgress(**columns)

    def evaluate(self, members: I64, split: Split, *, weights: str = "current") -> tuple[F64, F64]:
        """Loss and error of members, all of one data set, on ``split``."""
        groups = list(self._groups(members))
        if len(groups) != 1:
            raise InputError(f"Members must be of one data set to be evaluated on rows; got {len(groups)} data sets.")
        return groups[0][0].evaluate(groups[0][2], split, weights=weights)

    def predict(self, member: int, x: F32 | DeviceMatrix, *, weights: str = "current") -> F32:
        """Raw outputs for rows of the member's own data set, shape (n_rows, n_outputs)."""
        return self._engine(member).predict(self._inner[member], x, weights=weights)

    def forget_best(self, members: I64) -> None:
        """Drop the best snapshots."""
        for engine, _, inner in self._groups(members):
            engine.forget_best(inner)

    def release(self, members: I64) -> None:
        """Free the listed members."""
        for engine, _, inner in self._groups(members):
            engine.release(inner)

    def export_state(self, member: int) -> dict[str, NDArray[np.generic]]:
        """The member's whole state as arrays."""
        return self._engine(member).export_state(self._inner[member])

    def import_state(self, member: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Overwrite the member's state by an exported one of the same architecture and data."""
        self._engine(member).import_state(self._inner[member], state)

    def bytes_of(self, member: Member) -> int:
        """Memory that this member takes."""
        return self.of(member.dataset).bytes_per_member(member.architecture)

    def bytes_per_member(self, architecture: Architecture) -> int:
        """Memory that one more such member of data set 0 takes."""
        return self.of(0).bytes_per_member(architecture)

    def capacity(self) -> int | None:
        """Bytes that members may take now, as an engine that is there knows it, else that of data set 0."""
        return (next(iter(self._engines.values())) if self._engines else self.of(0)).capacity()

    def _engine(self, member: int) -> Engine:
        return self._engines[self._datasets[member]]

    def _groups(self, members: I64) -> Iterator[tuple[Engine, I64, I64]]:
        """For each data set: its engine, which of ``members`` train on it, and their ids there."""
        listed = members.tolist()
        datasets = np.array([self._datasets[member] for member in listed], dtype=np.int64)
        inner = np.array([self._inner[member] for member in listed], dtype=np.int64)
        for dataset in np.unique(datasets).tolist():
            at = np.flatnonzero(datasets == dataset)
            yield self._engines[dataset], at, inner[at]
