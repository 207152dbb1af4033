"""Points of the unit cube by trial number, 8 bytes a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.columns import GrowingColumns
from hyperband.errors import InputError
from hyperband.tuning.schedulers.rung_table import pack, unpack

#: `hyperband.tuning.run.evaluation_log.EvaluationLog` writes trials as 32 bits.
MOST_TRIALS = 2**31


class PointStore:
    """The point of every trial in the space.

    Parameters
    ----------
    n_dimensions : int

    Examples
    --------
    >>> store = PointStore(2)
    >>> store.add([0, 1], np.array([[0.5, 0.1], [0.2, np.nan]]))
    >>> len(store), store.of([1]).tolist()
    (2, [[0.2, nan]])
    """

    def __init__(self, n_dimensions: int) -> None:
        self._n_dimensions = n_dimensions
        self._values = GrowingColumns(n_dimensions, np.float64, 0)
        self._known = GrowingColumns(1, np.bool_, 0)  # numbers of trials that never began stay unused
        self._end = self._n = 0

    def __len__(self) -> int:
        return self._n

    def add(self, trials: Sequence[int], points: NDArray[np.float64]) -> None:
        """Points of new trials, shape (n, n_dimensions), the trials ascending."""
        n = len(trials)
        if not n:
            return
        self._end, self._n = max(self._end, trials[-1] + 1), self._n + n
        if n == 1:
            values, column = self._values.block(trials[0])
            values[:, column] = points[0]
            self._known.block(trials[0])[0][0, column] = True
            return
        if trials[-1] - trials[0] == n - 1:
            self._values.put(trials[0], points.T)
            self._known.put(trials[0], np.ones((1, n), dtype=np.bool_))
            return
        for trial, point in zip(trials, points, strict=True):
            self.add([trial], point[None])
            self._n -= 1

    def knows(self, trial: int) -> bool:
        """Whether the trial was handed out."""
        return 0 <= trial < self._end and bool(self._known[trial][0])

    def of(self, trials: Sequence[int]) -> NDArray[np.float64]:
        """Points of trials, shape (n, n_dimensions); `InputError` when one was not handed out."""
        if len(trials) == 1 and self.knows(trials[0]):
            block, column = self._values.block(trials[0])
            return block[:, column][None].copy()
        rows = np.asarray(trials, dtype=np.int64)
        wrong = (rows < 0) | (rows >= self._end)
        wrong[~wrong] = ~self._known.take(rows[~wrong])[0]
        if wrong.any():
            raise InputError(f"A trial must have been handed out; got {rows[wrong][0]}.")
        return np.ascontiguousarray(self._values.take(rows).T)

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        trials = np.flatnonzero(self._known.between(0, self._end)[0])
        return {"trials": trials.tolist(), "values": pack(self._values.take(trials).T.ravel())}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], n_dimensions: int) -> PointStore:
        """The store that `state_dict` was taken of; `InputError` when it was of another space, or damaged."""
        store, values = cls(n_dimensions), unpack(state["values"])
        trials = np.array(state["trials"], dtype=np.int64)
        if len(values) != len(trials) * n_dimensions:
            raise InputError(f"The state must be of a space with {n_dimensions} dimensions. Use the space of that run.")
        if ((values < 0.0) | (values > 1.0)).any():
            raise InputError("The state must have points in [0, 1], or NaN where a parameter is inactive.")
        # Room is made up to the greatest: a damaged number must not ask for all memory.
        if len(trials) and not (trials[0] >= 0 and (np.diff(trials) > 0).all() and trials[-1] < MOST_TRIALS):
            raise InputError(f"The state must have trials in ascending order, from 0 to {MOST_TRIALS - 1}.")
        store.add(trials.tolist(), values.reshape(-1, n_dimensions))
        return store
