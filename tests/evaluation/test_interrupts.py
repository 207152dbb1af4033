"""What an objective raises is its own; what Ctrl-C or a signal's handler raises while it runs ends the search."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from functools import partial

import pytest
from toy import Algorithm, Line

import hyperband as hb
from hyperband.evaluation.functions.evaluation import Evaluation
from hyperband.evaluation.functions.workers import Workers
from hyperband.evaluation.interrupts import is_from_outside
from hyperband.interface.minimize import minimize
from hyperband.tuning.schedulers import FullScheduler, SuccessiveHalvingScheduler

FEW = Algorithm(FullScheduler(6, 1))


def leave(number, frame):
    sys.exit(128 + number)


class Leaver:
    def __call__(self, number, frame):
        leave(number, frame)

    def method(self, number, frame):
        leave(number, frame)


HANDLERS = {
    "function": leave,
    "lambda": lambda number, frame: sys.exit(128 + number),
    "object": Leaver(),
    "method": Leaver().method,
    "partial": partial(partial(lambda text, number, frame: leave(number, frame)), "text"),
}


@pytest.fixture
def handled():
    """Sets a handler of SIGTERM, for the test."""
    before = signal.getsignal(signal.SIGTERM)
    yield partial(signal.signal, signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)


def pressed(calls, configuration, resource):
    calls.append(configuration["x"])
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGTERM)
    return configuration["x"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of a failure, where the exit were taken for one
@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS)
def test_a_signal_whose_handler_exits_ends_the_search(handler, handled):
    handled(handler)
    calls = []
    with pytest.raises(SystemExit) as seen:
        minimize(partial(pressed, calls), Line(), FEW)
    assert seen.value.code == 128 + signal.SIGTERM
    assert len(calls) == 3


def test_a_signal_in_a_batch_or_a_state_ends_the_search_too(handled):
    handled(leave)
    space = hb.Space({"x": hb.Float(0.0, 1.0)})
    with pytest.raises(SystemExit):
        hb.minimize(lambda c, r: os.kill(os.getpid(), signal.SIGTERM), space, hb.RandomSearch(1, n=3), batched=True)

    class Copied:
        def __deepcopy__(self, memo):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        hb.minimize(
            lambda c, r, state: Evaluation(c["x"], state=Copied()), space, hb.PBT(3, n=4, interval=1, fraction=0.5)
        )


def test_a_handler_that_raises_an_exception_cuts_one_evaluation_short(handled):
    def late(number, frame):
        raise TimeoutError("too slow")

    handled(late)
    calls = []
    with pytest.warns(RuntimeWarning, match="TimeoutError: too slow"):
        result = minimize(partial(pressed, calls), Line(), FEW)
    assert (len(calls), result.n_evaluations, len(result.failures)) == (6, 6, 1)


def test_one_worker_and_several_count_an_exit_alike():
    def objective(configuration, resource):
        if configuration["x"] > 0.5:
            sys.exit(2)
        return configuration["x"]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        results = [minimize(objective, Line(), FEW, workers=n) for n in (1, 2)]
    assert repr(results[0].trials["loss"].tolist()) == repr(results[1].trials["loss"].tolist())
    assert results[0].failures.keys() == results[1].failures.keys()
    assert 0 < len(results[0].failures) < 6
    assert {text.splitlines()[0] for text in results[0].failures.values()} == {"SystemExit: 2"}


def test_an_exit_is_tried_again():
    tries = []

    def objective(configuration, resource):
        tries.append(configuration["x"])
        if len(tries) == 1:
            sys.exit("once")
        return configuration["x"]

    result = minimize(objective, Line(), FEW, workers=Workers(retries=1))
    assert (len(tries), result.failures) == (7, {})


def test_an_exit_in_a_generator_a_state_and_a_batch():
    def generator(configuration):
        yield configuration["x"]
        sys.exit("enough")

    space = hb.Space({"x": hb.Float(0.0, 1.0)})
    algorithm = hb.SuccessiveHalving(3, 3)
    with pytest.warns(RuntimeWarning, match="SystemExit: enough"):
        assert len(minimize(generator, space, algorithm).failures) == 1
    with pytest.warns(RuntimeWarning, match="SystemExit: enough"), pytest.raises(hb.ObjectiveError) as raised:
        minimize(lambda c, r: sys.exit("enough"), space, algorithm, batched=True)
    result = raised.value.result
    assert (result.n_evaluations, len(result.failures)) == (3, 3)


def test_a_generator_that_exits_when_it_is_closed_ends_nothing():
    def generator(configuration):
        try:
            while True:
                yield configuration["x"]
        finally:
            sys.exit("at the end")

    result = minimize(generator, Line(), Algorithm(SuccessiveHalvingScheduler(9, 3)))
    assert (result.stopped, result.failures) == ("finished", {})


def test_a_state_that_exits_when_it_is_copied_costs_its_copy():
    class Copied:
        def __deepcopy__(self, memo):
            sys.exit("no copies")

    space = hb.Space({"x": hb.Float(0.0, 1.0)})
    with pytest.warns(RuntimeWarning, match="state of trial . cannot be copied: no copies"):
        result = hb.minimize(
            lambda c, r, state: Evaluation(c["x"], state=Copied()), space, hb.PBT(3, n=4, interval=1, fraction=0.5)
        )
    assert result.stopped == "finished"
    assert result.best is not None


def test_ctrl_c_ends_the_search_with_the_best_so_far():
    def objective(configuration, resource):
        if len(calls) >= 3 and next(once, False):
            os.kill(os.getpid(), signal.SIGINT)
        calls.append(configuration["x"])
        return configuration["x"]

    for n in (1, 2):
        calls, once = [], iter([True])
        result = minimize(objective, Line(), FEW, workers=n)
        assert result.interrupted, n
        assert result.failures == {}
        assert result.best.loss in calls


def test_what_is_from_outside():
    assert is_from_outside(KeyboardInterrupt())
    assert not any(map(is_from_outside, [SystemExit(2), ValueError(), GeneratorExit()]))
