"""Workers that are processes: spawned, long-lived, each with an object of its own and a pipe to it.

The protocol, pickled over one duplex pipe a worker:

- parent to worker: ``(method, arguments, wanted)``. The worker calls the method of its object; if ``wanted`` it sends
  one answer. Calls without an answer are kept back while a call is open, so that no pipe can fill up; the worker works
  strictly in the order of arrival. The end of the pipe ends the worker.
- worker to parent: ``(Event, value)``: READY or UNUSABLE once, then ANSWER or FAILED for each call that wanted one.

Always spawned: a fork would copy locks that threads of the parent hold (BLAS, CUDA, logging), and hang.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.util import Finalize
from typing import Any, final

from hyperband.errors import HyperbandError
from hyperband.evaluation.functions.failure import Failure
from hyperband.evaluation.interrupts import uninterrupted
from hyperband.evaluation.worker_pools.base import Event, Report, answer
from hyperband.evaluation.worker_pools.main_module import importable_main

#: Linux: the signal that a process gets when its parent dies (sys/prctl.h).
PR_SET_PDEATHSIG = 1

#: Seconds that idle processes have to end by themselves when the pool is closed.
GRACE_PERIOD = 0.5


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    end: int  # a file descriptor that is ready when the process has ended
    busy: bool = True  # until it is ready
    kept_back: list[tuple[str, tuple[Any, ...], bool]] = field(default_factory=list)


@final
class ProcessPool:
    """A pool of processes; see `WorkerPool`. Each is the leader of its own process group and ignores Ctrl-C.

    Parameters
    ----------
    recipe : bytes
        A pickled function without arguments, that makes the object in the worker.
    """

    shared = False

    def __init__(self, recipe: bytes) -> None:
        self._recipe = recipe
        self._started = 0
        self._workers: dict[int, _Worker] = {}
        # Not daemons, which could have no children (data loaders); so they must be ended before Python waits for them.
        self._at_exit = Finalize(self, _end_all, args=(self._workers,), exitpriority=10)

    def grow(self) -> int:
        """Spawn a process."""
        # multiprocessing sets it while this process is still being set up; continuing ends in pages of traceback.
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            raise HyperbandError(
                "A worker process must not start workers while it imports the script; it does. Call hb.minimize under "
                "`if __name__ == '__main__':`."
            )
        self._started += 1
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._recipe), name=f"hyperband-{self._started}")
        process.daemon = False
        with uninterrupted():  # no process may run that is not listed
            # The worker inherits the mask: Ctrl-C in a terminal must not reach it while it is still importing.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            try:
                with importable_main():
                    process.start()
                self._workers[self._started] = _Worker(process, ours, _end_of(process))
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                theirs.close()
        return self._started

    def call(self, worker: int, method: str, *arguments: Any) -> None:
        """Send a call to a worker that has none open."""
        it = self._workers[worker]
        _send(it, (method, arguments, True))
        it.busy = True

    def tell(self, worker: int, method: str, *arguments: Any) -> None:
        """Send a call that wants no answer, once the worker listens."""
        it = self._workers[worker]
        if it.busy:
            it.kept_back.append((method, arguments, False))
        else:
            _send(it, (method, arguments, False))

    def wait(self, seconds: float | None) -> list[Report]:
        """Reports of the workers whose pipe has something, or whose process has ended."""
        by_handle: dict[Any, int] = {it.pipe: worker for worker, it in self._workers.items()}
        by_handle.update((it.end, worker) for worker, it in self._workers.items())
        ready = wait(list(by_handle), seconds)
        return [self._hear(worker) for worker in sorted({by_handle[handle] for handle in ready})]

    def drop(self, worker: int) -> None:
        """Kill a process, and all that it has started."""
        it = self._workers[worker]
        with uninterrupted():
            _end({worker: it}, grace_period=0.0)
            del self._workers[worker]

    def close(self) -> None:
        """Kill the busy processes; the idle ones end by themselves, or are killed soon."""
        with uninterrupted():
            self._at_exit()

    def _hear(self, worker: int) -> Report:
        it = self._workers[worker]
        try:
            # What it had sent before it died still counts.
            if it.pipe.poll():
                event, value = it.pipe.recv()
                it.busy = False
                for message in it.kept_back:
                    _send(it, message)
                it.kept_back.clear()
                return Report(worker, event, value)
        except (EOFError, OSError, pickle.UnpicklingError):
            pass
        it.busy = False
        _kill(it.process)  # what it has started is still there
        return Report(worker, Event.DIED, Failure(_exit_reason(it.process)))


def _send(worker: _Worker, message: tuple[str, tuple[Any, ...], bool]) -> None:
    with suppress(OSError):  # it has died: `wait` will say so
        worker.pipe.send(message)


def _serve(pipe: Connection, recipe: bytes) -> None:
    """The main function of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    os.setpgid(0, 0)  # so that what the objective starts can be killed with it
    _die_with_the_parent()
    try:
        make: Callable[[], Any] = pickle.loads(recipe)
        handler = make()
    except BaseException as error:
        pipe.send((Event.UNUSABLE, Failure.of(error)))
        return
    try:
        pipe.send((Event.READY, None))
        while True:
            method, arguments, wanted = pipe.recv()
            told = answer(handler, method, arguments)
            if wanted:
                pipe.send(told)
    except (EOFError, OSError):
        handler.close()  # the search is over, or its process is gone


def _end_of(process: SpawnProcess) -> int:
    """Of the process itself where the system can: its pipes stay open while a child that it has forked lives."""
    try:
        return os.pidfd_open(process.pid or 0) if sys.platform == "linux" else process.sentinel
    except OSError:
        return process.sentinel


def _die_with_the_parent() -> None:
    """End this worker when the search is killed, where the system offers it; elsewhere it finishes its call first."""
    if sys.platform != "linux":
        return
    # Not a thread that watches the parent: a process with threads should not fork, and data loaders do.
    with suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid != os.getppid():
        os._exit(1)  # it has died already


def _exit_reason(process: SpawnProcess) -> str:
    process.join(1.0)
    code = process.exitcode
    if code is None:
        return "the worker process closed its pipe"
    if code >= 0:
        return f"the worker process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the worker process was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def _end_all(workers: dict[int, _Worker]) -> None:
    _end(workers, GRACE_PERIOD)
    workers.clear()


def _end(workers: dict[int, _Worker], grace_period: float) -> None:
    """Leave no process behind: neither running nor as a zombie."""
    until = time.monotonic() + grace_period
    for it in workers.values():
        if it.busy:
            _kill(it.process)
        it.pipe.close()
    for it in workers.values():
        it.process.join(max(0.0, until - time.monotonic()))
        if it.process.exitcode is None:
            _kill(it.process)
        it.process.join()
        if it.end != it.process.sentinel:
            os.close(it.end)
        it.process.close()


def _kill(process: SpawnProcess) -> None:
    """Kill a process that was not waited for yet, with all that it has started."""
    if process.pid is None:
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # too young to lead a group
        process.kill()
