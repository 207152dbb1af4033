"""Priors: draws from them, and PriorBand's mixture of uniform draws, the prior and the incumbent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hyperband.errors import InputError
from hyperband.space import Choice, Float, Int, Space, When
from hyperband.tuning.samplers import PriorBandSampler, PriorSampler, RandomSampler

LINE = Space({"x": Float(0.0, 1.0, default=0.25, prior="high")})


def test_a_share_is_uniform_and_the_others_follow_the_prior():
    points = PriorSampler(random_fraction=0.5).start(LINE, 0).propose(range(4000)).ravel()
    uniform = RandomSampler().start(LINE, 0).propose(range(4000)).ravel()
    same = points == uniform
    assert 0.46 < same.mean() < 0.54
    assert abs(points[~same].mean() - 0.25) < 0.03 and points[~same].std() < 0.13


def test_without_priors_draws_are_uniform():
    points = PriorSampler().start(Space({"x": Float(0.0, 1.0)}), 0).propose(range(4000)).ravel()
    assert np.abs(np.histogram(points, 4, (0, 1))[0] / 4000 - 0.25).max() < 0.03


def test_a_prior_on_a_choice():
    space = Space({"kind": Choice(["a", "b"], prior=[9, 1]), "x": Float(0.0, 1.0)})
    kinds = space.columns(PriorSampler(random_fraction=0.0).start(space, 0).propose(range(2000)))["kind"]
    assert 0.87 < (kinds == "a").mean() < 0.93


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, "all"])
def test_odd_fractions_are_refused(value):
    with pytest.raises(InputError, match="random_fraction"):
        PriorSampler(value)


@pytest.mark.parametrize(("resource", "share"), [(1, 1 / 2), (3, 1 / 4), (10, 1 / 10), (27, 1 / 28)])
def test_the_uniform_share_shrinks_with_the_resource(resource, share):
    proposer = PriorBandSampler().start(LINE, 0)
    proposer.propose([0], [1])
    trials = range(1, 4001)
    same = proposer.propose(trials, [resource] * 4000) == RandomSampler().start(LINE, 0).propose(trials)
    assert abs(same.mean() - share) < 0.03


def learned(best, resource=1, n=9, space=LINE):
    """A proposer that was told of ``n`` trials, those at these points the best."""
    proposer = PriorBandSampler(batch=1).start(space, 0)
    points = np.concatenate([best, RandomSampler().start(space, 7).propose(range(n - len(best)))])
    proposer.adopt(range(-n, 0), points)
    for row in range(n):
        proposer.tell(row - n, resource, float(row))
    return proposer


def test_the_incumbent_counts_after_enough_results():
    """eta^2 of them where there is one resource only, eta at any above the smallest."""
    assert learned(np.array([[0.5]]), n=8).incumbent() is None
    assert learned(np.array([[0.5]]), n=9).incumbent()[0].tolist() == [0.5]
    proposer = learned(np.array([[0.5]]), n=8)
    for trial, loss in ((-3, 2.0), (-2, 1.0)):
        proposer.tell(trial, 3, loss)
    assert proposer.incumbent() is None
    proposer.tell(-4, 3, 3.0)
    assert proposer.incumbent()[0].tolist() == proposer._history.points([-2])[0].tolist()


def test_prior_and_incumbent_share_by_their_density_at_the_top_results():
    """By hand: the top are max(9 / 3, 3) = 3, weighted 3, 2, 1."""
    best = np.array([[0.5], [0.3], [0.6]])
    incumbent, share = learned(best).incumbent()
    prior = np.exp(LINE.log_prior(best)) @ [3, 2, 1]

    def phi(v):
        return 0.5 * math.erfc(-v / math.sqrt(2.0))

    near = [math.exp(-0.5 * ((x - 0.5) / 0.25) ** 2) / (0.25 * math.sqrt(2 * math.pi)) for x in best.ravel()]
    near = np.array(near) / (phi(2.0) - phi(-2.0)) @ [3, 2, 1]
    assert incumbent.tolist() == [0.5] and share == pytest.approx(near / (near + prior), rel=1e-5)


def test_a_wrong_prior_gives_way_to_the_incumbent():
    assert learned(np.array([[0.9], [0.92], [0.88]])).incumbent()[1] > 0.99
    assert learned(np.array([[0.26], [0.24], [0.25]])).incumbent()[1] < 0.5


def test_the_incumbent_takes_nothing_from_the_uniform_share():
    proposer = learned(np.array([[0.9], [0.92], [0.88]]))
    proposer.propose([0], [1])
    trials = range(1, 4001)
    points = proposer.propose(trials, [3] * 4000)
    uniform = points == RandomSampler().start(LINE, 0).propose(trials)
    assert abs(uniform.mean() - 0.25) < 0.03 and abs((points == 0.9).mean() - 0.75 / 2) < 0.03


def test_around_the_incumbent_half_of_the_parameters_move():
    space = Space(
        {"x": Float(0.0, 1.0), "n": Int(1, 1000), "kind": Choice(["a", "b", "c"]), "c": Float(0.0, 1.0)},
        conditions=[When("c", "kind", "c")],
    )
    proposer = PriorBandSampler().start(space, 0)
    incumbent = space.encode([{"x": 0.5, "n": 500, "kind": "a"}])[0]
    near = proposer.near_incumbent(incumbent, np.random.default_rng(0).random((4000, 8)))
    moved = (near != incumbent)[:, :3].mean(axis=0)
    assert np.abs(moved - 0.5).max() < 0.03
    assert np.abs(near[:, 0] - 0.5).max() <= 0.5 and 0.1 < near[:, 0].std() < 0.2
    kinds = np.floor(near[:, 2] * 3).astype(int)
    assert abs((kinds == 1).mean() - 0.25) < 0.03 and abs((kinds == 2).mean() - 0.25) < 0.03
    assert abs(near[:, 3].mean() - 0.5) < 0.02, "what the incumbent lacks is uniform"


@pytest.mark.parametrize("fields", [{"eta": 1}, {"eta": math.inf}, {"eta": "3"}, {"batch": 0}])
def test_odd_settings_are_refused(fields):
    with pytest.raises(InputError, match=next(iter(fields))):
        PriorBandSampler(**fields)
