"""Several objectives: which trials are better when none is best in everything."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


def pareto(objectives: F64) -> I64:
    """Rows that no other row dominates: none is at least as good in all objectives and better in one; ascending.

    Parameters
    ----------
    objectives : float64 array, shape (n, n_objectives), finite, each minimised

    Examples
    --------
    >>> pareto(np.array([[1.0, 4.0], [2.0, 2.0], [3.0, 3.0], [4.0, 1.0]])).tolist()
    [0, 1, 3]
    """
    found: list[int] = []
    # In this order no row is dominated by a later one, so that one pass against the front so far is enough.
    for row in np.lexsort(objectives.T[::-1]).tolist():
        rows = objectives[found]
        worse = (rows <= objectives[row]).all(axis=1) & (rows < objectives[row]).any(axis=1)
        if not worse.any():
            found.append(row)
    return np.array(sorted(found), dtype=np.int64)


def fronts(objectives: F64) -> I64:
    """Number of the front of every row: 0 where no other row is at least as good in all and better in one.

    Non-dominated sorting (Deb, Pratap, Agarwal, Meyarivan 2002, "A fast and elitist multiobjective genetic algorithm:
    NSGA-II", section III A): front k + 1 is what is not dominated once the fronts up to k are removed.

    Parameters
    ----------
    objectives : float64 array, shape (n, n_objectives), finite, each minimised

    Returns
    -------
    int64 array, shape (n,)

    Examples
    --------
    >>> fronts(np.array([[1.0, 4.0], [2.0, 2.0], [3.0, 3.0], [4.0, 1.0]])).tolist()
    [0, 0, 1, 0]
    """
    if objectives.shape[1] == 2:
        return _fronts_of_two(objectives)
    n = len(objectives)
    number, left = np.zeros(n, dtype=np.int64), np.arange(n)
    front = 0
    while len(left):
        found = left[pareto(objectives[left])]
        number[found] = front
        left = np.setdiff1d(left, found, assume_unique=True)
        front += 1
    return number


def _fronts_of_two(objectives: F64) -> I64:
    """`fronts` of two objectives in O(n log n): a row joins the first front whose last member does not dominate it.

    In the order of the first objective the second one falls within a front, so that its last member dominates every row
    that any of the front dominates; and the fronts before it dominate what a front dominates, too (Jensen 2003).
    """
    number = np.zeros(len(objectives), dtype=np.int64)
    last: list[tuple[float, float]] = []  # of each front, second objective first
    for row in np.lexsort(objectives.T[::-1]).tolist():
        first, second = objectives[row].tolist()
        front = bisect_left(last, (second, first))
        last[front : front + 1] = [(second, first)]
        number[row] = front
    return number


def crowding(objectives: F64) -> F64:
    """Crowding distance of every row of one front: how far its neighbours are, summed over the objectives.

    Deb et al. 2002, section III B. The ends of the front are infinitely far from the next.

    Examples
    --------
    >>> crowding(np.array([[0.0, 4.0], [1.0, 2.0], [4.0, 0.0]])).tolist()
    [inf, 2.0, inf]
    """
    distance = np.zeros(len(objectives))
    for column in objectives.T:
        order = np.argsort(column, kind="stable")
        spread = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if spread > 0.0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
    return distance


def ranked(losses: Sequence[float | tuple[float, ...]] | F64, trials: Sequence[int] | I64) -> I64:
    """Rows from the best to the worst.

    Of one objective by loss; of several by front, within a front the least crowded first. Ties by trial number. Rows
    that are not finite in every objective are left out.

    Parameters
    ----------
    losses : shape (n,), or (n, n_objectives)
    trials : int, shape (n,), distinct

    Returns
    -------
    int64 array, shape (number of finite rows,)

    Examples
    --------
    >>> ranked([0.3, np.nan, 0.1], [0, 1, 2]).tolist()
    [2, 0]
    >>> ranked([(1.0, 4.0), (3.0, 3.0), (2.0, 2.0)], [0, 1, 2]).tolist()
    [0, 2, 1]
    """
    values, names = np.asarray(losses, dtype=np.float64), np.asarray(trials, dtype=np.int64)
    if values.ndim < 2:
        rows = np.flatnonzero(np.isfinite(values))
        best: I64 = rows[np.lexsort((names[rows], values[rows]))]
        return best
    rows = np.flatnonzero(np.isfinite(values).all(axis=1))
    number, distance = fronts(values[rows]), np.zeros(len(rows))
    for front in range(int(number.max(initial=-1)) + 1):
        here = number == front
        distance[here] = crowding(values[rows[here]])
    best = rows[np.lexsort((names[rows], -distance, number))]
    return best
