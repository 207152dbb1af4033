"""What the tests of workers share: short searches, and the check that nobody is left."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest
from toy import Algorithm, Line

import hyperband as hb
from hyperband.interface.minimize import minimize
from hyperband.tuning.schedulers import FullScheduler, HyperbandScheduler

HYPERBAND = Algorithm(HyperbandScheduler(9, 3))
FEW = Algorithm(FullScheduler(12, 1))
LONG = 60.0  # seconds that nothing here may take; what hangs, hangs for ten times as long


@pytest.fixture(autouse=True)
def no_worker_is_left():
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


def processes(objective, algorithm=FEW, workers=2, **settings):
    return minimize(objective, Line(), algorithm, workers=hb.Workers(workers, executor="processes", **settings))


def is_gone(pid):
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
