"""Points of the unit cube by trial number: one growing matrix, 8 bytes a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.rungs import pack, unpack


class PointStore:
    """Where every trial is in the space.

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
        self._values = np.zeros((0, n_dimensions))
        self._known = np.zeros(0, dtype=np.bool_)  # numbers of trials that never began stay unused
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def add(self, trials: Sequence[int], points: NDArray[np.float64]) -> None:
        """Points of new trials, shape (n, n_dimensions)."""
        if not len(trials):
            return
        end = max(trials) + 1
        if end > len(self._values):
            # By half: a million trials take 50 % more room at worst, and adding one stays cheap.
            rows = max(end, len(self._values) * 3 // 2, 16)
            values, known = np.zeros((rows, self._values.shape[1])), np.zeros(rows, dtype=np.bool_)
            values[: len(self._values)], known[: len(self._known)] = self._values, self._known
            self._values, self._known = values, known
        self._values[trials], self._known[trials] = points, True
        self._n += len(trials)

    def knows(self, trial: int) -> bool:
        """Whether the trial was handed out."""
        return trial < len(self._known) and bool(self._known[trial])

    def of(self, trials: Sequence[int]) -> NDArray[np.float64]:
        """Points of trials, shape (n, n_dimensions); `InputError` when one was not handed out."""
        rows = np.asarray(trials, dtype=np.int64)
        inside = (rows >= 0) & (rows < len(self._known))
        known = inside & self._known[np.where(inside, rows, 0)] if len(self._known) else np.zeros_like(inside)
        if not known.all():
            raise InputError(f"A trial must have been handed out; got {rows[~known][0]}.")
        return self._values[rows]

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        trials = np.flatnonzero(self._known)
        return {"trials": trials.tolist(), "values": pack(self._values[trials].ravel())}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], n_dimensions: int) -> PointStore:
        """The store that `state_dict` was taken of; `InputError` when it was of another space."""
        store, values = cls(n_dimensions), unpack(state["values"])
        if len(values) != len(state["trials"]) * n_dimensions:
            raise InputError(f"The state must be of a space with {n_dimensions} dimensions. Use the space of that run.")
        store.add(state["trials"], values.reshape(-1, n_dimensions))
        return store
