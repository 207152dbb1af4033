"""Asynchronous brackets, in C++ or on Python's heaps: a trial is promoted as soon as it has earned it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from hyperband.errors import InputError
from hyperband.tuning.schedulers.async_rungs.python import CLOSED, PAUSED, UNKNOWN, FrontRungs, HeapRungs
from hyperband.tuning.schedulers.async_rungs.state import restored
from hyperband.tuning.schedulers.rung_table import F64, I64, pack
from hyperband.tuning.trial import Loss

_LARGEST = 2**62
_NO_TRIALS: I64 = np.zeros(0, dtype=np.int64)


class Engine(Protocol):
    """What the C++ table and those in Python offer; see `csrc/core/async_rungs.hpp`."""

    @property
    def ready(self) -> bool: ...
    @property
    def n_open(self) -> int: ...
    @property
    def n_trials(self) -> int: ...
    def begin(self, brackets: list[int]) -> int: ...
    def promote(self, n: int) -> list[tuple[int, int, int]]: ...
    def record(self, trials: I64, rungs: I64, losses: F64) -> tuple[int, int]: ...
    def record_one(self, trial: int, rung: int, loss: Any) -> int: ...
    def check(self, trial: int, rung: int) -> int: ...
    def withdraw(self, trial: int) -> None: ...
    def limit(self, bracket: int, rung: int) -> None: ...
    def trials(self) -> tuple[I64, I64, I64]: ...
    def rows(self, bracket: int, rung: int) -> tuple[int, I64, F64]: ...
    def restore_trials(self, brackets: I64, rungs: I64, statuses: I64) -> None: ...
    def restore_rows(self, bracket: int, rung: int, finished: int, trials: I64, losses: F64) -> None: ...


def _built() -> Callable[[list[int], int, int], Engine] | None:
    try:
        from hyperband._core import AsyncRungs as native
    except ImportError:  # a pure-Python wheel
        return None
    return native


_native = _built()


class AsyncRungs:
    """Brackets whose rungs grow without limit. Trials are numbered 0, 1, 2, ... in the order in which they begin.

    A trial is promoted as soon as it is among the best floor(n / eta) of the n results of its rung, ties by trial
    number. Failed results count in n, and promoted trials stay counted (ASHA: Li et al., MLSys 2020, Algorithm 2). A
    trial whose loss is NaN or infinite is never promoted. A result takes O(log n); with several objectives a promotion
    ranks its whole rung.

    Parameters
    ----------
    n_rungs : sequence of int in [1, 255], of each bracket
    eta : Fraction > 1
    engine : callable, optional
        Makes the table; the native one, where it is built, when not given.

    Examples
    --------
    >>> rungs = AsyncRungs([2], Fraction(3))
    >>> rungs.begin([0, 0, 0])
    0
    >>> for trial, loss in [(2, 0.1), (0, 0.3)]:
    ...     rungs.record_one(trial, 0, loss)
    >>> rungs.promote(5)
    []
    >>> rungs.record_one(1, 0, 0.2)
    >>> rungs.promote(5)
    [(2, 0, 1)]
    """

    def __init__(
        self, n_rungs: Sequence[int], eta: Fraction, engine: Callable[[list[int], int, int], Engine] | None = None
    ) -> None:
        if not all(1 <= n <= 255 for n in n_rungs):
            raise InputError(f"A bracket must have 1 to 255 rungs; got {list(n_rungs)}. Use a larger eta.")
        if eta.numerator >= _LARGEST:
            raise InputError(f"`eta` must be a ratio of numbers below 2**62; got {eta}. Round it.")
        self._n_rungs, self._eta = list(n_rungs), eta
        self._engine = (engine or _native or HeapRungs)(self._n_rungs, eta.numerator, eta.denominator)
        self._several = False
        self._limits: dict[int, int] = {}

    @property
    def ready(self) -> bool:
        """Whether a trial can be promoted now."""
        return self._engine.ready

    @property
    def n_open(self) -> int:
        """Trials whose loss has not arrived yet."""
        return self._engine.n_open

    @property
    def n_trials(self) -> int:
        """Trials that have begun, withdrawn ones included."""
        return self._engine.n_trials

    def begin(self, brackets: Sequence[int]) -> int:
        """Starts trials in rung 0 of these brackets; returns the number of the first."""
        return self._engine.begin(list(brackets))

    def promote(self, n: int) -> list[tuple[int, int, int]]:
        """Up to ``n`` promotions as (trial, bracket, new rung), from the top rung down."""
        return self._engine.promote(n)

    def record_one(self, trial: int, rung: int, loss: Loss) -> None:
        """A loss of an open trial.

        Raises
        ------
        InputError
            When the trial is unknown, has no open evaluation, or is in another rung.
        """
        if isinstance(loss, tuple):
            self._rank_several()
        if fault := self._engine.record_one(trial, rung, loss):
            self._refuse(trial, rung, fault)

    def record(self, trials: I64, rungs: I64, losses: F64) -> None:
        """Losses of open trials, each shape (n,); all of them or, when one is rejected as by `record_one`, none."""
        row, fault = self._engine.record(trials, rungs, losses)
        if fault:
            self._refuse(int(trials[row]), int(rungs[row]), fault)

    def withdraw(self, trials: Sequence[int]) -> None:
        """Cancels open trials that will not be evaluated."""
        for trial in trials:
            if fault := self._engine.check(trial, 0):
                self._refuse(trial, 0, fault)
            self._engine.withdraw(trial)

    def paused(self) -> list[int]:
        """Trials that may still be promoted, ascending."""
        found: list[int] = np.flatnonzero(self._engine.trials()[2] == PAUSED).tolist()
        return found

    def limit(self, bracket: int, rung: int) -> None:
        """Promotion in a bracket reaches this rung and no higher one."""
        self._limits[bracket] = rung
        self._engine.limit(bracket, rung)

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        brackets, rungs, statuses = self._engine.trials()
        rows = []
        for bracket, n in enumerate(self._n_rungs):
            for rung in range(n):
                finished, trials, losses = self._engine.rows(bracket, rung)
                rows.append([finished, trials.tolist(), pack(np.ravel(losses))])
        return {
            "brackets": brackets.tolist(),
            "rungs": rungs.tolist(),
            "statuses": statuses.tolist(),
            "rows": rows,
            "several": self._several,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken, of a table with the same brackets and eta.

        Raises
        ------
        InputError
            When the state belongs to other brackets or is damaged; then nothing has changed.
        """
        trials, rows = restored(state, self._n_rungs)
        self._engine.restore_trials(*trials)
        if state["several"]:
            self._rank_several()
        left = iter(rows)
        for bracket, n in enumerate(self._n_rungs):
            for rung in range(n):
                self._engine.restore_rows(bracket, rung, *next(left))

    def _rank_several(self) -> None:
        """Switches to the table for several objectives, with the trials that there are."""
        if not self._several:
            before, self._several = self._engine, True
            self._engine = FrontRungs(self._n_rungs, self._eta.numerator, self._eta.denominator)
            self._engine.restore_trials(*before.trials())
            for bracket, rung in self._limits.items():
                self._engine.limit(bracket, rung)
            for bracket, n in enumerate(self._n_rungs):
                for rung in range(n):  # failures may precede the first loss, which tells the number of objectives
                    self._engine.restore_rows(
                        bracket, rung, before.rows(bracket, rung)[0], _NO_TRIALS, np.zeros((0, 1))
                    )

    def _refuse(self, trial: int, rung: int, fault: int) -> None:
        if fault == UNKNOWN:
            raise InputError(f"A loss must be of a trial from 0 to {self.n_trials - 1}; got trial {trial}.")
        if fault == CLOSED:
            raise InputError(f"A trial must be told once a rung; got trial {trial} again.")
        open_ = int(self._engine.trials()[1][trial])
        raise InputError(f"A loss of trial {trial} must be of the open rung {open_}; got rung {rung}.")
