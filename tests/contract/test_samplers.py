"""What every sampler promises: draws belong to (seed, trial), obey the space, and can be written down and continued."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband.errors import InputError
from hyperband.samplers import AdaptiveSampler, GridSampler, RandomSampler
from hyperband.space import Choice, Float, Int, Space, When

SAMPLERS = {
    "random": RandomSampler(),
    "grid": GridSampler(3),
    "adaptive": AdaptiveSampler(n_coarse=6, n_per_round=3, elite=2),
}
SPACES = {
    "continuous": Space({"x": Float(0.0, 1.0), "rate": Float(1e-4, 1.0, log=True)}),
    "conditions": Space(
        {"kind": Choice(["a", "b"]), "x": Float(0.0, 1.0), "only_b": Float(0.0, 1.0), "n": Int(1, 100, log=True)},
        conditions=[When("only_b", "kind", "b")],
    ),
    "constraint": Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, constraints=["x < y"]),
    "discrete": Space({"n": Int(1, 6), "kind": Choice(["a", "b", "c"])}, constraints=["n > 1 or kind == 'a'"]),
}
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
every_space = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
any_sampler, any_space = st.sampled_from(list(SAMPLERS.values())), st.sampled_from(list(SPACES.values()))


def loss_of(trial, points):
    """Some loss: a bowl, NaN for one trial in seven."""
    return math.nan if trial % 7 == 3 else float(np.nansum((points - 0.4) ** 2))


def carry_out(proposer, n, rng=None, checkpoint=None):
    """Propose for trials 0 .. n - 1 and tell a loss for each; ``rng`` varies the sizes and the order of the tells."""
    rows, waiting = [], []
    while len(rows) < n and not proposer.exhausted:
        size = n - len(rows) if rng is None else int(rng.integers(1, n - len(rows) + 1))
        points = proposer.propose(range(len(rows), len(rows) + size))
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


@every_sampler
@every_space
def test_points_obey_the_space(sampler, space):
    points = carry_out(sampler.start(space, 0), 40)
    assert points.shape[1] == space.n_dimensions and len(points) >= 3
    assert ((points >= 0) & (points <= 1) | np.isnan(points)).all()
    full = np.where(np.isnan(points), 0.5, points)
    assert np.array_equal(np.isnan(space.activate(full)), np.isnan(points)), "inactive exactly where switched off"
    assert space.allowed(points).all()


@every_sampler
@every_space
def test_the_seed_decides(sampler, space):
    one, same, other = (carry_out(sampler.start(space, seed), 12) for seed in (5, 5, 6))
    assert np.array_equal(one, same, equal_nan=True)
    if not isinstance(sampler, GridSampler):
        assert not np.array_equal(one, other[: len(one)], equal_nan=True)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(sampler=any_sampler, space=any_space, shuffle=st.integers(0, 2**32))
def test_sizes_and_order_change_nothing(sampler, space, shuffle):
    whole = carry_out(sampler.start(space, 1), 30)
    pieces = carry_out(sampler.start(space, 1), 30, np.random.default_rng(shuffle))
    assert np.array_equal(whole, pieces, equal_nan=True)


def test_a_random_draw_belongs_to_its_trial():
    space = SPACES["conditions"]
    whole = RandomSampler().start(space, 3).propose(range(50))
    some = RandomSampler().start(space, 3).propose([41, 7, 30])
    assert np.array_equal(some, whole[[41, 7, 30]], equal_nan=True)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(sampler=any_sampler, space=any_space, shuffle=st.integers(0, 2**32))
def test_state_is_plain_data_and_continues_exactly(sampler, space, shuffle):
    def reborn(proposer):
        state = json.loads(json.dumps(proposer.state_dict(), allow_nan=False))
        new = sampler.start(space, 2)
        new.load_state_dict(state)
        assert new.state_dict() == proposer.state_dict()
        return new

    kept = carry_out(sampler.start(space, 2), 25, np.random.default_rng(shuffle))
    continued = carry_out(sampler.start(space, 2), 25, np.random.default_rng(shuffle), reborn)
    assert np.array_equal(kept, continued, equal_nan=True)


@pytest.mark.parametrize("sampler", [RandomSampler(), SAMPLERS["adaptive"], GridSampler(6)])
def test_a_discrete_space_ends_with_every_configuration_once(sampler):
    space = SPACES["discrete"]
    proposer = sampler.start(space, 0)
    found = [tuple(c.values()) for c in space.decode(carry_out(proposer, 1000))]
    allowed = {(n, kind) for n in range(1, 7) for kind in "abc" if n > 1 or kind == "a"}
    assert len(found) == len(set(found)) == space.size == len(allowed) and set(found) == allowed
    assert proposer.exhausted and len(proposer.propose([2000])) == 0


def test_a_branch_without_numbers_is_not_proposed_again():
    space = Space({"kind": Choice(["a", "b"]), "x": Float(0.0, 1.0)}, conditions=[When("x", "kind", "b")])
    kinds = [c["kind"] for c in space.decode(RandomSampler().start(space, 0).propose(range(60)))]
    assert kinds.count("a") == 1


def test_large_finite_spaces_are_drawn_without_repetition():
    space = Space({"n": Int(1, 1000), "m": Int(1, 300)})
    points = RandomSampler().start(space, 0).propose(range(3000))
    assert len(np.unique(points, axis=0)) == 3000


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
def test_contradictory_constraints_end(sampler):
    space = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, constraints=["x < y", "y < x"])
    with pytest.raises(InputError, match="constraints must allow some"):
        sampler.start(space, 0).propose(range(3))


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
