"""Our schedulers and samplers: a line of `TABLE` each.

Left out are population-based training, because these tasks evaluate fixed configurations and no schedules; a grid,
because it would be one or two points wide on most axes; and samplers with a prior, because the prior decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import hyperband as hb
from benchmarks.common.optional import Unavailable
from benchmarks.quality.contenders.base import ETA, Contender
from benchmarks.quality.tasks.base import SearchTask
from benchmarks.quality.virtual_clock import Asked, WrongAnswer
from hyperband.tuning import samplers

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
        spent = job.resource - job.previous
        self._run.tell(hb.Result(job.trial, job.bracket, job.rung, job.resource, loss, cost=spent))


def _named(namespace: Any, name: str) -> Any:
    found = getattr(namespace, name, None)
    if found is None:
        raise Unavailable(f"this version has no {name}")
    return found


def _sampler(name: str | None, **settings: Any) -> dict[str, Any]:
    return {} if name is None else {"sampler": _named(samplers, name)(**settings)}


def halving(scheduler: str, sampler: str | None = None, **settings: Any) -> Make:
    """A scheduler with rungs, without an end where it has that setting."""

    def make(task: SearchTask, full: int) -> Any:
        kind = _named(hb, scheduler)
        known = {field.name for field in fields(kind)}
        forever: dict[str, Any] = {name: None for name in ("repetitions", "n") if name in known}
        if "repetitions" in forever:
            forever.pop("n", None)
        given = {"max_resource": task.max_resource, "eta": ETA, "min_resource": task.min_resource}
        return kind(**{k: v for k, v in given.items() if k in known}, **forever, **_sampler(sampler), **settings)

    return make


def full(sampler: str | None = None, **settings: Any) -> Make:
    """Every trial with the whole resource."""
    return lambda task, n: hb.RandomSearch(task.max_resource, n=n, **_sampler(sampler, **settings))


def adaptive(task: SearchTask, n: int) -> Any:
    """Adaptive search, which is told in advance how many evaluations there will be."""
    return hb.AdaptiveSearch(task.max_resource, n=n)


#: name in the tables -> how the algorithm is made for a task and a number of full evaluations; drawn in colour or not
TABLE: dict[str, tuple[Make, bool]] = {
    "random": (full(), True),
    "quasi-random": (full("QuasiRandomSampler"), False),
    "adaptive": (adaptive, False),
    "KDE": (full("KDESampler"), False),
    "evolution": (full("EvolutionSampler"), False),
    "successive halving": (halving("SuccessiveHalving"), False),
    "Hyperband": (halving("Hyperband"), True),
    "Hyperband + quasi-random": (halving("Hyperband", "QuasiRandomSampler"), False),
    "BOHB": (halving("BOHB"), True),
    "DEHB": (halving("DEHB"), True),
    "PriorBand without prior": (halving("PriorBand"), False),
    "ASHA": (halving("ASHA"), True),
    "ASHA + quasi-random": (halving("ASHA", "QuasiRandomSampler"), False),
    "ASHA + KDE": (halving("ASHA", "KDESampler"), True),
    "ASHA + evolution": (halving("ASHA", "EvolutionSampler"), False),
    "async Hyperband": (halving("AsyncHyperband"), False),
    "async Hyperband + KDE": (halving("AsyncHyperband", "KDESampler"), False),
    "PASHA": (halving("PASHA"), False),
}


def contender(name: str) -> Contender:
    """A line of the table as a contender."""
    make, shown = TABLE[name]
    return Contender(name, lambda task, seed, n: Ours(make(task, n), task, seed), shown=shown)
