"""Any order of arrival, any failures and deaths: every job gets one result, and every state is where it belongs."""

from __future__ import annotations

import math
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import Algorithm, Line

from hyperband.errors import HyperbandError, InputError
from hyperband.evaluation.functions.evaluation import Outcome
from hyperband.evaluation.functions.evaluator import FunctionEvaluator
from hyperband.evaluation.functions.failure import Failure
from hyperband.evaluation.functions.workers import Workers
from hyperband.evaluation.worker_pools.base import Event, Report
from hyperband.interface.carry_out import carry_out
from hyperband.tuning.schedulers import HyperbandScheduler, SuccessiveHalvingScheduler
from hyperband.tuning.trial import Job


class Scripted:
    """A pool whose workers answer, raise and die as a list of draws says; it checks what it is asked for."""

    shared = False

    def __init__(self, draws, most, deadly=True):
        self.draws, self.most, self.deadly = iter(draws), most, deadly
        self.number = 0
        self.starting, self.idle, self.busy = [], [], {}
        self.states = {}  # worker -> trial -> resource
        self.calls = 0
        self.faults = []  # an error in `call` would be taken for one of the user's configuration

    def next(self):
        return next(self.draws, 0)

    def grow(self):
        if self.deadly and self.calls and self.next() % 9 == 8:
            raise OSError("no more processes")
        self.number += 1
        self.starting.append(self.number)
        self.states[self.number] = {}
        assert len(self.states) <= self.most
        return self.number

    def call(self, worker, method, job):
        if worker not in self.idle:
            self.faults.append(f"worker {worker} cannot be called")
            return
        self.idle.remove(worker)
        self.busy[worker] = job
        self.calls += 1
        if any(job.trial in states for other, states in self.states.items() if other != worker):
            self.faults.append(f"the state of trial {job.trial} is not with worker {worker}")

    def tell(self, worker, method, *arguments):
        states = self.states[worker]
        if method == "release":
            for trial in arguments[0]:
                states.pop(trial, None)
        else:
            parent, trial = arguments
            assert method == "copy"
            states[trial] = states[parent]

    def wait(self, seconds):
        assert seconds is None
        assert self.starting or self.busy, "nobody would ever answer"
        if self.starting and (not self.busy or self.next() % 2):
            worker = self.starting.pop(self.next() % len(self.starting))
            if self.deadly and self.calls and self.next() % 5 == 4:
                return [Report(worker, Event.DIED, Failure("too young"))]
            self.idle.append(worker)
            return [Report(worker, Event.READY)]
        if self.deadly and self.idle and self.next() % 7 == 6:
            return [Report(self.idle.pop(), Event.DIED, Failure("bored"))]
        worker = sorted(self.busy)[self.next() % len(self.busy)]
        job, fate = self.busy.pop(worker), self.next() % 7
        if fate == 6 and self.deadly:
            return [Report(worker, Event.DIED, Failure("killed"))]
        self.idle.append(worker)
        had = self.states[worker].pop(job.trial, 0)
        if fate == 5 and self.deadly:
            return [Report(worker, Event.FAILED, Failure("raised"))]
        assert had in (0, job.previous)
        self.states[worker][job.trial] = job.resource
        return [Report(worker, Event.ANSWER, Outcome((loss(job),), {}, float(job.resource - had)))]

    def drop(self, worker):
        assert worker not in self.busy
        del self.states[worker]

    def close(self):
        pass


def loss(job):
    return job.configuration["x"] + 1 / job.resource


def searched(algorithm, pool, **settings):
    evaluator = FunctionEvaluator(lambda c, r, state: None, workers=Workers(pool.most, **settings))
    evaluator._pool = pool
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result = carry_out(algorithm.start(Line(), 0), evaluator)
    assert pool.faults == []
    assert result.stopped == "finished"
    assert not (evaluator._waiting or evaluator._running or evaluator._affinity or evaluator._uncopied)
    return result, evaluator


ALGORITHMS = [Algorithm(HyperbandScheduler(9, 3)), Algorithm(SuccessiveHalvingScheduler(9, 3))]
draws = st.lists(st.integers(0, 1000), max_size=150)


def rows(result):
    return {name: [repr(value) for value in values.tolist()] for name, values in result.trials.items()}


@given(draws=draws, most=st.integers(1, 9), algorithm=st.sampled_from(ALGORITHMS))
@settings(max_examples=60)
def test_the_order_of_arrival_changes_nothing(draws, most, algorithm):
    expected, _ = searched(algorithm, Scripted([], 1, deadly=False))
    pool = Scripted(draws, most, deadly=False)
    result, _ = searched(algorithm, pool)
    assert rows(result) == rows(expected)
    assert pool.number <= most
    assert not any(pool.states.values()), "all trials were dropped"


@given(draws=draws, most=st.integers(1, 9), algorithm=st.sampled_from(ALGORITHMS), retries=st.integers(0, 2))
@settings(max_examples=60)
def test_failures_and_deaths_never_end_a_search(draws, most, algorithm, retries):
    result, evaluator = searched(algorithm, Scripted(draws, most), retries=retries)
    for trial, value in zip(result.trials["trial"].tolist(), result.trials["loss"].tolist(), strict=True):
        assert math.isfinite(value) or trial in result.failures
    assert set(result.failures) == set(result.trials["trial"][~(result.trials["loss"] < math.inf)].tolist())
    assert evaluator.failures == result.failures


@given(draws=draws, most=st.integers(1, 9))
@settings(max_examples=40)
def test_with_retries_enough_nothing_is_lost(draws, most):
    algorithm = ALGORITHMS[0]
    expected, _ = searched(algorithm, Scripted([], 1, deadly=False))
    result, _ = searched(algorithm, Scripted(draws, most), retries=1000)
    assert result.failures == {}
    for name in ("trial", "rung", "loss", "resource"):
        assert rows(result)[name] == rows(expected)[name]
    assert result.cost >= expected.cost


def test_where_no_worker_starts_any_more_every_job_fails_and_the_search_ends():
    pool = Scripted([], 1)
    pool.grow_first, pool.grow = pool.grow, lambda: pool.grow_first() if not pool.calls else _refuse()
    pool.wait_first, pool.wait = pool.wait, lambda seconds: _die_after(pool, 3)
    result, _ = searched(ALGORITHMS[1], pool)
    assert result.n_evaluations == 9 + 3
    assert len(result.failures) == 9  # the three that went on had their states in the worker that died
    assert "no worker could be started for it: OSError: no more processes" in result.failures[8]


def _refuse():
    raise OSError("no more processes")


def _die_after(pool, calls):
    if pool.calls > calls:
        worker, _ = pool.busy.popitem()
        return [Report(worker, Event.DIED, Failure("killed"))]
    return pool.wait_first(None)


@pytest.mark.parametrize(("event", "error"), [(Event.DIED, HyperbandError), (Event.UNUSABLE, InputError)])
def test_when_the_first_worker_does_not_start_the_program_is_wrong(event, error):
    pool = Scripted([], 1)
    pool.wait = lambda seconds: [Report(1, event, Failure("exit code 1"))]
    evaluator = FunctionEvaluator(lambda c, r: 0.0)
    evaluator._pool = pool
    evaluator.submit([Job(0, 0, 0, {}, 1)])
    with pytest.raises(error, match="exit code 1"):
        evaluator.collect()
