"""Samplers that learn find better configurations than random search: medians over seeds, everything keyed."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from hyperband.space import Choice, Float, Int, Space, When
from hyperband.tuning.samplers import (
    EvolutionSampler,
    KDESampler,
    PriorBandSampler,
    PriorSampler,
    QuasiRandomSampler,
    RandomSampler,
)

BOWL = Space({f"x{i}": Float(0.0, 1.0) for i in range(4)})
MIXED = Space(
    {
        "kind": Choice(["a", "b", "c"]),
        "x": Float(0.0, 1.0),
        "rate": Float(1e-5, 1.0, log=True),
        "n": Int(1, 20),
        "momentum": Float(0.0, 1.0),
    },
    conditions=[When("momentum", "kind", ["b", "c"])],
)


def bowl(point):
    return float(((point - 0.3) ** 2).sum())


def mixed(point):
    """Lowest, 0, at kind b, x 0.7, rate 1e-3, n 14, momentum 0.9."""
    c = MIXED.decode(point[None])[0]
    loss = {"a": 0.5, "b": 0.0, "c": 0.2}[c["kind"]] + (c["x"] - 0.7) ** 2
    loss += ((math.log10(c["rate"]) + 3.0) / 5.0) ** 2 + ((c["n"] - 14) / 20) ** 2
    return loss + (c["momentum"] - 0.9) ** 2 * (1.0 if c["kind"] == "b" else 0.2) if "momentum" in c else loss


def best(sampler, space, function, seed, n=100):
    """Smallest of so many losses, in batches as in a run."""
    proposer, lowest = sampler.start(space, seed), math.inf
    batch = proposer.batch or n
    for first in range(0, n, batch):
        trials = range(first, min(n, first + batch))
        for trial, point in zip(trials, proposer.propose(trials, [1] * len(trials))):
            loss = function(point)
            lowest = min(lowest, loss)
            proposer.tell(trial, 1, loss)
    return lowest


@cache
def at_random(function, seed):
    """What random search finds; priors play no part in it."""
    return best(RandomSampler(), BOWL if function is bowl else MIXED, function, seed)


def ratio(sampler, space, function):
    """Median over 21 seeds of the best loss beside that of random search."""
    return float(np.median([best(sampler, space, function, seed) / at_random(function, seed) for seed in range(21)]))


@pytest.mark.parametrize(("space", "function"), [(BOWL, bowl), (MIXED, mixed)], ids=["bowl", "mixed"])
@pytest.mark.parametrize(
    ("sampler", "limit"),
    [(KDESampler(), 0.65), (EvolutionSampler(), 0.75), (QuasiRandomSampler(), 1.0)],
    ids=["kde", "evolution", "sobol"],
)
def test_better_than_random_search(sampler, limit, space, function):
    assert ratio(sampler, space, function) < limit


def expecting(centre):
    return Space({f"x{i}": Float(0.0, 1.0, default=centre, prior="high") for i in range(4)})


@pytest.mark.parametrize("sampler", [PriorSampler(), PriorBandSampler()], ids=["prior", "priorband"])
def test_a_good_prior_helps(sampler):
    assert ratio(sampler, expecting(0.35), bowl) < 0.3


def test_priorband_recovers_from_a_bad_prior():
    assert ratio(PriorBandSampler(), expecting(0.95), bowl) < 1.0
    assert ratio(PriorSampler(0.0), expecting(0.95), bowl) > 3.0, "where draws from the prior alone are lost"


def test_a_higher_resource_teaches_the_lower():
    """Misled at resource 1, where the loss has its lowest value elsewhere; the model is that of resource 9."""
    space = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)})
    proposer = KDESampler(random_fraction=0.0).start(space, 0)
    points = proposer.propose(range(60), [1] * 60)
    for trial, point in enumerate(points):
        proposer.tell(trial, 1, float(((point - 0.1) ** 2).sum()))
        if trial % 3 == 0:
            proposer.tell(trial, 9, float(((point - 0.8) ** 2).sum()))
    assert np.abs(proposer.propose(range(60, 100), [1] * 40) - 0.8).mean() < 0.25
