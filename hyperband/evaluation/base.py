"""The contract between the loop and whatever turns jobs into results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

from hyperband.tuning.trial import Job, Result


class Evaluator(Protocol):
    """Jobs in, results out, in any order; a synchronous search does not depend on that order.

    `EvaluatorBase` has the usual answers for everything but ``submit`` and ``collect``.
    """

    unit: str  #: of the resource, for people: "epochs", "rows", "features", ...
    deadline: float | None  #: monotonic seconds beyond which `collect` does not wait; set by the loop

    @property
    def capacity(self) -> int | None:
        """Jobs that it works on at a time; None: all that there are. Read anew before each `submit`."""

    @property
    def continues(self) -> bool:
        """Whether a promoted trial continues from where it was paused; False: every job starts from zero."""

    @property
    def failures(self) -> Mapping[int, str]:
        """Trial -> what went wrong: a line, and the traceback where there is one."""

    @property
    def halted(self) -> bool:
        """Whether no open job will ever be finished, though there are some: the search ends."""

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take on more jobs; at most one open job per trial."""

    def collect(self) -> list[Result]:
        """Work for a short while (or wait for workers) and return what is finished, possibly nothing."""

    def partial(self) -> Mapping[int, float]:
        """Trial -> resource gained so far in its open job, for the progress display; only where it is known."""

    def release(self, trials: Sequence[int]) -> None:
        """These trials will never continue: free what they hold, except what the incumbent needs."""

    def close(self) -> None:
        """Stop and free everything; further calls are errors."""


class EvaluatorBase(ABC):
    """The usual answers of an `Evaluator`: inherit it and write ``submit`` and ``collect``."""

    unit: str = "resource"
    deadline: float | None = None
    capacity: int | None = None
    continues: bool = True
    halted: bool = False
    failures: Mapping[int, str] = {}

    @abstractmethod
    def submit(self, jobs: Sequence[Job]) -> None:
        """Take on more jobs."""

    @abstractmethod
    def collect(self) -> list[Result]:
        """Return what is finished."""

    def partial(self) -> Mapping[int, float]:
        """Nothing is known of open jobs."""
        return {}

    def release(self, trials: Sequence[int]) -> None:  # noqa: B027  (holding nothing is usual)
        """Nothing is held."""

    def close(self) -> None:  # noqa: B027  (likewise)
        """Nothing to free."""
