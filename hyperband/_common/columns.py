"""Columns of numbers: a matrix that grows without copying, and rows as plain lists for states written as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

#: Columns of one block: large enough that the allocator maps each block separately and returns it to the system.
BLOCK_COLUMNS = 16_384


class GrowingColumns:
    """A matrix with a fixed number of rows to which columns are appended, stored in blocks that are never copied.

    Parameters
    ----------
    n_rows : int
    dtype : NumPy dtype of the entries
    fill : float, value of the entries that have not been set

    Examples
    --------
    >>> columns = GrowingColumns(2, np.float64, np.nan)
    >>> columns.put(0, np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    >>> columns[1], columns.between(1, 3).tolist()
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
        """The block that holds a column, allocated if missing, shape (n_rows, BLOCK_COLUMNS), and the index in it."""
        number, index = divmod(column, BLOCK_COLUMNS)
        while number >= len(self._blocks):
            shape = self._n_rows, BLOCK_COLUMNS
            # The system commits memory for zeros only when they are written.
            empty = np.zeros(shape, self._dtype) if self._fill == 0 else np.full(shape, self._fill, self._dtype)
            self._blocks.append(empty)
        return self._blocks[number], index

    def put(self, first: int, values: NDArray[Any]) -> None:
        """Set the columns ``first``, ``first + 1``, ... to ``values``, shape (n_rows, n)."""
        done, n = 0, values.shape[1]
        while done < n:
            block, index = self.block(first + done)
            part = min(n - done, BLOCK_COLUMNS - index)
            block[:, index : index + part] = values[:, done : done + part]
            done += part

    def __getitem__(self, column: int) -> list[Any]:
        block, index = self.block(column)
        values: list[Any] = block[:, index].tolist()
        return values

    def between(self, first: int, end: int) -> NDArray[Any]:
        """A copy of the columns from ``first`` to ``end``, shape (n_rows, end - first)."""
        out = np.full((self._n_rows, end - first), self._fill, self._dtype)
        done = 0
        while done < end - first:
            block, index = self.block(first + done)
            part = min(end - first - done, BLOCK_COLUMNS - index)
            out[:, done : done + part] = block[:, index : index + part]
            done += part
        return out

    def take(self, columns: NDArray[np.int64]) -> NDArray[Any]:
        """A copy of the columns with these numbers, shape (n_rows, n)."""
        out = np.empty((self._n_rows, len(columns)), self._dtype)
        numbers, indices = np.divmod(columns, BLOCK_COLUMNS)
        for number in np.unique(numbers).tolist():
            here = numbers == number
            out[:, here] = self.block(number * BLOCK_COLUMNS)[0][:, indices[here]]
        return out


def to_lists(rows: NDArray[np.float64]) -> list[list[float | None]]:
    """A matrix as a list of rows, with None for NaN: JSON has no NaN.

    Examples
    --------
    >>> to_lists(np.array([[0.5, np.nan]]))
    [[0.5, None]]
    """
    return [[None if np.isnan(u) else float(u) for u in row] for row in rows]


def from_lists(rows: Sequence[Sequence[float | None]], n_columns: int) -> NDArray[np.float64]:
    """Inverse of `to_lists`: a float64 matrix of shape (n, n_columns), also when there are no rows.

    Examples
    --------
    >>> from_lists([[0.5, None]], 2).tolist(), from_lists([], 2).shape
    ([[0.5, nan]], (0, 2))
    """
    array = np.array([[np.nan if u is None else u for u in row] for row in rows], dtype=np.float64)
    return array.reshape(len(rows), n_columns)
