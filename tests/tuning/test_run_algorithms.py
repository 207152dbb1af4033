"""The algorithms by name, on real spaces and with the real samplers."""

from __future__ import annotations

from inspect import signature

import hyperband_81_3
import numpy as np
import pytest
from toy import result_of, through_json

import hyperband as hb
from hyperband.errors import InputError
from hyperband.evaluation.functions.evaluation import Evaluation
from hyperband.tuning import algorithms
from hyperband.tuning.algorithms.base import SettingsAlgorithm
from hyperband.tuning.samplers.adaptive import AdaptiveSampler
from hyperband.tuning.samplers.grid import GridSampler
from hyperband.tuning.samplers.random import RandomSampler

SPACE = hb.Space({"x": hb.Float(-2.0, 2.0), "width": hb.Int(4, 64, log=True), "act": hb.Choice(["relu", "tanh"])})
ALGORITHMS = {
    "grid": hb.GridSearch(9, points_per_axis=3),
    "grid of at most n": hb.GridSearch(n=20, max_resource=9),
    "random": hb.RandomSearch(n=10, max_resource=9),
    "adaptive": hb.AdaptiveSearch(n=20, rounds=3, max_resource=9),
    "halving": hb.SuccessiveHalving(9, 3),
    "hyperband": hb.Hyperband(9, 3),
    "hyperband, adaptive": hb.Hyperband(9, 3, sampler=AdaptiveSampler(n_coarse=6, n_per_round=3, rounds=3)),
    "hyperband, grid": hb.Hyperband(9, 3, sampler=GridSampler(3)),
    "halving, adaptive": hb.SuccessiveHalving(9, 3, sampler=AdaptiveSampler(n_coarse=5, n_per_round=2, rounds=2)),
}
every_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)


def objective(configuration, resource):
    return (configuration["x"] - 0.5) ** 2 + configuration["width"] / 100 + 1 / resource


def table(result):
    return {name: values.tolist() for name, values in result.trials.items()}


@every_algorithm
def test_what_was_run_is_the_plan(algorithm):
    plan = algorithm.plan(SPACE)
    result = hb.minimize(lambda c, r, state: Evaluation(objective(c, r)), SPACE, algorithm)
    assert result.stopped == "finished"
    assert result.plan == plan
    if not isinstance(getattr(algorithm, "sampler", None), AdaptiveSampler | GridSampler):
        assert (result.n_configurations, result.n_evaluations) == (plan.n_configurations, plan.n_evaluations)
        assert result.cost == plan.cost
    assert result.best.loss == np.min(result.trials["loss"])


@every_algorithm
def test_the_same_seed_is_the_same_search_in_any_batches(algorithm):
    one_by_one = table(hb.minimize(objective, SPACE, algorithm, seed=5))
    run = algorithm.start(SPACE, seed=5)
    while not run.done:
        jobs = run.ask()
        run.tell([result_of(job, objective(job.configuration, job.resource)) for job in reversed(jobs)])
    columns = run.columns()
    for name in ("trial", "bracket", "rung", "resource", "loss"):
        assert columns[name].tolist() == one_by_one[name]


@every_algorithm
def test_saving_and_loading_half_way_changes_nothing(algorithm):
    run = algorithm.start(SPACE, seed=5)
    while not run.done:
        jobs = run.ask(4)
        run.tell([result_of(job, objective(job.configuration, job.resource)) for job in jobs[:2]])
        fresh = algorithm.start(SPACE, seed=5)
        fresh.load_state_dict(through_json(run.state_dict()))
        run = fresh
        run.tell([result_of(job, objective(job.configuration, job.resource)) for job in run.open_jobs])
    plain = algorithm.start(SPACE, seed=5)
    while jobs := plain.ask(4):
        plain.tell([result_of(job, objective(job.configuration, job.resource)) for job in jobs])
    assert run.results == plain.results


def test_hyperband_81_3_to_the_unit():
    result = hb.minimize(lambda c, r, state: Evaluation(objective(c, r)), SPACE, hb.Hyperband(81, 3))
    assert (result.n_evaluations, result.n_configurations, result.cost) == hyperband_81_3.TOTALS


def test_a_finite_space_is_tried_once_and_ends():
    space = hb.Space({"a": hb.Choice([True, False]), "b": hb.Choice(["p", "q"])})
    result = hb.minimize(lambda c, r: r * c["a"], space, hb.Hyperband(9, 3))
    first = result.trials["rung"] == 0
    pairs = list(zip(result.trials["a"][first].tolist(), result.trials["b"][first].tolist(), strict=True))
    assert sorted(pairs) == [(False, "p"), (False, "q"), (True, "p"), (True, "q")]


NAMED = [kind for kind in vars(algorithms).values() if isinstance(kind, type) and issubclass(kind, SettingsAlgorithm)]


@pytest.mark.parametrize("kind", NAMED, ids=lambda kind: kind.__name__)
def test_settings_are_given_by_name_after_max_resource_and_eta(kind):
    by_position = [name for name, p in signature(kind).parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert by_position == (["max_resource", "eta"] if "eta" in signature(kind).parameters else ["max_resource"])
    assert kind(9, **({"eta": 3} if len(by_position) == 2 else {})).max_resource == 9
    with pytest.raises(TypeError, match="positional argument"):
        kind(9, 3, 1)


def test_a_grid_is_as_large_as_it_says():
    assert hb.GridSearch(9, points_per_axis=3).plan(SPACE).n_configurations == 3 * 3 * 2
    assert hb.GridSearch(9, points_per_axis={"x": 5, "width": 2, "act": 2}).plan(SPACE).n_configurations == 5 * 2 * 2
    assert hb.GridSearch(n=20, max_resource=9).plan(SPACE).n_configurations == 3 * 3 * 2
    assert hb.GridSearch(n=30, max_resource=9).plan(SPACE).n_configurations == 4 * 3 * 2
    assert hb.GridSearch(n=1, max_resource=9).plan(SPACE).n_configurations == 1
    assert hb.GridSearch(n=32, max_resource=9).plan(SPACE).n_configurations == 4 * 4 * 2


def test_a_grid_of_many_dimensions_uses_the_first_of_them():
    wide = hb.Space({f"x{i}": hb.Float(0.0, 1.0) for i in range(20)})
    assert hb.GridSearch(n=100, max_resource=9).plan(wide).n_configurations == 64
    first = hb.GridSearch(n=100, max_resource=9).start(wide).ask()
    varied = [name for name in wide.names if len({job.configuration[name] for job in first}) > 1]
    assert varied == [f"x{i}" for i in range(6)]


def test_seeds_in_order_of_precedence():
    def first(algorithm, seed=None):
        return algorithm.start(SPACE, seed).ask(1)[0].configuration

    assert first(hb.Hyperband(9, seed=7)) == first(hb.Hyperband(9), 7) == first(hb.Hyperband(9, seed=1), 7)
    assert first(hb.Hyperband(9)) == first(hb.Hyperband(9), 0) != first(hb.Hyperband(9), 7)


def test_the_sampler_can_be_exchanged_everywhere():
    for algorithm in (hb.Hyperband, hb.SuccessiveHalving, hb.RandomSearch):
        assert algorithm(max_resource=9, sampler=GridSampler(2)).start(SPACE).ask(1)
        with pytest.raises(InputError, match="`sampler` must be a sampler object"):
            algorithm(sampler="random")
        with pytest.raises(InputError, match="`sampler` must be a sampler object"):
            algorithm(sampler=RandomSampler)  # the class: the brackets were forgotten
    assert hb.RandomSearch(sampler=RandomSampler()).start(SPACE).ask(1) == hb.RandomSearch().start(SPACE).ask(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hb.Hyperband(81, eta=0.5), "`eta` must be greater than 1; got 0.5."),
        (lambda: hb.Hyperband(9, min_resource=10), "`max_resource` must be at least `min_resource`"),
        (lambda: hb.Hyperband(9, variant="x"), "`variant` must be one of"),
        (lambda: hb.Hyperband(9, seed=-1), "`seed` must be a whole number of at least 0; got -1."),
        (lambda: hb.SuccessiveHalving(9, n=0), "`n` must be a whole number of at least 1; got 0."),
        (lambda: hb.RandomSearch(n="many"), "`n` must be a whole number of at least 1; got 'many'."),
        (lambda: hb.RandomSearch(n=3, max_resource=0), "`max_resource` must be greater than 0; got 0."),
        (lambda: hb.AdaptiveSearch(n=4, rounds=4), r"`rounds` must be smaller than `n` \(4\); got 4."),
        (lambda: hb.AdaptiveSearch(rounds=0), "`rounds` must be a whole number of at least 1; got 0."),
        (lambda: hb.GridSearch(points_per_axis=0), "`points_per_axis` must be a whole number of at least 1; got 0."),
        (lambda: hb.GridSearch(points_per_axis={"x": 2.5}), "`points_per_axis` must be a whole number"),
        (lambda: hb.GridSearch(points_per_axis=3, n=20), "Only one of `points_per_axis` and `n`"),
        (lambda: hb.Hyperband(9, sampler=RandomSampler), "`sampler` must be a sampler object"),
        (lambda: hb.PBT(explore="rate"), "`explore` must list names of parameters, or be None; got 'rate'."),
        (lambda: hb.GridSearch().plan(), r"algorithm.plan\(space\)"),
    ],
)
def test_bad_settings_name_rule_and_value(call, message):
    with pytest.raises(InputError, match=message):
        call()
