"""Every sampler keeps the contract of `hyperband.testing`; what single samplers promise beyond it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from implementations import SAMPLERS

from hyperband.errors import InputError
from hyperband.space import Choice, Float, Int, Space, When
from hyperband.testing import SamplerContract
from hyperband.testing.sampler_cases import SPACES, propose_all
from hyperband.tuning.samplers import AdaptiveSampler, GridSampler, RandomSampler


class TestSamplers(SamplerContract):
    @pytest.fixture(autouse=True, params=SAMPLERS)
    def _each(self, request):
        name = request.param
        self.sampler = SAMPLERS[name]
        self.seeded = name != "grid"
        self.complete = name not in ("grid", "iterable", "warm")
        self.takes_objectives = name != "warm"
        self.keeps_adopted_apart = name not in ("iterable", "warm")


def test_the_samplers_that_learn_say_so():
    """The contract skips its checks of learning where `batch` is 0: this list says where that may be."""
    learners = {name for name, sampler in SAMPLERS.items() if sampler.start(SPACES["continuous"], 0).batch}
    assert learners == {"kde", "evolution", "priorband", "warm"}
    pure = {name for name, s in SAMPLERS.items() if s.start(SPACES["continuous"], 0).pure}
    assert "random" in pure


@pytest.mark.parametrize("name", ["random", "prior"])
def test_a_random_draw_belongs_to_its_trial(name):
    space = SPACES["conditions"]
    whole = SAMPLERS[name].start(space, 3).propose(range(50))
    some = SAMPLERS[name].start(space, 3).propose([41, 7, 30])
    assert np.array_equal(some, whole[[41, 7, 30]], equal_nan=True)


def test_losses_of_other_objectives_are_refused_by_adaptive_search():
    """It has no `batch`, for it waits by itself, but it learns."""
    proposer = SAMPLERS["adaptive"].start(SPACES["continuous"], 0)
    proposer.propose(range(3), [1] * 3)
    proposer.tell(1, 1, 0.5)
    with pytest.raises(InputError, match="objectives"):
        proposer.tell(2, 1, (0.5, 0.5))


def test_a_full_grid_has_every_configuration_once():
    space = SPACES["discrete"]
    assert len(np.unique(propose_all(GridSampler(6).start(space, 0), 1000), axis=0)) == space.size


def test_adaptive_search_takes_several_objectives():
    proposer = AdaptiveSampler(n_coarse=4, n_per_round=8, elite=2, shrink=0.25).start(SPACES["continuous"], 0)
    coarse = proposer.propose(range(4))
    for trial, loss in enumerate([(2.0, 2.0), (0.0, 3.0), (3.0, 0.0), (math.nan, 0.0)]):
        proposer.tell(trial, 1, loss)
    proposer.load_state_dict(json.loads(json.dumps(proposer.state_dict(), allow_nan=False)))
    near = proposer.propose(range(4, 12))
    distance = np.abs(near[:, None] - coarse[None, [1, 2]]).max(axis=2).min(axis=1)
    assert distance.max() <= 0.25 / 2 + 1e-12, "the two ends of the first front"


def test_a_branch_without_numbers_is_not_proposed_again():
    space = Space({"kind": Choice(["a", "b"]), "x": Float(0.0, 1.0)}, conditions=[When("x", "kind", "b")])
    kinds = [c["kind"] for c in space.decode(RandomSampler().start(space, 0).propose(range(60)))]
    assert kinds.count("a") == 1


def test_large_finite_spaces_are_drawn_without_repetition():
    space = Space({"n": Int(1, 1000), "m": Int(1, 300)})
    points = RandomSampler().start(space, 0).propose(range(3000))
    assert len(np.unique(points, axis=0)) == 3000


def test_random_search_is_uniform_in_the_logarithm():
    space = Space({"rate": Float(1e-4, 1.0, log=True)})
    rates = np.array([c["rate"] for c in space.decode(RandomSampler().start(space, 0).propose(range(4000)))])
    shares = [((rates >= 10.0**d) & (rates < 10.0 ** (d + 1))).mean() for d in range(-4, 0)]
    assert np.allclose(shares, 0.25, atol=0.03)


def test_grid_points_are_evenly_spaced_and_even_in_the_logarithm():
    space = Space({"x": Float(-1.0, 1.0), "rate": Float(0.01, 1.0, log=True), "kind": Choice(["a", "b"])})
    found = space.decode(GridSampler({"x": 3, "rate": 3, "kind": 5}).start(space, 0).propose(range(100)))
    expected = [(x, rate, kind) for x in (-1.0, 0.0, 1.0) for rate in (0.01, 0.1, 1.0) for kind in "ab"]
    assert [tuple(round(v, 9) if isinstance(v, float) else v for v in c.values()) for c in found] == expected


def test_a_grid_has_each_conditional_configuration_once():
    space = SPACES["conditions"]
    found = space.decode(GridSampler({"kind": 2, "only_b": 3}).start(space, 0).propose(range(100)))
    assert [(c["kind"], c.get("only_b")) for c in found] == [("a", None), ("b", 0.0), ("b", 0.5), ("b", 1.0)]


def test_a_grid_refuses_unknown_names_and_odd_numbers():
    for points, message in (({"z": 3}, "'z'"), (0, "at least 1"), ({"x": 1.5}, "1.5")):
        with pytest.raises(InputError, match=message):
            GridSampler(points).start(SPACES["continuous"], 0)


def test_adaptive_search_waits_for_the_losses_of_a_round():
    proposer = AdaptiveSampler(n_coarse=4, n_per_round=2, rounds=1).start(SPACES["continuous"], 0)
    assert len(proposer.propose(range(9))) == 4
    assert len(proposer.propose([4])) == 0 and not proposer.exhausted
    for trial in range(3):
        proposer.tell(trial, 1, 1.0)
    assert len(proposer.propose([4])) == 0
    proposer.tell(3, 1, 1.0)
    assert len(proposer.propose([4, 5, 6])) == 2 and proposer.exhausted


def test_adaptive_search_builds_on_the_best_and_never_on_what_is_not_finite():
    space = Space({"x": Float(0.0, 1.0)})
    proposer = AdaptiveSampler(n_coarse=8, n_per_round=40, elite=1, shrink=0.25).start(space, 0)
    coarse = proposer.propose(range(8)).ravel()
    losses = [math.nan, -math.inf, 5.0, 1.0, 4.0, math.inf, 2.0, 3.0]
    for trial, loss in enumerate(losses):
        proposer.tell(trial, 1, loss)
    for trial in range(8):  # only the first loss of a trial counts
        proposer.tell(trial, 3, -losses[trial])
    near = proposer.propose(range(8, 48)).ravel()
    assert np.abs(near - coarse[3]).max() <= 0.25 / 2 + 1e-12
    assert np.ptp(near) > 0.1


def test_adaptive_search_without_any_finite_loss_goes_on_at_random():
    proposer = AdaptiveSampler(n_coarse=3, n_per_round=3).start(SPACES["continuous"], 0)
    proposer.propose(range(3))
    for trial in range(3):
        proposer.tell(trial, 1, math.nan)
    assert len(proposer.propose(range(3, 6))) == 3


def test_adaptive_search_beats_random_search_on_a_bowl():
    space = Space({f"x{i}": Float(0.0, 1.0) for i in range(4)})

    def best(sampler, seed):
        proposer, lowest = sampler.start(space, seed), math.inf
        for trial in range(60):
            loss = float(((proposer.propose([trial])[0] - 0.3) ** 2).sum())
            proposer.tell(trial, 1, loss)
            lowest = min(lowest, loss)
        return lowest

    adaptive = AdaptiveSampler(n_coarse=15, n_per_round=9, elite=3)
    ratios = [best(adaptive, seed) / best(RandomSampler(), seed) for seed in range(41)]
    assert np.median(ratios) < 0.6


@pytest.mark.parametrize(
    "fields", [{"n_coarse": 0}, {"n_per_round": 1.5}, {"rounds": -1}, {"elite": True}, {"shrink": 1.0}]
)
def test_adaptive_search_refuses_odd_settings(fields):
    with pytest.raises(InputError, match=next(iter(fields))):
        AdaptiveSampler(**fields)
