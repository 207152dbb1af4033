"""Checks of the arguments that `search` and `minimize` share."""

from __future__ import annotations

from hyperband.errors import InputError
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.loop import OnEvent
from hyperband.evaluation.progress import OnProgress
from hyperband.tuning.algorithms import Algorithm


def check_algorithm(algorithm: Algorithm) -> None:
    """`InputError` unless this is an algorithm."""
    if isinstance(algorithm, type) or not isinstance(algorithm, Algorithm):
        raise InputError(
            f"`algorithm` must be an algorithm such as hb.Hyperband(81); got {algorithm!r}. "
            "A class of your own inherits hyperband.tuning.algorithms.AlgorithmBase."
        )


def check_control(budget: Budget | None, progress: bool | OnProgress, on_event: OnEvent | None) -> None:
    """`InputError` unless these limit, show and stop a search."""
    if budget is not None and not isinstance(budget, Budget):
        raise InputError(f"`budget` must be a Budget such as Budget(seconds=60), or None; got {budget!r}.")
    if not isinstance(progress, bool) and not callable(progress):
        raise InputError(f"`progress` must be True, False or a function; got {progress!r}.")
    if on_event is not None and not callable(on_event):
        raise InputError(f"`on_event` must be a function of (run, results), or None; got {on_event!r}.")


def check_record(value: object, kind: type, name: str) -> None:
    """`InputError` unless this is a record of settings."""
    if not isinstance(value, kind):
        raise InputError(f"`{name}` must be a {kind.__name__}: hb.{kind.__name__}(...); got {value!r}.")
