"""Objectives that take a whole rung as columns."""

from __future__ import annotations

import math

import numpy as np
import pytest

import hyperband as hb
from hyperband.errors import InputError
from hyperband.evaluation.functions.batched import BatchedEvaluator
from hyperband.evaluation.functions.workers import Workers
from hyperband.tuning.trial import Job

SPACE = hb.Space(
    {
        "x": hb.Float(0.01, 1.0, log=True),
        "n": hb.Int(1, 9),
        "kind": hb.Choice(["a", "b"]),
        "depth": hb.Int(1, 3),
        "name": hb.Choice(["u", (1, 2)]),
        "flag": hb.Choice([True, False]),
        "fixed": 3,
    },
    conditions=[hb.When("depth", "kind", ["b"]), hb.When("name", "kind", ["b"])],
)
LINE = hb.Space({"x": hb.Float(0.0, 1.0)})


def table(result):
    return {name: [repr(value) for value in column.tolist()] for name, column in result.trials.items()}


def test_a_whole_rung_is_one_call_and_the_answer_is_the_same_as_one_by_one():
    calls = []

    def together(columns, resources):
        calls.append(resources.tolist())
        return columns["x"] + 1 / resources

    one_by_one = hb.minimize(lambda c, r: c["x"] + 1 / r, LINE, hb.Hyperband(9))
    result = hb.minimize(together, LINE, hb.Hyperband(9), batched=True)
    assert table(result) == table(one_by_one)
    assert all(len(set(resources)) == 1 for resources in calls)
    assert list(map(len, calls)) == [9, 5 + 3, 3 + 1 + 1]  # rungs of all brackets that share a resource
    calls.clear()
    assert table(hb.minimize(together, LINE, hb.Hyperband(9), batched=4)) == table(one_by_one)
    assert max(map(len, calls)) <= 4


def test_columns_are_those_of_the_space():
    points = SPACE.activate(np.random.default_rng(3).random((20, SPACE.n_dimensions)))
    for rows in (points, points[:1], points[points[:, 2] < 0.5], points[points[:, 2] >= 0.5]):
        seen = []

        def objective(columns, resources, seen=seen):
            seen.append(columns)
            return np.zeros(len(resources))

        evaluator = BatchedEvaluator(objective, SPACE)
        evaluator.submit([Job(t, 0, 0, c, 1) for t, c in enumerate(SPACE.decode(rows))])
        assert len(evaluator.collect()) == len(rows)
        expected = SPACE.columns(rows)
        assert list(seen[0]) == list(expected)
        for name, column in expected.items():
            assert seen[0][name].dtype == column.dtype, name
            assert seen[0][name].shape == (len(rows),)
            assert list(map(repr, seen[0][name].tolist())) == list(map(repr, column.tolist())), name


def test_states_costs_and_metrics_come_row_by_row():
    def objective(columns, resources, states):
        done = np.array([0 if state is None else state["at"] for state in states])
        assert all(state is None or state["x"] == x for state, x in zip(states, columns["x"].tolist(), strict=True))
        new = [{"at": r, "x": x} for r, x in zip(resources.tolist(), columns["x"].tolist(), strict=True)]
        return hb.Evaluation(columns["x"], state=new, metrics={"steps": resources - done})

    result = hb.minimize(objective, LINE, hb.Hyperband(9), batched=True)
    assert result.cost == 69
    np.testing.assert_array_equal(result.trials["steps"], result.trials["cost"])


@pytest.mark.parametrize(("cost", "expected"), [(8.0, [2.0] * 4), ([1, 2, 3, 4], [1, 2, 3, 4]), (None, [5] * 4)])
def test_costs_of_a_batch(cost, expected):
    evaluator = BatchedEvaluator(lambda c, r: hb.Evaluation(c["x"], cost=cost), LINE)
    evaluator.submit([Job(trial, 0, 0, {"x": 0.5}, 5) for trial in range(4)])
    assert [result.cost for result in evaluator.collect()] == expected


def test_rows_of_several_objectives():
    evaluator = BatchedEvaluator(lambda c, r: np.stack([c["x"], 1 - c["x"]], axis=1), LINE)
    evaluator.submit([Job(trial, 0, 0, {"x": trial / 4}, 1) for trial in range(4)])
    assert [result.objectives for result in evaluator.collect()] == [(t / 4, 1 - t / 4) for t in range(4)]
    evaluator = BatchedEvaluator(lambda c, r: [[1.0, 2.0], [3.0]], LINE)
    evaluator.submit([Job(trial, 0, 0, {"x": 0.5}, 1) for trial in range(2)])
    with pytest.warns(RuntimeWarning, match="number of objectives must stay the same: 2 before; got 1"):
        assert [r.objectives for r in evaluator.collect()] == [(1.0, 2.0), ()]


def test_one_bad_row_costs_one_trial():
    evaluator = BatchedEvaluator(lambda c, r: [0.1, "b", math.nan], LINE)
    evaluator.submit([Job(trial, 0, 0, {"x": 0.5}, 1) for trial in range(3)])
    with pytest.warns(RuntimeWarning, match="failed on trial 1.*the loss must be a number; got 'b'"):
        results = evaluator.collect()
    assert [repr(result.loss) for result in results] == ["0.1", "nan", "nan"]
    assert list(evaluator.failures) == [1]


def test_a_call_that_raises_is_made_again_and_then_costs_its_batch():
    calls = []

    def objective(columns, resources):
        calls.append(len(resources))
        if len(calls) in (1, 3, 4):
            raise OSError("busy")
        return columns["x"]

    with pytest.warns(RuntimeWarning, match="busy"):
        result = hb.minimize(objective, LINE, hb.SuccessiveHalving(9, 3), batched=True, workers=Workers(retries=1))
    assert calls == [9, 9, 3, 3]
    assert len(result.failures) == 3
    assert result.best is not None


def test_a_retry_of_states_starts_from_zero():
    def objective(columns, resources, states):
        if resources[0] == 3 and states[0] is not None:
            raise OSError("once")
        return hb.Evaluation(columns["x"], state=[1] * len(states))

    result = hb.minimize(objective, LINE, hb.SuccessiveHalving(3, 3), batched=True, workers=Workers(retries=1))
    assert result.trials["cost"].tolist() == [1, 1, 1, 3]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (0.5, "must return 2 losses, one a configuration; got 0.5"),
        ("ab", "must return 2 losses, one a configuration; got 'ab'"),
        (np.zeros(3), "must return 2 losses, one a configuration; got 3"),
        (hb.Evaluation(np.zeros(2), cost=[1]), "must return 2 costs, one a configuration; got 1"),
        (hb.Evaluation(np.zeros(2), metrics={"m": 3}), "must return 2 values of metric 'm'.*; got 3"),
        (hb.Evaluation(np.zeros(2), state=[0]), "must return 2 states, one a configuration; got 1"),
    ],
)
def test_answers_of_the_wrong_shape_fail(returned, message):
    evaluator = BatchedEvaluator(lambda c, r: returned, LINE)
    evaluator.submit([Job(trial, 0, 0, {"x": 0.5}, 1) for trial in range(2)])
    with pytest.warns(RuntimeWarning, match=message):
        assert all(math.isnan(result.loss) for result in evaluator.collect())


def test_states_need_an_evaluation():
    evaluator = BatchedEvaluator(lambda c, r, states: c["x"], LINE)
    evaluator.submit([Job(0, 0, 0, {"x": 0.5}, 1)])
    with pytest.warns(RuntimeWarning, match=r"must return Evaluation\(losses, state=\[...\]\); got ndarray"):
        evaluator.collect()


class Uncopied:
    def __deepcopy__(self, memo):
        raise OSError("one of a kind")


def test_copies_of_trials():
    def objective(columns, resources, states):
        states = [[*(state or []), x] for state, x in zip(states, columns["x"].tolist(), strict=True)]
        return hb.Evaluation([len(state) for state in states], state=states)

    evaluator = BatchedEvaluator(objective, LINE)
    evaluator.submit([Job(0, 0, 0, {"x": 0.5}, 1)])
    evaluator.collect()
    parent, child = Job(0, 0, 1, {"x": 0.5}, 2, previous=1), Job(1, 0, 1, {"x": 0.25}, 2, previous=1, parent=0)
    evaluator.submit([parent, child])
    assert [(result.loss, result.cost) for result in evaluator.collect()] == [(2, 1), (2, 1)]
    evaluator.release([0])
    evaluator.submit([Job(1, 0, 2, {"x": 0.25}, 3, previous=2)])
    assert evaluator.collect()[0].loss == 3
    evaluator.close()
    assert evaluator.collect() == []

    evaluator = BatchedEvaluator(lambda c, r, s: hb.Evaluation([1.0], state=[Uncopied()]), LINE)
    evaluator.submit([Job(0, 0, 0, {"x": 0.5}, 1)])
    evaluator.collect()
    with pytest.warns(RuntimeWarning, match="state of trial 0 cannot be copied: one of a kind"):
        evaluator.submit([child])
    assert math.isnan(evaluator.collect()[0].loss)


def generator(columns):
    yield 0.0


@pytest.mark.parametrize(
    ("objective", "others", "message"),
    [
        (lambda c, r: 0, {"workers": 2}, r"`workers` must leave all but `retries` .*; got Workers\(n=2\)[.]$"),
        (lambda c, r: 0, {"workers": Workers(timeout=2)}, r"when `batched`: one call .* got Workers\(timeout=2\)"),
        (lambda c, r: 0, {"workers": Workers(2, executor="processes")}, r"Workers\(n=2, executor='processes'\)"),
        (lambda c, r: 0, {"workers": Workers(state_dir="x")}, r"got Workers\(state_dir='x'\)"),
        (generator, {}, "`objective` must not be a generator when batched"),
        (lambda c: 0, {}, "`objective` must take"),
        (lambda c, r: 0, {"batched": 0}, "`batched` must be a whole number of at least 1; got 0"),
    ],
)
def test_what_does_not_go_with_batches_is_refused(objective, others, message):
    with pytest.raises(InputError, match=message):
        hb.minimize(objective, LINE, hb.Hyperband(9), **{"batched": True, **others})


def test_an_algorithm_without_end_needs_a_number():
    budget, endless = hb.Budget(evaluations=4), hb.ASHA(9)
    with pytest.raises(InputError, match="`batched` must be a number of configurations when .* no end; got True"):
        hb.minimize(lambda c, r: c["x"], LINE, endless, batched=True, budget=budget)
    result = hb.minimize(lambda c, r: c["x"], LINE, endless, batched=2, budget=budget)
    assert result.n_evaluations == 4
