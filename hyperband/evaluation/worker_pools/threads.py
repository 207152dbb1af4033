"""Workers that are threads: they share one object. A thread that hangs cannot be stopped, only abandoned."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, final

from hyperband.evaluation.worker_pools.base import Event, Report, answer, perform

_Inbox: TypeAlias = "SimpleQueue[tuple[str, tuple[Any, ...]] | None]"


@final
class ThreadPool:
    """A pool of daemon threads; see `WorkerPool`. An abandoned one does not keep the interpreter from exiting."""

    shared = True

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._started = 0
        self._threads: dict[int, tuple[threading.Thread, _Inbox]] = {}
        self._busy: set[int] = set()
        self._reports: SimpleQueue[Report] = SimpleQueue()

    def grow(self) -> int:
        """Start a thread."""
        self._started += 1
        worker = self._started
        inbox: _Inbox = SimpleQueue()
        thread = threading.Thread(
            target=_serve, args=(worker, self._handler, inbox, self._reports), name=f"hyperband-{worker}", daemon=True
        )
        self._threads[worker] = thread, inbox
        thread.start()
        self._reports.put(Report(worker, Event.READY))
        return worker

    def call(self, worker: int, method: str, *arguments: Any) -> None:
        """Hand a call to a thread."""
        self._busy.add(worker)
        self._threads[worker][1].put((method, arguments))

    def tell(self, worker: int, method: str, *arguments: Any) -> None:
        """Call at once: the object is the same for all."""
        perform(self._handler, method, arguments)

    def wait(self, seconds: float | None) -> list[Report]:
        """All reports, once there is one."""
        found: list[Report] = []
        try:
            found.append(self._reports.get(timeout=seconds))
            while True:
                found.append(self._reports.get_nowait())
        except Empty:
            pass
        found = [report for report in found if report.worker in self._threads]
        self._busy.difference_update(report.worker for report in found)
        return found

    def drop(self, worker: int) -> None:
        """Abandon a thread: it ends when its call does, and its answer is ignored."""
        _, inbox = self._threads.pop(worker)
        inbox.put(None)
        self._busy.discard(worker)

    def close(self) -> None:
        """End the idle threads, and abandon the others."""
        idle = [thread for worker, (thread, _) in self._threads.items() if worker not in self._busy]
        for worker in [*self._threads]:
            self.drop(worker)
        for thread in idle:
            thread.join()


def _serve(worker: int, handler: Any, inbox: _Inbox, reports: SimpleQueue[Report]) -> None:
    while (call := inbox.get()) is not None:
        reports.put(Report(worker, *answer(handler, *call)))
