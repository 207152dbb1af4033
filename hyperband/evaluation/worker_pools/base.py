"""The contract of a worker pool, and how a worker answers."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, NamedTuple, Protocol

from hyperband.evaluation.functions.failure import Failure


class Event(Enum):
    """What can happen to a worker."""

    READY = auto()  #: it can be called
    ANSWER = auto()  #: what the method returned
    FAILED = auto()  #: the method raised; a `Failure`
    UNUSABLE = auto()  #: the worker could not be made; a `Failure`
    DIED = auto()  #: its process is gone; a `Failure`


class Report(NamedTuple):
    """What has happened to one worker."""

    worker: int
    event: Event
    value: Any = None


class WorkerPool(Protocol):
    """Workers that call methods of an object.

    Workers have numbers, which are never used again. A worker is called only when it has no call open.
    """

    shared: bool  #: one object for all workers; False: one for each

    def grow(self) -> int:
        """Start one more worker and return its number; a report says when it is ready."""

    def call(self, worker: int, method: str, *arguments: Any) -> None:
        """Call a method of the object; the answer comes as a report."""

    def tell(self, worker: int, method: str, *arguments: Any) -> None:
        """Call a method without an answer, after the call that is open and before the next one."""

    def wait(self, seconds: float | None) -> list[Report]:
        """Reports; waits for the first one at most so long (None: without a limit)."""

    def drop(self, worker: int) -> None:
        """Give a worker up, whatever it is doing. No report of it follows."""

    def close(self) -> None:
        """Give all workers up; those that have no call open may end by themselves."""


def perform(handler: Any, method: str, arguments: tuple[Any, ...]) -> Any:
    """Call a method by its name: to a process a call is a message."""
    return getattr(handler, method)(*arguments)


def answer(handler: Any, method: str, arguments: tuple[Any, ...]) -> tuple[Event, Any]:
    """Call a method in a worker. Nothing that it raises, `SystemExit` included, ends the worker."""
    try:
        return Event.ANSWER, perform(handler, method, arguments)
    except BaseException as error:
        return Event.FAILED, Failure.of(error)
