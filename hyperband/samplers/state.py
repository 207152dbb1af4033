"""Points as plain lists, for state that is written as JSON; None stands for NaN."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hyperband.space import Points


def to_lists(points: Points) -> list[list[float | None]]:
    """Rows as lists."""
    return [[None if np.isnan(u) else float(u) for u in row] for row in points]


def from_lists(rows: Sequence[Sequence[float | None]], n_dimensions: int) -> Points:
    """Rows as an array, shape (n, n_dimensions)."""
    points = np.array([[np.nan if u is None else u for u in row] for row in rows], dtype=np.float64)
    return points.reshape(len(rows), n_dimensions)
