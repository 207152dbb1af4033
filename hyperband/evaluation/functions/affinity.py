"""Which worker holds the state of which trial, and which states were lost with a worker."""

from __future__ import annotations

from hyperband.evaluation.functions.state_files import StateFiles


class WorkerAffinity:
    """The worker that holds the state of each trial.

    Parameters
    ----------
    files : StateFiles or None
        A trial that has a file there can continue without the worker that holds its state.

    Examples
    --------
    >>> affinity = WorkerAffinity(None)
    >>> affinity.assign(3, worker=1)
    >>> affinity.inherit(parent=3, trial=5)
    >>> affinity.of(5), affinity.was_lost(5)
    (1, False)
    >>> affinity.drop_worker(1)
    >>> affinity.of(5), affinity.was_lost(5)
    (None, True)
    """

    def __init__(self, files: StateFiles | None) -> None:
        self._files = files
        self._workers: dict[int, int] = {}  # by trial
        self._lost: set[int] = set()

    def __len__(self) -> int:
        return len(self._workers)

    def of(self, trial: int) -> int | None:
        """The worker that must continue with a trial; None when any worker can."""
        return self._workers.get(trial)

    def assign(self, trial: int, worker: int) -> None:
        """A worker holds the state of a trial."""
        self._workers[trial] = worker

    def inherit(self, parent: int, trial: int) -> None:
        """A trial starts as a copy: its state is where that of its parent is, or lost like it."""
        if parent in self._workers:
            self._workers[trial] = self._workers[parent]
        elif parent in self._lost:
            self._lose(trial)

    def forget(self, trial: int) -> int | None:
        """No worker holds the state of a trial any more; returns the one that did."""
        self._lost.discard(trial)
        return self._workers.pop(trial, None)

    def drop_worker(self, worker: int) -> None:
        """A worker is gone, with the states that only it held."""
        for trial in [trial for trial, holder in self._workers.items() if holder == worker]:
            del self._workers[trial]
            self._lose(trial)

    def was_lost(self, trial: int) -> bool:
        """Whether the state of a trial was lost; True once for each loss."""
        lost = trial in self._lost
        self._lost.discard(trial)
        return lost

    def _lose(self, trial: int) -> None:
        if self._files is None or not self._files.has(trial):
            self._lost.add(trial)
