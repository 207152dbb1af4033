"""Which rows of a table train, validate and test: every form of `validation=` becomes folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import DataError
from hyperband.tables import holdout
from hyperband.tables.fold_assignment import group_folds, group_hold_out, stratified_folds, time_folds, time_hold_out
from hyperband.tables.pairs import row_pairs, splitter_pairs
from hyperband.tables.splitters import GroupSplit, KFold, TimeSplit
from hyperband.tables.validation import AUTO, RowPairs, automatic, is_rows, is_splitter

Array = NDArray[Any]
RowNumbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Row numbers of one fold: ``train`` in random order; ``validation`` ascending, None when it was given as rows."""

    train: RowNumbers
    validation: RowNumbers | None


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """All folds of a table.

    Parameters
    ----------
    folds : tuple of Fold, at least one
    rest : int array, ascending, all rows that are not test rows
    test : int array, ascending; None when there is no test part, or it was given as rows
    notes : tuple of str, sentences on what was decided
    """

    folds: tuple[Fold, ...]
    rest: RowNumbers
    test: RowNumbers | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """What the splits look at of the rows: target values, class numbers (or None), groups or times (or None)."""

    values: Array
    labels: NDArray[np.int32] | None
    keys: NDArray[np.int64] | None = None


def make_folds(rows: Labelled, validation: Any, test: Any, seed: int) -> Folds:
    """The folds that ``validation`` and ``test`` ask for, as `hyperband.tables.prepare_table` describes them.

    Parameters
    ----------
    rows : Labelled
    validation, test : as in `hyperband.tables.prepare_table`, after `hyperband.tables.validation.normalised`
    seed : int, key of every draw

    Raises
    ------
    DataError
        When a part would be empty, there are too few rows, groups or times, or row numbers do not fit.

    Examples
    --------
    >>> rows = Labelled(np.arange(10.0), None)
    >>> folds = make_folds(rows, KFold(5), None, seed=0)
    >>> len(folds.folds), [len(fold.validation) for fold in folds.folds]
    (5, [2, 2, 2, 2, 2])
    """
    n_rows = len(rows.values)
    if validation is None:
        raise DataError(
            "`validation` must be a fraction, a number of folds, a splitter, (X, y) or a table; got None. A search "
            "needs held-out rows."
        )
    rest = np.arange(n_rows)
    held: RowNumbers | None = None
    if test is not None and not is_rows(test):
        fraction = holdout.check_fraction(test, "test")
        held = _test_rows(rows, fraction, validation, seed)
        rest = np.setdiff1d(rest, held, assume_unique=True)
    notes: list[str] = []
    if isinstance(validation, str) and validation == AUTO:
        validation = automatic(len(rest))
        notes.append(_auto_note(validation, len(rest)))
        if isinstance(validation, float):
            validation *= len(rest) / n_rows  # other fractions are of the whole table
    parts, more = _parts(rows, rest, validation, test, seed)
    folds = tuple(
        Fold(train[holdout.shuffled(len(train), seed, holdout.ORDER + (number << 8))], part)
        for number, (train, part) in enumerate(parts)
    )
    return Folds(folds, rest, held, (*notes, *more))


def _auto_note(chosen: KFold | float, n_rows: int) -> str:
    if not isinstance(chosen, KFold):
        return f"Validation: {chosen:.0%} of {n_rows:,} rows are held out, enough to compare networks by."
    repeats = f", repeated {chosen.repeats} times" if chosen.repeats > 1 else ""
    return f"Validation: {chosen.k} folds{repeats}, since {n_rows:,} rows are too few for one hold-out."


def _test_rows(rows: Labelled, fraction: float, validation: Any, seed: int) -> RowNumbers:
    """Test rows differ from training rows in the way that validation rows do: other groups, later times."""
    if isinstance(validation, GroupSplit):
        assert rows.keys is not None
        return group_hold_out(rows.keys, rows.labels, fraction, seed, holdout.TEST)
    if isinstance(validation, TimeSplit):
        assert rows.keys is not None
        return time_hold_out(rows.keys, fraction)
    return holdout.hold_out(len(rows.values), fraction, rows.labels, seed, holdout.TEST)[1]


def _parts(
    rows: Labelled, rest: RowNumbers, validation: Any, test: Any, seed: int
) -> tuple[list[tuple[RowNumbers, RowNumbers | None]], list[str]]:
    """Training and validation rows of each fold, ascending, and notes."""
    if is_rows(validation):
        return [(rest, None)], []
    labels = None if rows.labels is None else rows.labels[rest]
    if isinstance(validation, KFold):
        held, notes = stratified_folds(len(rest), labels, validation.k, validation.repeats, seed)
    elif isinstance(validation, GroupSplit):
        assert rows.keys is not None
        if isinstance(validation.folds, float):
            fraction = _of_the_rest(validation.folds, rows, rest, test, validation.folds)
            held, notes = [group_hold_out(rows.keys[rest], labels, fraction, seed, holdout.VALIDATION)], []
        else:
            held, notes = group_folds(rows.keys[rest], labels, validation.folds, seed)
    elif isinstance(validation, TimeSplit):
        assert rows.keys is not None
        fraction = validation.fraction
        whole = _of_the_rest(fraction * validation.folds, rows, rest, test, fraction * validation.folds)
        fraction = whole / validation.folds
        return _chosen(rest, time_folds(rows.keys[rest], fraction, validation.folds)), []
    elif isinstance(validation, RowPairs):
        return [*row_pairs(validation.pairs, len(rows.values), rest)], []
    elif is_splitter(validation):
        return _chosen(rest, splitter_pairs(validation, rows.values[rest], labels)), []
    else:
        fraction = holdout.check_fraction(validation, "validation")
        fraction = _of_the_rest(fraction, rows, rest, test, validation)
        held, notes = [holdout.hold_out(len(rest), fraction, labels, seed, holdout.VALIDATION)[1]], []
    every = np.arange(len(rest))
    return _chosen(rest, [(np.setdiff1d(every, part, assume_unique=True), part) for part in held]), notes


def _chosen(rest: RowNumbers, parts: list[tuple[RowNumbers, RowNumbers]]) -> list[tuple[RowNumbers, RowNumbers | None]]:
    """Positions among the rows that are not test rows, as row numbers of the table."""
    return [(rest[np.sort(train)], rest[np.sort(part)]) for train, part in parts]


def _of_the_rest(fraction: float, rows: Labelled, rest: RowNumbers, test: Any, validation: Any) -> float:
    """A fraction of all rows as one of those that are not test rows; both are fractions of the whole table."""
    fraction = fraction * len(rows.values) / len(rest)
    if fraction >= 1:
        raise DataError(
            f"`validation` and `test` must leave rows to train on; got {validation!r} and {test!r}, whose sum "
            "is 1 or more. Hold out less."
        )
    return fraction
