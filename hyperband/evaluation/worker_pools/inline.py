"""One worker that is the caller itself: calls run inside `wait`, and nothing runs beside them."""

from __future__ import annotations

from typing import Any, final

from hyperband.evaluation.functions.failure import Failure
from hyperband.evaluation.interrupts import is_from_outside
from hyperband.evaluation.worker_pools.base import Event, Report, perform


@final
class InlinePool:
    """A pool of one worker; see `WorkerPool`. What comes from outside, such as Ctrl-C, reaches the caller."""

    shared = True

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._reports: list[Report] = []
        self._call: tuple[int, str, tuple[Any, ...]] | None = None
        self._started = 0

    def grow(self) -> int:
        """The caller once more: a report says at once that it is ready."""
        self._started += 1
        self._reports.append(Report(self._started, Event.READY))
        return self._started

    def call(self, worker: int, method: str, *arguments: Any) -> None:
        """Remember a call."""
        self._call = worker, method, arguments

    def tell(self, worker: int, method: str, *arguments: Any) -> None:
        """Call at once."""
        perform(self._handler, method, arguments)

    def wait(self, seconds: float | None) -> list[Report]:
        """Make the call that was remembered, however long it takes."""
        reports, self._reports = self._reports, []
        if not reports and self._call is not None:
            (worker, method, arguments), self._call = self._call, None
            try:
                reports = [Report(worker, Event.ANSWER, perform(self._handler, method, arguments))]
            except BaseException as error:  # the user's code can raise anything
                if is_from_outside(error):
                    raise
                reports = [Report(worker, Event.FAILED, Failure.of(error))]
        return reports

    def drop(self, worker: int) -> None:
        """Forget the call."""
        self._call = None

    def close(self) -> None:
        """Forget everything."""
        self._call, self._reports = None, []
