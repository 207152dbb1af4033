"""Every algorithm with every sampler: a run ends, its records add up, and it continues from a state of any moment."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hyperband as hb
from hyperband.errors import InputError
from hyperband.testing.run_contract import (
    MIXED,
    carry_out,
    check_batches,
    check_resumed,
    check_workers,
    result_of,
)
from hyperband.tuning.algorithms.base import SchedulerAlgorithm
from hyperband.tuning.run.run import Run

ALGORITHMS = {
    "random": hb.RandomSearch(9, n=12),
    "halving": hb.SuccessiveHalving(9, 3),
    "sequence": hb.HalvingSequence(9, 3, brackets=[(9, 1), (4, 3)]),
    "hyperband": hb.Hyperband(9, 3),
    "hyperband, twice": hb.Hyperband(4, 2, repetitions=2),
    "generations": hb.DEHB(9, 3),
    "population": hb.PBT(n=6, max_resource=9, interval=3, fraction=0.34),
    "asha": hb.ASHA(9, 3, n=20),
    "asynchronous hyperband": hb.AsyncHyperband(9, 3),
    "pasha": hb.PASHA(9, 3, n=20),
}
SAMPLERS = {
    "random": hb.RandomSampler(),
    "grid": hb.GridSampler(4),
    "adaptive": hb.AdaptiveSampler(n_coarse=6, n_per_round=3),
    "kde": hb.KDESampler(min_points=3, batch=4),
    "evolution": hb.EvolutionSampler(population=6, batch=4),
    "prior": hb.PriorSampler(),
    "priorband": hb.PriorBandSampler(batch=4),
    "sobol": hb.QuasiRandomSampler("sobol"),
    "halton": hb.QuasiRandomSampler("halton"),
}
SPACES = {
    "mixed": MIXED,
    "small": hb.Space({"n": hb.Int(1, 4), "on": hb.Choice([False, True])}),
}
SYNCHRONOUS = [name for name, algorithm in ALGORITHMS.items() if algorithm.scheduler.synchronous]
any_algorithm, any_sampler = st.sampled_from(list(ALGORITHMS)), st.sampled_from(list(SAMPLERS))
any_synchronous, any_space = st.sampled_from(SYNCHRONOUS), st.sampled_from(list(SPACES))


def start(algorithm, sampler, space, seed=3) -> Run:
    return replace(ALGORITHMS[algorithm], sampler=SAMPLERS[sampler]).start(SPACES[space], seed)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_any_sampler_with_any_scheduler(algorithm, sampler):
    for space in SPACES:
        run = carry_out(start(algorithm, sampler, space), workers=3)
        assert run.best is not None
        for configuration in run.configurations(np.unique(run.columns()["trial"]).tolist()):
            assert configuration.get("n", 0) < 45 or configuration["x"] < 0.5
            assert ("only_b" in configuration) is (configuration.get("kind") == "b")


@given(
    algorithm=any_synchronous, sampler=any_sampler, space=any_space, workers=st.integers(2, 9), seed=st.integers(0, 99)
)
@settings(max_examples=60)
def test_the_number_of_workers_and_the_order_of_arrival_change_nothing(algorithm, sampler, space, workers, seed):
    check_workers(lambda: start(algorithm, sampler, space, seed), workers, seed)


@given(
    algorithm=any_algorithm, sampler=any_sampler, space=any_space, workers=st.integers(1, 5), seed=st.integers(0, 99)
)
@settings(max_examples=40)
def test_saving_and_loading_at_every_point_changes_nothing(algorithm, sampler, space, workers, seed):
    check_resumed(lambda: start(algorithm, sampler, space, seed), workers, seed)


@given(algorithm=any_algorithm, sampler=any_sampler, size=st.integers(1, 40))
@settings(max_examples=40)
def test_batches_are_the_same_as_jobs(algorithm, sampler, size):
    check_batches(lambda: start(algorithm, sampler, "mixed"), size)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_small_space_is_never_tried_twice_and_ends(algorithm, sampler):
    run = carry_out(start(algorithm, sampler, "small"), workers=2, loss=lambda job: float(job.trial))
    trials = np.unique(run.columns()["trial"]).tolist()
    configurations = [tuple(c.values()) for c in run.configurations(trials)]
    if algorithm != "population":  # a copy may come to be like another member
        assert len(set(configurations)) == len(configurations) <= 8


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_when_everything_fails_it_ends_without_a_best(algorithm):
    run = carry_out(start(algorithm, "kde", "mixed"), workers=3, loss=lambda job: math.nan)
    assert run.best is None


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_several_objectives(algorithm, sampler):
    def loss(job):
        x, n = job.configuration["x"], job.configuration["n"]
        return (math.nan, x) if job.trial % 7 == 3 else ((x - 0.2) ** 2, n / 50 + (x - 0.8) ** 2)

    run = carry_out(start(algorithm, sampler, "mixed"), workers=2, loss=loss)
    assert run.n_objectives == 2
    front = run.front()
    assert len({incumbent.trial for incumbent in front}) == len(front) >= 1
    everything = [loss(job_like) for job_like in _evaluated(run)]
    for incumbent in front:
        assert not any(
            a <= incumbent.objectives[0] and b <= incumbent.objectives[1] and (a, b) != incumbent.objectives
            for a, b in everything
            if math.isfinite(a)
        )
    assert [i.objectives[0] for i in front] == sorted(i.objectives[0] for i in front)
    assert run.best.loss == front[0].objectives[0]


class _Evaluated:
    def __init__(self, trial, configuration):
        self.trial, self.configuration = trial, configuration


def _evaluated(run):
    trials = np.unique(run.columns()["trial"]).tolist()
    return [_Evaluated(trial, c) for trial, c in zip(trials, run.configurations(trials), strict=True)]


def test_copies_keep_what_may_not_change():
    algorithm = hb.PBT(n=8, max_resource=20, interval=2, fraction=0.5, explore=["x"])
    run, parents = algorithm.start(SPACES["mixed"], 0), {}
    while not run.done:
        for job in run.ask():
            if job.parent is not None:
                mine, its = dict(job.configuration), run.configuration(job.parent)
                parents[job.trial] = (mine.pop("x"), its.pop("x"))
                assert mine == its
            run.tell(result_of(job))
    moved = [abs(mine - its) for mine, its in parents.values()]
    assert len(parents) >= 30
    assert any(step > 0.1001 for step in moved), "drawn anew"
    assert sum(abs(step - 0.1) < 1e-9 for step in moved) > len(moved) / 3, "a tenth of the axis"


def test_what_can_be_explored_is_checked():
    with pytest.raises(InputError, match="`explore` must name parameters of the space"):
        hb.PBT(explore=["y"]).start(SPACES["mixed"])


def test_a_learner_knows_the_same_before_every_batch():
    """Trials of a batch are proposed from what was known when it began, however far other trials have come by then."""
    seen = {}

    class Spy:
        batch, exhausted, pure = 3, False, False

        def __init__(self, log):
            self.log, self.told = log, []

        def propose(self, trials, resources=None):
            for trial in trials:
                self.log[trial] = list(self.told)
            return np.random.default_rng(0).random((len(trials), 1))

        def tell(self, trial, resource, loss):
            self.told.append((trial, resource))

    class Sampler:
        def start(self, space, seed):
            return Spy(seen[seed])

    space = hb.Space({"x": hb.Float(0.0, 1.0)})
    for seed, workers in enumerate((1, 2, 5, 9)):
        seen[seed] = {}
        run = hb.Hyperband(9, 3, sampler=Sampler()).start(space, seed)
        carry_out(run, workers, np.random.default_rng(seed), loss=lambda job: float(job.trial))
    assert seen[0] == seen[1] == seen[2] == seen[3]
    assert seen[0][0] == seen[0][2] == []
    assert seen[0][3] == [(0, 1), (1, 1), (2, 1)]
    assert seen[0][9] == [*((trial, 1) for trial in range(9)), (0, 3), (1, 3), (2, 3), (0, 9)]


def test_algorithms_of_all_kinds_are_here():
    named = {getattr(hb, name) for name in hb.__all__ if isinstance(getattr(hb, name), type)}
    joined = {kind for kind in named if issubclass(kind, SchedulerAlgorithm)}
    missing = joined - {type(algorithm) for algorithm in ALGORITHMS.values()}
    assert missing == {hb.AdaptiveSearch, hb.BOHB, hb.PriorBand}, "these are others of this list with a sampler here"
