"""`run.tell` in all its forms: a job and its loss, pairs, Results; one by one, together, as columns."""

from __future__ import annotations

import math

import numpy as np
import pytest
from toy import through_json

import hyperband as hb
from hyperband.errors import InputError

SPACE = hb.Space({"x": hb.Float(0.0, 1.0)})
ALGORITHMS = {
    "ASHA": hb.ASHA(9, n=20),
    "PASHA": hb.PASHA(9, n=20),
    "Hyperband": hb.Hyperband(9),
    "BOHB": hb.BOHB(9),
    "PBT": hb.PBT(9, n=9, interval=3),
    "adaptive": hb.AdaptiveSearch(9, n=12, rounds=2),
}


def loss_of(job, several=False):
    value = job.configuration["x"] + 1 / job.resource
    value = math.nan if job.trial % 5 == 3 else value
    return (value, 1.0 - job.configuration["x"]) if several else value


def by_job(run, jobs, several):
    for job in sorted(jobs, key=lambda job: (job.bracket, job.rung, job.trial)):
        run.tell(job, loss_of(job, several), metrics={"twice": 2.0 * job.trial}, cost=job.trial + 0.5)


def by_result(run, jobs, several):
    results = []
    for job in jobs:
        loss = loss_of(job, several)
        first, objectives = (loss[0], loss) if several else (loss, ())
        metrics, cost = {"twice": 2.0 * job.trial}, job.trial + 0.5
        results.append(hb.Result(job.trial, job.bracket, job.rung, job.resource, first, metrics, cost, objectives))
    run.tell(reversed(results))


def carried_out(algorithm, tell, several):
    run = algorithm.start(SPACE, seed=3)
    while not run.done:
        tell(run, run.ask(7), several)
    return run


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_all_forms_leave_the_same_run(name, several):
    runs = [carried_out(ALGORITHMS[name], tell, several) for tell in (by_job, by_result)]
    one, other = (through_json(run.state_dict()) for run in runs)
    assert one == other
    assert runs[0].best == runs[1].best and runs[0].front() == runs[1].front()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_pairs_are_jobs_and_losses(name):
    def by_pair(run, jobs, several):
        run.tell((job, loss_of(job)) for job in reversed(jobs))

    def by_plain_result(run, jobs, several):
        run.tell([hb.Result(job.trial, job.bracket, job.rung, job.resource, loss_of(job)) for job in jobs])

    def mixed(run, jobs, several):
        given = [(job, loss_of(job)) for job in jobs]
        given[::2] = [hb.Result(j.trial, j.bracket, j.rung, j.resource, loss_of(j)) for j in jobs[::2]]
        run.tell(given)

    states = [
        through_json(carried_out(ALGORITHMS[name], tell, False).state_dict())
        for tell in (by_pair, by_plain_result, mixed)
    ]
    assert states[0] == states[1] == states[2]


@pytest.mark.parametrize("loss", [(0.5, 2.0), [0.5, 2.0], np.array([0.5, 2.0])], ids=type)
def test_several_objectives_are_any_sequence(loss):
    run = hb.ASHA(9, n=5).start(SPACE)
    run.tell(run.ask(1)[0], loss)
    (result,) = run.results
    assert (result.loss, result.objectives, run.n_objectives) == (0.5, (0.5, 2.0), 2)


@pytest.mark.parametrize("loss", [0.5, (0.5,), [0.5], np.array([0.5]), np.float32(0.5), np.array(0.5)], ids=repr)
def test_one_objective_is_a_number_however_it_is_given(loss):
    run = hb.ASHA(9, n=5).start(SPACE)
    run.tell(run.ask(1)[0], loss)
    (result,) = run.results
    assert (result.loss, result.objectives, type(result.loss)) == (0.5, (), float)


def test_the_cost_is_what_the_job_added_when_none_is_given():
    run = hb.ASHA(9, n=3).start(SPACE)
    while not run.done:
        for job in run.ask():
            run.tell(job, job.configuration["x"])
    assert [result.cost for result in run.results] == [1.0, 1.0, 1.0, 2.0] and run.spent == 5


def test_nothing_told_changes_nothing():
    run = hb.Hyperband(9).start(SPACE)
    run.ask(3)
    before = run.state_dict()
    run.tell([])
    run.tell(iter(()))
    assert run.state_dict() == before


@pytest.mark.parametrize(
    ("tell", "message"),
    [
        (lambda run, a, b: run.tell(a), r"`loss` must be given with a job: run.tell\(job, loss\); got none"),
        (lambda run, a, b: run.tell([(a, 0.5), a]), "`tell` takes a job and its loss"),
        (lambda run, a, b: run.tell((a, 0.5)), "`tell` takes a job and its loss, .*; got Job"),
        (lambda run, a, b: run.tell([(a, 0.5), (a, 0.5)]), "open job; got trial 0, which is finished"),
        (lambda run, a, b: run.tell([(a, 0.5), (b, None)]), "`loss` must be a number .*; got None"),
        (lambda run, a, b: run.tell([(a, 0.5), (b, (0.5, 1.0))]), r"as many objectives; got \[1, 2\]"),
        (lambda run, a, b: run.tell([(a, 0.5), (b, 0.5)], 0.5), "must come with one job.*Pass a list of Results"),
        (lambda run, a, b: run.tell([(a, 0.5)], metrics={}), "must come with one job"),
        (lambda run, a, b: run.tell([(a, 0.5)], cost=1), "must come with one job"),
        (lambda run, a, b: run.tell(run.ask_batch(2), [0.5, 0.5]), r"Use run.tell_batch\(batch, losses\)"),
        (lambda run, a, b: run.tell(a, None), "`loss` must be a number"),
        (lambda run, a, b: run.tell(a, "0.5"), "`loss` must be a number"),
        (lambda run, a, b: run.tell(a, []), "a number for each of several objectives; got"),
        (lambda run, a, b: run.tell(a, [0.5, "x"]), "`objectives` must be a number"),
        (lambda run, a, b: run.tell(a, 0.5, cost=-1), "`cost` must be a finite number of at least 0; got -1"),
        (lambda run, a, b: run.tell(a, 0.5, metrics={"m": "x"}), r"`metrics\['m'\]` must be a number"),
        (lambda run, a, b: run.tell(a, 0.5, metrics=3), "`metrics` must be a mapping"),
        (lambda run, a, b: run.tell(hb.Hyperband(27).start(SPACE).ask()[40], 0.5), "never handed out"),
    ],
)
@pytest.mark.parametrize("name", ["ASHA", "Hyperband", "BOHB"])
def test_what_cannot_be_told_is_refused_and_changes_nothing(name, tell, message):
    run = ALGORITHMS[name].start(SPACE)
    a, b = run.ask(2)
    asked = run.ask_batch(2)
    before = run.state_dict()
    with pytest.raises(InputError, match=message):
        tell(run, a, b)
    if "tell_batch" not in message:  # that one has asked for more
        assert run.state_dict() == before
    run.tell([(a, 0.5), (b, 0.25)])
    run.tell_batch(asked, [0.5, 0.75])
    assert run.n_evaluations == 4
