"""Configurations that are given: any iterable, and warm starts from earlier trials."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import hyperband as hb
from hyperband.errors import InputError
from hyperband.space import Choice, Float, Int, Space, When
from hyperband.tuning.samplers import (
    AdaptiveSampler,
    EvolutionSampler,
    GridSampler,
    IterableSampler,
    KDESampler,
    RandomSampler,
    WarmStartSampler,
)
from hyperband.tuning.samplers.prior_trials import read

SPACE = Space({"n": Int(1, 9)})
BRANCHES = Space(
    {"kind": Choice(["a", None]), "x": Float(0.0, 1.0), "m": Choice([None, 1])}, conditions=[When("m", "kind", "a")]
)


def numbers(proposer, n, first=0):
    return [c["n"] for c in SPACE.decode(proposer.propose(range(first, first + n), [1] * n))]


def test_given_configurations_are_tried_as_given_duplicates_too():
    proposer = IterableSampler([{"n": 3}, {"n": 1}, {"n": 3}]).start(SPACE, 0)
    assert numbers(proposer, 2) == [3, 1] and not proposer.exhausted
    assert numbers(proposer, 1) == [3] and proposer.exhausted and numbers(proposer, 1) == []


def test_generators_are_taken_from_only_when_needed():
    taken = []

    def endless():
        for k in itertools.count():
            taken.append(k)
            yield {"n": k % 9 + 1}

    proposer = IterableSampler(endless()).start(SPACE, 0)
    assert taken == [] and numbers(proposer, 12) == [*range(1, 10), 1, 2, 3] and len(taken) == 12


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"n": 10}, r"Configuration 1: Parameter 'n'"),
        ({"m": 1}, r"Configuration 1: .*'m'"),
        ({}, r"Configuration 1: .*must have a value"),
        (7, r"Configuration 1 must be a mapping"),
        ({"n": 9}, r"Configuration 1 must satisfy the constraints"),
    ],
)
def test_what_is_not_of_the_space_is_refused_with_its_number(configuration, message):
    space = Space({"n": Int(1, 9)}, constraints=["n < 9"])
    with pytest.raises(InputError, match=message):
        IterableSampler([{"n": 1}, configuration]).start(space, 0).propose(range(2))


@pytest.mark.parametrize("given", [{"n": 1}, "text", 5])
def test_what_is_no_list_is_refused(given):
    with pytest.raises(InputError, match="iterable of configurations"):
        IterableSampler(given)


def test_a_saved_run_goes_on_with_the_same_iterable():
    listed = [{"n": n} for n in (4, 2, 7, 5)]
    first = IterableSampler(listed).start(SPACE, 0)
    first.propose(range(2))
    for again in (listed, iter(listed), (c for c in listed)):
        second = IterableSampler(again).start(SPACE, 0)
        second.load_state_dict(first.state_dict())
        assert numbers(second, 9) == [7, 5]
    with pytest.raises(InputError, match="at least the 2"):
        IterableSampler(listed[:1]).start(SPACE, 0).load_state_dict(first.state_dict())


def test_an_iterator_serves_one_run():
    sampler = IterableSampler(iter([{"n": 1}, {"n": 2}]))
    proposer = sampler.start(SPACE, 0)
    proposer.propose([0])
    with pytest.raises(InputError, match="Make a new one"):
        sampler.start(SPACE, 0)
    with pytest.raises(InputError, match="Make a new one"):
        proposer.load_state_dict(proposer.state_dict())


KNOWN = [({"n": 2}, 1, 0.5), ({"n": 7}, 1, 0.1), ({"n": 8}, 3, math.nan)]


@pytest.mark.parametrize(
    "inner", [RandomSampler(), GridSampler(9), KDESampler(), EvolutionSampler(), AdaptiveSampler()]
)
def test_known_trials_are_not_run_again_and_given_ones_come_first(inner):
    proposer = WarmStartSampler(inner, KNOWN, start_with=[{"n": 9}, {"n": 3}]).start(SPACE, 0)
    found = numbers(proposer, 1) + numbers(proposer, 3, 1)
    while not proposer.exhausted:
        for trial, n in enumerate(found):
            proposer.tell(trial, 1, float(n))
        found += numbers(proposer, 1, len(found))
    assert found[:2] == [9, 3] and sorted(found[2:]) == [1, 4, 5, 6]


def test_a_sampler_learns_from_the_earlier_trials():
    space = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)})
    drawn = RandomSampler().start(space, 1).propose(range(60))
    trials = [(c, 9, float(((p - 0.7) ** 2).sum())) for c, p in zip(space.decode(drawn), drawn)]
    warm = WarmStartSampler(KDESampler(random_fraction=0.0), trials).start(space, 0).propose(range(20))
    cold = KDESampler(random_fraction=0.0).start(space, 0).propose(range(20))
    assert np.abs(warm - 0.7).mean() < 0.6 * np.abs(cold - 0.7).mean()


def test_adaptive_search_builds_upon_earlier_trials():
    space = Space({"x": Float(0.0, 1.0)})
    inner = AdaptiveSampler(n_coarse=4, n_per_round=8, elite=1, shrink=0.25)
    proposer = WarmStartSampler(inner, [({"x": 0.9}, 1, math.nan), ({"x": 0.4}, 1, 0.0)]).start(space, 0)
    for trial in range(len(proposer.propose(range(4)))):
        proposer.tell(trial, 1, 1.0)
    assert np.abs(proposer.propose(range(4, 12)) - 0.4).max() <= 0.25 / 2 + 1e-12


def test_what_is_started_with_is_learned_from():
    proposer = WarmStartSampler(EvolutionSampler(population=4), start_with=[{"n": 9}]).start(SPACE, 0)
    proposer.propose([0], [1])
    proposer.tell(0, 1, 0.5)
    assert proposer.inner.populations[1.0].members[0] == 0


def test_a_warm_start_upon_a_warm_start():
    inner = WarmStartSampler(KDESampler(), KNOWN[:1])
    proposer = WarmStartSampler(inner, KNOWN[1:]).start(SPACE, 0)
    assert sorted(numbers(proposer, 9)) == [1, 3, 4, 5, 6, 9]


def test_trials_of_a_search_that_has_ended():
    space = Space({"x": Float(-1.0, 1.0), "loss": Int(1, 5), "kind": Choice(["a", "b"])}, [When("loss", "kind", "b")])
    result = hb.minimize(lambda c, resource: c["x"] ** 2 + 1 / resource, space, hb.Hyperband(9), seed=3)
    for trials in (result, result.trials, dict(result.trials)):
        found = read(trials, space)
        assert sorted(set(found.numbers)) == list(range(-result.n_configurations, 0))
        assert len(found.losses) == result.n_evaluations and set(found.resources) == {1, 3, 9}
        x = space.columns(found.points)["x"]
        assert np.allclose(x**2 + 1 / np.array(found.resources), found.losses)
    proposer = WarmStartSampler(KDESampler(), result).start(space, 0)
    assert proposer.inner.estimates() is not None


def test_holes_of_a_table_and_none_as_an_option():
    """Of ``m`` None is an option where the kind is "a"; where the kind is None it is a hole."""
    table = {"resource": [1, 1, 1], "loss": [0.1, 0.2, 0.3], "kind": ["a", None, "a"], "x": [0.5, 0.25, 0.75]}
    found = read({**table, "m": np.array([None, None, 1], dtype=object)}, BRANCHES)
    assert BRANCHES.decode(found.points) == [
        {"kind": "a", "x": 0.5, "m": None},
        {"kind": None, "x": 0.25},
        {"kind": "a", "x": 0.75, "m": 1},
    ]


def test_several_objectives_of_earlier_trials():
    found = read({"resource": [1, 1], "loss": np.array([[1.0, 2.0], [2.0, 1.0]]), "n": [1, 2]}, SPACE)
    assert found.losses == [(1.0, 2.0), (2.0, 1.0)]
    assert read([({"n": 1}, 1, (1, 2))], SPACE).losses == [(1.0, 2.0)]


def test_a_search_of_several_objectives_goes_on_from_its_own_result():
    space = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)})

    def objective(c, resource):
        return c["x"] + 1 / resource, 1 - c["x"] + c["y"]

    first = hb.minimize(objective, space, hb.Hyperband(9), seed=0)
    found = read(first, space)
    assert found.losses == list(zip(first.trials["objective_0"], first.trials["objective_1"], strict=True))
    sampler = WarmStartSampler(KDESampler(), first)
    assert hb.minimize(objective, space, hb.Hyperband(9, sampler=sampler), seed=1).n_evaluations == 22


def test_parameters_named_like_objectives_are_no_losses():
    space = Space({"objective_0": Float(0.0, 1.0), "objective_1": Float(0.0, 1.0)})
    found = read(hb.minimize(lambda c, r: c["objective_0"], space, hb.Hyperband(3), seed=0), space)
    assert all(isinstance(loss, float) for loss in found.losses)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_table_that_was_saved_as_a_file(library, tmp_path):
    module = pytest.importorskip(library)
    space = Space({"x": Float(0.0, 1.0), "kind": Choice(["a", "b"]), "n": Int(1, 5)}, [When("n", "kind", "a")])
    result = hb.minimize(lambda c, r: c["x"], space, hb.Hyperband(9), seed=0)
    if library == "pandas":
        result.trials.to_pandas().to_csv(tmp_path / "t.csv", index=False)
    else:
        result.trials.to_polars().write_csv(tmp_path / "t.csv")
    expected = read(result, space)
    for frame in (getattr(result.trials, f"to_{library}")(), module.read_csv(tmp_path / "t.csv")):
        found = read(frame, space)
        assert found.losses == expected.losses and found.numbers == expected.numbers
        np.testing.assert_array_equal(found.points, expected.points)


def test_trials_that_the_space_does_not_hold():
    trials = [({"n": 50}, 1, 0.5), ({"n": 5}, 1, 0.5)]
    with pytest.raises(InputError, match="Row 0 of `trials`: Parameter 'n'"):
        WarmStartSampler(RandomSampler(), trials).start(SPACE, 0)
    proposer = WarmStartSampler(RandomSampler(), trials, outside="leave out").start(SPACE, 0)
    assert sorted(numbers(proposer, 9)) == [1, 2, 3, 4, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("trials", "message"),
    [
        (5, "`trials` must be a SearchResult"),
        ("text", "`trials` must be a SearchResult"),
        ([({"n": 1}, 1)], r"Row 0 of `trials` must be \(configuration, resource, loss\)"),
        ([({"n": 1}, 0, 0.5)], "Row 0 of `trials` must have a finite resource"),
        ([({"n": 1}, "much", 0.5)], "Row 0 of `trials` must have a finite resource"),
        ([({"n": 1}, 1, "low")], "Row 0 of `trials` must have a loss"),
        ([(1, 1, 0.5)], "Row 0 of `trials` must be a mapping"),
        ({"n": [1], "loss": [0.5]}, "must have a column 'resource'"),
        ({"resource": [1], "loss": [0.5]}, "Row 0 of `trials`: .*must have a value"),
    ],
)
def test_other_forms_are_refused(trials, message):
    with pytest.raises(InputError, match=message):
        WarmStartSampler(RandomSampler(), trials).start(SPACE, 0)


class Stubborn:
    def start(self, space, seed):
        return object()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sampler": 5}, "`sampler` must be a sampler"),
        ({"sampler": Stubborn()}, "must offer adopt"),
        ({"sampler": RandomSampler(), "outside": "ignore"}, "'refuse' or 'leave out'"),
        ({"sampler": RandomSampler(), "start_with": {"n": 1}}, "`start_with` must be a list"),
        ({"sampler": RandomSampler(), "start_with": [{"n": 1}, {"n": 10}]}, "Configuration 1 of `start_with`"),
    ],
)
def test_odd_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        WarmStartSampler(**arguments).start(SPACE, 0)
