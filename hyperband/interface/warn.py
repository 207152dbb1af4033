"""What a search says without being asked: that its plan is odd, or that losses are no finite numbers."""

from __future__ import annotations

import warnings

from hyperband.errors import ObjectiveError
from hyperband.interface.result import SearchResult
from hyperband.tuning.algorithms import Algorithm


def warn_of_plan(algorithm: Algorithm, stacklevel: int = 3) -> None:
    """A warning, of the caller's caller, where there is something to say of the plan."""
    if algorithm.note is not None:
        warnings.warn(algorithm.note, UserWarning, stacklevel=stacklevel)


def warn_of_losses(result: SearchResult) -> None:
    """One warning, of the caller's caller, where the objective gave NaN or infinite losses, or nothing else at all.

    Raises
    ------
    ObjectiveError
        When every evaluation failed, and the search was not interrupted.
    """
    text = _nothing_found(result) if result.best is None else _not_finite(result)
    if result.best is None and result.failures and not len(result.not_finite) and result.stopped != "interrupted":
        raise ObjectiveError(text, result)
    if text:
        warnings.warn(text, RuntimeWarning, stacklevel=3)


def _nothing_found(result: SearchResult) -> str:
    """For a search without a best."""
    n, n_given = result.n_evaluations, len(result.not_finite)
    if not n:
        return ""  # it was stopped before
    parts = [f"{n - n_given} failed"] * (n > n_given) + [f"{n_given} gave NaN or an infinite loss"] * (n_given > 0)
    text = f"No evaluation gave a finite loss, so there is no best: of {n}, {' and '.join(parts)}."
    return f"{text} The first failure is of {result.first_failure}" if result.first_failure else text


def _not_finite(result: SearchResult) -> str:
    rows = result.not_finite
    if not len(rows):
        return ""
    trial, loss = (result.trials[name][rows[0]] for name in ("trial", "loss"))
    return (
        f"{len(rows)} of {result.n_evaluations} evaluations gave NaN or an infinite loss, the first of them on trial "
        f"{trial}: {loss}. They count as failed: never promoted, never the best. result.not_finite has their rows."
    )
