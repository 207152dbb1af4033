"""Combinations of points on the axes: grids, and the number of configurations of a space."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from hyperband._common.checks import whole_number
from hyperband.space.definition import Definition, Points
from hyperband.space.numbers import Column

#: Most combinations that are enumerated in order to count them.
COUNTED = 100_000
#: Rows of one block of combinations.
_BLOCK = 4096


def axes_of(space: Definition, points: int | Mapping[str, int]) -> list[Column]:
    """Points of each axis of a grid, one array an axis; a parameter that the mapping omits has one point, its default.

    Raises
    ------
    InputError
        When a name is unknown or a number of points is not a whole number of at least 1.
    """
    if isinstance(points, Mapping):
        for name in points:
            space.column_of(name, "`points`")
        counts = [whole_number(points.get(name, 1), f"points[{name!r}]") for name in space.names]
    else:
        counts = [whole_number(points, "points")] * space.n_dimensions
    return [axis.grid(count) for axis, count in zip(space.parameters.values(), counts, strict=True)]


def combinations(space: Definition, axes: Sequence[Column]) -> Iterator[Points]:
    """Every configuration of these axes once, in blocks of rows, the last parameter varying fastest.

    Conditions are applied: where a parameter is inactive, its column is NaN and its axis is not enumerated.
    Constraints are ignored.

    Parameters
    ----------
    space : Space
    axes : sequence of float64 arrays, points of [0, 1] for each parameter in turn

    Yields
    ------
    float64 array, shape (n, n_dimensions)

    Examples
    --------
    >>> from hyperband.space import Int, Space
    >>> space = Space({"a": Int(1, 2), "b": Int(1, 2, default=1)})
    >>> [space.decode(rows) for rows in combinations(space, axes_of(space, {"a": 2}))]
    [[{'a': 1, 'b': 1}, {'a': 2, 'b': 1}]]
    """
    names, d = space.names, len(axes)
    # A stack of (rows, is_first, column): the columns before `column` are set; `is_first` marks the entries that are
    # the first point of their axis.
    pending = [(np.zeros((1, d)), np.ones((1, d), dtype=np.bool_), 0)]
    while pending:
        rows, is_first, column = pending.pop()
        if column == d:
            rows = space.activate(rows)
            # A parameter that stands before its parent was enumerated although it is inactive: keep its first point.
            yield rows[(is_first | ~np.isnan(rows)).all(axis=1)]
            continue
        inactive = space.compiled_conditions.inactive_so_far(names[column], rows)
        times = np.where(inactive, 1, len(axes[column]))
        ends = np.cumsum(times)
        fit = max(1, int(np.searchsorted(ends, _BLOCK, side="right")))
        if fit < len(rows):
            pending.append((rows[fit:], is_first[fit:], column))
        source = np.repeat(np.arange(fit), times[:fit])
        index = np.arange(len(source)) - (ends - times)[source]
        rows, is_first = rows[source], is_first[source]
        rows[:, column] = np.where(inactive[source], np.nan, axes[column][index])
        is_first[:, column] = index == 0
        pending.append((rows, is_first, column + 1))


def grid_blocks(space: Definition, points: int | Mapping[str, int]) -> Iterator[Points]:
    """Every configuration of a grid that satisfies the constraints once, in blocks of shape (n, n_dimensions).

    Raises
    ------
    InputError
        As `axes_of`.
    """
    for rows in combinations(space, axes_of(space, points)):
        yield rows[space.allowed(rows)]


def count(space: Definition, lengths: Sequence[float], axes: Sequence[Column]) -> float:
    """Number of configurations with ``lengths[i]`` values on axis i, without the constraints.

    Only the parents of conditions are enumerated, over the points in ``axes``. Where these alone have more than
    `COUNTED` combinations, the conditions are ignored too, and the count is an upper bound.
    """
    parents = {condition.parent for condition in space.conditions}
    enumerated = [axis if name in parents else axis[:1] for name, axis in zip(space.names, axes, strict=True)]
    free = [column for column, name in enumerate(space.names) if name not in parents]
    total: float = 0
    seen = 0
    for rows in combinations(space, enumerated):
        seen += len(rows)
        if seen > COUNTED:
            return math.prod(lengths)
        patterns, times = np.unique(~np.isnan(rows[:, free]), axis=0, return_counts=True)
        for active, n in zip(patterns.tolist(), times.tolist(), strict=True):
            total += n * math.prod(lengths[column] for column, on in zip(free, active, strict=True) if on)
    return total


def size(space: Definition) -> float:
    """Number of distinct configurations; see `hyperband.space.Space.size`."""
    values = [p.n_values for p in space.parameters.values()]
    parents = {condition.parent for condition in space.conditions}
    # A parent with more than `COUNTED` values makes `count` give up: `COUNTED + 1` points are enough for that.
    axes = [
        p.grid(int(min(p.n_values, COUNTED + 1))) if name in parents else np.array([0.5])
        for name, p in space.parameters.items()
    ]
    total = count(space, values, axes)
    if not space.constraints or total > COUNTED:
        return total
    blocks = combinations(space, [p.grid(int(p.n_values)) for p in space.parameters.values()])
    return sum(int(space.allowed(rows).sum()) for rows in blocks)


def at_most(space: Definition, n: int) -> dict[str, int]:
    """Points by parameter for the largest grid with at most ``n`` configurations that satisfy the constraints.

    The same number of points on every axis, as many as fit; then one more on each axis for which they still fit, in
    the order of the space. No axis gets more points than it has values. Where even one point an axis gives more than
    ``n`` configurations, that grid is the answer.

    Parameters
    ----------
    space : Space
    n : int, at least 1

    Examples
    --------
    >>> from hyperband.space import Float, Space
    >>> at_most(Space({"x": Float(0, 1), "y": Float(0, 1)}), 7)
    {'x': 3, 'y': 2}
    """

    def fits(points: int | Mapping[str, int]) -> bool:
        axes = axes_of(space, points)
        least = count(space, [len(axis) for axis in axes], axes)
        if least <= n or not space.constraints:
            return least <= n
        found = enumerated = 0
        for rows in combinations(space, axes):
            found, enumerated = found + int(space.allowed(rows).sum()), enumerated + len(rows)
            if found > n or enumerated > n + COUNTED:
                return False
        return True

    low, high = 1, 2
    longest = max(p.n_values for p in space.parameters.values())
    while low < longest and fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    points = {name: int(min(low, p.n_values)) for name, p in space.parameters.items()}
    for name, parameter in space.parameters.items():
        more = {**points, name: low + 1}
        points = more if low < parameter.n_values and fits(more) else points
    return points
