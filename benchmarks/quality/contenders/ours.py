"""Our schedulers and samplers: a line of `TABLE` each.

Left out are population-based training, because these tasks evaluate fixed configurations and no schedules; a grid,
because it would be one or two points wide on most axes; and samplers with a prior, because the prior decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import hyperband as hb
from benchmarks.quality.contenders.base import ETA, Contender
from benchmarks.quality.tasks.base import SearchTask
from benchmarks.quality.virtual_clock import Asked, WrongAnswer

Make = Callable[[SearchTask, int], Any]


class Ours:
    """A run driven one job at a time; an algorithm that ends is started again with another seed."""

    def __init__(self, algorithm: Any, task: SearchTask, seed: int) -> None:
        self._algorithm, self._task, self._seed = algorithm, task, seed
        self._run, self._first, self._starts = algorithm.start(task.space, seed), 0, 1
        self._has: dict[int, float] = {}

    def ask(self) -> Asked | None:
        """See `Searcher`."""
        jobs = self._run.ask(1)
        if not jobs and self._run.done:
            self._first += self._run.n_configurations
            self._run = self._algorithm.start(self._task.space, self._seed + 1_000_003 * self._starts)
            self._starts += 1
            self._has = {}
            jobs = self._run.ask(1)
        if not jobs:
            return None
        job = jobs[0]
        if job.previous != self._has.get(job.trial, 0):
            raise WrongAnswer(f"Trial {job.trial} has {self._has.get(job.trial, 0)}; its job says {job.previous}.")
        return Asked(self._first + job.trial, job.configuration, job.resource, job)

    def tell(self, asked: Asked, loss: float) -> None:
        """See `Searcher`."""
        job = asked.token
        self._has[job.trial] = job.resource
        self._run.tell(job, loss)


def halving(scheduler: Any, sampler: Any = None) -> Make:
    """A scheduler with rungs, without an end where it has that setting."""

    def make(task: SearchTask, full: int) -> Any:
        known = {field.name for field in fields(scheduler)}
        endless = next(({name: None} for name in ("repetitions", "n") if name in known), {})
        return scheduler(task.max_resource, ETA, min_resource=task.min_resource, **endless, **_sampling(sampler))

    return make


def full(sampler: Any = None) -> Make:
    """Every trial with the whole resource."""
    return lambda task, n: hb.RandomSearch(task.max_resource, n=n, **_sampling(sampler))


def _sampling(sampler: Any) -> dict[str, Any]:
    return {} if sampler is None else {"sampler": sampler()}


def adaptive(task: SearchTask, n: int) -> Any:
    """Adaptive search, which is told in advance how many evaluations there will be."""
    return hb.AdaptiveSearch(task.max_resource, n=n)


#: name in the tables -> how the algorithm is made for a task and a number of full evaluations; drawn in colour or not
TABLE: dict[str, tuple[Make, bool]] = {
    "random": (full(), True),
    "quasi-random": (full(hb.QuasiRandomSampler), False),
    "adaptive": (adaptive, False),
    "KDE": (full(hb.KDESampler), False),
    "evolution": (full(hb.EvolutionSampler), False),
    "successive halving": (halving(hb.SuccessiveHalving), False),
    "Hyperband": (halving(hb.Hyperband), True),
    "Hyperband + quasi-random": (halving(hb.Hyperband, hb.QuasiRandomSampler), False),
    "BOHB": (halving(hb.BOHB), True),
    "DEHB": (halving(hb.DEHB), True),
    "PriorBand without prior": (halving(hb.PriorBand), False),
    "ASHA": (halving(hb.ASHA), True),
    "ASHA + quasi-random": (halving(hb.ASHA, hb.QuasiRandomSampler), False),
    "ASHA + KDE": (halving(hb.ASHA, hb.KDESampler), True),
    "ASHA + evolution": (halving(hb.ASHA, hb.EvolutionSampler), False),
    "async Hyperband": (halving(hb.AsyncHyperband), False),
    "async Hyperband + KDE": (halving(hb.AsyncHyperband, hb.KDESampler), False),
    "PASHA": (halving(hb.PASHA), False),
}


def contender(name: str) -> Contender:
    """A line of the table as a contender."""
    make, shown = TABLE[name]
    return Contender(name, lambda task, seed, n: Ours(make(task, n), task, seed), shown=shown)
