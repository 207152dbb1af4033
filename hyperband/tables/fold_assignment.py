"""Rows assigned to folds: at random by class, by group, and by time; every draw is keyed by the seed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import DataError
from hyperband.tables.holdout import FOLDS, shuffled

Labels = NDArray[np.int32]
Keys = NDArray[np.int64]
RowNumbers = NDArray[np.intp]


def stratified_folds(
    n_rows: int, labels: Labels | None, k: int, repeats: int, seed: int
) -> tuple[list[RowNumbers], list[str]]:
    """Validation rows of ``k * repeats`` folds, ascending, and notes on small classes.

    The rows of each class, in random order, are dealt out to the folds one after the other, and the next class goes on
    where the last one ended: the folds' sizes, and their numbers of rows of a class, differ by at most one. So a class
    of at least two rows has a training row in every fold. Classes of one row are never dealt out.

    Raises
    ------
    DataError
        When there are fewer rows to deal out than folds.

    Examples
    --------
    >>> folds, _ = stratified_folds(6, np.int32([0, 0, 0, 0, 1, 1]), 2, 1, seed=0)
    >>> [np.int32([0, 0, 0, 0, 1, 1])[rows].tolist() for rows in folds]
    [[0, 0, 1], [0, 0, 1]]
    """
    counts = np.array([n_rows]) if labels is None else np.bincount(labels)
    dealt = int(counts[counts > 1].sum()) if labels is not None else n_rows
    if dealt < k:
        single = " in classes of two rows or more" if labels is not None and dealt < n_rows else ""
        raise DataError(
            f"`validation` by {k} folds needs at least {k} rows{single} that are not test rows; got {dealt}. Use fewer "
            "folds, or add rows."
        )
    notes = []
    small = int(((counts > 0) & (counts < k)).sum()) if labels is not None else 0
    if small:
        notes.append(
            f"{small} {'class has' if small == 1 else 'classes have'} fewer rows than the {k} folds; every fold trains "
            "on at least one of them."
        )
    found = []
    for repeat in range(repeats):
        order = shuffled(n_rows, seed, FOLDS + repeat)
        if labels is not None:
            order = order[np.argsort(labels[order], kind="stable")]
            order = order[counts[labels[order]] > 1]
        found += [np.sort(order[fold::k]) for fold in range(k)]
    return found, notes


def group_folds(keys: Keys, labels: Labels | None, k: int, seed: int) -> tuple[list[RowNumbers], list[str]]:
    """Validation rows of ``k`` folds, ascending, no group in two of them; and notes on groups that always train.

    Group by group, the largest first, each joins the fold after which the rows of its classes are spread most evenly:
    the fold with the smallest sum over classes of (rows of that class in the fold / rows of that class) * (rows of
    that class in the group). A fold never gets all rows of a class, so that every fold trains on every class.

    Raises
    ------
    DataError
        When there are fewer groups that can be held out than folds.

    Examples
    --------
    >>> folds, _ = group_folds(np.array([0, 0, 1, 2, 2, 3]), None, 2, seed=0)
    >>> [len(rows) for rows in folds]
    [3, 3]
    """
    counts, pinned = _groups(keys, labels)
    free = np.flatnonzero((counts.sum(axis=1) > 0) & ~pinned)
    _enough_groups(len(free), k, pinned)
    random = free[shuffled(len(free), seed, FOLDS)]
    largest_first = random[np.argsort(-counts[random].sum(axis=1), kind="stable")]
    fold_of = np.full(len(counts), -1)
    totals = counts.sum(axis=0)
    share = 1.0 / np.maximum(totals, 1)
    filled = np.zeros((k, counts.shape[1]))
    n_groups = np.zeros(k)
    for left, group in zip(range(len(free), 0, -1), largest_first, strict=True):
        cost = (filled * share) @ counts[group]
        empty = n_groups == 0
        if left <= empty.sum():  # as many groups are left as folds without one
            cost = np.where(empty, cost, np.inf)
        if labels is not None:
            all_rows = (filled + counts[group] == totals) & (counts[group] > 0)
            cost = np.where(all_rows.any(axis=1), np.inf, cost)
        if np.isinf(cost).all():
            continue  # wherever it went, some class would have no training row
        fold = int(np.argmin(cost))
        fold_of[group] = fold
        filled[fold] += counts[group]
        n_groups[fold] += 1
    pinned = (fold_of == -1) & (counts.sum(axis=1) > 0)
    if (n_groups == 0).any():
        _enough_groups(int((n_groups > 0).sum()), k, pinned)
    folds = fold_of[keys]
    return [np.flatnonzero(folds == fold) for fold in range(k)], _pinned_note(pinned)


def group_hold_out(keys: Keys, labels: Labels | None, fraction: float, seed: int, purpose: int) -> RowNumbers:
    """Rows of groups in random order, ascending, as many as bring their number closest to ``fraction`` of the rows.

    Raises
    ------
    DataError
        When there are not two groups, one of which can be held out.

    Examples
    --------
    >>> len(group_hold_out(np.repeat(np.arange(10), 3), None, 0.2, seed=0, purpose=FOLDS))
    6
    """
    counts, pinned = _groups(keys, labels)
    sizes = counts.sum(axis=1)
    free = np.flatnonzero((sizes > 0) & ~pinned)
    if len(free) == 0 or int((sizes > 0).sum()) < 2:
        raise DataError(
            f"A split by group needs two groups, one of which can be held out{_not_pinned(pinned)}; got "
            f"{int((sizes > 0).sum())} groups, {len(free)} of which can be held out. Use more groups."
        )
    order = free[shuffled(len(free), seed, purpose)]
    if not pinned.any():
        order = order[:-1]  # one group trains
    wanted, taken = fraction * len(keys), np.zeros(counts.shape[1], dtype=np.intp)
    chosen: list[int] = []
    for group in order:
        more = taken + counts[group]
        trains = labels is None or not ((more == counts.sum(axis=0)) & (counts[group] > 0)).any()
        if trains and abs(more.sum() - wanted) < abs(taken.sum() - wanted):
            chosen.append(int(group))
            taken = more
    if not chosen:  # every group has twice as many rows as are wanted, or more
        chosen = [int(free[np.argmin(sizes[free])])]
    return np.flatnonzero(np.isin(keys, chosen))


def _groups(keys: Keys, labels: Labels | None) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Rows by group and class, and which groups always train: those that alone have the rows of some class."""
    n_groups = int(keys.max()) + 1
    if labels is None:
        return np.bincount(keys, minlength=n_groups)[:, None], np.zeros(n_groups, dtype=bool)
    n_classes = int(labels.max()) + 1
    counts = np.bincount(keys * n_classes + labels, minlength=n_groups * n_classes).reshape(n_groups, n_classes)
    alone = (counts > 0).sum(axis=0) == 1
    return counts, np.asarray((counts[:, alone] > 0).any(axis=1))


def _enough_groups(found: int, k: int, pinned: NDArray[np.bool_]) -> None:
    if found < k:
        raise DataError(
            f"`validation` by group into {k} folds needs at least {k} groups{_not_pinned(pinned)}; got {found}. Use "
            "fewer folds."
        )


def _not_pinned(pinned: NDArray[np.bool_]) -> str:
    return ", not counting those that alone have the rows of some class" if pinned.any() else ""


def _pinned_note(pinned: NDArray[np.bool_]) -> list[str]:
    count = int(pinned.sum())
    if not count:
        return []
    return [
        f"{count} {'group trains' if count == 1 else 'groups train'} in every fold, since some class has rows in no "
        "other group."
    ]


def time_hold_out(keys: Keys, fraction: float) -> RowNumbers:
    """The newest rows, ascending, about ``fraction`` of all; rows of equal time stay together.

    Raises
    ------
    DataError
        When all rows have the same time.

    Examples
    --------
    >>> time_hold_out(np.array([4, 0, 1, 3, 2]), 0.4).tolist()
    [0, 3]
    """
    return time_folds(keys, fraction, 1)[0][1]


def time_folds(keys: Keys, fraction: float, n_folds: int) -> list[tuple[RowNumbers, RowNumbers]]:
    """Training and validation rows of each period, ascending; each trains on everything before its validation rows.

    Raises
    ------
    DataError
        When there are too few different times for that many periods and rows before them.

    Examples
    --------
    >>> [(train.tolist(), held.tolist()) for train, held in time_folds(np.arange(5), 0.2, 2)]
    [([0, 1, 2], [3]), ([0, 1, 2, 3], [4])]
    """
    times, counts = np.unique(keys, return_counts=True)
    before = np.concatenate([[0], np.cumsum(counts)])  # rows older than each time, and all rows
    wanted = len(keys) * (1.0 - fraction * np.arange(n_folds, -1, -1))
    # The boundary closest to the wanted number of rows; the older of two that are equally close.
    cuts = [int(np.argmin(np.abs(before - rows))) for rows in wanted[:-1]] + [len(times)]
    for number in range(n_folds - 1, -1, -1):  # no period is empty
        cuts[number] = min(cuts[number], cuts[number + 1] - 1)
    for number in range(n_folds):
        cuts[number] = max(cuts[number], 1 if number == 0 else cuts[number - 1] + 1)
    if cuts[-2] >= len(times):
        raise DataError(
            f"`validation` by time into {n_folds} {'part' if n_folds == 1 else 'parts'} needs at least {n_folds + 1} "
            f"different times; got {len(times)}. Use fewer folds."
        )
    bounds = [*times, times[-1] + 1]
    return [
        (np.flatnonzero(keys < bounds[a]), np.flatnonzero((keys >= bounds[a]) & (keys < bounds[b])))
        for a, b in pairwise(cuts)
    ]
