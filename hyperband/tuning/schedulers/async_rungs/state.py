"""Asynchronous brackets as they were written down, checked: the native table trusts the numbers that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hyperband.errors import InputError
from hyperband.tuning.schedulers.async_rungs.python import OVER, PAUSED, WITHDRAWN
from hyperband.tuning.schedulers.rung_table import F64, I64, unpack


class Rows(NamedTuple):
    """One rung: results in all, and of the finite ones trials, shape (n,), and losses, (n,) or (n, n_objectives)."""

    finished: int
    trials: I64
    losses: F64


def restored(state: Mapping[str, Any], n_rungs: Sequence[int]) -> tuple[I64, list[Rows]]:
    """What `hyperband.tuning.schedulers.async_rungs.Ladders.state_dict` wrote.

    Returns
    -------
    places : int64 array, shape (3, n_trials)
        Bracket, rung and doing of every trial.
    rows : list of Rows, of every rung of every bracket

    Raises
    ------
    InputError
        When it is of other brackets, or does not fit together.
    """
    try:
        places = np.array([state[name] for name in ("brackets", "rungs", "doing")], dtype=np.int64)
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
    _require(places.ndim == 2, "as many brackets, rungs and doings as trials")
    brackets, rungs, doing = places
    _require(_within(brackets, len(n_rungs)), "trials of these brackets")
    _require(bool(((rungs >= 0) & (rungs < np.array(n_rungs)[brackets])).all()), "trials in rungs of their brackets")
    _require(_within(doing, WITHDRAWN + 1), "trials that are open, paused, over or withdrawn")
    left = iter(rows)
    for bracket, n in enumerate(n_rungs):
        for rung in range(n):
            _check_rung(next(left), places, (bracket, rung), rung == n - 1)
    return places, rows


def _rows(finished: Any, trials: Any, losses: Any, several: bool) -> Rows:
    names, values = np.array(trials, dtype=np.int64), unpack(losses)
    if several:
        values = values.reshape(len(names), len(values) // max(1, len(names)))
    return Rows(int(finished), names, values)


def _check_rung(rows: Rows, places: I64, where: tuple[int, int], top: bool) -> None:
    """The results of a rung are of those trials that are in it, or have gone on from it."""
    trials, (bracket, rung) = rows.trials, where
    _require(trials.ndim == 1 and len(trials) == len(rows.losses), "a loss for every trial of a rung")
    _require(rows.losses.size >= len(trials), "at least one objective")
    _require(_within(trials, places.shape[1]), f"results of trials from 0 to {places.shape[1] - 1}")
    _require(len(trials) <= rows.finished <= places.shape[1], "as many results as trials have finished")
    _require(bool(np.isfinite(rows.losses).all()), "finite losses in the rungs")
    here = (places[0] == bracket) & (places[1] == rung) & (places[2] == (OVER if top else PAUSED))
    gone_on = (places[0] == bracket) & (places[1] > rung)
    known = np.zeros(places.shape[1], dtype=np.bool_)
    known[trials] = True
    fits = not bool((known & ~here & ~gone_on).any()) and int(known.sum()) == len(trials)
    # In the top rung those who failed are over as well, and have no loss here.
    _require(fits and (top or bool((known == (here | gone_on)).all())), "one result in a rung of everybody who had one")


def _within(values: I64, end: int) -> bool:
    return bool(((values >= 0) & (values < end)).all())


def _require(fits: bool, rule: str) -> None:
    if not fits:
        raise InputError(f"The state must have {rule}; it was damaged. Use one as `state_dict` gave it.")
