"""What every sampler and scheduler promises inside a run: any number of workers, paused anywhere, jobs or batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hyperband.space import Choice, Float, Int, Space, When
from hyperband.testing.sampler_cases import through_json
from hyperband.tuning.run.run import Run
from hyperband.tuning.samplers.base import Sampler
from hyperband.tuning.samplers.kde import KDESampler
from hyperband.tuning.samplers.random import RandomSampler
from hyperband.tuning.schedulers.asha import ASHAScheduler
from hyperband.tuning.schedulers.base import Scheduler
from hyperband.tuning.schedulers.hyperband import HyperbandScheduler
from hyperband.tuning.schedulers.successive_halving import SuccessiveHalvingScheduler
from hyperband.tuning.settings import Settings, from_dict
from hyperband.tuning.trial import Job, Loss, Result

#: Makes the same fresh run again and again.
Start = Callable[[], Run]

MIXED = Space(
    {
        "x": Float(0.0, 1.0, default=0.3, prior="medium"),
        "kind": Choice(["a", "b", "c"]),
        "only_b": Float(1e-3, 1.0, log=True),
        "n": Int(1, 50, log=True),
    },
    conditions=[When("only_b", "kind", "b")],
    constraints=["n < 45 or x < 0.5"],
)
#: No run takes more results than this.
LIMIT = 5000


def loss_of(job: Job) -> float:
    """A fixed loss: a bowl over what there is, falling with the resource; NaN for one configuration in eleven."""
    c = job.configuration
    value = (c.get("x", 0.5) - 0.4) ** 2 + c.get("n", 1) / 100 + c.get("only_b", 0.2) / 10 + 1 / job.resource
    return math.nan if int(value * 1e6) % 11 == 0 else value


def result_of(job: Job, loss: Loss | None = None) -> Result:
    """The result of a job, which costs the resource that it adds."""
    value = loss_of(job) if loss is None else loss
    several = value if isinstance(value, tuple) else ()
    first = value[0] if isinstance(value, tuple) else value
    cost = float(job.resource - job.previous)
    return Result(job.trial, job.bracket, job.rung, job.resource, first, cost=cost, objectives=several)


def carry_out(
    run: Run,
    workers: int = 1,
    rng: np.random.Generator | None = None,
    checkpoint: Callable[[Run], Run] | None = None,
    loss: Callable[[Job], Loss] | None = None,
) -> Run:
    """Drive a run to its end with so many workers, which finish in random order, or first come first served."""
    open_: list[Job] = []
    steps = 0
    while not run.done:
        if len(open_) < workers:
            open_ += run.ask(workers - len(open_))
        assert open_ or run.done, "the run hands out nothing, awaits nothing, and is not done"
        steps += 1
        assert steps < LIMIT, "the run does not end: look at `done` of the allocation and `exhausted` of the proposer"
        if open_:
            job = open_.pop(0 if rng is None else int(rng.integers(len(open_))))
            run.tell(result_of(job, None if loss is None else loss(job)))
        run.dropped()
        if checkpoint is not None:
            run = checkpoint(run)
    assert run.open_jobs == [], "a run that is done has no open job"
    return run


def table(run: Run) -> tuple[list[Any], list[str], list[dict[str, Any]]]:
    """Everything that was evaluated, to the bit."""
    columns = run.columns()
    rows = list(zip(*(columns[name].tolist() for name in ("trial", "bracket", "rung", "resource")), strict=True))
    return rows, [repr(v) for v in columns["loss"].tolist()], run.configurations([row[0] for row in rows])


def check_workers(start: Start, workers: int, seed: int) -> None:
    """One worker or many, in whatever order they finish: the same evaluations, the same best."""
    alone = carry_out(start())
    many = carry_out(start(), workers, np.random.default_rng(seed))
    assert table(many) == table(alone), "trials or promotions depend on the order in which results arrive"
    assert many.best == alone.best, "the best depends on the order in which results arrive"


def check_resumed(start: Start, workers: int, seed: int) -> None:
    """Written down and loaded into a fresh run after every event: the same evaluations, the same state at the end."""

    def reload(run: Run) -> Run:
        fresh = start()
        fresh.load_state_dict(through_json(run.state_dict()))
        assert fresh.state_dict() == run.state_dict(), "`load_state_dict` must restore all of `state_dict`"
        return fresh

    plain = carry_out(start(), workers, np.random.default_rng(seed))
    again = carry_out(start(), workers, np.random.default_rng(seed), reload)
    assert table(again) == table(plain), "a run that was loaded goes another way: its state lacks something"
    assert again.state_dict() == plain.state_dict(), "a run that was loaded ends in another state"


def check_batches(start: Start, size: int) -> None:
    """Asked and told as columns or job by job: the same run."""
    by_job, by_batch = start(), start()
    while not by_job.done:
        jobs, batch = by_job.ask(size), by_batch.ask_batch(size)
        assert list(batch) == jobs, "`ask_batch` and `ask` must hand out the same jobs"
        by_job.tell([result_of(job) for job in jobs])
        by_batch.tell_batch(batch, [loss_of(job) for job in batch])
        assert by_job.dropped() == by_batch.dropped(), "`tell_all` and `tell` must drop the same trials"
    assert by_batch.done, "`tell_all` must end a run where `tell` ends it"
    assert table(by_batch) == table(by_job), "`tell_all` and `tell` must lead to the same evaluations"
    assert by_batch.spent == pytest.approx(by_job.spent, rel=1e-12), "`tell_all` and `tell` must cost the same"


def check_settings(settings: Any) -> None:
    """Written as plain data, read back and written again: the same; skipped for what is no `Settings`."""
    if not isinstance(settings, Settings):
        pytest.skip("it is no `hyperband.tuning.settings.Settings`: a saved state compares only its fields")
    data = through_json(settings.to_dict())
    again = from_dict(data)
    assert type(again) is type(settings), "`from_dict` made another class: put @register above yours"
    assert again.to_dict() == data, "a setting is lost or changed on the way through JSON"


class SamplerRuns:
    """A sampler under a synchronous and an asynchronous scheduler."""

    sampler: Sampler

    def _start(self, scheduler: Scheduler) -> Start:
        return lambda: Run(MIXED, scheduler, self.sampler, 3)

    @pytest.mark.parametrize("workers", [2, 5])
    def test_the_number_of_workers_changes_nothing(self, workers: int) -> None:
        """Under a synchronous scheduler a search is the same with any number of workers, however fast each is."""
        check_workers(self._start(HyperbandScheduler(9, 3)), workers, seed=workers)

    @pytest.mark.parametrize("scheduler", [HyperbandScheduler(9, 3), ASHAScheduler(9, 3, n=20)], ids=["sync", "async"])
    def test_a_run_continues_from_its_state(self, scheduler: Scheduler) -> None:
        """Under any scheduler a run continues exactly where its state was written down, after every single result."""
        check_resumed(self._start(scheduler), workers=3, seed=1)

    @pytest.mark.parametrize("size", [1, 7])
    def test_batches_are_the_same_as_jobs(self, size: int) -> None:
        """Results told as columns lead to the same run as results told one by one."""
        check_batches(self._start(SuccessiveHalvingScheduler(9, 3)), size)


class SchedulerRuns:
    """A scheduler with a sampler that learns nothing and one that learns."""

    scheduler: Scheduler

    def _start(self, sampler: Sampler) -> Start:
        return lambda: Run(MIXED, self.scheduler, sampler, 3)

    @pytest.mark.parametrize("sampler", [RandomSampler(), KDESampler(min_points=3, batch=4)], ids=["random", "learns"])
    def test_the_number_of_workers_changes_nothing(self, sampler: Sampler) -> None:
        """A search is the same with any number of workers, if the scheduler says that it is synchronous."""
        if not self.scheduler.synchronous:
            pytest.skip("`synchronous` is False: promotion may depend on the order in which results arrive")
        check_workers(self._start(sampler), workers=4, seed=1)

    @pytest.mark.parametrize("sampler", [RandomSampler(), KDESampler(min_points=3, batch=4)], ids=["random", "learns"])
    def test_a_run_continues_from_its_state(self, sampler: Sampler) -> None:
        """A run continues exactly where its state was written down, after every single result."""
        check_resumed(self._start(sampler), workers=3, seed=1)

    @pytest.mark.parametrize("size", [1, 7])
    def test_batches_are_the_same_as_jobs(self, size: int) -> None:
        """`Allocation.tell_all` leads to the same run as `tell` for each."""
        check_batches(self._start(RandomSampler()), size)
