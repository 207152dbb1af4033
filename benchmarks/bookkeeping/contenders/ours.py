"""ASHA of this package, through batches and one by one."""

from __future__ import annotations

from typing import Any

import hyperband as hb
from benchmarks.bookkeeping.contenders.base import ETA, Contender, Losses, R

SPACE = {"learning_rate": hb.Float(1e-4, 1e-1, log=True), "width": hb.Int(8, 256, log=True)}


class _Asha(Contender):
    """A run of ASHA without an end."""

    def __init__(self, losses: Losses) -> None:
        super().__init__(losses)
        algorithm = hb.ASHA(max_resource=R, eta=ETA, min_resource=1, n=None)
        self._run: Any = algorithm.start(hb.Space(SPACE), seed=0)


class OneByOne(_Asha):
    """``run.ask(1)``, ``run.tell(job, loss)``."""

    name = "hyperband one by one"

    def advance(self, until: int) -> None:
        """See `Contender`."""
        run, lists, log = self._run, self.losses.lists, self.log
        while self.results < until:
            job = run.ask(1)[0]
            run.tell(job, lists[job.rung][job.trial])
            if log is not None:
                log.append((job.trial, job.rung))
            self.results += 1


class Batched(_Asha):
    """``run.ask_batch(n)``, ``run.tell_batch(batch, losses)``."""

    name, batch = "hyperband in batches", 1000

    def advance(self, until: int) -> None:
        """See `Contender`."""
        run, table, log = self._run, self.losses.table, self.log
        while self.results < until:
            batch = run.ask_batch(self.batch)
            run.tell_batch(batch, table[batch.rung, batch.trial])
            if log is not None:
                log += zip(batch.trial.tolist(), batch.rung.tolist(), strict=True)
            self.results += len(batch)
