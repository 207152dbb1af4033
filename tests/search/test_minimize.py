"""Any function as the objective: restarting or continuing, and failing."""

from __future__ import annotations

import math
import os
import signal
import warnings
import weakref
from functools import partial

import numpy as np
import pytest
from toy import Algorithm, Line

from hyperband.driver import Budget
from hyperband.errors import InputError
from hyperband.evaluators.function import Evaluation, FunctionEvaluator, continues
from hyperband.minimize import minimize
from hyperband.schedulers import FullScheduler, HyperbandScheduler, SuccessiveHalvingScheduler
from hyperband.trial import Job

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

    with pytest.warns(RuntimeWarning, match=r"failed on trial \d+, .*ValueError: too deep.*the search goes on") as seen:
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
        (Evaluation(0.5, cost="much"), "the cost must be a number; got 'much'"),
        (Evaluation(0.5, cost=-1), "the cost must be a finite number of at least 0; got -1"),
        (Evaluation(0.5, cost=math.nan), "the cost must be a finite number of at least 0; got nan"),
        ((0.5, "b"), "the loss must be a number; got 'b'"),
        ((), "several objectives must be at least one number; got none"),
        (np.ones((2, 2)), "the loss must be a number; got \\[1.0, 1.0\\]"),
    ],
)
def test_what_is_no_number_fails_the_trial(returned, message):
    with pytest.warns(RuntimeWarning, match=message):
        result = minimize(lambda c, r: returned, Line(), Algorithm(FullScheduler(3, 1)))
    assert result.best is None
    assert len(result.failures) == 3


def test_a_state_needs_an_evaluation():
    with pytest.warns(RuntimeWarning, match=r"must return Evaluation\(loss, state=...\); got float"):
        result = minimize(lambda c, r, state: 0.5, Line(), Algorithm(FullScheduler(2, 1)))
    assert len(result.failures) == 2


def test_diverged_is_data_and_no_failure():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = minimize(lambda c, r: math.inf if c["x"] > 0.5 else c["x"], Line(), HYPERBAND)
    assert result.failures == {}
    assert np.isinf(result.trials["loss"]).any()
    assert math.isfinite(result.best.loss)


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
    assert continues(objective) is expected


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
        (lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, retries=-1), "`retries` must be a whole .* 0; got -1"),
        (lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, timeout=0), "`timeout` must be greater than 0 .* got 0"),
        (lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, timeout="1"), "`timeout` must be a finite number"),
        (lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, executor="fork"), "`executor` must be one of threads"),
        (lambda: minimize(lambda c, r, s: 0, Line(), HYPERBAND, state_dir=3), "`state_dir` must be a path; got 3"),
        (lambda: minimize(lambda c, r, s: 0, Line(), HYPERBAND, state_dir=__file__), "`state_dir` must be a directory"),
        (lambda: minimize(lambda c, r: 0, Line(), HYPERBAND, state_dir="x"), "`state_dir` must be None unless"),
        (lambda: minimize(generator, Line(), HYPERBAND, state_dir="x"), "`state_dir` must be None unless"),
        (lambda: minimize(lambda c, r: 0, Line(), 81), "`algorithm` must be an algorithm"),
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
