"""Columns of numbers: growing without a copy, and as plain lists for states that are written as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

#: Entries of a block: large enough that the system gives each its own pages, and takes them back.
SIZE = 16_384


class Blocks:
    """A matrix with a fixed number of rows whose columns are appended.

    Parameters
    ----------
    n_rows : int
    dtype : of the entries
    fill : what an entry is before it is set

    Examples
    --------
    >>> blocks = Blocks(2, np.float64, np.nan)
    >>> blocks.put(0, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    >>> blocks[1], blocks.between(1, 3).tolist()
    ([2.0, 5.0], [[2.0, 3.0], [5.0, 6.0]])
    """

    __slots__ = ("_blocks", "_dtype", "_fill", "_n_rows")

    def __init__(self, n_rows: int, dtype: DTypeLike, fill: float) -> None:
        self._n_rows, self._dtype, self._fill = n_rows, np.dtype(dtype), fill
        self._blocks: list[NDArray[Any]] = []

    @property
    def n_rows(self) -> int:
        """Rows of the matrix."""
        return self._n_rows

    def block(self, column: int) -> tuple[NDArray[Any], int]:
        """The block that a column is in, shape (n_rows, SIZE), and where in it; made when it is not there yet."""
        number, place = divmod(column, SIZE)
        while number >= len(self._blocks):
            shape = self._n_rows, SIZE
            # Zeros take memory only once they are touched.
            empty = np.zeros(shape, self._dtype) if self._fill == 0 else np.full(shape, self._fill, self._dtype)
            self._blocks.append(empty)
        return self._blocks[number], place

    def put(self, first: int, values: NDArray[Any]) -> None:
        """Set columns from ``first`` on, shape (n_rows, n)."""
        done, n = 0, values.shape[1]
        while done < n:
            block, place = self.block(first + done)
            part = min(n - done, SIZE - place)
            block[:, place : place + part] = values[:, done : done + part]
            done += part

    def __getitem__(self, column: int) -> list[Any]:
        block, place = self.block(column)
        values: list[Any] = block[:, place].tolist()
        return values

    def between(self, first: int, end: int) -> NDArray[Any]:
        """A copy of the columns from ``first`` to ``end``, shape (n_rows, end - first)."""
        out = np.full((self._n_rows, end - first), self._fill, self._dtype)
        done = 0
        while done < end - first:
            block, place = self.block(first + done)
            part = min(end - first - done, SIZE - place)
            out[:, done : done + part] = block[:, place : place + part]
            done += part
        return out

    def take(self, columns: NDArray[np.int64]) -> NDArray[Any]:
        """These columns, shape (n_rows, n)."""
        out = np.empty((self._n_rows, len(columns)), self._dtype)
        numbers, places = np.divmod(columns, SIZE)
        for number in np.unique(numbers).tolist():
            here = numbers == number
            out[:, here] = self.block(number * SIZE)[0][:, places[here]]
        return out


def to_lists(rows: NDArray[np.float64]) -> list[list[float | None]]:
    """Rows as lists; None stands for NaN."""
    return [[None if np.isnan(u) else float(u) for u in row] for row in rows]


def from_lists(rows: Sequence[Sequence[float | None]], n_columns: int) -> NDArray[np.float64]:
    """Inverse of `to_lists`, shape (n, n_columns)."""
    array = np.array([[np.nan if u is None else u for u in row] for row in rows], dtype=np.float64)
    return array.reshape(len(rows), n_columns)
