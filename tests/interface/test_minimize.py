"""Any function as the objective: restarting or continuing, and failing."""

from __future__ import annotations

import math
import os
import signal
import weakref
from functools import partial

import numpy as np
import pytest
from toy import Algorithm, Line

import hyperband as hb
from hyperband.errors import InputError, ObjectiveError
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.functions.evaluation import Evaluation
from hyperband.evaluation.functions.evaluator import FunctionEvaluator
from hyperband.evaluation.functions.objectives import kind_of
from hyperband.evaluation.functions.workers import Workers
from hyperband.interface.minimize import minimize
from hyperband.tuning.schedulers import FullScheduler, HyperbandScheduler, SuccessiveHalvingScheduler
from hyperband.tuning.trial import Job

HYPERBAND = Algorithm(HyperbandScheduler(9, 3))


def test_an_objective_that_restarts():
    calls = []

    def objective(configuration, resource):
        calls.append((configuration["x"], resource))
        return configuration["x"] + 1 / resource

    result = minimize(objective, Line(), HYPERBAND)
    assert (len(calls), sum(resource for _, resource in calls), result.cost) == (22, 78, 78)
    loss, resource, x = (result.trials[name] for name in ("loss", "resource", "x"))
    np.testing.assert_allclose(loss, x + 1 / resource)
    assert result.best.loss == loss.min()
    assert result.best_at_full.loss == loss[resource == 9].min()


def test_an_objective_that_goes_on_gets_its_own_state_back():
    def objective(configuration, resource, state):
        done = {"x": configuration["x"], "at": 0} if state is None else state
        assert done["x"] == configuration["x"]
        steps = resource - done["at"]
        return Evaluation(configuration["x"], state={**done, "at": resource}, metrics={"steps": steps})

    result = minimize(objective, Line(), HYPERBAND)
    assert result.cost == 69
    assert result.trials["steps"].sum() == 69
    np.testing.assert_array_equal(result.trials["steps"], result.trials["cost"])


def test_cost_can_be_what_the_objective_says():
    result = minimize(lambda c, r: Evaluation(c["x"], cost=0.5), Line(), Algorithm(FullScheduler(4, 3)))
    assert result.cost == 2.0


class State:
    """Can be watched while it lives."""


def test_states_of_dropped_trials_are_freed():
    states = weakref.WeakSet()

    def objective(c, r, state):
        states.add(state := State())
        return Evaluation(c["x"], state=state)

    evaluator = FunctionEvaluator(objective)
    run = Algorithm(SuccessiveHalvingScheduler(9, 3)).start()
    alive = []
    while not run.done:
        for job in run.ask():
            evaluator.submit([job])
            run.tell(evaluator.collect())
        evaluator.release(run.dropped())
        alive.append(len(states))
    assert alive == [3, 1, 0]


def test_an_exception_costs_one_trial_and_is_remembered():
    def objective(configuration, resource):
        if configuration["x"] > 0.5:
            raise ValueError("too deep")
        return configuration["x"]

    with pytest.warns(
        RuntimeWarning, match=r"failed on trial \d+, .*ValueError: too deep.*the search continues"
    ) as seen:
        result = minimize(objective, Line(), HYPERBAND)
    assert len([w for w in seen if w.category is RuntimeWarning]) == 1
    deep = result.trials["x"] > 0.5
    assert deep.any()
    np.testing.assert_array_equal(np.isnan(result.trials["loss"]), deep)
    assert set(result.failures) == set(result.trials["trial"][deep].tolist())
    texts = [text.splitlines() for text in result.failures.values()]
    assert {text[0] for text in texts} == {"ValueError: too deep"}
    # The traceback begins in the objective, not in the machinery that called it.
    assert {text[2].split(", in ")[1] for text in texts} == {"objective"}
    assert list(result.failures) == sorted(result.failures)
    assert set(result.trials["resource"][deep & (result.trials["rung"] > 0)].tolist()) == set()
    assert result.best.configuration["x"] <= 0.5


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "the loss must be a number; got None"),
        ("0.5", "the loss must be a number; got '0.5'"),
        (Evaluation(0.5, metrics={"a": "b"}), "the metric 'a' must be a number; got 'b'"),
        (Evaluation(0.5, metrics=None), "the metrics must be a mapping of names to numbers; got None"),
        (Evaluation(0.5, cost="much"), "the cost must be a number; got 'much'"),
        (Evaluation(0.5, cost=-1), "the cost must be a finite number of at least 0; got -1"),
        (Evaluation(0.5, cost=math.nan), "the cost must be a finite number of at least 0; got nan"),
        ((0.5, "b"), "the loss must be a number; got 'b'"),
        ((), "several objectives must be at least one number; got none"),
        (np.ones((2, 2)), "the loss must be a number; got \\[1.0, 1.0\\]"),
    ],
)
def test_what_is_no_number_fails_the_trial(returned, message):
    with pytest.warns(RuntimeWarning, match=message), pytest.raises(ObjectiveError, match=message) as raised:
        minimize(lambda c, r: returned, Line(), Algorithm(FullScheduler(3, 1)))
    assert raised.value.result.best is None
    assert len(raised.value.result.failures) == 3


def test_a_state_needs_an_evaluation():
    said = r"must return Evaluation\(loss, state=...\); got float"
    with pytest.warns(RuntimeWarning, match=said), pytest.raises(ObjectiveError, match=said) as raised:
        minimize(lambda c, r, state: 0.5, Line(), Algorithm(FullScheduler(2, 1)))
    assert len(raised.value.result.failures) == 2


def test_ctrl_c_in_the_objective_hands_back_the_best_so_far():
    calls = []

    def objective(configuration, resource):
        calls.append(configuration["x"])
        if len(calls) == 6:
            os.kill(os.getpid(), signal.SIGINT)
        return configuration["x"]

    result = minimize(objective, Line(), HYPERBAND)
    assert result.interrupted
    assert result.n_evaluations == 5
    assert result.best.loss == min(calls[:5])


def test_an_objective_cannot_change_what_is_remembered():
    def objective(configuration, resource):
        configuration["x"] = 99
        return 0.5

    assert minimize(objective, Line(), HYPERBAND).trials["x"].max() <= 1


def test_the_same_seed_gives_the_same_trials():
    tables = [minimize(lambda c, r: c["x"], Line(), HYPERBAND, seed=seed).trials for seed in (3, 3, 4)]
    np.testing.assert_array_equal(tables[0]["x"], tables[1]["x"])
    assert (tables[0]["x"] != tables[2]["x"]).any()


def test_budget_and_events_are_passed_on():
    seen = []
    budget = Budget(evaluations=4)
    result = minimize(lambda c, r: 1.0, Line(), HYPERBAND, budget=budget, on_event=lambda run, rs: seen.extend(rs))
    assert (result.stopped, len(seen)) == ("evaluations", 4)


def two_arguments(configuration, resource):
    yield 0.0


def generator(configuration):
    yield 0.0


class Generator:
    def __call__(self, configuration):
        yield 0.0


async def coroutine(configuration, resource): ...


class Callable3:
    def __call__(self, configuration, resource, state=None): ...


class Callable2:
    def __call__(self, configuration, resource): ...


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (lambda c, r: 0, False),
        (lambda c, r, s: 0, True),
        (lambda c, r, state=None: 0, True),
        (lambda c, r, seed=0: 0, False),
        (lambda c, r, *, verbose=False: 0, False),
        (lambda *arguments: 0, False),
        (Callable2(), False),
        (Callable3(), True),
        (generator, True),
        (Generator(), True),
        (partial(generator), True),
        (max, False),
    ],
)
def test_the_signature_tells_the_kind(objective, expected):
    assert kind_of(objective).continues is expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: minimize(3, Line(), HYPERBAND), "`objective` must be a function"),
        (lambda: minimize(lambda c: 0, Line(), HYPERBAND), "`objective` must take"),
        (lambda: minimize(coroutine, Line(), HYPERBAND), "`objective` must be an ordinary function .* asyncio.run"),
        (lambda: minimize(two_arguments, Line(), HYPERBAND), "`objective`, a generator, must take"),
        (lambda: minimize(lambda a, b, c, d: 0, Line(), HYPERBAND), "`objective` must take"),
        (lambda: minimize(lambda c, r, *, k: 0, Line(), HYPERBAND), "`objective` must take"),
        (lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, workers=0), "`workers` must be a whole .* 1; got 0"),
        (lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, workers=1.5), "`workers` must be a whole .*; got 1.5"),
        (
            lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, workers=Workers(retries=-1)),
            "`retries` must be a whole .* 0; got -1",
        ),
        (
            lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, workers=Workers(timeout=0)),
            "`timeout` must be greater than 0 .* got 0",
        ),
        (
            lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, workers=Workers(timeout="1")),
            "`timeout` must be a finite number",
        ),
        (
            lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, executor="fork"),
            "`executor` must be one of threads, processes; got 'fork'",
        ),
        (
            lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, workers=Workers(executor="fork")),
            "`executor` must be one of threads",
        ),
        (
            lambda: minimize(lambda c, r, s: 0, Line(), HYPERBAND, workers=Workers(state_dir=3)),
            "`state_dir` must be a path; got 3",
        ),
        (
            lambda: minimize(lambda c, r, s: 0, Line(), HYPERBAND, workers=Workers(state_dir=__file__)),
            "`state_dir` must be a directory",
        ),
        (
            lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, workers=Workers(state_dir="x")),
            "`state_dir` must be None unless",
        ),
        (
            lambda: minimize(generator, Line(), HYPERBAND, workers=Workers(state_dir="x")),
            "`state_dir` must be None unless",
        ),
        (lambda: minimize(lambda c, r: 0, Line(), 81), "`algorithm` must be an algorithm"),
        (lambda: minimize(lambda c, r: 0, Line(), hb.Hyperband), "`algorithm` must be an algorithm"),
        (lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, budget=10), r"`budget` must be a Budget .*; got 10\."),
        (lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, progress="yes"), "`progress` must be True, False or a f"),
        (lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, on_event=3), r"`on_event` must be a function .*; got 3\."),
        (lambda: minimize(lambda c, r: 0, {"x": 1}, hb.BOHB(9)), "`space` must be a Space .*; got {'x': 1}"),
        (lambda: minimize(lambda c, r: 0, None, hb.GridSearch(n=4)), "`space` must be a Space .*; got None"),
        (lambda: minimize(lambda c, r: 0, hb.Space, hb.PBT(n=4)), "`space` must be a Space"),
        (
            lambda: minimize(generator, hb.Space({"x": hb.Float(0, 1)}), hb.PBT(n=4)),
            "must not be a generator when trials",
        ),
    ],
)
def test_bad_arguments_name_the_rule(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_an_evaluator_without_jobs_has_no_results():
    evaluator = FunctionEvaluator(lambda c, r: 0.0)
    assert evaluator.collect() == []
    evaluator.submit([Job(0, 0, 0, {}, 1)])
    evaluator.close()
    assert evaluator.collect() == []


@pytest.mark.parametrize("kind", [tuple, list, np.array])
def test_several_numbers_are_several_objectives(kind):
    evaluator = FunctionEvaluator(lambda c, r: kind([c["x"], 2.0, math.nan]))
    evaluator.submit([Job(0, 0, 0, {"x": 0.5}, 1)])
    (result,) = evaluator.collect()
    assert result.loss == 0.5
    assert result.objectives[:2] == (0.5, 2.0)
    assert math.isnan(result.objectives[2])


@pytest.mark.parametrize("loss", [[0.5], np.array([0.5]), np.float32(0.5), np.array(0.5)])
def test_one_number_is_one_loss_however_it_is_packed(loss):
    evaluator = FunctionEvaluator(lambda c, r: Evaluation(loss))
    evaluator.submit([Job(0, 0, 0, {}, 1)])
    (result,) = evaluator.collect()
    assert (result.loss, result.objectives) == (0.5, ())


def test_the_number_of_objectives_stays_the_same():
    evaluator = FunctionEvaluator(lambda c, r: (1.0,) * int(r), workers=Workers(retries=2))
    evaluator.submit([Job(0, 0, 0, {}, 2)])
    assert evaluator.collect()[0].objectives == (1.0, 1.0)
    evaluator.submit([Job(1, 0, 0, {}, 3)])
    with pytest.warns(RuntimeWarning, match="number of objectives must stay the same: 2 before; got 3"):
        assert math.isnan(evaluator.collect()[0].loss)


def test_what_failed_is_tried_again():
    tries = {}

    def objective(c, r):
        tries[c["x"]] = tries.get(c["x"], 0) + 1
        if tries[c["x"]] <= 2:
            raise OSError("the network is away")
        return c["x"]

    result = minimize(objective, Line(), Algorithm(FullScheduler(3, 1)), workers=Workers(retries=2))
    assert (result.failures, result.cost, set(tries.values())) == ({}, 3, {3})
    tries.clear()
    with pytest.warns(RuntimeWarning, match="network is away"), pytest.raises(ObjectiveError, match="away") as raised:
        minimize(objective, Line(), Algorithm(FullScheduler(3, 1)), workers=Workers(retries=1))
    assert (len(raised.value.result.failures), set(tries.values())) == (3, {2})


def test_a_retry_does_not_trust_what_a_failed_call_has_left():
    seen = []

    def objective(c, r, state):
        seen.append(None if state is None else dict(state))
        state = {"at": 0} if state is None else state
        state["at"] = "half way"
        if r == 3 and len(seen) == 2:
            raise OSError("once")
        return Evaluation(c["x"], state={"at": r})

    result = minimize(objective, Line(), Algorithm(SuccessiveHalvingScheduler(3, 3, n=1)), workers=Workers(retries=1))
    assert seen == [None]
    result = minimize(objective, Line(), Algorithm(SuccessiveHalvingScheduler(3, 3, n=3)), workers=Workers(retries=1))
    assert "half way" not in [state["at"] for state in seen if state]
    assert result.failures == {}


def test_a_trial_that_starts_again_costs_its_whole_resource():
    def objective(c, r, state):
        if r == 3 and state is not None:
            raise OSError("once")
        return Evaluation(c["x"], state=r)

    result = minimize(objective, Line(), Algorithm(SuccessiveHalvingScheduler(3, 3)), workers=Workers(retries=1))
    assert result.trials["cost"].tolist() == [1, 1, 1, 3]


def test_a_trial_can_start_as_a_copy_of_another():
    def objective(c, r, state):
        state = [] if state is None else state
        state.append((c["x"], r))
        return Evaluation(len(state), state=state)

    for workers in (Workers(), Workers(3)):
        evaluator = FunctionEvaluator(objective, workers=workers)
        evaluator.submit([Job(0, 0, 0, {"x": 0.1}, 1)])
        evaluator.collect()
        child = Job(1, 0, 1, {"x": 0.2}, 2, previous=1, parent=0)
        evaluator.submit([Job(0, 0, 1, {"x": 0.1}, 2, previous=1), child] if workers.n == 1 else [child])
        told = {}
        while len(told) < (2 if workers.n == 1 else 1):
            told.update((r.trial, r) for r in evaluator.collect())
        assert (told[1].loss, told[1].cost) == (2, 1)
        evaluator.release([0])
        evaluator.submit([Job(1, 0, 2, {"x": 0.2}, 3, previous=2)])
        assert evaluator.collect()[0].loss == 3
        evaluator.close()
