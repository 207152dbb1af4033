"""States of trials as files, so that a trial outlives the worker that held its state."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hyperband._common.files import replace_file
from hyperband.errors import InputError


class StateFiles:
    """One pickle a trial: (resource that the state has reached, state). Written whole or not at all.

    A file is read only if it has exactly the resource that the search knows of; files that another search has left in
    the directory are overwritten before they could be read.

    Parameters
    ----------
    directory : path
        Made when it is not there. Unpickling runs code: nobody else must be able to write to it.

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
        """Write what `pickled` gave, whole or not at all; not flushed to the disk, which is slow for every trial."""
        temporary = self._half(trial)  # one name: one worker at a time writes a trial
        replace_file(self.path(trial), written, temporary, sync=False)

    def read(self, trial: int, resource: float) -> tuple[Any] | None:
        """The state of a trial that has this resource, in a tuple; None when there is none."""
        try:
            written = self.path(trial).read_bytes()
        except FileNotFoundError:
            return None
        has, state = pickle.loads(written)
        return (state,) if has == resource else None

    def copy(self, parent: int, trial: int) -> None:
        """Copy the state of one trial to another; without a state to copy, remove what the other has."""
        if self.has(parent):
            self.write(trial, self.path(parent).read_bytes())
        else:
            self.remove([trial])  # another search has left it

    def has(self, trial: int) -> bool:
        """Whether there is a file."""
        return self.path(trial).exists()

    def remove(self, trials: Iterable[int]) -> None:
        """Delete the files of trials that will never continue."""
        for trial in trials:
            self.path(trial).unlink(missing_ok=True)
            self._half(trial).unlink(missing_ok=True)

    def _half(self, trial: int) -> Path:
        return self.path(trial).with_suffix(".part")


def pickled(resource: float, state: Any) -> bytes:
    """A state as `StateFiles` writes it."""
    try:
        return pickle.dumps((resource, state), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # whatever the user's objects do when they are pickled
        raise TypeError(
            f"the state cannot be pickled ({type(error).__name__}: {error}), which `state_dir` needs"
        ) from error
