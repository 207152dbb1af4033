"""Ask and tell: any order, any grouping, any interruption, the same search."""

from __future__ import annotations

import math

import hyperband_81_3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import Algorithm, Keyed, Line, Rounds, Stuck, loss_of, result_of, through_json

from hyperband.errors import InputError
from hyperband.tuning.run.run import Run
from hyperband.tuning.schedulers import FullScheduler, HyperbandScheduler, SuccessiveHalvingScheduler
from hyperband.tuning.trial import Result


def carry_out(run, rng=None, reload=None):
    waiting = []
    while not run.done:
        waiting += run.ask(None if rng is None else int(rng.integers(1, 9)))
        if rng is not None:
            rng.shuffle(waiting)
        count = len(waiting) if rng is None else int(rng.integers(0, len(waiting) + 1))
        run.tell([result_of(job) for job in waiting[:count]])
        waiting = waiting[count:]
        run = run if reload is None else reload(run)
    assert not waiting
    return run


def fingerprint(run):
    rows = [(r.trial, r.bracket, r.rung, r.resource, repr(r.loss), run.configuration(r.trial)) for r in run.results]
    return rows, run.best, run.best_at_full, run.spent


def test_hyperband_81_3_to_the_unit():
    run = carry_out(Algorithm(HyperbandScheduler(81, 3)).start())
    asked = Algorithm(HyperbandScheduler(81, 3)).start()
    while not asked.done:
        asked.tell([result_of(job, float(job.trial)) for job in asked.ask()])
    assert (asked.n_evaluations, asked.n_configurations, asked.spent) == hyperband_81_3.TOTALS
    assert run.n_configurations == hyperband_81_3.CONFIGURATIONS


def test_results_are_in_order_whatever_the_order_of_telling():
    run = Algorithm(HyperbandScheduler(9, 3)).start()
    for job in reversed(run.ask()):
        run.tell([result_of(job)])
    identities = [(r.bracket, r.rung, r.trial) for r in run.results]
    assert identities == sorted(identities)
    assert len(identities) == 17
    columns = run.columns()
    assert columns["trial"].tolist() == [trial for _, _, trial in identities]


@given(seed=st.integers(0, 10**6), r=st.sampled_from([9, 20]))
@settings(max_examples=30)
def test_the_order_of_arrival_changes_nothing(seed, r):
    algorithm = Algorithm(HyperbandScheduler(r, 3))
    assert fingerprint(carry_out(algorithm.start(), np.random.default_rng(seed))) == fingerprint(
        carry_out(algorithm.start())
    )


@pytest.mark.parametrize("sampler", [Keyed(), Keyed(limit=11), Rounds(size=5)], ids=["keyed", "exhausted", "waiting"])
def test_saving_and_loading_between_any_two_steps_changes_nothing(sampler):
    algorithm = Algorithm(HyperbandScheduler(9, 3), sampler)

    def reload(run):
        fresh = algorithm.start()
        fresh.load_state_dict(through_json(run.state_dict()))
        assert [job.trial for job in fresh.open_jobs] == [job.trial for job in run.open_jobs]
        assert through_json(fresh.state_dict()) == through_json(run.state_dict())
        return fresh

    for seed in range(5):
        plain = carry_out(algorithm.start(), np.random.default_rng(seed))
        again = carry_out(algorithm.start(), np.random.default_rng(seed), reload)
        assert fingerprint(again) == fingerprint(plain)


def test_open_jobs_come_back_whole():
    algorithm = Algorithm(SuccessiveHalvingScheduler(9, 3))
    run = algorithm.start(seed=4)
    run.tell([result_of(job, float(job.trial)) for job in run.ask()])
    jobs = run.ask()
    fresh = algorithm.start(seed=4)
    fresh.load_state_dict(through_json(run.state_dict()))
    assert fresh.open_jobs == jobs
    assert jobs[0].previous == 1
    assert fresh.ask() == []


def test_the_same_seed_draws_the_same_and_another_seed_others():
    configurations = [
        [job.configuration for job in Algorithm(FullScheduler(6, 1)).start(seed=seed).ask()] for seed in (1, 1, 2)
    ]
    assert configurations[0] == configurations[1] != configurations[2]


def test_one_by_one_is_the_same_as_all_at_once():
    algorithm = Algorithm(HyperbandScheduler(9, 3))
    run = algorithm.start()
    while jobs := run.ask(1):
        assert len(jobs) == 1
        run.tell(result_of(jobs[0]))
    assert run.done
    assert fingerprint(run) == fingerprint(carry_out(algorithm.start()))


def test_best_is_the_smallest_loss_seen_and_ties_go_by_trial_then_rung():
    run = Algorithm(SuccessiveHalvingScheduler(9, 3)).start()
    assert run.best is None
    losses = {0: [5, 5, 5, 0.5, 0.5, 0.5, math.nan, math.inf, -math.inf], 1: [0.5, 0.25, 0.25], 2: [0.5]}
    while not run.done:
        jobs = run.ask()
        run.tell([result_of(job, losses[job.rung][i]) for i, job in enumerate(jobs)])
    assert (run.best.trial, run.best.rung, run.best.loss) == (4, 1, 0.25)
    assert (run.best_at_full.trial, run.best_at_full.rung, run.best_at_full.resource) == (4, 2, 9)
    assert run.best.configuration == run.configuration(4)


def test_metrics_travel_and_missing_ones_are_absent():
    run = Algorithm(FullScheduler(3, 1)).start()
    jobs = run.ask()
    run.tell([result_of(jobs[1], 0.1, metrics={"accuracy": 0.9, "loss": 7})])
    run.tell([result_of(jobs[0], 0.2), result_of(jobs[2], 0.3, metrics={"seconds": 2.0})])
    assert [dict(r.metrics) for r in run.results] == [{}, {"accuracy": 0.9, "loss": 7.0}, {"seconds": 2.0}]
    columns = run.columns()
    np.testing.assert_array_equal(columns["accuracy"], [math.nan, 0.9, math.nan])
    np.testing.assert_array_equal(columns["metric_loss"], [math.nan, 7, math.nan])
    np.testing.assert_array_equal(columns["loss"], [0.2, 0.1, 0.3])
    assert run.best.metrics == {"accuracy": 0.9, "loss": 7}


def wrong_results(job):
    good = result_of(job, 0.5)
    yield [good, good], "trial with an open job; got trial 0"
    yield [good, Result(99, 0, 0, 1, 0.5)], "trial with an open job; got trial 99"
    yield [good, Result(1, 0, 1, 1, 0.5)], "trial 1 must be of bracket 0, rung 0, resource 1; got 0, 1, 1"
    yield [good, Result(1, 1, 0, 1, 0.5)], "got 1, 0, 1"
    yield [good, Result(1, 0, 0, 3, 0.5)], "got 0, 0, 3"
    yield [good, Result(1, 0, 0, 1, None)], "`loss` must be a number"
    yield [good, Result(1, 0, 0, 1, "0.5")], "`loss` must be a number"
    yield [good, Result(1, 0, 0, 1, 0.5, {"accuracy": [1, 2]})], r"`metrics\['accuracy'\]` must be a number"
    yield [good, Result(1, 0, 0, 1, 0.5, {}, "much")], "`cost` must be a number"
    yield [good, (1, 0.5)], r"`tell` takes a job and its loss.*; got \(1, 0.5\)"
    yield 0.5, "`tell` takes a job and its loss.*; got 0.5"


def test_a_refused_batch_leaves_nothing_half_told():
    run = Algorithm(HyperbandScheduler(9, 3)).start()
    job = run.ask(2)[0]
    before = through_json(run.state_dict())
    for batch, message in wrong_results(job):
        with pytest.raises(InputError, match=message):
            run.tell(batch)
        assert through_json(run.state_dict()) == before
    run.tell(result_of(job))
    with pytest.raises(InputError, match="open job; got trial 0"):
        run.tell(result_of(job))


@pytest.mark.parametrize("n", [0, -1, 2.5, "3", True])
def test_ask_refuses_what_is_not_a_count(n):
    with pytest.raises(InputError, match="`n` must be a whole number of at least 1"):
        Algorithm(FullScheduler(3, 1)).start().ask(n)


def test_an_exhausted_space_ends_the_search():
    for limit in (0, 1, 4, 16, 17, 18):
        run = carry_out(Algorithm(HyperbandScheduler(9, 3), Keyed(limit)).start())
        assert run.n_configurations == min(limit, 17)
        assert sorted(run.dropped()) == list(range(min(limit, 17)))


def test_four_configurations_under_hyperband_by_hand():
    run = Algorithm(HyperbandScheduler(9, 3), Keyed(4)).start()
    seen = []
    while not run.done:
        jobs = run.ask()
        seen.append([(job.trial, job.resource) for job in jobs])
        run.tell([result_of(job, -float(job.trial)) for job in jobs])
    assert seen == [[(0, 1), (1, 1), (2, 1), (3, 1)], [(1, 3), (2, 3), (3, 3)], [(3, 9)]]


def test_a_sampler_that_waits_is_asked_again_when_results_came():
    run = Algorithm(FullScheduler(12, 1), Rounds(5)).start()
    sizes = []
    while not run.done:
        jobs = run.ask()
        sizes.append(len(jobs))
        assert run.ask() == []
        run.tell([result_of(job) for job in jobs])
    assert sizes == [5, 5, 2]


def test_a_sampler_that_waits_for_nothing_does_not_hang_the_search():
    class StuckSampler:
        def start(self, space, seed):
            return Stuck(seed, math.inf)

    run = Run(Line(), HyperbandScheduler(9, 3), StuckSampler())
    assert run.ask() == []
    assert run.done


def test_samplers_learn_in_one_order():
    seen = []
    for order in (1, -1):
        run = Algorithm(SuccessiveHalvingScheduler(9, 3)).start()
        run.tell([result_of(job) for job in run.ask()[::order]])
        seen.append(run.state_dict()["session"]["proposer"]["told"])
    assert seen[0] == seen[1] == sorted(seen[0], key=lambda row: row[0])
    assert len(seen[0]) == 9


def test_a_state_of_another_run_is_refused():
    state = through_json(Algorithm(HyperbandScheduler(9, 3)).start(seed=1).state_dict())
    with pytest.raises(InputError, match=r"same `seed` \(2\); got 1"):
        Algorithm(HyperbandScheduler(9, 3)).start(seed=2).load_state_dict(state)
    with pytest.raises(InputError, match=r"same `scheduler.max_resource` \(27\); got 9\."):
        Algorithm(HyperbandScheduler(27, 3)).start(seed=1).load_state_dict(state)
    with pytest.raises(InputError, match="same `space`"):
        Algorithm(HyperbandScheduler(9, 3)).start(seed=1).load_state_dict({**state, "space": {}})
    with pytest.raises(InputError, match=r"same `sampler.type` \('Keyed'\); got 'KDESampler'"):
        other = {"type": "KDESampler", "version": 1}
        Algorithm(HyperbandScheduler(9, 3)).start(seed=1).load_state_dict({**state, "sampler": other})
    with pytest.raises(InputError, match="what `state_dict` gave; got None"):
        Algorithm(HyperbandScheduler(9, 3)).start(seed=1).load_state_dict(None)
    with pytest.raises(InputError, match="version 3; got 2"):
        Algorithm(HyperbandScheduler(9, 3)).start(seed=1).load_state_dict({**state, "version": 2})


def test_fractional_resources():
    run = carry_out(Algorithm(HyperbandScheduler(1, 3, min_resource=0.1, whole=False)).start())
    assert run.best_at_full is not None
    assert {
        job.resource for job in Algorithm(HyperbandScheduler(1, 3, min_resource=0.1, whole=False)).start().ask()
    } == {
        1 / 9,
        1 / 3,
        1,
    }


def test_unknown_trials_have_no_configuration():
    with pytest.raises(InputError, match="handed out; got 3"):
        Algorithm(FullScheduler(2, 1)).start().configuration(3)


def test_losses_that_are_all_nan_leave_no_best():
    run = Algorithm(HyperbandScheduler(9, 3)).start()
    while not run.done:
        run.tell([result_of(job, math.nan) for job in run.ask()])
    assert run.best is None
    assert run.best_at_full is None
    assert run.n_evaluations == 17


def test_toy_losses_mix_ties_and_failures():
    losses = [loss_of(job) for job in Algorithm(HyperbandScheduler(27, 3)).start().ask()]
    assert any(math.isnan(loss) for loss in losses)
    assert any(math.isfinite(loss) for loss in losses)
