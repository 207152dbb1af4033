"""Which worker has the state of which trial, and what was lost with a worker."""

from __future__ import annotations

from hyperband.evaluation.functions.state_files import Saved


class Homes:
    """Trials by worker.

    Parameters
    ----------
    saved : Saved or None
        Trials that have a file there can go on without the worker that has their state.

    Examples
    --------
    >>> homes = Homes(None)
    >>> homes.settle(3, worker=1)
    >>> homes.inherit(parent=3, trial=5)
    >>> homes.of(5), homes.was_lost(5)
    (1, False)
    >>> homes.bury(1)
    >>> homes.of(5), homes.was_lost(5)
    (None, True)
    """

    def __init__(self, saved: Saved | None) -> None:
        self._saved = saved
        self._workers: dict[int, int] = {}  # by trial
        self._lost: set[int] = set()

    def __len__(self) -> int:
        return len(self._workers)

    def of(self, trial: int) -> int | None:
        """The worker that must go on with a trial; None when anyone can."""
        return self._workers.get(trial)

    def settle(self, trial: int, worker: int) -> None:
        """A worker has the state of a trial."""
        self._workers[trial] = worker

    def inherit(self, parent: int, trial: int) -> None:
        """A trial starts as a copy: it is where its parent is, or lost like it."""
        if parent in self._workers:
            self._workers[trial] = self._workers[parent]
        elif parent in self._lost:
            self._lose(trial)

    def leave(self, trial: int) -> int | None:
        """Nobody has the state of a trial any more; returns who had it."""
        self._lost.discard(trial)
        return self._workers.pop(trial, None)

    def bury(self, worker: int) -> None:
        """A worker is gone, with the states that only it had."""
        for trial in [trial for trial, home in self._workers.items() if home == worker]:
            del self._workers[trial]
            self._lose(trial)

    def was_lost(self, trial: int) -> bool:
        """Whether a trial was lost; told once."""
        lost = trial in self._lost
        self._lost.discard(trial)
        return lost

    def _lose(self, trial: int) -> None:
        if self._saved is None or not self._saved.has(trial):
            self._lost.add(trial)
