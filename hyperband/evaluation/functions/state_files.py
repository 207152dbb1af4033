"""States of trials as files, so that a trial outlives the worker that had it."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hyperband.errors import InputError


class Saved:
    """One pickle a trial: (resource that the state has, state). Written whole or not at all.

    A file is only used where the search knows that the trial has exactly that resource: what another search has left
    in the directory is written over before it could be read.

    Parameters
    ----------
    directory : path
        Made when it is not there. Unpickling runs code: it must be a place that only you write to.

    Raises
    ------
    InputError
        When the directory cannot be made or written to.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        try:
            self._directory = Path(directory)
            self._directory.mkdir(parents=True, exist_ok=True)
        except (TypeError, OSError) as error:
            raise InputError(f"`state_dir` must be a directory that can be made; got {directory!r}: {error}.") from None
        if not os.access(self._directory, os.W_OK | os.X_OK):
            raise InputError(f"`state_dir` must be a directory that can be written to; got {directory!r}.")

    def path(self, trial: int) -> Path:
        """Where the state of a trial is."""
        return self._directory / f"trial-{trial}.pickle"

    def write(self, trial: int, written: bytes) -> None:
        """Put what `pickled` gave in its place."""
        half = self._half(trial)  # one name: a trial is written by one worker at a time
        half.write_bytes(written)
        half.replace(self.path(trial))

    def read(self, trial: int, resource: float) -> tuple[Any] | None:
        """The state of a trial that has this resource, in a tuple; None when there is none."""
        try:
            written = self.path(trial).read_bytes()
        except FileNotFoundError:
            return None
        has, state = pickle.loads(written)
        return (state,) if has == resource else None

    def copy(self, parent: int, trial: int) -> None:
        """Give a trial what another one has, if it has anything."""
        if self.has(parent):
            self.write(trial, self.path(parent).read_bytes())
        else:
            self.remove([trial])  # left by another search

    def has(self, trial: int) -> bool:
        """Whether there is a file."""
        return self.path(trial).exists()

    def remove(self, trials: Iterable[int]) -> None:
        """Delete the files of trials that will never go on."""
        for trial in trials:
            self.path(trial).unlink(missing_ok=True)
            self._half(trial).unlink(missing_ok=True)

    def _half(self, trial: int) -> Path:
        return self.path(trial).with_suffix(".part")


def pickled(resource: float, state: Any) -> bytes:
    """A state as `Saved` writes it."""
    try:
        return pickle.dumps((resource, state), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # whatever the user's objects do when they are pickled
        raise TypeError(
            f"the state cannot be pickled ({type(error).__name__}: {error}), which `state_dir` needs"
        ) from error
