"""States of trials over several workers: where they stay, what is saved, what a death costs, how copies are made."""

from __future__ import annotations

import math
import threading
import time
from functools import partial

import numpy as np
import pytest
import worker_objectives as work
from toy import Algorithm, Line
from worker_lab import FEW, HYPERBAND, LONG, is_gone, no_worker_is_left, processes, table  # noqa: F401

from hyperband.evaluation.functions.evaluation import Evaluation
from hyperband.evaluation.functions.evaluator import FunctionEvaluator
from hyperband.evaluation.functions.workers import Workers
from hyperband.interface.minimize import minimize
from hyperband.tuning.schedulers import FullScheduler, SuccessiveHalvingScheduler
from hyperband.tuning.trial import Job


def test_states_that_died_with_their_process_fail_without_a_retry(tmp_path):
    algorithm = Algorithm(SuccessiveHalvingScheduler(9, 3))
    with pytest.warns(RuntimeWarning) as seen:
        result = processes(partial(work.dying_later, "exit", tmp_path), algorithm, workers=1)
    assert len(seen) == 2
    texts = sorted(result.failures.values())
    assert ["exit code 3" in text for text in texts] == [False, False, True]
    assert all("`state_dir`" in text and "`retries`" in text for text in texts[:2])
    assert result.n_evaluations == 12  # nobody is left for the last rung


def test_with_a_retry_they_start_again_and_pay_for_it(tmp_path):
    algorithm = Algorithm(SuccessiveHalvingScheduler(9, 3))
    result = processes(partial(work.dying_later, "exit", tmp_path), algorithm, workers=1, retries=1)
    assert result.failures == {}
    np.testing.assert_allclose(result.trials["loss"], result.trials["x"] + 1 / result.trials["resource"])
    assert result.trials["cost"].tolist() == [1.0] * 9 + [3.0] * 3 + [6.0]


def test_saved_states_outlive_their_process(tmp_path):
    algorithm = Algorithm(SuccessiveHalvingScheduler(9, 3))
    states = tmp_path / "states" / "here"
    objective = partial(work.dying_later, "SIGKILL", tmp_path)
    result = processes(objective, algorithm, workers=1, retries=1, state_dir=states)
    assert result.failures == {}
    assert result.trials["cost"].tolist() == [1.0] * 9 + [2.0] * 3 + [6.0]
    notes = [line.split() for line in (tmp_path / "notes").read_text().splitlines()]
    assert all((resource == "1") == (state == "None") for _, resource, state in notes)
    assert list(states.iterdir()) == []


@pytest.mark.parametrize("workers", [1, 3])
def test_a_retry_goes_on_from_the_saved_state(workers, tmp_path):
    failed_at = set()

    def objective(c, r, state):
        state = {"at": 0} if state is None else state
        assert state["at"] in (0, 1, 3), "what the failed call has left"
        steps = r - state["at"]
        state["at"] = "half way"
        if r > 1 and r not in failed_at:
            failed_at.add(r)
            raise OSError("once")
        return Evaluation(c["x"], state={"at": r}, metrics={"steps": steps})

    algorithm = Algorithm(SuccessiveHalvingScheduler(9, 3))
    result = minimize(objective, Line(), algorithm, workers=Workers(workers, retries=1, state_dir=tmp_path))
    assert failed_at == {3, 9}
    assert result.failures == {}
    np.testing.assert_array_equal(result.trials["steps"], [1] * 9 + [2] * 3 + [6])
    np.testing.assert_array_equal(result.trials["cost"], result.trials["steps"])


def test_what_another_search_left_is_not_used(tmp_path):
    def leaving(c, r, state):
        if r == 3:
            raise KeyboardInterrupt
        return Evaluation(c["x"], state="old")

    algorithm = Algorithm(SuccessiveHalvingScheduler(9, 3))
    assert minimize(leaving, Line(), algorithm, workers=Workers(state_dir=tmp_path)).interrupted
    assert len(list(tmp_path.iterdir())) == 3

    def objective(c, r, state):
        assert state != "old"
        return Evaluation(c["x"], state="new")

    assert minimize(objective, Line(), algorithm, workers=Workers(state_dir=tmp_path)).failures == {}
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_cannot_be_saved_fails_its_trial(tmp_path):
    algorithm = Algorithm(FullScheduler(6, 1))
    for executor in ("threads", "processes"):
        with pytest.warns(RuntimeWarning, match="the state cannot be pickled .*which `state_dir` needs"):
            result = minimize(
                work.unpicklable, Line(), algorithm, workers=Workers(state_dir=tmp_path, executor=executor)
            )
        np.testing.assert_array_equal(np.isnan(result.trials["loss"]), result.trials["x"] > 0.5)


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_copy_is_made_where_the_parent_is(executor, saved, tmp_path):
    workers = Workers(3, executor=executor, state_dir=tmp_path if saved else None)
    evaluator = FunctionEvaluator(work.counting, workers=workers)
    evaluator.submit([Job(trial, 0, 0, {"x": trial}, 1) for trial in range(3)])
    found = []
    while len(found) < 3:
        found += evaluator.collect()
    children = [Job(trial, 0, 1, {"x": trial}, 2, previous=1, parent=trial % 3) for trial in range(3, 9)]
    evaluator.submit([*children, Job(0, 0, 1, {"x": 0}, 2, previous=1)])
    evaluator.release([1, 2])
    found = []
    while len(found) < 7:
        found += evaluator.collect()
    assert [(result.loss, result.cost) for result in found] == [(2, 1)] * 7
    # A copy is deep: what the child does is not seen by its parent, nor the other way round.
    evaluator.submit([Job(0, 0, 2, {"x": 0}, 3, previous=2), Job(3, 0, 2, {"x": 3}, 3, previous=2)])
    found = []
    while len(found) < 2:
        found += evaluator.collect()
    assert [result.loss for result in found] == [3, 3]
    evaluator.close()


def test_a_copy_of_a_trial_at_work_waits_for_it():
    go = threading.Event()

    def objective(c, r, state):
        state = [] if state is None else state
        if r == 2 and c["x"] == 0:
            go.wait(LONG)
        state.append(r)
        return Evaluation(len(state), state=state)

    evaluator = FunctionEvaluator(objective, workers=Workers(2))
    evaluator.submit([Job(0, 0, 0, {"x": 0}, 1)])
    evaluator.collect()
    evaluator.submit([Job(0, 0, 1, {"x": 0}, 2, previous=1)])
    evaluator.submit([Job(1, 0, 1, {"x": 1}, 3, previous=2, parent=0)])
    evaluator.deadline = time.monotonic() + 0.05
    assert evaluator.collect() == []
    evaluator.deadline = None
    go.set()
    found = {}
    while len(found) < 2:
        found.update((result.trial, result.loss) for result in evaluator.collect())
    assert found == {0: 2, 1: 3}
    evaluator.close()


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_copy_of_a_trial_that_is_given_up_starts_from_zero(executor):
    evaluator = FunctionEvaluator(work.hanging_later, workers=Workers(2, executor=executor, timeout=1.0))
    evaluator.submit([Job(0, 0, 0, {"seconds": 0}, 1)])
    assert [result.loss for result in evaluator.collect()] == [1]
    evaluator.submit([Job(0, 0, 1, {"seconds": 3}, 2, previous=1)])
    evaluator.submit([Job(1, 0, 1, {"seconds": 0}, 2, previous=1, parent=0)])
    found = {}
    with pytest.warns(RuntimeWarning, match="took longer"):
        while len(found) < 2:
            found.update((result.trial, (result.loss, result.cost)) for result in evaluator.collect())
    evaluator.close()
    assert math.isnan(found[0][0])
    assert found[1] == (1, 2)


def test_more_jobs_are_wanted_while_some_wait_for_a_busy_worker():
    evaluator = FunctionEvaluator(work.counting, workers=Workers(2, executor="processes"))
    assert evaluator.capacity == 2
    for trial in range(3):
        evaluator._affinity.assign(trial, 1)
    evaluator._waiting = dict.fromkeys(range(3))
    assert evaluator.capacity == 4
    evaluator._waiting.clear()
    evaluator.close()
