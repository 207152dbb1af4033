"""Arrays moved to disk while they are not needed: written byte for byte, read back as memory maps."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InsufficientMemory

#: Bytes of a cache line; every array of a file begins at a multiple of it.
ALIGNMENT = 64

#: Name, dtype, shape and offset in bytes of every array of one file.
_Index = tuple[tuple[str, np.dtype[Any], tuple[int, ...], int], ...]


class DiskArrays:
    """Sets of named arrays by key, one file a key, in a temporary folder that is removed together with this object.

    Examples
    --------
    >>> stored = DiskArrays()
    >>> stored.put(7, {"weights.0": np.ones((2, 3), np.float32), "counters": np.arange(2)})
    >>> state = stored.read(7)
    >>> state["weights.0"].shape, state["counters"].tolist()
    ((2, 3), [0, 1])
    >>> stored.drop(7)
    >>> 7 in stored
    False
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._written: dict[int, _Index] = {}
        self._indices: dict[_Index, _Index] = {}  # networks of one shape share one index

    def __contains__(self, key: int) -> bool:
        return key in self._written

    def put(self, key: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write the arrays of ``key``.

        Raises
        ------
        InsufficientMemory
            When the folder for temporary files is full or cannot be written. The incomplete file is removed.
        """
        entries, at = [], 0
        for name, array in arrays.items():
            entries.append((name, array.dtype, array.shape, at))
            at += math.ceil(array.nbytes / ALIGNMENT) * ALIGNMENT
        path: Path | None = None
        try:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="hyperband-"))
                self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            path = self._path(key)
            # Not through a memory map: on a full disk that raises a signal, which ends the process, not an OSError.
            with path.open("wb") as file:
                for array in arrays.values():
                    file.write(np.ascontiguousarray(array).data)
                    file.write(bytes(-array.nbytes % ALIGNMENT))
        except OSError as error:
            if path is not None:
                path.unlink(missing_ok=True)
            where = self._folder or "a folder for temporary files"
            raise InsufficientMemory(
                f"Paused networks must fit on disk: {at:,} bytes could not be written to {where}: "
                f"{error.strerror or error}. Set TMPDIR to a folder with more room, raise `memory_limit`, or train "
                "fewer networks."
            ) from error
        index = tuple(entries)
        self._written[key] = self._indices.setdefault(index, index)

    def read(self, key: int) -> dict[str, NDArray[Any]]:
        """The arrays of ``key``: read-only views of its file; KeyError when there is none."""
        raw = np.memmap(self._path(key), np.uint8, mode="r")
        state = {}
        for name, dtype, shape, at in self._written[key]:
            size = math.prod(shape) * dtype.itemsize
            state[name] = np.asarray(raw[at : at + size]).view(dtype).reshape(shape)
        return state

    def drop(self, key: int) -> None:
        """Remove ``key`` and its file, if present."""
        if self._written.pop(key, None) is not None:
            self._path(key).unlink(missing_ok=True)

    def close(self) -> None:
        """Remove all arrays and the folder."""
        self._written.clear()
        if self._folder is not None:
            self._remove()
            self._folder = None

    def _path(self, key: int) -> Path:
        assert self._folder is not None
        return self._folder / str(key)
