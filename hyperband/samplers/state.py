"""Points and losses as plain lists, for state that is written as JSON; None stands for NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from hyperband.errors import InputError
from hyperband.space import Points
from hyperband.trial import Loss

#: A loss as JSON knows it.
Written: TypeAlias = float | list[float] | None


def to_lists(points: Points) -> list[list[float | None]]:
    """Rows as lists."""
    return [[None if np.isnan(u) else float(u) for u in row] for row in points]


def from_lists(rows: Sequence[Sequence[float | None]], n_dimensions: int) -> Points:
    """Rows as an array, shape (n, n_dimensions)."""
    points = np.array([[np.nan if u is None else u for u in row] for row in rows], dtype=np.float64)
    return points.reshape(len(rows), n_dimensions)


def is_finite(loss: Loss) -> bool:
    """Whether a trial with this loss succeeded: it is finite, in every objective."""
    return all(map(math.isfinite, loss)) if isinstance(loss, tuple) else math.isfinite(loss)


def check_objectives(loss: Loss, other: Loss | None) -> None:
    """Refuse a loss with other objectives than one that was told before.

    Raises
    ------
    InputError
        When one is a tuple of another length than the other, or no tuple.
    """
    if other is not None and np.shape(loss) != np.shape(other):
        raise InputError(f"All losses must have the same number of objectives; got {loss!r} after {other!r}.")


def write_loss(loss: Loss) -> Written:
    """A loss as plain data; None for a trial that failed.

    Examples
    --------
    >>> write_loss(0.5), write_loss((0.5, 2.0)), write_loss((0.5, math.nan))
    (0.5, [0.5, 2.0], None)
    """
    if not is_finite(loss):
        return None
    return list(map(float, loss)) if isinstance(loss, tuple) else float(loss)


def read_loss(written: Written) -> Loss:
    """Inverse of `write_loss`; NaN for a trial that failed."""
    if written is None:
        return math.nan
    return tuple(map(float, written)) if isinstance(written, list) else float(written)
