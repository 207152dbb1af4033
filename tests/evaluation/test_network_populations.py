"""Population-based training of networks: copies start with their parents' weights, in memory or out of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

import hyperband as hb
from hyperband.engine.backends import registry
from hyperband.evaluation.networks.datasets import OneDataset
from hyperband.evaluation.networks.evaluator import NetworkEvaluator
from hyperband.tables import prepare

FAST = [name for name in ("native", "numba") if not registry.available()[name]]

SPACE = hb.Space(
    {
        "width": hb.Choice([4, 8, 16, 24]),
        "learning_rate": hb.Float(1e-3, 1e-1, log=True),
        "dropout": hb.Float(0.0, 0.3),
        "optimizer": hb.Choice(["adam", "sgd"]),
    }
)


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("memory_limit", [None, 60_000], ids=["in memory", "in waves"])
def test_a_copy_starts_with_the_weights_of_its_parent(name, memory_limit):
    algorithm = hb.PBT(n=6, max_resource=6, interval=2, fraction=0.34, explore=["learning_rate", "dropout"])
    run = algorithm.start(SPACE, 0)
    evaluator = NetworkEvaluator(
        OneDataset(prepare("sklearn:wine", seed=1)),
        registry.get(name),
        max_resource=6,
        compute=hb.Compute(memory_limit=memory_limit, threads=1),
    )
    before, copies = {}, 0
    try:
        while not run.done:
            jobs = run.ask()
            evaluator.submit(jobs)
            for job in jobs:
                if job.parent is not None:
                    mine = evaluator.residency.state(job.trial)
                    assert mine["counters"][0] == before[job.parent]["counters"][0]
                    for key, values in before[job.parent].items():
                        if not key.startswith("best"):
                            np.testing.assert_array_equal(mine[key], values, err_msg=key)
                    widths = [evaluator.residency.member(t).architecture.widths for t in (job.trial, job.parent)]
                    assert widths[0] == widths[1]
                    copies += 1
            left = {job.trial for job in jobs}
            while left:
                results = evaluator.collect()
                run.tell(results)
                left -= {result.trial for result in results}
            before = {}
            for job in jobs:
                state = evaluator.residency.state(job.trial)
                before[job.trial] = {key: np.array(values) for key, values in state.items()}
            evaluator.release(run.dropped())
    finally:
        evaluator.close()
    assert copies == 4
    assert math.isfinite(run.best.loss)


def test_a_population_over_networks_depends_on_its_seed_alone():
    results = [
        hb.search(
            "sklearn:wine",
            algorithm=hb.PBT(n=6, max_resource=6, interval=2),
            space=SPACE,
            seed=4,
            compute=hb.Compute(threads=t),
        )
        for t in (1, 3)
    ]
    for name in ("trial", "loss", "learning_rate", "dropout", "width"):
        np.testing.assert_array_equal(results[0].trials[name], results[1].trials[name])
    assert results[0].n_configurations == 8


def test_what_a_network_cannot_change_is_refused():
    with pytest.raises(hb.InputError, match="`explore` must name parameters that may change in a copy .*'width'"):
        hb.search("sklearn:wine", algorithm=hb.PBT(explore=["width"]), space=SPACE)


def test_a_search_without_an_end_needs_a_budget():
    for algorithm in (hb.ASHA(9), hb.Hyperband(9, repetitions=None)):
        with pytest.raises(hb.InputError, match="`budget` must have a limit when the algorithm has no end; got none"):
            hb.search("sklearn:wine", algorithm=algorithm)
    result = hb.search("sklearn:wine", algorithm=hb.ASHA(9), budget=hb.Budget(seconds=0.5))
    assert result.stopped == "time"
    assert result.best is not None
