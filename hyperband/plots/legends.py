"""Legends that are not wider than what they stand above."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hyperband.plots.style import SMALL

#: Gaps of such a legend, in ems.
GAPS: dict[str, Any] = {"handlelength": 1.2, "handletextpad": 0.3, "columnspacing": 0.8, "borderaxespad": 0.2}
#: Width of a handle with the gaps around it, and of a letter, in ems of the text of a legend.
_HANDLE, _LETTER = 2.4, 0.6


def columns_that_fit(labels: Sequence[str], width: float) -> int:
    """The most columns of a legend of these labels that is at most so many points wide; at least 1.

    matplotlib fills a legend column by column, and the longest label of a column decides its width. Where that
    does not need many more rows, most columns are equally long.

    Examples
    --------
    >>> columns_that_fit(["1", "3", "9", "failed", "best (9)"], 200.0)
    5
    >>> columns_that_fit(["1", "3", "9", "failed", "best (9)"], 100.0)
    2
    """
    fits, even = [1], [1]
    for n_columns in range(2, len(labels) + 1):
        rows, longer = divmod(len(labels), n_columns)  # the first columns are longer by one
        ends = [k * rows + min(k, longer) for k in range(n_columns + 1)]
        letters = sum(max(map(len, labels[low:high])) for low, high in pairwise(ends))
        if SMALL * (n_columns * _HANDLE + letters * _LETTER) <= width:
            fits.append(n_columns)
            even += [n_columns] if longer == 0 or longer > n_columns // 2 else []
    return even[-1] if 2 * even[-1] > fits[-1] else fits[-1]
