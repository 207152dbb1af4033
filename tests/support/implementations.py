"""Our samplers and schedulers, each with the settings under which its contract is tested."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hyperband.tuning.samplers import (
    AdaptiveSampler,
    EvolutionSampler,
    GridSampler,
    IterableSampler,
    KDESampler,
    PriorBandSampler,
    PriorSampler,
    QuasiRandomSampler,
    RandomSampler,
    WarmStartSampler,
)
from hyperband.tuning.schedulers import (
    ASHAScheduler,
    AsyncHyperbandScheduler,
    EvolutionScheduler,
    FullScheduler,
    HyperbandScheduler,
    PASHAScheduler,
    PopulationScheduler,
    SuccessiveHalvingScheduler,
)


@dataclass(frozen=True)
class Listed:
    """`IterableSampler` of random configurations: it has none of its own."""

    def start(self, space, seed):
        drawn = RandomSampler().start(space, seed).propose(range(60))
        return IterableSampler(space.decode(drawn)).start(space, seed)


@dataclass(frozen=True)
class Warm:
    """`WarmStartSampler` with four known trials, one of them failed, and one to start with."""

    def start(self, space, seed):
        known = RandomSampler().start(space, seed + 100).propose(range(min(5, int(min(space.size, 9) / 2))))
        trials = [(c, 1, 0.1 * i if i else math.nan) for i, c in enumerate(space.decode(known[1:]))]
        inner = KDESampler(batch=4, random_fraction=0.0)
        return WarmStartSampler(inner, trials, start_with=space.decode(known[:1])).start(space, seed)


SAMPLERS = {
    "random": RandomSampler(),
    "grid": GridSampler(3),
    "adaptive": AdaptiveSampler(n_coarse=6, n_per_round=3, elite=2),
    "kde": KDESampler(batch=4, random_fraction=0.1),
    "evolution": EvolutionSampler(population=5, batch=4),
    "prior": PriorSampler(),
    "priorband": PriorBandSampler(batch=4),
    "sobol": QuasiRandomSampler("sobol"),
    "halton": QuasiRandomSampler("halton"),
    "iterable": Listed(),
    "warm": Warm(),
}

BRACKETS = {
    "full": FullScheduler(13, 5),
    "halving": SuccessiveHalvingScheduler(27, 3),
    "halving, free n": SuccessiveHalvingScheduler(20, 2.5, n=37, min_resource=2),
    "hyperband": HyperbandScheduler(27, 3),
    "hyperband, no power": HyperbandScheduler(20, 2),
    "hyperband, fractional eta": HyperbandScheduler(50, 3.5),
    "hyperband, fractions": HyperbandScheduler(1, 3, min_resource=0.1, whole=False),
    "hyperband, table 1": HyperbandScheduler(27, 3, variant="table1"),
    "hyperband, rounded up": HyperbandScheduler(27, 3, variant="ceil"),
    "hyperband, twice": HyperbandScheduler(9, 3, repetitions=2),
    "halving, three times": SuccessiveHalvingScheduler(9, 3, repetitions=3),
    "halving, aggressive": SuccessiveHalvingScheduler(18, 3, n=60, min_resource=2, aggressive=True),
}
GENERATIONS = {
    "generations": EvolutionScheduler(27, 3),
    "generations, twice": EvolutionScheduler(9, 3, repetitions=2),
}
POPULATIONS = {"population": PopulationScheduler(11, 10, 3, 0.3), "population of two": PopulationScheduler(2, 3, 1)}
ASYNCHRONOUS = {
    "asha": ASHAScheduler(27, 3, n=40),
    "asha, fractional eta": ASHAScheduler(20, 2.5, n=23, min_resource=2),
    "asynchronous hyperband": AsyncHyperbandScheduler(9, 3, repetitions=2),
    "pasha": PASHAScheduler(27, 3, n=30),
    "pasha, soft": PASHAScheduler(27, 3, n=30, epsilon=2.0),
}
SYNCHRONOUS = {**BRACKETS, **GENERATIONS, **POPULATIONS}
SCHEDULERS = {**SYNCHRONOUS, **ASYNCHRONOUS}
