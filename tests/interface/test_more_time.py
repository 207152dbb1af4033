"""More time never makes a search worse: it does all that the shorter one did, and goes on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import hyperband as hb
from hyperband.evaluation import budget

SPACE = hb.Space({"x": hb.Float(0.0, 1.0), "y": hb.Float(0.0, 1.0)})
ALGORITHMS = {
    "grid": hb.GridSearch(max_resource=9, n=49),
    "random": hb.RandomSearch(n=40, max_resource=9),
    "adaptive": hb.AdaptiveSearch(n=40, max_resource=9),
    "successive halving": hb.SuccessiveHalving(27, 3),
    "sequence": hb.HalvingSequence(27, 3, brackets=[(9, 3), (6, 1), (9, 3, 9)]),
    "hyperband": hb.Hyperband(27, 3),
    "endless hyperband": hb.Hyperband(9, 3, repetitions=None),
    "asha": hb.ASHA(27, 3, n=30),
    "asynchronous hyperband": hb.AsyncHyperband(27, 3),
    "pasha": hb.PASHA(27, 3, n=30),
    "bohb": hb.BOHB(27, 3),
    "dehb": hb.DEHB(27, 3),
    "priorband": hb.PriorBand(27, 3),
    "pbt": hb.PBT(n=8, max_resource=9, interval=3),
}


def searched(algorithm, seconds, monkeypatch):
    """A search whose evaluations take a second a resource, on a clock that nothing else moves."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: clock.now))

    def objective(configuration, resource):
        clock.now += resource
        return (configuration["x"] - 0.3) ** 2 + configuration["y"] + 1.0 / resource

    return hb.minimize(objective, SPACE, algorithm, budget=hb.Budget(seconds=seconds), seed=0)


def evaluations(result):
    columns = [result.trials[name].tolist() for name in ("trial", "bracket", "rung", "resource", "loss")]
    return set(zip(*columns, strict=True))


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("seconds", [30.0, 90.0, 150.0])
def test_a_longer_search_does_all_that_the_shorter_one_did(name, seconds, monkeypatch):
    short = searched(ALGORITHMS[name], seconds / 3, monkeypatch)
    long = searched(ALGORITHMS[name], seconds, monkeypatch)
    assert 0 < short.n_evaluations <= long.n_evaluations
    assert evaluations(short) <= evaluations(long)
    assert long.best.loss <= short.best.loss
    if short.best_at_full is not None:
        assert long.best_at_full.loss <= short.best_at_full.loss


@pytest.mark.parametrize("name", ["successive halving", "hyperband", "bohb"])
def test_a_time_limit_lets_somebody_reach_the_top_where_it_allows_it(name, monkeypatch):
    """The first bracket ends before the second begins: in a fifth of the time somebody reached the largest resource."""
    algorithm = ALGORITHMS[name]
    cost = float(algorithm.plan().cost)
    found = searched(algorithm, max(cost / 5, float(algorithm.plan().brackets[0].cost_restart)), monkeypatch)
    assert found.best_at_full is not None


def test_networks_of_a_longer_search_are_at_least_as_good_on_the_rows_that_choose(monkeypatch):
    """What is under way at the cut is validated too."""
    x = np.random.default_rng(0).normal(size=(200, 4))
    y = np.where(x[:, 0] * x[:, 1] > 0, "p", "n")
    space = hb.Space({"width": hb.Int(4, 16), "learning_rate": hb.Float(1e-3, 1e-1, log=True)})
    scores = []
    for evaluations in (3, 6, 12, 22):
        result = hb.search(
            x, y, space=space, algorithm=hb.Hyperband(9), budget=hb.Budget(evaluations=evaluations), seed=0,
            validation=0.3, ensemble=1, metric="log_loss",
        )  # fmt: skip
        scores.append(result.ensemble.score)
    assert scores == sorted(scores, reverse=True)
