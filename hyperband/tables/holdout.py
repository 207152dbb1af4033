"""Which rows are for training and which are held out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import DataError

RowNumbers = NDArray[np.intp]

#: Purposes of the shuffles: the key of each split differs.
TEST, VALIDATION, ORDER, REFIT = 1, 2, 3, 4
#: The purposes of assignments to folds begin here, one a repeat; that of the order of fold k is ORDER + 256 k.
FOLDS = 1 << 32


def shuffled(n_rows: int, seed: int, purpose: int) -> RowNumbers:
    """A random order of ``n_rows`` rows, an int array that depends on (n_rows, seed, purpose) alone.

    It sorts the output of Philox, which is fixed by its definition; ``Generator.permutation`` may change between
    releases of NumPy.

    Examples
    --------
    >>> sorted(shuffled(4, seed=0, purpose=VALIDATION).tolist())
    [0, 1, 2, 3]
    """
    words = np.random.Philox(key=[seed & (2**64 - 1), purpose]).random_raw(n_rows)
    return np.argsort(words, kind="stable")


def hold_out(
    n_rows: int, fraction: float, classes: NDArray[np.int32] | None, seed: int, purpose: int
) -> tuple[RowNumbers, RowNumbers]:
    """Rows that stay, in random order, and rows that are held out, in ascending order: two int arrays.

    Parameters
    ----------
    n_rows : int >= 2
    fraction : float in (0, 1)
        Fraction to hold out, rounded to whole rows: at least one, and at least one row stays.
    classes : int array, shape (n_rows,), or None
        With classes the split is stratified: each class gives a number of rows by the largest-remainder method, and at
        least one row of every class stays.
    seed, purpose : int, the key of the shuffle

    Raises
    ------
    DataError
        When every class has a single row, so that none can be held out.

    Examples
    --------
    >>> stay, held = hold_out(10, 0.2, None, seed=0, purpose=VALIDATION)
    >>> len(stay), len(held), sorted([*stay, *held]) == list(range(10))
    (8, 2, True)
    """
    order = shuffled(n_rows, seed, purpose)
    total = max(1, math.floor(fraction * n_rows + 0.5))
    if classes is None:
        total = min(total, n_rows - 1)
        held = order[:total]
    else:
        quotas = _quotas(np.bincount(classes), fraction, total)
        if not quotas.sum():
            raise DataError(
                f"Some class must have two rows, one to train on and one to hold out; got {n_rows} rows of "
                f"{int((np.bincount(classes) > 0).sum())} classes. Add rows, or pass "
                "held-out rows as (X, y)."
            )
        held = np.concatenate([order[classes[order] == c][:q] for c, q in enumerate(quotas)])
    mask = np.zeros(n_rows, dtype=bool)
    mask[held] = True
    return order[~mask[order]], np.flatnonzero(mask)


def _quotas(counts: NDArray[np.intp], fraction: float, total: int) -> NDArray[np.intp]:
    """Rows of each class to hold out: ``fraction`` of it, ``total`` together, but never all rows of a class."""
    most = np.maximum(counts - 1, 0)
    exact = fraction * counts.astype(np.float64)
    quotas: NDArray[np.intp] = np.minimum(np.floor(exact).astype(np.intp), most)
    by_remainder = np.argsort(-(exact - np.floor(exact)), kind="stable")
    while quotas.sum() < min(total, most.sum()):
        for c in by_remainder:
            if quotas[c] < most[c] and quotas.sum() < total:
                quotas[c] += 1
    return quotas


def check_fraction(value: Any, name: str) -> float:
    """``value`` as a fraction of the rows, a float in (0, 1).

    Raises
    ------
    DataError
        When it is anything else.

    Examples
    --------
    >>> check_fraction("0.25", "validation")
    0.25
    """
    try:
        fraction = float(value)
    except (TypeError, ValueError):
        fraction = math.nan
    if isinstance(value, bool) or not 0.0 < fraction < 1.0:
        raise DataError(
            f"`{name}` must be a fraction of the rows between 0 and 1, or separate rows as (X, y); got {value!r}."
        )
    return fraction
