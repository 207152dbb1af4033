"""Why an evaluation failed: one line, and where in the objective it happened."""

from __future__ import annotations

import traceback
import warnings
from typing import Any, NamedTuple

from hyperband.tuning.trial import Job


class Failure(NamedTuple):
    """Plain text, so that it can come from another process."""

    what: str
    where: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """An exception: its message, and its traceback from the objective inwards."""
        frame = error.__traceback__
        while frame is not None and _is_ours(frame.tb_frame.f_globals):
            frame = frame.tb_next
        try:
            text = str(error)
        except Exception:  # the user's class can do anything
            text = "(its message cannot be shown)"
        what = type(error).__name__ + (f": {text}" if text else "")
        return cls(what, "" if frame is None else "".join(traceback.format_exception(type(error), error, frame)))

    def __str__(self) -> str:
        return f"{self.what}\n{self.where}".rstrip()


class Failures(dict[int, str]):
    """Trial -> what went wrong; the first failure of each kind is also a warning."""

    def __init__(self) -> None:
        super().__init__()
        self._warned: set[str] = set()

    def add(self, job: Job, failure: Failure) -> None:
        """Remember why a trial has no loss."""
        self[job.trial] = str(failure)
        if failure.what not in self._warned:
            self._warned.add(failure.what)
            warnings.warn(
                f"The objective failed on trial {job.trial}, configuration {dict(job.configuration)}: {failure.what}. "
                "The trial is dropped; the search continues.",
                RuntimeWarning,
                stacklevel=2,
            )


def _is_ours(names: dict[str, Any]) -> bool:
    return str(names.get("__name__", "")).startswith("hyperband.evaluation")
