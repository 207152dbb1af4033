"""Every sampler, every kind of space, and runs in small: what the contract suite of the samplers is carried out on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hyperband.space import Choice, Float, Int, Repeat, Space, When
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
#: Those that use every result: the run proposes in lots, each after all results before.
LEARNERS = [name for name, sampler in SAMPLERS.items() if hasattr(sampler, "batch") or name == "warm"]

SPACES = {
    "continuous": Space({"x": Float(0.0, 1.0, default=0.3, prior="high"), "rate": Float(1e-4, 1.0, log=True)}),
    "conditions": Space(
        {
            "kind": Choice(["a", "b"], prior=[1, 2]),
            "x": Float(0.0, 1.0),
            "only_b": Float(0.0, 1.0, prior="low"),
            "n": Int(1, 100, log=True),
        },
        conditions=[When("only_b", "kind", "b")],
    ),
    "constraint": Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, constraints=["x < y"]),
    "discrete": Space({"n": Int(1, 6), "kind": Choice(["a", "b", "c"])}, constraints=["n > 1 or kind == 'a'"]),
    "nested": Space(
        {"layers": Repeat(0, 3, {"width": Int(8, 512, log=True), "drop": Float(0.0, 0.5)}), "x": Int(1, 9)}
    ),
    "one level": Space({"fixed": "value", "only": Choice(["one"]), "one": Int(3, 3), "x": Float(0.0, 1.0)}),
}


def loss_of(trial, point):
    """Some loss: a bowl, NaN for one trial in seven."""
    return math.nan if trial % 7 == 3 else float(np.nansum((point - 0.4) ** 2))


def carry_out(proposer, n, rng=None, checkpoint=None):
    """Propose for trials 0 .. n - 1 and tell a loss for each; ``rng`` varies the sizes and the order of the tells."""
    rows, waiting = [], []
    while len(rows) < n and not proposer.exhausted:
        size = n - len(rows) if rng is None else int(rng.integers(1, n - len(rows) + 1))
        points = proposer.propose(range(len(rows), len(rows) + size), [1] * size)
        waiting += [(len(rows) + i, row) for i, row in enumerate(points)]
        rows += list(points)
        assert waiting or proposer.exhausted, "no configuration, none awaited, and not exhausted"
        if rng is not None:
            rng.shuffle(waiting)
        count = len(waiting) if rng is None else int(rng.integers(0, len(waiting) + 1))
        if len(points) < size:  # it waits for results
            count = len(waiting)
        for trial, row in waiting[:count]:
            proposer.tell(trial, 1, loss_of(trial, row))
        waiting = waiting[count:]
        if checkpoint is not None:
            proposer = checkpoint(proposer)
    return np.array(rows)


def carry_out_in_lots(proposer, n, rng=None, checkpoint=None, loss=loss_of):
    """What a run with a synchronous scheduler does for a proposer with a batch.

    New trials up to the next multiple of the batch, once all earlier ones were judged; results in the order of their
    trials. The first result of every lot is at resource 1, or 3 in every third lot; a third of a lot goes on to three
    times as much. ``rng`` varies how many are asked at a time and in what order results arrive; the run sorts them.
    """
    rows, batch = [], proposer.batch
    while len(rows) < n and not proposer.exhausted:
        first, resource = len(rows), 3 if len(rows) // batch % 3 == 2 else 1
        stop = min(n, first + batch - first % batch)
        while len(rows) < stop and not proposer.exhausted:
            size = stop - len(rows) if rng is None else int(rng.integers(1, stop - len(rows) + 1))
            rows += list(proposer.propose(range(len(rows), len(rows) + size), [resource] * size))
            proposer = checkpoint(proposer) if checkpoint else proposer
        results = [(resource, trial, loss(trial, rows[trial])) for trial in range(first, len(rows))]
        best = sorted(results, key=lambda r: np.nan_to_num(np.ravel(r[2])[0], nan=9e9))[: len(results) // 3]
        results += [(3 * resource, trial, value) for _, trial, value in best]
        if rng is not None:
            rng.shuffle(results)
        for at, trial, value in sorted(results, key=lambda r: r[:2]):
            proposer.tell(int(trial), at, value)
            proposer = checkpoint(proposer) if checkpoint else proposer
    return np.array(rows)


def carried_out(sampler, space, seed, n, rng=None, checkpoint=None):
    """The way of a run for this sampler."""
    proposer = sampler.start(space, seed)
    way = carry_out_in_lots if proposer.batch else carry_out
    return way(proposer, n, rng, checkpoint)
