"""Several workers, threads and processes: the same answer as one, whoever is ready first and whoever fails."""

from __future__ import annotations

import itertools
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
from worker_lab import FEW, HYPERBAND, LONG, is_gone, no_worker_is_left, processes, table  # noqa: F401

import hyperband as hb
from hyperband.errors import InputError, ObjectiveError
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.functions.evaluation import Evaluation
from hyperband.evaluation.functions.evaluator import FunctionEvaluator
from hyperband.evaluation.functions.workers import Workers
from hyperband.interface.minimize import minimize
from hyperband.tuning.schedulers import FullScheduler, SuccessiveHalvingScheduler
from hyperband.tuning.trial import Job

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
    "base": "Unusual: enough",
    "group": "BaseExceptionGroup: enough (1 sub-exception)",
    "generator exit": "GeneratorExit: enough",
}


@pytest.mark.parametrize("how", DEATHS)
def test_a_process_that_dies_costs_one_trial(how):
    with pytest.warns(RuntimeWarning, match="the search continues"):
        result = processes(partial(work.dying, how), Algorithm(FullScheduler(6, 1)))
    deep = result.trials["x"] > 0.8
    assert deep.any()
    np.testing.assert_array_equal(np.isnan(result.trials["loss"]), deep)
    assert list(result.failures) == result.trials["trial"][deep].tolist()
    assert all(DEATHS[how] in text for text in result.failures.values())


ANYTHING = [*itertools.product(["sys.exit", "base", "group", "generator exit", "raise"], [1, 3]), ("interrupt", 3)]


@pytest.mark.parametrize(("how", "n"), ANYTHING)
def test_an_objective_that_raises_anything_costs_one_trial(how, n):
    """In the caller's own thread as in others; there alone `KeyboardInterrupt` is Ctrl-C."""
    with pytest.warns(RuntimeWarning, match="the search continues"):
        result = minimize(partial(work.dying, how), Line(), FEW, workers=n)
    deep = result.trials["x"] > 0.8
    assert deep.any()
    np.testing.assert_array_equal(np.isnan(result.trials["loss"]), deep)
    assert list(result.failures) == result.trials["trial"][deep].tolist()
    assert all(DEATHS[how] in text and "in dying" in text for text in result.failures.values())
    assert result.stopped == "finished"


def test_the_traceback_comes_from_the_process():
    with pytest.warns(RuntimeWarning):
        result = processes(partial(work.dying, "raise"))
    for text in result.failures.values():
        lines = text.splitlines()
        assert lines[0] == "ValueError: too deep"
        assert lines[2].endswith("in dying")
        assert any(line.endswith("in die") for line in lines)


def test_an_exception_that_cannot_be_sent_or_shown():
    said = r"Local: \(its message cannot be shown\)"
    with pytest.warns(RuntimeWarning, match=said), pytest.raises(ObjectiveError, match=said) as raised:
        processes(work.strange, Algorithm(FullScheduler(2, 1)))
    assert len(raised.value.result.failures) == 2


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
    with pytest.warns(RuntimeWarning, match="took longer"), pytest.raises(ObjectiveError):
        processes(partial(work.having_children, tmp_path), Algorithm(FullScheduler(1, 1)), timeout=1.0)
    (child,) = map(int, (tmp_path / "notes").read_text().split())
    assert is_gone(child)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot wait for a process itself")
def test_a_death_is_noticed_although_a_forked_child_lives_on(tmp_path):
    with pytest.warns(RuntimeWarning, match="killed by SIGKILL"):
        result = processes(partial(work.forking, tmp_path), Algorithm(FullScheduler(6, 1)))
    np.testing.assert_array_equal(np.isnan(result.trials["loss"]), result.trials["x"] > 0.8)
    assert all(is_gone(int(child)) for child in (tmp_path / "notes").read_text().split())


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
        result = minimize(objective, Line(), algorithm, on_event=heard, workers=hb.Workers(workers, timeout=0.7))
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
    evaluator = FunctionEvaluator(work.plain, workers=Workers(1, executor="processes"))
    evaluator.submit([Job(0, 0, 0, {"x": lambda: 0}, 1), Job(1, 0, 0, {"x": 0.5}, 1)])
    with pytest.warns(RuntimeWarning, match="pickle"):
        found = {r.trial: r.loss for r in [*evaluator.collect(), *evaluator.collect()]}
    evaluator.close()
    assert math.isnan(found[0])
    assert found[1] == 1.5


# ---- the end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_budget_of_time_does_not_wait_for_what_hangs(executor):
    result = (
        minimize(
            partial(work.dying, "hang"),
            Line(),
            FEW,
            budget=Budget(seconds=1.0),
            workers=hb.Workers(2, executor=executor),
        )
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
    assert all(is_gone(int(pid)) for pid in (tmp_path / "notes").read_text().split())


SCRIPT = """
import os, time
import hyperband as hb

def objective(configuration, resource):
    print("at work", os.getpid(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    space = hb.Space({"x": hb.Float(0.0, 1.0)})
    result = hb.minimize(objective, space, hb.RandomSearch(n=4), workers=2, executor="processes")
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
    assert all(is_gone(pid) for pid in pids)


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
    assert all(is_gone(pid) for pid in pids)


def test_an_evaluator_that_is_forgotten_leaves_no_process():
    evaluator = FunctionEvaluator(work.plain, workers=Workers(2, executor="processes"))
    evaluator.submit([Job(0, 0, 0, {"x": 0.5}, 1)])
    evaluator.collect()
    assert len(multiprocessing.active_children()) == 1
    del evaluator  # the fixture looks for what is left


def test_an_error_outside_of_the_objective_ends_the_workers():
    def explode(run, results):
        raise RuntimeError("out of order")

    for executor in ("threads", "processes"):
        with pytest.raises(RuntimeError, match="out of order"):
            minimize(work.plain, Line(), FEW, on_event=explode, workers=hb.Workers(2, executor=executor))


# ---- what cannot be sent to a process ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (partial(work.dying, threading.Lock()), r"`objective` must be picklable.*use executor='threads'"),
        (work.NotThere(), r"`objective` must be importable in a worker process.*ImportError: there is no such thing"),
    ],
)
def test_an_objective_that_cannot_be_sent_is_refused(objective, message):
    with pytest.raises(InputError, match=message):
        processes(objective)


def test_a_function_without_a_name_is_sent_with_its_code():
    offset = 0.25
    result = processes(lambda c, r: c["x"] + offset)
    np.testing.assert_allclose(result.trials["loss"], result.trials["x"] + offset)


@pytest.mark.parametrize("how", ["-", "-c"])
def test_an_objective_that_was_typed_in_is_sent_with_its_code(how, tmp_path):
    """As in a notebook, the main module has no file that a worker could import."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, how, *([TYPED_IN] if how == "-c" else [])],
        input=TYPED_IN, env={**os.environ, "PYTHONPATH": str(root)}, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["22", "0"]


TYPED_IN = """
import hyperband as hb

scale = 2.0

def typed_in(configuration, resource):
    return scale * configuration["x"] + 1 / resource

space = hb.Space({"x": hb.Float(0.0, 1.0)})
result = hb.minimize(typed_in, space, hb.Hyperband(9), workers=2, executor="processes")
print(result.n_evaluations, len(result.failures))
"""


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
