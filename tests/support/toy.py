"""The smallest space and samplers that keep the contracts, so that tests of the machinery need no real ones."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np

from hyperband.tuning.algorithms import AlgorithmBase
from hyperband.tuning.run.run import Run
from hyperband.tuning.trial import Result


class Line:
    """Two parameters: a number ``x`` in [0, 1], and ``deep``, which is switched on in the upper half of x."""

    names = ("x", "deep")
    n_dimensions = 2
    size = math.inf

    def decode(self, points):
        return [{"x": float(x)} if np.isnan(deep) else {"x": float(x), "deep": float(deep)} for x, deep in points]

    def to_dict(self):
        return {"line": 2}


@dataclass(frozen=True)
class Keyed:
    """Draws by (seed, trial); after ``limit`` trials there is nothing left."""

    limit: float = math.inf

    def start(self, space, seed):
        return KeyedProposer(seed, self.limit)


class KeyedProposer:
    batch = 0
    pure = False

    def __init__(self, seed, limit):
        self._seed, self._limit, self._given = seed, limit, 0
        self.told = []

    @property
    def exhausted(self):
        return self._given >= self._limit

    def propose(self, trials, resources=None):
        count = int(min(len(trials), self._limit - self._given))
        self._given += count
        points = [np.random.default_rng([self._seed, trial]).random(2) for trial in trials[:count]]
        return np.array([(x, d if x > 0.5 else math.nan) for x, d in points]).reshape(-1, 2)

    def tell(self, trial, resource, loss):
        self.told.append([trial, resource, loss if math.isfinite(loss) else None])

    def state_dict(self):
        return {"given": self._given, "told": list(self.told)}

    def load_state_dict(self, state):
        self._given, self.told = state["given"], list(state["told"])


@dataclass(frozen=True)
class Rounds:
    """Proposes ``size`` trials at a time and waits until all of them were evaluated; near the best one so far."""

    size: int

    def start(self, space, seed):
        return RoundsProposer(seed, self.size)


class RoundsProposer(KeyedProposer):
    def __init__(self, seed, size):
        super().__init__(seed, math.inf)
        self._size = size

    def propose(self, trials, resources=None):
        evaluated = {trial for trial, _, _ in self.told}
        room = self._size - self._given % self._size if self._given % self._size or len(evaluated) == self._given else 0
        points = super().propose(list(trials)[:room])
        losses = [
            (loss, trial) for trial, _, loss in self.told if loss is not None and trial < self._given // self._size
        ]
        if losses:
            points[:, 0] = (points[:, 0] + min(losses)[1] / 100) % 1
        return points


class Stuck(KeyedProposer):
    """Waits for ever, and never says that it is exhausted: a sampler with a bug."""

    exhausted = False

    def propose(self, trials, resources=None):
        return np.zeros((0, 2))


@dataclass(frozen=True)
class Algorithm(AlgorithmBase):
    """Joins a scheduler and a toy sampler."""

    scheduler: object
    sampler: object = Keyed()

    def plan(self, space=None):
        return self.scheduler.plan()

    def start(self, space=None, seed=None):
        return Run(space or Line(), self.scheduler, self.sampler, seed or 0)


def loss_of(job, kind="mixed"):
    """A fixed loss of a job: ties, some NaN when mixed."""
    draw = (job.trial * 7919 + job.rung * 104729) % 97
    return math.nan if kind == "mixed" and draw % 9 == 0 else float(draw % 11) + job.configuration["x"] / 1000


def result_of(job, loss=None, **others):
    others = {"cost": job.resource - job.previous, **others}
    return Result(job.trial, job.bracket, job.rung, job.resource, loss_of(job) if loss is None else loss, **others)


def through_json(data):
    return json.loads(json.dumps(data, allow_nan=False))
