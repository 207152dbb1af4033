"""Jobs as columns, losses as arrays: checked whole, refused whole, and the same state as job by job."""

from __future__ import annotations

import math

import numpy as np
import pytest

import hyperband as hb
from hyperband.errors import InputError
from hyperband.tuning.run.job_batch import JobBatch

SPACE = hb.Space(
    {"kind": hb.Choice(["a", "b"]), "x": hb.Float(0.0, 1.0), "only_b": hb.Int(1, 9)},
    conditions=[hb.When("only_b", "kind", "b")],
)


@pytest.fixture
def run():
    return hb.Hyperband(9, 3).start(SPACE, 0)


def test_a_batch_is_its_jobs(run):
    batch = run.ask_batch(12)
    jobs = run.open_jobs
    assert list(batch) == jobs
    assert (batch[3], batch[-1]) == (jobs[3], jobs[-1])
    assert batch.trial.tolist() == [job.trial for job in jobs]
    assert batch.bracket.tolist() == [0] * 9 + [1] * 3
    assert batch.rung.tolist() == [0] * 12
    assert batch.resource.tolist() == [1.0] * 9 + [3.0] * 3
    assert batch.previous.tolist() == [0.0] * 12
    columns = batch.columns()
    assert columns["x"].tolist() == [job.configuration["x"] for job in jobs]
    assert np.isnan(columns["only_b"]).tolist() == [job.configuration["kind"] == "a" for job in jobs]
    assert repr(batch) == "JobBatch(12 jobs)"
    with pytest.raises(IndexError, match="out of range"):
        batch[12]


def test_parts_of_a_batch_can_be_told_in_any_order(run):
    batch = run.ask_batch(12)
    late, early = batch[batch.columns()["x"] > 0.5], batch[np.flatnonzero(batch.columns()["x"] <= 0.5)]
    assert isinstance(late, JobBatch)
    assert len(late) + len(early) == 12
    run.tell_batch(late, late.columns()["x"])
    run.tell_batch(early[:0], [])
    run.tell_batch(early, early.columns()["x"], costs=np.full(len(early), 0.5), metrics={"twice": early.trial * 2})
    assert run.n_evaluations == 12
    columns = run.columns()
    assert set(columns["cost"].tolist()) == {0.5, 1.0, 3.0} - ({3.0} if not (late.resource == 3).any() else set())
    twice = columns["twice"]
    assert np.isnan(twice).sum() == len(late)
    assert run.best.loss == min(batch.columns()["x"])


def test_an_empty_batch_when_results_are_awaited(run):
    run.ask_batch()
    batch = run.ask_batch(3)
    assert len(batch) == 0
    assert batch.trial.shape == batch.resource.shape == (0,)
    run.tell_batch(batch, [])


@pytest.mark.parametrize(
    ("tell", "message"),
    [
        (lambda run, b: run.tell_batch(b, [0.5]), r"`losses` must have shape \(4,\) or \(4, n\); got \(1,\)"),
        (lambda run, b: run.tell_batch(b, np.zeros((4, 1, 1))), r"`losses` must have shape"),
        (lambda run, b: run.tell_batch(b, np.zeros((4, 0))), r"`losses` must have shape"),
        (lambda run, b: run.tell_batch(b, ["a", "b", "c", "d"]), "`losses` must be numbers"),
        (lambda run, b: run.tell_batch(b, [1, 2, 3, None]), "`losses` must be numbers"),
        (lambda run, b: run.tell_batch(b, [0.5] * 4, costs=[1.0]), r"`costs` must have shape \(4,\)"),
        (
            lambda run, b: run.tell_batch(b, [0.5] * 4, costs=[1, 1, -1, 1]),
            "`costs` must be finite numbers of at least 0",
        ),
        (
            lambda run, b: run.tell(hb.Result(0, 0, 0, 1, 0.5, cost=math.nan)),
            "`cost` must be a finite number of at least",
        ),
        (
            lambda run, b: run.tell(hb.Result(0, 0, 0, 1, 0.5, cost=-1)),
            "`cost` must be a finite number of at least 0; got",
        ),
        (lambda run, b: run.tell_batch(b, [0.5] * 4, metrics={"m": [1.0]}), r"`metrics\['m'\]` must have shape"),
        (lambda run, b: run.tell_batch(list(b), [0.5] * 4), "`batch` must be what `ask_batch` gave"),
        (lambda run, b: run.tell_batch(b[[0, 1, 1]], [0.5] * 3), "name every trial once"),
    ],
)
def test_a_batch_is_refused_whole(run, tell, message):
    batch = run.ask_batch(4)
    before = run.state_dict()
    with pytest.raises(InputError, match=message):
        tell(run, batch)
    assert run.state_dict() == before


def test_what_was_told_is_not_told_again(run):
    batch = run.ask_batch(4)
    run.tell_batch(batch[:2], [0.1, 0.2])
    before = run.state_dict()
    with pytest.raises(InputError, match="got trial 0, which is finished, paused or was told already"):
        run.tell_batch(batch, [0.5] * 4)
    with pytest.raises(InputError, match="got trial 7, which was never handed out"):
        run.tell(hb.Result(7, 0, 0, 1, 0.5))
    assert run.state_dict() == before


def test_a_batch_of_another_run_is_refused(run):
    other = hb.Hyperband(27, 3).start(SPACE, 0).ask_batch(12)
    run.ask_batch(12)
    with pytest.raises(InputError, match="must be of a trial with an open job"):
        run.tell_batch(other, np.zeros(12))


def test_several_objectives_in_a_batch(run):
    batch = run.ask_batch(4)
    run.tell_batch(batch, [(1.0, 4.0), (2.0, 2.0), (3.0, 3.0), (math.nan, 1.0)])
    assert run.n_objectives == 2
    assert [incumbent.trial for incumbent in run.front()] == [0, 1]
    assert run.columns()["objective_1"].tolist() == [4.0, 2.0, 3.0, 1.0]
    assert np.isnan(run.columns()["loss"][3]), "what failed in one objective failed"
    more = run.ask_batch(2)
    with pytest.raises(InputError, match=r"as many objectives; got \[1, 2\]"):
        run.tell_batch(more, [0.5, 0.5])
    run.tell_batch(more, [math.nan, math.nan])  # failures have no number of objectives
    with pytest.raises(InputError, match="`loss` must be the first of `objectives`"):
        job = run.ask(1)[0]
        run.tell(hb.Result(job.trial, job.bracket, job.rung, job.resource, 0.3, objectives=(0.5, 0.5)))


def test_the_front_at_one_resource():
    run = hb.SuccessiveHalving(3, 3).start(SPACE, 0)
    run.tell_batch(run.ask_batch(), [(0.1, 0.1), (0.2, 0.2), (0.3, 0.3)])
    run.tell_batch(run.ask_batch(), [(0.5, 0.5)])
    assert [(i.trial, i.resource) for i in run.front()] == [(0, 1)]
    assert [(i.trial, i.resource) for i in run.front(3)] == [(0, 3)]
    assert run.front(2) == []


def test_a_trial_is_on_the_front_once():
    run = hb.SuccessiveHalving(3, 3).start(SPACE, 0)
    run.tell_batch(run.ask_batch(), [(0.1, 0.9), (0.5, 0.5), (0.9, 0.95)])
    run.tell_batch(run.ask_batch(), [(0.2, 0.1)])
    assert [(i.trial, i.objectives) for i in run.front()] == [(0, (0.1, 0.9))]


def test_abandoned_jobs_are_failures_at_no_cost():
    run = hb.SuccessiveHalving(9, 3).start(SPACE, 0)
    jobs = run.ask()
    run.abandon([job.trial for job in jobs[:8]])
    with pytest.raises(InputError, match="trial 0, which is finished"):
        run.abandon([8, 0])
    assert [job.trial for job in run.open_jobs] == [8], "refused whole"
    run.abandon(8)
    assert run.done
    assert run.best is None
    assert run.columns()["cost"].sum() == 0.0
    assert run.dropped() == list(range(9))


def test_batches_of_a_large_asynchronous_search():
    run = hb.ASHA(81, 3, n=5000).start(SPACE, 0)
    told = 0
    while not run.done:
        batch = run.ask_batch(700)
        run.tell_batch(batch, batch.columns()["x"] + 1.0 / batch.resource)
        told += len(batch)
        run.dropped()
    assert run.n_evaluations == told >= run.plan.n_evaluations
    assert run.n_configurations == 5000
    best = run.best
    assert best.resource == 81
    assert best.configuration["x"] < 0.01
    assert run.best_at_full == best


def test_a_result_without_a_cost_costs_what_it_added():
    run = hb.SuccessiveHalving(9, 3).start(SPACE, 0)
    while not run.done:
        run.tell([hb.Result(j.trial, j.bracket, j.rung, j.resource, j.configuration["x"]) for j in run.ask()])
    assert hb.SearchResult.of(run).cost == run.spent == 21
    assert hb.SearchResult.of(run).stopped == "finished"


def test_a_state_of_other_settings_is_refused():
    """Settings that the plan does not show: they change what is promoted."""
    state = hb.PASHA(27, n=20).start(SPACE, 0).state_dict()
    with pytest.raises(InputError, match="same `scheduler.epsilon`"):
        hb.PASHA(27, n=20, epsilon=0.5).start(SPACE, 0).load_state_dict(state)


def test_the_interval_of_a_population_fits_its_resource():
    assert [rung.r for rung in hb.PBT(n=4, max_resource=8).plan().brackets[0].rungs] == list(range(1, 9))
    assert len(hb.PBT(n=4, max_resource=81).plan().brackets[0].rungs) == 9
    assert len(hb.PBT(n=4, max_resource=1, whole=False).plan().brackets[0].rungs) == 9
