"""Splits that the user made: pairs of row numbers, and splitters of scikit-learn's kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import DataError

Array = NDArray[Any]
RowNumbers = NDArray[np.intp]


def row_pairs(pairs: Sequence[Any], n_rows: int, rest: RowNumbers) -> list[tuple[RowNumbers, RowNumbers]]:
    """Training and validation rows of each pair, ascending, without the test rows.

    Parameters
    ----------
    pairs : sequence of (training rows, validation rows)
    n_rows : int, rows of the table
    rest : int array, the rows that are not test rows

    Raises
    ------
    DataError
        When there is no pair, a part is empty, a number is no row or occurs twice, or both parts share a row.

    Examples
    --------
    >>> [(train.tolist(), held.tolist()) for train, held in row_pairs([([0, 1], [3])], 4, np.arange(4))]
    [([0, 1], [3])]
    """
    if not pairs:
        raise DataError("`validation` must have at least one pair of training and validation rows; got none.")
    found = []
    for number, pair in enumerate(pairs):
        try:
            train, held = pair
        except (TypeError, ValueError):
            raise DataError(
                f"`validation` must hold pairs (training rows, validation rows); item {number} is {pair!r}."
            ) from None
        parts = [
            np.intersect1d(_checked(rows, n_rows, what, number), rest)
            for rows, what in ((train, "training"), (held, "validation"))
        ]
        shared = np.intersect1d(parts[0], parts[1])
        if len(shared):
            raise DataError(
                f"Training and validation rows must be different; pair {number} of `validation` has {len(shared)} rows "
                f"in both, first row {shared[0]}. Leave them out of one part."
            )
        for part, what in zip(parts, ("training", "validation"), strict=True):
            if not len(part):
                raise DataError(
                    f"Every part of `validation` must have rows that are not test rows; the {what} part of pair "
                    f"{number} has none."
                )
        found.append((parts[0], parts[1]))
    return found


def _checked(rows: Any, n_rows: int, what: str, number: int) -> RowNumbers:
    array = np.asarray(rows)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and len(array)):
        raise DataError(
            f"`validation` must hold row numbers; the {what} part of pair {number} has dtype {array.dtype} and shape "
            f"{array.shape}. Use np.flatnonzero for a mask."
        )
    array = array.astype(np.intp)
    wrong = array[(array < 0) | (array >= n_rows)]
    if len(wrong):
        raise DataError(
            f"`validation` must hold row numbers from 0 to {n_rows - 1}; the {what} part of pair {number} has "
            f"{wrong[0]}."
        )
    distinct, counts = np.unique(array, return_counts=True)
    if len(distinct) < len(array):
        raise DataError(
            f"A row must be in a part of `validation` once; the {what} part of pair {number} has row "
            f"{distinct[counts > 1][0]} {counts.max()} times. Give it a weight instead."
        )
    return distinct


def splitter_pairs(splitter: Any, values: Array, labels: Array | None) -> list[tuple[RowNumbers, RowNumbers]]:
    """What ``splitter.split(X, y)`` yields, as positions; X is a column of zeros, y class numbers or values.

    Raises
    ------
    DataError
        When it raises ValueError or TypeError, or yields something else than pairs as `row_pairs` takes them.
    """
    n_rows = len(values)
    try:
        pairs = list(splitter.split(np.zeros((n_rows, 1)), values if labels is None else labels))
    except (TypeError, ValueError) as error:
        raise DataError(
            f"`validation` must be able to split the table; {type(splitter).__name__}.split failed: {error} (for "
            "groups, use hb.GroupSplit)."
        ) from error
    return row_pairs(pairs, n_rows, np.arange(n_rows))
