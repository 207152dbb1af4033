"""The loop: it does the whole plan, keeps within budgets, frees what is dropped, and stops on Ctrl-C with the best."""

from __future__ import annotations

import math
import os
import signal
import time

import hyperband_81_3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import Algorithm, Keyed, Rounds, result_of, through_json

import hyperband as hb
from hyperband.errors import InputError
from hyperband.evaluation.base import EvaluatorBase
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.interrupts import uninterrupted
from hyperband.interface.carry_out import carry_out
from hyperband.tuning.schedulers import FullScheduler, HyperbandScheduler, SuccessiveHalvingScheduler


class Recorder(EvaluatorBase):
    """An evaluator that answers in batches of ``size`` from the end of its queue, and writes down what happens."""

    unit = "steps"

    def __init__(self, size=3, capacity=None, before=lambda job: None):
        self.size, self.capacity, self.before = size, capacity, before
        self.queue, self.done, self.released, self.most = [], [], [], 0

    def submit(self, jobs):
        assert not {job.trial for job in jobs} & {job.trial for job in self.queue}
        assert not {job.trial for job in jobs} & set(self.released)
        self.queue += jobs
        self.most = max(self.most, len(self.queue))

    def collect(self):
        batch, self.queue = self.queue[-self.size :], self.queue[: -self.size]
        for job in batch:
            self.before(job)
        self.done += batch
        return [result_of(job) for job in batch]

    def release(self, trials):
        self.released += trials

    def close(self):
        self.queue.clear()


class Finite(Recorder):
    """No trial fails, so that the whole plan is run."""

    def collect(self):
        batch, self.queue = self.queue[-self.size :], self.queue[: -self.size]
        return [result_of(job, float(job.trial)) for job in batch]


def rows(result):
    return {name: [repr(v) for v in values.tolist()] for name, values in result.trials.items()}


def test_the_run_is_the_plan_to_the_unit():
    result = carry_out(Algorithm(HyperbandScheduler(81, 3)).start(), Finite())
    assert (result.n_evaluations, result.n_configurations, result.cost) == hyperband_81_3.TOTALS
    assert (result.plan.n_evaluations, result.plan.cost) == (hyperband_81_3.EVALUATIONS, hyperband_81_3.COST)
    assert result.stopped == "finished"
    assert not result.interrupted
    assert result.unit == "steps"


@given(size=st.integers(1, 30), capacity=st.none() | st.integers(1, 20), limit=st.integers(0, 20))
@settings(max_examples=25)
def test_batches_and_capacity_change_nothing(size, capacity, limit):
    algorithm = Algorithm(HyperbandScheduler(9, 3), Keyed(limit))
    evaluator = Recorder(size, capacity)
    result = carry_out(algorithm.start(), evaluator)
    assert rows(result) == rows(carry_out(algorithm.start(), Recorder()))
    assert sorted(evaluator.released) == list(range(min(limit, 17)))
    assert capacity is None or evaluator.most <= capacity


def test_a_sampler_that_waits_is_served():
    result = carry_out(Algorithm(FullScheduler(12, 2), Rounds(5)).start(), Recorder())
    assert result.n_evaluations == 12


def test_with_capacity_one_a_bracket_is_finished_before_the_next():
    evaluator = Recorder(1, 1)
    carry_out(Algorithm(HyperbandScheduler(9, 3)).start(), evaluator)
    assert [job.bracket for job in evaluator.done] == sorted(job.bracket for job in evaluator.done)


def test_events_see_every_result_once():
    seen = []
    result = carry_out(
        Algorithm(HyperbandScheduler(9, 3)).start(), Recorder(), on_event=lambda run, rs: seen.extend(rs)
    )
    assert len(seen) == result.n_evaluations


def test_an_event_can_stop_the_search():
    result = carry_out(
        Algorithm(HyperbandScheduler(9, 3)).start(), Recorder(), on_event=lambda run, _: run.n_evaluations >= 7
    )
    assert (result.stopped, result.n_evaluations) == ("callback", 9)


def test_budget_of_evaluations():
    for capacity in (None, 1):
        result = carry_out(Algorithm(HyperbandScheduler(9, 3)).start(), Recorder(2, capacity), Budget(evaluations=7))
        assert (result.stopped, result.n_evaluations) == ("evaluations", 7)
    assert (
        carry_out(Algorithm(HyperbandScheduler(9, 3)).start(), Finite(), Budget(evaluations=22)).stopped == "finished"
    )


def test_budget_of_resource_counts_what_a_job_adds():
    result = carry_out(Algorithm(SuccessiveHalvingScheduler(9, 3)).start(), Finite(), Budget(resource=14))
    # 9 trials of 1, then two that continue from 1 to 3; a third would make 15.
    assert (result.stopped, result.cost, result.n_evaluations) == ("resource", 13, 11)
    restarting = Finite()
    restarting.continues = False
    result = carry_out(Algorithm(SuccessiveHalvingScheduler(9, 3)).start(), restarting, Budget(resource=14))
    assert (result.stopped, result.n_evaluations) == ("resource", 10)


def test_budget_of_time():
    result = carry_out(
        Algorithm(FullScheduler(1000, 1)).start(),
        Recorder(1, before=lambda job: time.sleep(0.01)),
        Budget(seconds=0.1),
    )
    assert result.stopped == "time"
    assert 1 <= result.n_evaluations <= 10
    assert result.seconds >= 0.1


@pytest.mark.parametrize("limit", [None, 1e6])
def test_what_was_added_is_cut_off_where_it_says(limit):
    class Further:
        stop_at, calls = time.monotonic() - 1.0, 0

        def __call__(self, run):
            self.calls += 1
            run.extend([(2, 3, 9)])
            return True

    run = hb.HalvingSequence(9, brackets=[(3, 9)]).start(hb.Space({"x": hb.Float(0.0, 1.0)}), seed=0)
    extend = Further()
    result = carry_out(run, Finite(), Budget(seconds=limit), extend=extend)
    assert (result.stopped, extend.calls, result.n_evaluations) == ("time", 1, 3)
    assert len(result.plan.brackets) == 2, "the plan shows what was meant to run"


def test_target_loss():
    result = carry_out(Algorithm(FullScheduler(50, 1)).start(), Finite(1, 1), Budget(target=3.0))
    assert (result.stopped, result.n_evaluations, result.best.trial) == ("target", 1, 0)
    result = carry_out(Algorithm(FullScheduler(50, 1)).start(), Recorder(1, 1), Budget(target=-1.0))
    assert (result.stopped, result.n_evaluations) == ("finished", 50)


def test_budget_of_cost_counts_what_evaluations_said():
    class Dear(Recorder):
        def collect(self):
            batch, self.queue = self.queue[: self.size], self.queue[self.size :]
            return [result_of(job, 1.0, cost=2.5) for job in batch]

    result = carry_out(Algorithm(FullScheduler(50, 1)).start(), Dear(1, 1), Budget(cost=10))
    assert (result.stopped, result.cost) == ("cost", 10)
    # Costs are known afterwards: what is at work when the budget is spent is finished.
    result = carry_out(Algorithm(FullScheduler(50, 1)).start(), Dear(1, 3), Budget(cost=9))
    assert (result.stopped, result.cost) == ("cost", 15)
    run = Algorithm(FullScheduler(50, 1)).start()
    carry_out(run, Dear(1, 1), Budget(evaluations=3))
    assert carry_out(run, Dear(1, 1), Budget(cost=10)).cost == 10, "a run that continues has already paid"


class Told(Recorder):
    """Losses by trial."""

    def __init__(self, losses, size=1):
        super().__init__(size, size)
        self.losses = losses

    def collect(self):
        batch, self.queue = self.queue[: self.size], self.queue[self.size :]
        return [result_of(job, self.losses[job.trial]) for job in reversed(batch)]


@pytest.mark.parametrize(
    ("losses", "patience", "least", "n"),
    [
        ([5, 4, 3, 3, 3, 3, 2], 3, 0.0, 6),
        ([5, 4, 3, 3, 3, 2, 9], 3, 0.0, 7),
        ([5, math.nan, math.inf, 4], 2, 0.0, 3),
        ([math.nan, math.nan, 1.0], 2, 0.0, 2),
        ([5, 4.9, 4.7, 4.6, 4.4, 1], 2, 0.25, 6),
        ([5, 4.9, 4.8, 1, 1, 1], 2, 0.5, 3),
        ([5, 4, 3], 1, 0.0, 3),
        ([5, 4, 4, 4], 2, 0.0, 4),  # patience ends with the run, which is finished all the same
    ],
)
def test_patience_ends_when_nothing_gets_better(losses, patience, least, n):
    for size in (1, 7):  # a batch counts in the order of its trials, whatever the order in it
        budget = Budget(patience=patience, min_improvement=least)
        result = carry_out(Algorithm(FullScheduler(len(losses), 1)).start(), Told(losses, size), budget)
        if size == 1:
            assert result.n_evaluations == n
            assert result.stopped == ("patience" if n < len(losses) else "finished")


def test_a_run_without_end_needs_a_limit():
    run = hb.ASHA(1).start(hb.Space({"x": hb.Float(0.0, 1.0)}))
    with pytest.raises(InputError, match="`budget` must have a limit when the algorithm has no end; got none"):
        carry_out(run, Recorder(), Budget())
    assert run.n_evaluations == 0
    assert carry_out(run, Recorder(), Budget(patience=2)).n_evaluations > 0


def test_a_deadline_is_set_from_the_budget_of_time():
    evaluator = Recorder()
    evaluator.deadline = 3.0
    carry_out(Algorithm(FullScheduler(2, 1)).start(), evaluator)
    assert evaluator.deadline is None
    evaluator.released.clear()
    before = time.monotonic()
    carry_out(Algorithm(FullScheduler(2, 1)).start(), evaluator, Budget(seconds=1000))
    assert before + 1000 <= evaluator.deadline <= time.monotonic() + 1000


def test_capacity_is_read_anew():
    class Growing(Recorder):
        def submit(self, jobs):
            super().submit(jobs)
            self.capacity = min(5, self.capacity + 1)

    evaluator = Growing(1, 1)
    carry_out(Algorithm(FullScheduler(20, 1)).start(), evaluator)
    assert evaluator.most == 5


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"seconds": 0}, "`seconds` of a budget must be greater than 0; got 0"),
        ({"seconds": math.nan}, "`seconds` of a budget must be greater than 0; got nan"),
        ({"resource": -1}, "`resource` of a budget must be greater than 0"),
        ({"evaluations": 0}, "`evaluations` must be a whole number of at least 1"),
        ({"target": math.nan}, "`target` of a budget must be a number"),
        ({"target": "0.1"}, "`target` of a budget must be a number; got '0.1'"),
        ({"seconds": "1"}, "`seconds` of a budget must be greater than 0; got '1'"),
        ({"seconds": True}, "`seconds` of a budget must be greater than 0; got True"),
        ({"cost": 0}, "`cost` of a budget must be greater than 0; got 0"),
        ({"patience": 0}, "`patience` must be a whole number of at least 1; got 0"),
        ({"patience": 3, "min_improvement": -1}, "`min_improvement` must be at least 0; got -1"),
        ({"patience": 3, "min_improvement": math.nan}, "`min_improvement` must be a finite number; got nan"),
        ({"min_improvement": 0.1}, "`min_improvement` needs `patience`; got 0.1"),
    ],
)
def test_budgets_that_mean_nothing_are_refused(limits, message):
    with pytest.raises(InputError, match=message):
        Budget(**limits)


def test_ctrl_c_hands_back_the_best_so_far():
    def press(job):
        if job.trial == 5:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)

    started = time.monotonic()
    result = carry_out(Algorithm(FullScheduler(20, 1)).start(), Recorder(1, 1, press))
    assert time.monotonic() - started < 1
    assert result.interrupted
    assert result.stopped == "interrupted"
    assert result.n_evaluations == 5
    assert result.best.loss == min(loss for loss in result.trials["loss"].tolist() if math.isfinite(loss))


def test_ctrl_c_waits_until_the_state_is_consistent():
    steps = []

    def press_inside():
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            steps.append("whole")
        steps.append("never reached")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        press_inside()
    assert steps == ["whole"]
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupted_run_goes_on_where_it_stopped():
    algorithm = Algorithm(HyperbandScheduler(9, 3))
    for stop in (1, 5, 12, 20):
        run = algorithm.start()
        carry_out(run, Recorder(1, 1), on_event=lambda run, _, stop=stop: run.n_evaluations >= stop)
        fresh = algorithm.start()
        fresh.load_state_dict(through_json(run.state_dict()))
        assert rows(carry_out(fresh, Recorder())) == rows(carry_out(algorithm.start(), Recorder()))


def test_an_evaluator_that_breaks_is_not_hidden():
    def explode(job):
        raise RuntimeError("out of order")

    with pytest.raises(RuntimeError, match="out of order"):
        carry_out(Algorithm(FullScheduler(3, 1)).start(), Recorder(before=explode))
