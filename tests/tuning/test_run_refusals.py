"""What a run refuses, with an explanation and without being half changed: odd results, odd trials, damaged states."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hyperband as hb
from hyperband.errors import InputError
from hyperband.tuning.schedulers.rung_table import RungTable

SPACE = hb.Space({"x": hb.Float(0.0, 1.0), "y": hb.Float(0.0, 1.0)})
ALGORITHMS = {
    "ASHA": hb.ASHA(9, n=9),
    "PASHA": hb.PASHA(9, n=9),
    "Hyperband": hb.Hyperband(9),
    "BOHB": hb.BOHB(9),
    "PBT": hb.PBT(n=9, max_resource=9, interval=3),
    "RandomSearch": hb.RandomSearch(n=9, max_resource=9),
}


def result(job, loss=0.5, **others):
    identity = {"trial": job.trial, "bracket": job.bracket, "rung": job.rung, "resource": job.resource}
    return hb.Result(**{**identity, "loss": loss, **others})


@pytest.fixture(params=ALGORITHMS)
def run(request):
    return ALGORITHMS[request.param].start(SPACE, seed=0)


@pytest.mark.parametrize(
    "others",
    [
        {"trial": np.int64(0)},
        {"trial": 0.0},
        {"rung": np.int64(0)},
        {"rung": 0.0},
        {"loss": np.float32(0.5)},
        {"loss": np.float64(math.nan)},
        {"trial": np.int64(0), "loss": math.nan},
        {"objectives": (0.5,)},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ALGORITHMS)
def test_numbers_of_any_kind_leave_the_same_plain_state(name, others):
    odd, plain = (ALGORITHMS[name].start(SPACE, seed=0) for _ in range(2))
    job, same = odd.ask(3)[0], plain.ask(3)[0]
    odd.tell(result(job, **{"resource": np.float64(job.resource), **others}))
    plain.tell(result(same, float(others.get("loss", 0.5))))
    assert json.dumps(odd.state_dict(), allow_nan=False) == json.dumps(plain.state_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (lambda job: 5, "`tell` takes a job and its loss.*got 5"),
        (lambda job: None, "`tell` takes a job and its loss.*got None"),
        (lambda job: "ab", "`tell` takes a job and its loss.*got 'a'"),
        (lambda job: [result(job), None], "`tell` takes a job and its loss.*got None"),
        (lambda job: [job], "`tell` takes a job and its loss.*got Job"),
        (lambda job: [(job, 0.5, 1)], "`tell` takes a job and its loss"),
        (lambda job: job, "`loss` must be given with a job"),
        (lambda job: [(job, "0.5")], "`loss` must be a number .*got '0.5'"),
        (lambda job: [(job, ())], r"`loss` must be a number, or a number for each of several objectives; got \(\)"),
        (lambda job: result(job, trial="x"), "`trial` must be a whole number of at least 0; got 'x'"),
        (lambda job: result(job, trial=None), "`trial` must be a whole number"),
        (lambda job: result(job, trial=[0]), "`trial` must be a whole number"),
        (lambda job: result(job, trial=False), "`trial` must be a whole number"),
        (lambda job: result(job, metrics=5), "`metrics` must be a mapping"),
        (lambda job: result(job, objectives=0.5), "`objectives` a tuple"),
        (lambda job: result(job, math.nan, objectives=(0.5, 0.5)), "`loss` must be the first of `objectives`"),
    ],
)
def test_odd_results_are_refused_and_change_nothing(run, told, message):
    job = run.ask(3)[0]
    before = run.state_dict()
    with pytest.raises(InputError, match=message):
        run.tell(told(job))
    assert run.state_dict() == before


@pytest.mark.parametrize("trials", ["x", None, [None], 1.5, True])
def test_odd_trials_are_refused(run, trials):
    run.ask(3)
    for call in (run.abandon, run.configuration):
        with pytest.raises(InputError, match="`trial` must be a whole number"):
            call(trials)
    run.abandon(np.int64(1))
    assert run.n_evaluations == 1


def test_odd_metrics_of_a_batch_are_refused(run):
    batch = run.ask_batch(2)
    with pytest.raises(InputError, match="`metrics` must be a mapping"):
        run.tell_batch(batch, [0.5, 0.5], metrics=[1.0, 2.0])


def test_failures_may_be_the_first_to_say_how_many_objectives_there_are(run):
    jobs = run.ask(3)
    run.tell(result(jobs[0], math.nan, objectives=(math.nan, 1.0, 2.0)))
    before = run.state_dict()
    for wrong in (result(jobs[1], 0.5), result(jobs[1], 0.5, objectives=(0.5, 0.5))):
        with pytest.raises(InputError, match="as many objectives"):
            run.tell(wrong)
    assert run.state_dict() == before
    run.tell([result(jobs[1], 0.5, objectives=(0.5, 0.5, 0.5)), result(jobs[2], math.nan)])
    assert [i.trial for i in run.front()] == [1]


def test_a_batch_of_failures_says_how_many_objectives_there_are(run):
    batch = run.ask_batch(3)
    run.tell_batch(batch[:2], np.full((2, 3), math.nan))
    with pytest.raises(InputError, match=r"as many objectives; got \[2, 3\]"):
        run.tell_batch(batch[2:], np.ones((1, 2)))


def test_odd_spaces_and_explored_parameters_are_refused():
    for space in (None, {"x": hb.Float(0.0, 1.0)}):
        with pytest.raises(InputError, match="`space` must be a Space"):
            hb.Hyperband(9).start(space)
    for names in ("x", 5, [5], [["x"]]):
        with pytest.raises(InputError, match="`explore` must list names of parameters"):
            hb.PBT(explore=names)
    algorithm = hb.PBT(explore=(name for name in ["x"]))
    assert algorithm == hb.PBT(explore=["x"])
    assert len({algorithm, hb.PBT(explore=["x"])}) == 1


def half_way(algorithm):
    run = algorithm.start(SPACE, seed=0)
    for _ in range(3):
        jobs = run.open_jobs + run.ask(4)
        run.tell([result(job, job.trial / 10) for job in jobs[:-2]])
    return run.state_dict()


STATES = {name: half_way(algorithm) for name, algorithm in ALGORITHMS.items()}


def test_a_state_without_a_part_is_refused(run):
    for state in (None, [], "state", {}):
        with pytest.raises(InputError, match="The state must be"):
            run.load_state_dict(state)
    for name in run.state_dict():
        with pytest.raises(InputError, match="The state must be"):
            run.load_state_dict({k: v for k, v in run.state_dict().items() if k != name})


def test_a_state_of_another_share_is_refused():
    state = hb.PBT(n=8, fraction=0.25).start(SPACE).state_dict()
    with pytest.raises(InputError, match=r"same `scheduler.fraction` \(0.5\); got 0.25"):
        hb.PBT(n=8, fraction=0.5).start(SPACE).load_state_dict(state)


def entries(value, path=()):
    """The path to every entry of a state."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [p for step, inner in steps for p in ((*path, step), *entries(inner, (*path, step)))]


@given(data=st.data(), value=st.sampled_from([None, -1, 3, 10**6, 2**70, "x", 0.5, [], {}]))
@settings(max_examples=300)
def test_a_damaged_state_is_refused_with_an_explanation_or_continues(data, value):
    """Any entry of the state exchanged: loading says what is wrong, or the run can be written down and continued."""
    name = data.draw(st.sampled_from(sorted(ALGORITHMS)))
    state = copy.deepcopy(STATES[name])
    *path, last = data.draw(st.sampled_from(entries(state)))
    part = state
    for step in path:
        part = part[step]
    part[last] = value
    run = ALGORITHMS[name].start(SPACE, seed=0)
    try:
        run.load_state_dict(state)
    except InputError as error:
        assert "must" in str(error)
        return
    json.dumps(run.state_dict(), allow_nan=False)
    before, jobs = run.n_evaluations, run.open_jobs
    assert all(set(job.configuration) <= {"x", "y"} for job in jobs)
    try:
        run.tell([(job, 0.5) for job in jobs])
    except InputError:
        return  # the scheduler or the sampler does not have the job
    assert run.n_evaluations == before + len(jobs)


@pytest.mark.parametrize(
    "damage",
    [{"trials": [1, 0, 2]}, {"losses": [0.5]}, {"told": [3]}, {"told": [-1]}, {"told": [0, 0]}, {"told": ["x"]}],
    ids=str,
)
def test_a_damaged_rung_is_refused(damage):
    table = RungTable([0, 1, 2])
    table.record(1, 0.5)
    with pytest.raises(InputError, match="The state of a rung must have"):
        RungTable.from_state({**table.state_dict(), **damage})
