"""Several workers, threads and processes: the same answer as one, whoever is ready first and whoever fails."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import worker_objectives as work
from toy import Algorithm, Line

import hyperband as hb
from hyperband.driver import Budget
from hyperband.errors import InputError
from hyperband.evaluators.evaluation import Evaluation
from hyperband.evaluators.function import FunctionEvaluator
from hyperband.evaluators.workers.settings import Workers
from hyperband.minimize import minimize
from hyperband.schedulers import FullScheduler, HyperbandScheduler, SuccessiveHalvingScheduler
from hyperband.trial import Job

HYPERBAND = Algorithm(HyperbandScheduler(9, 3))
FEW = Algorithm(FullScheduler(12, 1))
LONG = 60.0  # seconds that nothing here may take; what hangs, hangs for ten times as long


@pytest.fixture(autouse=True)
def _nobody_is_left():
    threads = threading.active_count()
    started = time.monotonic()
    yield
    assert time.monotonic() - started < LONG
    assert multiprocessing.active_children() == []
    until = time.monotonic() + 10  # threads that sleep on are abandoned by the tests that say so
    while threading.active_count() > threads and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() == threads


def table(result):
    return {name: [repr(value) for value in column.tolist()] for name, column in result.trials.items()}


def processes(objective, algorithm=FEW, workers=2, **others):
    return minimize(objective, Line(), algorithm, workers=workers, executor="processes", **others)


# ---- the same answer ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [HYPERBAND, hb.AdaptiveSearch(n=20, rounds=3, max_resource=9)])
def test_threads_change_nothing(algorithm):
    space = hb.Space({"x": hb.Float(0.0, 1.0), "n": hb.Int(1, 9)}) if algorithm is not HYPERBAND else Line()
    for objective in (work.slow, work.yielding):
        alone = minimize(objective, space, algorithm)
        together = minimize(objective, space, algorithm, workers=8)
        assert table(together) == table(alone)
        assert together.stopped == "finished"


def test_processes_change_nothing():
    for objective in (work.slow, work.yielding):
        alone = minimize(objective, Line(), HYPERBAND)
        assert table(processes(objective, HYPERBAND, 3)) == table(alone)


def test_a_state_stays_in_the_process_that_has_it():
    result = processes(work.stateful, HYPERBAND, 3)
    assert result.failures == {}
    assert result.cost == 69
    np.testing.assert_array_equal(result.trials["steps"], result.trials["cost"])


def test_threads_work_side_by_side():
    together = threading.Barrier(4)  # breaks unless four are there at a time

    def objective(c, r):
        together.wait(LONG)
        return c["x"]

    result = minimize(objective, Line(), Algorithm(FullScheduler(8, 1)), workers=4)
    assert result.failures == {}


def test_no_more_workers_are_started_than_there_are_jobs():
    names = set()

    def objective(c, r):
        names.add(threading.current_thread().name)
        return c["x"]

    minimize(objective, Line(), Algorithm(FullScheduler(2, 1)), workers=50)
    assert len(names) <= 2


# ---- what goes wrong costs one trial -----------------------------------------------------------------------------

DEATHS = {
    "SIGKILL": "killed by SIGKILL",
    "SIGSEGV": "killed by SIGSEGV",
    "exit": "ended with exit code 3",
    "sys.exit": "SystemExit: enough",
    "interrupt": "KeyboardInterrupt",
    "raise": "ValueError: too deep",
}


@pytest.mark.parametrize("how", DEATHS)
def test_a_process_that_dies_costs_one_trial(how):
    with pytest.warns(RuntimeWarning, match="the search goes on"):
        result = processes(partial(work.dying, how), Algorithm(FullScheduler(6, 1)))
    deep = result.trials["x"] > 0.8
    assert deep.any()
    np.testing.assert_array_equal(np.isnan(result.trials["loss"]), deep)
    assert list(result.failures) == result.trials["trial"][deep].tolist()
    assert all(DEATHS[how] in text for text in result.failures.values())


@pytest.mark.parametrize("how", ["sys.exit", "interrupt", "raise"])
def test_a_thread_that_raises_anything_costs_one_trial(how):
    with pytest.warns(RuntimeWarning, match="the search goes on"):
        result = minimize(partial(work.dying, how), Line(), FEW, workers=3)
    deep = result.trials["x"] > 0.8
    assert deep.any()
    np.testing.assert_array_equal(np.isnan(result.trials["loss"]), deep)
    assert all(DEATHS[how] in text for text in result.failures.values())


def test_the_traceback_comes_from_the_process():
    with pytest.warns(RuntimeWarning):
        result = processes(partial(work.dying, "raise"))
    for text in result.failures.values():
        lines = text.splitlines()
        assert lines[0] == "ValueError: too deep"
        assert lines[2].endswith("in dying")
        assert any(line.endswith("in die") for line in lines)


def test_an_exception_that_cannot_be_sent_or_shown():
    with pytest.warns(RuntimeWarning, match=r"Local: \(its text cannot be made\)"):
        result = processes(work.strange, Algorithm(FullScheduler(2, 1)))
    assert len(result.failures) == 2


@pytest.mark.parametrize("how", ["SIGKILL", "raise"])
def test_a_retry_makes_up_for_it(how, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = processes(partial(work.dying_once, how, tmp_path), retries=1)
    assert result.failures == {}
    assert table(result) == table(minimize(work.plain, Line(), FEW))


@pytest.mark.parametrize("how", ["hang", "stubborn"])
def test_a_process_that_hangs_is_killed(how):
    with pytest.warns(RuntimeWarning, match=r"took longer than timeout=0.7 seconds"):
        result = processes(partial(work.dying, how), Algorithm(FullScheduler(6, 1)), timeout=0.7)
    np.testing.assert_array_equal(np.isnan(result.trials["loss"]), result.trials["x"] > 0.8)


def test_what_a_process_has_started_is_killed_with_it(tmp_path):
    with pytest.warns(RuntimeWarning, match="took longer"):
        processes(partial(work.having_children, tmp_path), Algorithm(FullScheduler(1, 1)), timeout=1.0)
    (child,) = map(int, (tmp_path / "notes").read_text().split())
    assert _is_gone(child)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot wait for a process itself")
def test_a_death_is_noticed_although_a_forked_child_lives_on(tmp_path):
    with pytest.warns(RuntimeWarning, match="killed by SIGKILL"):
        result = processes(partial(work.forking, tmp_path), Algorithm(FullScheduler(6, 1)))
    np.testing.assert_array_equal(np.isnan(result.trials["loss"]), result.trials["x"] > 0.8)
    assert all(_is_gone(int(child)) for child in (tmp_path / "notes").read_text().split())


@pytest.mark.parametrize("workers", [1, 3])
def test_a_thread_that_hangs_is_abandoned_and_its_late_answer_ignored(workers):
    wake, late = threading.Event(), threading.Semaphore(0)

    def objective(c, r, state):
        if c["x"] > 0.8 and r == 1:
            wake.wait()
            late.release()
        return Evaluation(c["x"] + 1 / r, state=r)

    algorithm = Algorithm(SuccessiveHalvingScheduler(9, 3))

    def heard(run, results):
        if run.n_evaluations >= 9:
            wake.set()

    with pytest.warns(RuntimeWarning, match=r"took longer than timeout=0.7 seconds"):
        result = minimize(objective, Line(), algorithm, workers=workers, timeout=0.7, on_event=heard)
    deep = result.trials["x"] > 0.8
    np.testing.assert_array_equal(np.isnan(result.trials["loss"]), deep)
    for _ in range(int(deep.sum())):
        assert late.acquire(timeout=LONG)


def test_a_late_answer_does_not_spoil_the_retry():
    seen, wake, late = [], threading.Event(), threading.Event()

    def objective(c, r, state):
        seen.append(state)
        if len(seen) == 1:
            wake.wait(LONG)
            late.set()
            return Evaluation(7.0, state="late")
        wake.set()
        late.wait(LONG)
        return Evaluation(1.0, state="second")

    evaluator = FunctionEvaluator(objective, workers=Workers(timeout=1.0, retries=1))
    evaluator.submit([Job(0, 0, 0, {}, 1)])
    evaluator.deadline = time.monotonic() + 0.05
    assert evaluator.collect() == []  # at work: nothing is waited for beyond the deadline
    evaluator.deadline = None
    assert [result.loss for result in evaluator.collect()] == [1.0]
    evaluator.submit([Job(0, 0, 1, {}, 2, previous=1)])
    evaluator.collect()
    assert seen == [None, None, "second"]
    evaluator.close()


def test_values_that_cannot_be_sent_cost_their_trial():
    evaluator = FunctionEvaluator(work.plain, workers=Workers(1, "processes"))
    evaluator.submit([Job(0, 0, 0, {"x": lambda: 0}, 1), Job(1, 0, 0, {"x": 0.5}, 1)])
    with pytest.warns(RuntimeWarning, match="pickle"):
        found = {r.trial: r.loss for r in [*evaluator.collect(), *evaluator.collect()]}
    evaluator.close()
    assert math.isnan(found[0])
    assert found[1] == 1.5


# ---- states ------------------------------------------------------------------------------------------------------


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
    result = minimize(objective, Line(), algorithm, workers=workers, retries=1, state_dir=tmp_path)
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
    assert minimize(leaving, Line(), algorithm, state_dir=tmp_path).interrupted
    assert len(list(tmp_path.iterdir())) == 3

    def objective(c, r, state):
        assert state != "old"
        return Evaluation(c["x"], state="new")

    assert minimize(objective, Line(), algorithm, state_dir=tmp_path).failures == {}
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_cannot_be_saved_fails_its_trial(tmp_path):
    algorithm = Algorithm(FullScheduler(6, 1))
    for executor in ("threads", "processes"):
        with pytest.warns(RuntimeWarning, match="the state cannot be pickled .*which `state_dir` needs"):
            result = minimize(work.unpicklable, Line(), algorithm, state_dir=tmp_path, executor=executor)
        np.testing.assert_array_equal(np.isnan(result.trials["loss"]), result.trials["x"] > 0.5)


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_copy_is_made_where_the_parent_is(executor, saved, tmp_path):
    workers = Workers(3, executor, state_dir=tmp_path if saved else None)
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
    evaluator = FunctionEvaluator(work.hanging_later, workers=Workers(2, executor, timeout=1.0))
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
    evaluator = FunctionEvaluator(work.counting, workers=Workers(2, "processes"))
    assert evaluator.capacity == 2
    for trial in range(3):
        evaluator._homes.settle(trial, 1)
    evaluator._waiting = dict.fromkeys(range(3))
    assert evaluator.capacity == 4
    evaluator._waiting.clear()
    evaluator.close()


# ---- the end -----------------------------------------------------------------------------------------------------


def _is_gone(pid):
    """Neither running nor a zombie, at the latest in a moment: whoever adopted it has to notice."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True  # of another parent than this process, whose own children are looked at elsewhere
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_budget_of_time_does_not_wait_for_what_hangs(executor):
    result = (
        minimize(partial(work.dying, "hang"), Line(), FEW, workers=2, executor=executor, budget=Budget(seconds=1.0))
        if executor == "processes"
        else _with_threads_that_wake()
    )
    assert result.stopped == "time"
    assert result.failures == {}


def _with_threads_that_wake():
    wake = threading.Event()

    def objective(c, r):
        return wake.wait(LONG) if c["x"] > 0.8 else c["x"]

    result = minimize(objective, Line(), FEW, workers=2, budget=Budget(seconds=0.3))
    wake.set()
    return result


def test_ctrl_c_ends_the_processes_and_hands_back_the_best(tmp_path):
    result = processes(partial(work.pressing, tmp_path), workers=2)
    assert result.interrupted
    assert result.n_evaluations >= 1
    assert result.best.loss == result.trials["loss"].min()
    assert all(_is_gone(int(pid)) for pid in (tmp_path / "notes").read_text().split())


SCRIPT = """
import os, time
import hyperband as hb

def objective(configuration, resource):
    print("at work", os.getpid(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    space = hb.Space({"x": hb.Float(0.0, 1.0)})
    result = hb.minimize(objective, space, hb.RandomSearch(4), workers=2, executor="processes")
    print("stopped", result.stopped, flush=True)
"""


def test_ctrl_c_in_a_terminal_is_silent(tmp_path):
    """It reaches the whole group of processes, as from a keyboard."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pids = [int(child.stdout.readline().split()[-1]) for _ in range(2)]
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=LONG)
    assert (out, err, child.returncode) == ("stopped interrupted\n", "", 0)
    assert all(_is_gone(pid) for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a process that its parent died")
def test_processes_do_not_outlive_a_search_that_is_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, script], env={**os.environ, "PYTHONPATH": str(root)}, stdout=subprocess.PIPE, text=True
    )
    pids = [int(child.stdout.readline().split()[-1]) for _ in range(2)]
    child.kill()
    child.communicate(timeout=LONG)
    assert all(_is_gone(pid) for pid in pids)


def test_an_evaluator_that_is_forgotten_leaves_nobody():
    evaluator = FunctionEvaluator(work.plain, workers=Workers(2, "processes"))
    evaluator.submit([Job(0, 0, 0, {"x": 0.5}, 1)])
    evaluator.collect()
    assert len(multiprocessing.active_children()) == 1
    del evaluator  # the fixture looks for what is left


def test_an_error_outside_of_the_objective_ends_the_workers():
    def explode(run, results):
        raise RuntimeError("out of order")

    for executor in ("threads", "processes"):
        with pytest.raises(RuntimeError, match="out of order"):
            minimize(work.plain, Line(), FEW, workers=2, executor=executor, on_event=explode)


# ---- what cannot be sent to a process ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (lambda c, r: 0.0, r"`objective` must be picklable for executor='processes'; got <function.*top level of a"),
        (partial(work.dying, threading.Lock()), r"`objective` must be picklable.*use executor='threads'"),
        (work.NotThere(), r"`objective` must be importable in a worker process.*ImportError: there is no such thing"),
    ],
)
def test_an_objective_that_cannot_be_sent_is_refused(objective, message):
    with pytest.raises(InputError, match=message):
        processes(objective)


@pytest.mark.parametrize("file", [None, "/nowhere/<stdin>"])
def test_an_objective_that_was_typed_in_is_refused(monkeypatch, file):
    monkeypatch.setattr(sys.modules["__main__"], "__file__", file, raising=False)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys.modules["__main__"], "typed_in", typed_in, raising=False)
    with pytest.raises(InputError, match=r"`objective` must be in a file for executor='processes'"):
        processes(typed_in)


def typed_in(configuration, resource):
    return 0.0


typed_in.__module__ = "__main__"


def test_a_script_without_a_guard_says_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace('if __name__ == "__main__":', "if True:"))
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, script], env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("hyperband.errors.HyperbandError: Workers must be able to start; one did not")
    assert "under `if __name__ == '__main__':`" in last
    assert "A worker process must not start workers" in done.stderr
    assert "freeze_support" not in done.stderr and "During handling" not in done.stderr


def test_importing_the_package_does_not_load_multiprocessing():
    code = "import sys, hyperband; hyperband.minimize; print('multiprocessing' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
