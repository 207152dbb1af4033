"""hyperband's own backends."""

from __future__ import annotations

import numpy as np

from benchmarks.common.optional import Unavailable
from benchmarks.training.contenders.base import Contender, Session
from benchmarks.training.workloads import Layers, Task
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import EngineSettings, Member, Split
from hyperband.engine.parameters import layered
from hyperband.errors import BackendUnavailable


class _Session(Session):
    def __init__(self, backend: str, task: Task, threads: int) -> None:
        try:
            found = registry.get(backend)
        except BackendUnavailable as error:
            raise Unavailable(str(error)) from None
        split = Split(task.x, task.y.astype(np.int32))
        self._engine = found.engine(split, None, "cross_entropy", task.n_classes, EngineSettings(threads=threads))
        self._steps = np.array([-(-len(task.x) // n.batch_size) for n in task.networks], dtype=np.int64)
        self._members = self._engine.add(
            [Member(n, seed, int(s)) for (seed, n), s in zip(enumerate(task.networks), self._steps, strict=True)]
        )
        self._epoch = 0

    def train(self) -> None:
        self._epoch += 1
        self._engine.train(self._members, self._epoch * self._steps, evaluate=False)

    def weights(self, member: int) -> Layers:
        return layered(self._engine.export_state(int(self._members[member])), "")


class Native(Contender):
    """The compiled engine."""

    name = "hyperband"

    def start(self, task: Task) -> Session:
        return _Session("native", task, self.threads)


class Numba(Contender):
    """The fallback where nothing was compiled."""

    name = "hyperband, Numba"

    def share(self, task: Task) -> tuple[int, int]:
        return self.fewer(task, 2)

    def start(self, task: Task) -> Session:
        return _Session("numba", task, self.threads)


class Reference(Contender):
    """The float64 reference, which the others are checked against."""

    name = "reference"

    def start(self, task: Task) -> Session:
        return _Session("numpy", task, 1)
