"""How rows are held out for validation: the settings of k folds, of splits by group, and of splits by time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hyperband.errors import DataError


@dataclass(frozen=True, slots=True)
class KFold:
    """Validation by k folds: every row is in the validation rows of one fold, and in the training rows of the others.

    Folds of a classification are stratified: the rows of a class are spread over the folds as evenly as they can be. A
    class of a single row stays in training always.

    Parameters
    ----------
    k : int >= 2, number of folds
    repeats : int >= 1
        Number of random assignments to k folds; there are ``k * repeats`` folds in all.

    Raises
    ------
    DataError
        When a number is out of range.

    Examples
    --------
    >>> KFold(5, repeats=2).n_folds
    10
    """

    k: int = 5
    repeats: int = 1

    def __post_init__(self) -> None:
        _check_count("k", self.k, 2)
        _check_count("repeats", self.repeats, 1)

    @property
    def n_folds(self) -> int:
        """Number of folds, those of all repeats."""
        return self.k * self.repeats


@dataclass(frozen=True, slots=True, eq=False)
class GroupSplit:
    """Validation by group: no group, such as the visits of one patient, is in both parts.

    A fraction for the test rows holds out whole groups, too. A group that alone has the rows of some class stays in
    training.

    Parameters
    ----------
    groups : name or index of a column, or array-like of shape (n_rows,)
    folds : int >= 2 or float in (0, 1)
        A number of folds, over which the groups are spread so that their sizes and classes are balanced; or the
        fraction of the rows that one fold holds out, as closely as whole groups allow.
    as_feature : bool
        Whether the column is also a feature; a network cannot know the groups of new rows, so by default it is not.

    Raises
    ------
    DataError
        When ``folds`` is out of range. Whether there are enough groups turns out with the table.

    Examples
    --------
    >>> GroupSplit("patient").folds, GroupSplit("patient", 0.25).folds
    (5, 0.25)
    """

    groups: Any
    folds: int | float = 5
    as_feature: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.folds, float) and 0.0 < self.folds < 1.0:
            return
        if not _is_count(self.folds) or self.folds < 2:
            raise DataError(
                f"`folds` must be a number of folds from 2 on, or a fraction between 0 and 1; got {self.folds!r}."
            )


@dataclass(frozen=True, slots=True, eq=False)
class TimeSplit:
    """Validation by time: training rows are older than validation rows, and test rows are the newest.

    Rows of equal time stay together. With several folds each validates ``fraction`` of the rows, one period after the
    other, and trains on everything before it (forward chaining).

    Parameters
    ----------
    column : name or index of a column, or array-like of shape (n_rows,)
        Numbers, dates, times, or dates as text in the form ``2013-01-31`` or ``2013-01-31T10:00:00``.
    fraction : float in (0, 1), of the rows; that of one fold
    folds : int >= 1, with ``folds * fraction < 1``
    as_feature : bool, whether the column is also a feature

    Raises
    ------
    DataError
        When a number is out of range. Missing times turn out with the table.

    Examples
    --------
    >>> TimeSplit("day", 0.1, folds=3).folds
    3
    """

    column: Any
    fraction: float = 0.2
    folds: int = 1
    as_feature: bool = False

    def __post_init__(self) -> None:
        _check_count("folds", self.folds, 1)
        if not isinstance(self.fraction, (int, float)) or not 0.0 < self.fraction < 1.0:
            raise DataError(f"`fraction` must be between 0 and 1; got {self.fraction!r}.")
        if self.folds * self.fraction >= 1.0:
            raise DataError(
                f"`folds` times `fraction` must be below 1, or the first fold has no training rows; got {self.folds} "
                f"times {self.fraction}."
            )


def _check_count(name: str, value: object, least: int) -> None:
    if not _is_count(value) or value < least:  # type: ignore[operator]
        raise DataError(f"`{name}` must be a whole number from {least} on; got {value!r}.")


def _is_count(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
