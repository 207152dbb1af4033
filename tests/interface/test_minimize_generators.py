"""A generator as the objective: paused between its yields, closed when it is dropped."""

from __future__ import annotations

import math

import numpy as np
import pytest
from toy import Algorithm, Line

from hyperband.errors import InputError, ObjectiveError
from hyperband.evaluation.functions.evaluation import Evaluation
from hyperband.evaluation.functions.evaluator import FunctionEvaluator
from hyperband.interface.minimize import minimize
from hyperband.tuning.schedulers import FullScheduler, HyperbandScheduler, SuccessiveHalvingScheduler
from hyperband.tuning.trial import Job

HYPERBAND = Algorithm(HyperbandScheduler(9, 3))


def half_life(configuration):
    calls.append(configuration["x"])
    for epoch in range(4):
        yield configuration["x"] + 1 / (epoch + 1)
    closed.append(configuration["x"])


calls, closed = [], []


def test_a_generator_is_paused_and_goes_on():
    calls.clear()

    def objective(configuration):
        calls.append(configuration["x"])
        epoch = 0
        while True:
            epoch += 1
            yield Evaluation(configuration["x"] + 1 / epoch, metrics={"epoch": epoch})

    result = minimize(objective, Line(), HYPERBAND)
    assert (len(calls), result.cost) == (17, 69)
    np.testing.assert_array_equal(result.trials["epoch"], result.trials["resource"])
    np.testing.assert_allclose(result.trials["loss"], result.trials["x"] + 1 / result.trials["resource"])


def test_the_costs_of_yields_are_added():
    def objective(configuration):
        while True:
            yield Evaluation(configuration["x"], cost=0.5)
            yield configuration["x"]

    result = minimize(objective, Line(), Algorithm(FullScheduler(2, 4)))
    np.testing.assert_array_equal(result.trials["cost"], [3.0, 3.0])


def test_a_generator_that_ends_keeps_its_last_loss_and_costs_nothing_more():
    calls.clear()
    closed.clear()
    result = minimize(half_life, Line(), HYPERBAND)
    assert len(calls) == 17
    resource, x = result.trials["resource"], result.trials["x"]
    np.testing.assert_allclose(result.trials["loss"], x + 1 / np.minimum(resource, 4))
    goes_on = (resource == 9) & (result.trials["rung"] > 0)
    assert set(result.trials["cost"][goes_on].tolist()) == {1.0}  # the fourth, after three
    assert len(closed) == len(set(closed)) == (resource == 9).sum()


def test_dropped_generators_are_closed():
    closed.clear()

    def objective(configuration):
        try:
            while True:
                yield configuration["x"]
        finally:
            closed.append(configuration["x"])
            raise RuntimeError("nobody is there to hear it")

    minimize(objective, Line(), HYPERBAND)
    assert len(closed) == 17


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (lambda c: iter(()), "ValueError: the generator ended before it yielded a loss"),
        (lambda c: iter(["a"]), "TypeError: the loss must be a number; got 'a'"),
        (lambda c: (1 / 0 for _ in range(3)), "ZeroDivisionError"),
    ],
)
def test_generators_that_fail_cost_their_trial(body, message):
    def objective(configuration):
        yield from body(configuration)

    with pytest.warns(RuntimeWarning, match=message), pytest.raises(ObjectiveError, match=message) as raised:
        minimize(objective, Line(), Algorithm(FullScheduler(2, 3)))
    assert len(raised.value.result.failures) == 2


def test_a_generator_has_whole_resources_only():
    scheduler = SuccessiveHalvingScheduler(10, 3, whole=False)
    with pytest.raises(InputError, match=r"resource must be whole for a generator.*; got 1\.11111. Use whole=True"):
        minimize(half_life, Line(), Algorithm(scheduler))
    with pytest.raises(InputError, match=r"must be whole for a generator.*; got 2\.5"):
        FunctionEvaluator(half_life).submit([Job(0, 0, 0, {}, 2.5)])


def test_a_generator_cannot_be_copied():
    evaluator = FunctionEvaluator(half_life)
    evaluator.submit([Job(0, 0, 0, {"x": 0.1}, 1)])
    evaluator.collect()
    evaluator.submit([Job(1, 0, 1, {"x": 0.1}, 2, previous=1, parent=0)])
    with pytest.warns(RuntimeWarning, match=r"state of trial 0 cannot be copied: a generator cannot be copied: use"):
        assert math.isnan(evaluator.collect()[0].loss)
    evaluator.submit([Job(0, 0, 1, {"x": 0.1}, 2, previous=1)])
    assert evaluator.collect()[0].loss == 0.6
