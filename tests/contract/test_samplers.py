"""What every sampler promises: draws belong to (seed, trial), obey the space, and can be written down and continued."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampler_cases import LEARNERS, SAMPLERS, SPACES, carried_out, carry_out, carry_out_in_lots, loss_of

from hyperband.errors import InputError
from hyperband.space import Choice, Float, Int, Space, When
from hyperband.tuning.samplers import AdaptiveSampler, GridSampler, RandomSampler

every_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
every_learner = pytest.mark.parametrize("sampler", [SAMPLERS[name] for name in LEARNERS], ids=LEARNERS)
every_space = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
any_sampler, any_space = st.sampled_from(list(SAMPLERS.values())), st.sampled_from(list(SPACES.values()))


@every_sampler
@every_space
def test_points_obey_the_space(sampler, space):
    points = carried_out(sampler, space, 0, 40)
    assert points.shape[1] == space.n_dimensions and len(points) >= 3
    assert ((points >= 0) & (points <= 1) | np.isnan(points)).all()
    full = np.where(np.isnan(points), 0.5, points)
    assert np.array_equal(np.isnan(space.activate(full)), np.isnan(points)), "inactive exactly where switched off"
    assert space.allowed(points).all()


@every_sampler
@every_space
def test_the_seed_decides(sampler, space):
    one, same, other = (carried_out(sampler, space, seed, 12) for seed in (5, 5, 6))
    assert np.array_equal(one, same, equal_nan=True)
    if not isinstance(sampler, GridSampler):
        assert not np.array_equal(one, other[: len(one)], equal_nan=True)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(sampler=any_sampler, space=any_space, shuffle=st.integers(0, 2**32))
def test_sizes_and_order_change_nothing(sampler, space, shuffle):
    """For a proposer with a batch: those of a lot, and of the arrival of its results."""
    whole = carried_out(sampler, space, 1, 30)
    pieces = carried_out(sampler, space, 1, 30, np.random.default_rng(shuffle))
    assert np.array_equal(whole, pieces, equal_nan=True)


@pytest.mark.parametrize("name", ["random", "prior"])
def test_a_random_draw_belongs_to_its_trial(name):
    space = SPACES["conditions"]
    whole = SAMPLERS[name].start(space, 3).propose(range(50))
    some = SAMPLERS[name].start(space, 3).propose([41, 7, 30])
    assert np.array_equal(some, whole[[41, 7, 30]], equal_nan=True)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(sampler=any_sampler, space=any_space, shuffle=st.integers(0, 2**32))
def test_state_is_plain_data_and_continues_exactly(sampler, space, shuffle):
    def reborn(proposer):
        state = json.loads(json.dumps(proposer.state_dict(), allow_nan=False))
        new = sampler.start(space, 2)
        new.load_state_dict(state)
        assert new.state_dict() == proposer.state_dict()
        return new

    kept = carried_out(sampler, space, 2, 25, np.random.default_rng(shuffle))
    continued = carried_out(sampler, space, 2, 25, np.random.default_rng(shuffle), reborn)
    assert np.array_equal(kept, continued, equal_nan=True)


@pytest.mark.parametrize("name", sorted(set(SAMPLERS) - {"grid", "iterable"}))
def test_state_replaces_what_a_proposer_knew(name):
    space = SPACES["discrete"]
    fresh, used = SAMPLERS[name].start(space, 0), SAMPLERS[name].start(space, 0)
    used.propose(range(8), [1] * 8)
    used.tell(0, 1, 0.0)
    used.load_state_dict(fresh.state_dict())
    assert np.array_equal(used.propose(range(6), [1] * 6), fresh.propose(range(6), [1] * 6))


@pytest.mark.parametrize("name", sorted(set(SAMPLERS) - {"grid", "iterable", "warm"}))
def test_a_discrete_space_ends_with_every_configuration_once(name):
    space = SPACES["discrete"]
    proposer = SAMPLERS[name].start(space, 0)
    way = carry_out_in_lots if proposer.batch else carry_out
    found = [tuple(c.values()) for c in space.decode(way(proposer, 1000))]
    allowed = {(n, kind) for n in range(1, 7) for kind in "abc" if n > 1 or kind == "a"}
    assert len(found) == len(set(found)) == space.size == len(allowed) and set(found) == allowed
    assert proposer.exhausted and len(proposer.propose([2000], [1])) == 0


def test_a_full_grid_has_every_configuration_once():
    space = SPACES["discrete"]
    assert len(np.unique(carry_out(GridSampler(6).start(space, 0), 1000), axis=0)) == space.size


@pytest.mark.parametrize("name", SAMPLERS)
@every_space
def test_adopted_trials_are_not_proposed_again_where_the_space_is_finite(name, space):
    proposer = SAMPLERS[name].start(space, 0)
    known = RandomSampler().start(space, 9).propose(range(4))
    proposer.adopt(range(-4, 0), known)
    for trial in range(-4, 0):
        proposer.tell(trial, 1, 0.5)
    points = (carry_out_in_lots if proposer.batch else carry_out)(proposer, 30)
    assert len(points) >= 3
    if space.draws_may_repeat and name not in ("iterable", "warm"):  # those try what is given, as it is given
        assert not {row.tobytes() for row in known} & {row.tobytes() for row in space.canonical(points)}


@pytest.mark.parametrize("name", [name for name in LEARNERS if name != "warm"])
def test_several_objectives_are_accepted(name):
    space, sampler = SPACES["conditions"], SAMPLERS[name]

    def losses(trial, point):
        return math.nan if trial % 5 == 2 else (loss_of(0, point), float(np.nansum((point - 0.8) ** 2)))

    points = carry_out_in_lots(sampler.start(space, 0), 40, loss=losses)
    assert len(points) == 40
    worse = carry_out_in_lots(sampler.start(space, 0), 40, loss=lambda trial, point: (0.0, -trial))
    assert not np.array_equal(points, worse, equal_nan=True), "it learns from them"


def test_adaptive_search_takes_several_objectives():
    proposer = AdaptiveSampler(n_coarse=4, n_per_round=8, elite=2, shrink=0.25).start(SPACES["continuous"], 0)
    coarse = proposer.propose(range(4))
    for trial, loss in enumerate([(2.0, 2.0), (0.0, 3.0), (3.0, 0.0), (math.nan, 0.0)]):
        proposer.tell(trial, 1, loss)
    proposer.load_state_dict(json.loads(json.dumps(proposer.state_dict(), allow_nan=False)))
    near = proposer.propose(range(4, 12))
    distance = np.abs(near[:, None] - coarse[None, [1, 2]]).max(axis=2).min(axis=1)
    assert distance.max() <= 0.25 / 2 + 1e-12, "the two ends of the first front"


@every_sampler
@every_space
def test_nothing_but_failures_is_no_error(sampler, space):
    proposer = sampler.start(space, 0)
    for lot in range(6):
        trials = range(4 * lot, 4 * lot + 4)
        for trial, _ in zip(trials, proposer.propose(trials, [1] * 4)):
            proposer.tell(trial, 1, (math.nan, math.inf)[trial % 2])
    assert proposer.exhausted or len(proposer.propose([24], [3])) == 1


@pytest.mark.parametrize("name", [*LEARNERS, "adaptive"])
def test_losses_of_other_objectives_are_refused(name):
    proposer = SAMPLERS[name].start(SPACES["continuous"], 0)
    proposer.propose(range(3), [1] * 3)
    proposer.tell(0, 1, math.nan)
    proposer.tell(1, 1, 0.5)
    with pytest.raises(InputError, match="objectives"):
        proposer.tell(2, 1, (0.5, 0.5))


@every_learner
def test_results_of_strangers_are_refused(sampler):
    with pytest.raises(InputError, match="trial 5"):
        sampler.start(SPACES["continuous"], 0).tell(5, 1, 0.5)


@every_learner
@settings(max_examples=10, deadline=None, derandomize=True)
@given(space=any_space, shuffle=st.integers(0, 2**32))
def test_results_may_come_one_by_one_in_any_order(sampler, space, shuffle):
    """As under an asynchronous scheduler: proposals differ then, but each obeys the space."""
    rng, proposer, waiting, n = np.random.default_rng(shuffle), sampler.start(space, 0), [], 0
    while n < 40 and not proposer.exhausted:
        for row in proposer.propose([n], [int(3 ** rng.integers(0, 3))]):
            assert space.allowed(row[None])[0]
            waiting.append((n, row))
            n += 1
        while waiting and rng.random() < 0.5:
            trial, row = waiting.pop(int(rng.integers(len(waiting))))
            proposer.tell(trial, int(3 ** rng.integers(0, 4)), loss_of(trial, row))


def test_a_branch_without_numbers_is_not_proposed_again():
    space = Space({"kind": Choice(["a", "b"]), "x": Float(0.0, 1.0)}, conditions=[When("x", "kind", "b")])
    kinds = [c["kind"] for c in space.decode(RandomSampler().start(space, 0).propose(range(60)))]
    assert kinds.count("a") == 1


def test_large_finite_spaces_are_drawn_without_repetition():
    space = Space({"n": Int(1, 1000), "m": Int(1, 300)})
    points = RandomSampler().start(space, 0).propose(range(3000))
    assert len(np.unique(points, axis=0)) == 3000


@pytest.mark.parametrize("name", sorted(set(SAMPLERS) - {"iterable", "warm"}))
def test_contradictory_constraints_end(name):
    space = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, constraints=["x < y", "y < x"])
    with pytest.raises(InputError, match="constraints must allow some"):
        SAMPLERS[name].start(space, 0).propose(range(3), [1] * 3)


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
