"""Rung tables: the losses of one rung, and its survivors. In C++ where it is built, else in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.tuning.pareto import ranked
from hyperband.tuning.trial import Loss

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


def _built() -> Callable[[F64, I64, int], I64] | None:
    try:
        from hyperband._core import top_k
    except ImportError:  # a pure-Python wheel
        return None
    return top_k


top_k_native = _built()

#: Which implementation `top_k` uses: "native" or "numpy".
ENGINE = "numpy" if top_k_native is None else "native"


def top_k(losses: F64, trials: I64, k: int) -> I64:
    """Trials with the ``k`` smallest losses, best first.

    Parameters
    ----------
    losses : float64 array, shape (n,)
    trials : int64 array, shape (n,), distinct
    k : int >= 0

    Returns
    -------
    int64 array, shape (at most k,)
        Equal losses in the order of trial number, whatever the order of the rows. A loss that is NaN or infinite never
        survives, even if fewer than ``k`` do.

    Examples
    --------
    >>> top_k(np.array([0.5, np.nan, 0.5, 0.1]), np.array([7, 8, 3, 9]), 2).tolist()
    [9, 3]
    """
    if top_k_native is None:
        return top_k_numpy(losses, trials, k)
    return top_k_native(losses, trials, k)


def top_k_numpy(losses: F64, trials: I64, k: int) -> I64:
    """`top_k` in NumPy: for installations without a compiler, and the reference in tests."""
    finite = np.isfinite(losses)
    rows, names = losses[finite], trials[finite]
    return names[np.lexsort((names, rows))[:k]]


class RungTable:
    """Trials of one rung, in ascending order, with the losses told so far; one column each.

    Losses are numbers, or tuples of one number an objective; then survivors are ranked by `pareto.ranked`.

    Parameters
    ----------
    trials : sequence of int, ascending; more can be appended with `extend`

    Examples
    --------
    >>> table = RungTable([4, 5, 9])
    >>> for trial, loss in [(9, 0.2), (4, math.nan), (5, 0.3)]:
    ...     table.record(trial, loss)
    >>> table.complete, table.survivors(2)
    (True, [9, 5])
    """

    __slots__ = ("_losses", "_n", "_n_told", "_told", "_trials")

    def __init__(self, trials: Sequence[int] | I64 = ()) -> None:
        self._trials: I64 = np.array(trials, dtype=np.int64)
        self._n, self._n_told = len(self._trials), 0
        self._losses: F64 = np.full(self._n, np.nan)
        self._told = np.zeros(self._n, dtype=np.bool_)

    def __len__(self) -> int:
        return self._n

    @property
    def trials(self) -> I64:
        """Trial numbers, ascending, shape (n,)."""
        return self._trials[: self._n]

    @property
    def complete(self) -> bool:
        """Every trial of the table has its loss."""
        return self._n_told == self._n

    def extend(self, trials: range) -> None:
        """Append trials; their numbers are greater than all before."""
        need = self._n + len(trials)
        if need > len(self._trials):
            # Doubling: a search that asks one by one still pays O(1) a trial.
            room = max(need, 2 * len(self._trials), 16) - self._n
            self._trials = np.concatenate([self.trials, np.zeros(room, np.int64)])
            empty = np.full((room, *self._losses.shape[1:]), np.nan)
            self._losses = np.concatenate([self._losses[: self._n], empty])
            self._told = np.concatenate([self._told[: self._n], np.zeros(room, np.bool_)])
        self._trials[self._n : need] = trials
        self._n = need

    def find(self, trial: int) -> int:
        """Row of an untold trial; raises `InputError` when it is not in the table or was told before."""
        row = int(np.searchsorted(self.trials, trial))
        if row >= self._n or self._trials[row] != trial:
            raise InputError(f"A loss must be of a trial that was handed out in this rung; got trial {trial}.")
        if self._told[row]:
            raise InputError(f"A trial must be told once a rung; got trial {trial} again.")
        return row

    def record(self, trial: int, loss: Loss) -> None:
        """Enter the loss of a trial, once."""
        row = self.find(trial)
        if isinstance(loss, tuple) and self._losses.ndim == 1:
            self._losses = np.full((len(self._trials), len(loss)), np.nan)
        self._losses[row], self._told[row] = loss, True
        self._n_told += 1

    def discard(self, trials: Iterable[int]) -> None:
        """Forget trials that were not told."""
        rows = [self.find(trial) for trial in trials]
        keep = np.ones(self._n, dtype=np.bool_)
        keep[rows] = False
        self._trials, self._losses = self.trials[keep], self._losses[: self._n][keep]
        self._told = self._told[: self._n][keep]
        self._n = len(self._trials)

    def survivors(self, k: int) -> list[int]:
        """The best ``k`` trials told so far, best first; see `top_k`."""
        told = self._told[: self._n]
        losses, trials = self._losses[: self._n][told], self.trials[told]
        several = losses.ndim > 1
        best: list[int] = (trials[ranked(losses, trials)[:k]] if several else top_k(losses, trials, k)).tolist()
        return best

    def finite(self) -> list[int]:
        """Trials with a finite loss, ascending."""
        finite = np.isfinite(self._losses[: self._n])
        found: list[int] = self.trials[finite.all(axis=1) if finite.ndim > 1 else finite].tolist()
        return found

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        return {
            "trials": self.trials.tolist(),
            "losses": pack(self._losses[: self._n].ravel()),
            "told": np.flatnonzero(self._told[: self._n]).tolist(),
            "n_objectives": self._losses.shape[1] if self._losses.ndim > 1 else 1,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> RungTable:
        """The table that `state_dict` was taken of; `InputError` when it does not fit together."""
        table, losses, told = cls(state["trials"]), unpack(state["losses"]), state["told"]
        if state["n_objectives"] != 1:
            losses = losses.reshape(-1, state["n_objectives"])
        ascending = table.trials.ndim == 1 and bool((np.diff(table.trials) > 0).all())
        rows = len(set(told)) == len(told) and all(type(row) is int and 0 <= row < len(table) for row in told)
        if not ascending or len(losses) != len(table) or not rows:
            raise InputError(
                "The state of a rung must have ascending trials, a loss for each, and rows that were told."
            )
        table._losses = losses
        table._told[told] = True
        table._n_told = len(told)
        return table


def pack(values: F64) -> list[float | str | None]:
    """Numbers for strict JSON, which has neither NaN (None here) nor infinity ("inf", "-inf"); exact."""
    return [v if math.isfinite(v) else None if math.isnan(v) else str(v) for v in values.tolist()]


def unpack(values: Sequence[float | str | None]) -> F64:
    """Inverse of `pack`."""
    return np.array([math.nan if v is None else float(v) for v in values], dtype=np.float64)
