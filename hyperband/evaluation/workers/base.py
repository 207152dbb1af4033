"""The contract of a crew of workers, and how a worker answers."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, NamedTuple, Protocol

from hyperband.evaluation.functions.failure import Failure


class News(Enum):
    """What can be reported of a worker."""

    READY = auto()  #: it can be called
    ANSWER = auto()  #: what the method returned
    FAILED = auto()  #: the method raised; a `Failure`
    UNUSABLE = auto()  #: the worker could not be made; a `Failure`
    DIED = auto()  #: its process is gone; a `Failure`


class Report(NamedTuple):
    """News of one worker."""

    worker: int
    news: News
    value: Any = None


class Crew(Protocol):
    """Workers, each of which calls methods of an object: one for all (``shared``), or each of its own.

    Workers have numbers that are never used again. A worker is called only when it has no call open.
    """

    shared: bool

    def grow(self) -> int:
        """Start one more worker and return its number; a report says when it is ready."""

    def call(self, worker: int, method: str, *arguments: Any) -> None:
        """Call a method of the object; the answer comes as a report."""

    def tell(self, worker: int, method: str, *arguments: Any) -> None:
        """Call a method without an answer, after the call that is open and before the next one."""

    def wait(self, seconds: float | None) -> list[Report]:
        """What there is to report; waits for it for so long (None: until there is something)."""

    def drop(self, worker: int) -> None:
        """Give a worker up, whatever it is doing. Nothing more is reported of it."""

    def close(self) -> None:
        """Give all workers up; those that have no call open end in peace."""


def answer(handler: Any, method: str, arguments: tuple[Any, ...]) -> tuple[News, Any]:
    """Call a method in a worker. Nothing that it raises, `SystemExit` included, ends the worker."""
    try:
        return News.ANSWER, getattr(handler, method)(*arguments)
    except BaseException as error:
        return News.FAILED, Failure.of(error)
