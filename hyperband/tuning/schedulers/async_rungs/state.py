"""The saved state of asynchronous brackets, checked: the native table trusts the numbers that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hyperband.errors import InputError
from hyperband.tuning.schedulers.async_rungs.python import OVER, PAUSED, WITHDRAWN
from hyperband.tuning.schedulers.rung_table import F64, I64, unpack


class Rows(NamedTuple):
    """One rung: number of results; trials, shape (n,), and losses, (n,) or (n, n_objectives), of the finite ones."""

    finished: int
    trials: I64
    losses: F64


def restored(state: Mapping[str, Any], n_rungs: Sequence[int]) -> tuple[I64, list[Rows]]:
    """The arrays that `hyperband.tuning.schedulers.async_rungs.AsyncRungs.state_dict` saved.

    Returns
    -------
    trials : int64 array, shape (3, n_trials)
        Bracket, rung and status of every trial.
    rows : list of Rows, of every rung of every bracket

    Raises
    ------
    InputError
        When the state belongs to other brackets, or contradicts itself.
    """
    try:
        trials = np.array([state[name] for name in ("brackets", "rungs", "statuses")], dtype=np.int64)
        rows = [_rows(finished, trials, losses, state["several"]) for finished, trials, losses in state["rows"]]
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise InputError(
            f"The state must be what `state_dict` gave; got one that cannot be read ({error!r})."
        ) from None
    if len(rows) != sum(n_rungs):
        raise InputError(
            f"The state must be of brackets with {sum(n_rungs)} rungs in all; got {len(rows)}. "
            "Start the algorithm with the settings that the state was saved under."
        )
    _require(trials.ndim == 2, "a bracket, a rung and a status for every trial")
    brackets, rungs, statuses = trials
    _require(_within(brackets, len(n_rungs)), "trials of these brackets")
    _require(bool(((rungs >= 0) & (rungs < np.array(n_rungs)[brackets])).all()), "trials in rungs of their brackets")
    _require(_within(statuses, WITHDRAWN + 1), "trials that are open, paused, over or withdrawn")
    left = iter(rows)
    for bracket, n in enumerate(n_rungs):
        for rung in range(n):
            _check_rung(next(left), trials, (bracket, rung), rung == n - 1)
    return trials, rows


def _rows(finished: Any, trials: Any, losses: Any, several: bool) -> Rows:
    numbers, values = np.array(trials, dtype=np.int64), unpack(losses)
    if several:
        values = values.reshape(len(numbers), len(values) // max(1, len(numbers)))
    return Rows(int(finished), numbers, values)


def _check_rung(rows: Rows, states: I64, where: tuple[int, int], top: bool) -> None:
    """The results of a rung must be of the trials that are in it or were promoted from it."""
    trials, (bracket, rung) = rows.trials, where
    _require(trials.ndim == 1 and len(trials) == len(rows.losses), "a loss for every trial of a rung")
    _require(rows.losses.size >= len(trials), "at least one objective")
    _require(_within(trials, states.shape[1]), f"results of trials from 0 to {states.shape[1] - 1}")
    _require(len(trials) <= rows.finished <= states.shape[1], "as many results as trials have finished")
    _require(bool(np.isfinite(rows.losses).all()), "finite losses in the rungs")
    here = (states[0] == bracket) & (states[1] == rung) & (states[2] == (OVER if top else PAUSED))
    promoted = (states[0] == bracket) & (states[1] > rung)
    known = np.zeros(states.shape[1], dtype=np.bool_)
    known[trials] = True
    fits = not bool((known & ~here & ~promoted).any()) and int(known.sum()) == len(trials)
    # In the top rung a failed trial is over as well, and has no loss here.
    _require(
        fits and (top or bool((known == (here | promoted)).all())),
        "one result in each rung of every trial that finished it",
    )


def _within(values: I64, end: int) -> bool:
    return bool(((values >= 0) & (values < end)).all())


def _require(fits: bool, rule: str) -> None:
    if not fits:
        raise InputError(f"The state must have {rule}; it was damaged. Use one as `state_dict` gave it.")
