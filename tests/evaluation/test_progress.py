"""The account of a search: what is done of what is planned, how many trials are left, the rate, the time left."""

from __future__ import annotations

import math

import pytest
from toy import Algorithm, result_of

import hyperband as hb
from hyperband.evaluation import progress as module
from hyperband.evaluation.base import EvaluatorBase
from hyperband.evaluation.loop import drive
from hyperband.evaluation.progress import ProgressTracker
from hyperband.tuning.schedulers import FullScheduler, HyperbandScheduler

SPACE = hb.Space({"x": hb.Float(0.0, 1.0)})
HYPERBAND = Algorithm(HyperbandScheduler(9, 3))


class Clock:
    """Seconds that the test sets."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def tracker_of(run, continues=True, **limits):
    return ProgressTracker(run, "epochs", continues, hb.Budget(**limits))


def advance(run, tracker, n, loss=1.0):
    """Ask for jobs, and tell them."""
    jobs = run.ask(n)
    tracker.submit(jobs)
    results = [result_of(job, loss) for job in jobs]
    run.tell(results)
    tracker.tell(results)
    tracker.drop(run.dropped())
    return jobs


def test_the_plan_is_known_before_anything_has_run():
    run = HYPERBAND.start()
    start = tracker_of(run).summary({})
    assert [b.planned for b in start.brackets] == [21, 21, 27]
    assert [b.n_rungs for b in start.brackets] == [3, 2, 1]
    assert (start.done, start.planned, start.rate, start.seconds_left) == (0, 69, 0.0, None)
    assert all(math.isnan(b.best) for b in start.brackets)
    assert tracker_of(run, continues=False).summary({}).planned == 78, "every rung starts again from zero"


def test_jobs_count_when_they_are_told_and_live_trials_until_they_are_dropped():
    run = HYPERBAND.start()
    tracker = tracker_of(run)
    first = run.ask(9)
    tracker.submit(first)
    open_ = tracker.summary({}).brackets[0]
    assert (open_.trials_left, open_.done, open_.rung) == (9, 0.0, 0)
    results = [result_of(job, float(job.trial)) for job in first]
    run.tell(results)
    tracker.tell(results)
    tracker.drop(run.dropped())
    told = tracker.summary({}).brackets[0]
    assert (told.trials_left, told.done, told.best) == (3, 9.0, 0.0)
    tracker.submit(run.ask(3))
    assert tracker.summary({}).brackets[0].rung == 1


def test_a_failed_trial_is_never_the_best():
    run = HYPERBAND.start()
    tracker = tracker_of(run)
    advance(run, tracker, 2, loss=math.nan)
    advance(run, tracker, 2, loss=math.inf)
    assert math.isnan(tracker.summary({}).brackets[0].best)
    advance(run, tracker, 1, loss=3.0)
    assert tracker.summary({}).brackets[0].best == 3.0


def test_what_evaluators_say_of_open_jobs_counts_once():
    run = HYPERBAND.start()
    tracker = tracker_of(run)
    jobs = run.ask(2)
    tracker.submit(jobs)
    assert tracker.summary({0: 0.25, 1: 0.5, 77: 5.0}).done == 0.75
    assert tracker.summary({1: 0.75}).done == 1.0, "a network that waits on disk keeps what it has gained"
    tracker.tell([result_of(jobs[0], 1.0)])
    assert tracker.summary({}).done == 1.75


def test_the_rate_is_over_the_last_seconds(clock):
    run = Algorithm(FullScheduler(100, 1)).start()
    tracker = tracker_of(run)
    for _ in range(20):  # one a second
        clock.now += 1.0
        advance(run, tracker, 1)
        tracker.summary({})
    for _ in range(20):  # two a second
        clock.now += 1.0
        advance(run, tracker, 2)
        last = tracker.summary({})
    assert last.rate == pytest.approx(2.0)
    assert last.seconds == 40.0
    assert last.seconds_left == pytest.approx(20.0)  # 60 of 100 are done


def test_the_time_left_is_that_of_the_plan_or_of_the_budget(clock):
    for limits, left in (
        ({}, 90.0),
        ({"seconds": 30}, 20.0),
        ({"resource": 25}, 15.0),
        ({"evaluations": 40}, 30.0),
        ({"seconds": 1000, "patience": 3}, 90.0),
    ):
        run = Algorithm(FullScheduler(100, 1)).start()
        tracker = tracker_of(run, **limits)
        clock.now += 10.0
        advance(run, tracker, 10)
        assert tracker.summary({}).seconds_left == pytest.approx(left), limits


def test_no_time_is_left_out_of_thin_air(clock):
    run = hb.ASHA(9).start(SPACE)  # no end, no budget that has a time
    tracker = tracker_of(run, patience=50)
    clock.now += 10.0
    advance(run, tracker, 9)
    summary = tracker.summary({})
    assert summary.rate > 0 and summary.seconds_left is None and not summary.exact
    assert tracker_of(run, seconds=60).summary({}).seconds_left == 60.0


def test_a_search_without_end_shows_the_latest_repetition_and_counts_all(clock):
    algorithm = hb.Hyperband(3, repetitions=None)
    run = algorithm.start(SPACE)
    tracker = tracker_of(run, seconds=1000)
    n = len(run.plan.brackets)
    clock.now += 2.0
    while run.n_evaluations < 100:
        advance(run, tracker, 5)
    summary = tracker.summary({})
    assert n <= len(summary.brackets) <= 2 * n + 1
    assert summary.brackets[-1].bracket > 3 * n
    assert summary.rate == pytest.approx(run.spent / 2.0)


def test_a_resumed_search_has_done_what_it_was_told():
    run = HYPERBAND.start()
    before = tracker_of(run)
    for n in (4, 9, 5):
        advance(run, before, n)
    after = tracker_of(run).summary({})
    assert [b.done for b in after.brackets] == [b.done for b in before.summary({}).brackets]
    assert [b.best for b in after.brackets][:1] == [1.0]
    assert after.done == run.spent


class Slow(EvaluatorBase):
    """Finishes a job in every second call, and says how far it is in between."""

    unit = "steps"

    def __init__(self):
        self.queue, self.half = [], False

    def submit(self, jobs):
        self.queue += jobs

    def collect(self):
        self.half = not self.half
        return [] if self.half else [result_of(self.queue.pop(0), 1.0)]

    def partial(self):
        return {self.queue[0].trial: 0.5} if self.queue and self.half else {}


def test_the_loop_reports_while_jobs_are_open_and_at_the_end(monkeypatch):
    monkeypatch.setattr(module, "INTERVAL", 0.0)
    seen = []
    outcome = drive(Algorithm(FullScheduler(4, 1)).start(), Slow(), on_progress=seen.append)
    assert outcome.stopped == "finished"
    assert [p.done for p in seen] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
    assert (seen[-1].unit, seen[-1].planned, seen[-1].brackets[0].trials_left) == ("steps", 4.0, 0)


def test_reports_are_several_a_second_and_no_more():
    seen = []
    drive(Algorithm(FullScheduler(3000, 1)).start(), Slow(), on_progress=seen.append)
    assert len(seen) < 3 + seen[-1].seconds / module.INTERVAL


def test_collect_is_asked_to_return_in_time_for_the_next_report():
    deadlines = []

    class Watching(Slow):
        def collect(self):
            deadlines.append(self.deadline)
            return super().collect()

    drive(Algorithm(FullScheduler(2, 1)).start(), Watching())
    assert set(deadlines) == {None}
    deadlines.clear()
    drive(Algorithm(FullScheduler(2, 1)).start(), Watching(), on_progress=lambda p: None)
    assert None not in deadlines


def test_progress_that_presses_ctrl_c_hands_back_the_best_so_far():
    def press(progress):
        if progress.done >= 2:
            raise KeyboardInterrupt

    run = Algorithm(FullScheduler(10, 1)).start()
    module_interval, module.INTERVAL = module.INTERVAL, 0.0
    try:
        assert drive(run, Slow(), on_progress=press).stopped == "interrupted"
    finally:
        module.INTERVAL = module_interval
    assert run.n_evaluations == 2 and run.best is not None
