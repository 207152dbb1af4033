"""Objectives for worker processes: at the top level of a module, as those need. Folders are bound with `partial`."""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time

from hyperband.evaluation.functions.evaluation import Evaluation


def plain(configuration, resource):
    return configuration["x"] + 1 / resource


def slow(configuration, resource):
    """Takes a random time, so that results arrive in any order."""
    time.sleep(random.random() / 100)
    return configuration["x"] + 1 / resource


def stateful(configuration, resource, state):
    """The state names its process, and cannot leave it."""
    if state is not None:
        assert state["x"] == configuration["x"]
        assert state["pid"] == os.getpid()
        assert state["thread"] is threading.current_thread()
    steps = resource - (state["at"] if state else 0)
    time.sleep(random.random() / 100)
    state = {"x": configuration["x"], "at": resource, "pid": os.getpid(), "thread": threading.current_thread()}
    return Evaluation(configuration["x"] + 1 / resource, state=state, metrics={"steps": steps})


def yielding(configuration):
    epoch = 0
    while True:
        epoch += 1
        yield configuration["x"] + 1 / epoch


def once(folder, what):
    """True the first time that it is called for ``what``, in whatever process."""
    try:
        os.close(os.open(os.path.join(folder, f"once-{what}"), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def note(folder, what):
    with open(os.path.join(folder, "notes"), "a", encoding="utf-8") as file:
        file.write(f"{what}\n")


class Unusual(BaseException):
    """No `Exception`, as the outcomes of test runners are."""


def die(how):
    if how == "exit":
        os._exit(3)
    if how == "sys.exit":
        sys.exit("enough")
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "raise":
        raise ValueError("too deep")
    if how == "base":
        raise Unusual("enough")
    if how == "group":
        raise BaseExceptionGroup("enough", [SystemExit(2)])
    if how == "generator exit":
        raise GeneratorExit("enough")
    if how == "hang":
        time.sleep(600)
    if how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            pass
    os.kill(os.getpid(), getattr(signal, how))


def dying(how, configuration, resource):
    """Ends badly in the upper part of the line."""
    if configuration["x"] > 0.8:
        die(how)
    return configuration["x"] + 1 / resource


def dying_once(how, folder, configuration, resource):
    if configuration["x"] > 0.8 and once(folder, configuration["x"]):
        die(how)
    return configuration["x"] + 1 / resource


def dying_later(how, folder, configuration, resource, state):
    """The first trial that continues brings its process down, with all states in it; only once."""
    note(folder, f"{configuration['x']} {resource} {state}")
    if resource > 1 and once(folder, "death"):
        die(how)
    return Evaluation(configuration["x"] + 1 / resource, state=resource)


def counting(configuration, resource, state):
    """How many calls this state has seen."""
    state = [*(state or []), configuration["x"]]
    return Evaluation(len(state), state=state)


def hanging_later(configuration, resource, state):
    time.sleep(configuration["seconds"])
    return counting({"x": 0}, resource, state)


def unpicklable(configuration, resource, state):
    return Evaluation(configuration["x"], state=threading.Lock() if configuration["x"] > 0.5 else resource)


def strange(configuration, resource):
    """Raises what can be neither sent nor shown."""

    class Local(Exception):
        def __str__(self):
            raise RuntimeError("no text")

        def __reduce__(self):
            raise pickle.PicklingError("never")

    raise Local


def having_children(folder, configuration, resource):
    """Starts a process of its own, and hangs."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    note(folder, child.pid)
    time.sleep(600)


def forking(folder, configuration, resource):
    """A child by fork has all pipes of its parent, and keeps them open when that dies."""
    if configuration["x"] > 0.8:
        child = os.fork()
        if child == 0:
            time.sleep(600)
        note(folder, child)
        os.kill(os.getpid(), signal.SIGKILL)
    return configuration["x"]


def pressing(folder, configuration, resource):
    """Presses Ctrl-C in the process that searches, once something was found, and hangs."""
    note(folder, os.getpid())
    with open(os.path.join(folder, "notes"), encoding="utf-8") as file:
        calls = len(file.readlines())
    if calls >= 4:  # of two workers: one has got a second job, so its first answer has arrived
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(600)
    return configuration["x"]


class NotThere:
    """Can be pickled, but not read back in another process."""

    def __call__(self, configuration, resource):
        return 0.0

    def __reduce__(self):
        return _absent, (os.getpid(),)


def _absent(pid):
    if os.getpid() != pid:
        raise ImportError("there is no such thing here")
    return NotThere()
