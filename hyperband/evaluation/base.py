"""The contract between the driver and whatever turns jobs into results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hyperband.tuning.trial import Job, Result


class Evaluator(Protocol):
    """Jobs in, results out, in any order; a synchronous search does not depend on that order.

    `hyperband.evaluation.loop.drive` reads and sets further attributes where there are any: ``capacity``,
    ``continues``, ``failures``, ``deadline``.
    """

    unit: str  #: of the resource, for people: "epochs", "rows", "features", ...

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take on more jobs; at most one open job per trial."""

    def collect(self) -> list[Result]:
        """Work for a short while (or wait for workers) and return what is finished, possibly nothing."""

    def release(self, trials: Sequence[int]) -> None:
        """These trials will never go on: free what they hold, except what the incumbent needs."""

    def close(self) -> None:
        """Stop and free everything; further calls are errors."""
