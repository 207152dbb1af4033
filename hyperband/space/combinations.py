"""Combinations of points on the axes: grids, and how many configurations there are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from hyperband.errors import InputError
from hyperband.space.definition import Definition, Points
from hyperband.space.numbers import Column

#: So many combinations are laid out one by one to count them, and no more.
COUNTED = 100_000
_BLOCK = 4096


def axes_of(space: Definition, points: int | Mapping[str, int]) -> list[Column]:
    """Points on each axis of a grid; a parameter that the mapping does not name has one, its default.

    Raises
    ------
    InputError
        When a name is unknown or a number of points is not a whole number of at least 1.
    """
    if isinstance(points, Mapping):
        for name in points:
            space.place(name, "`points`")
    counts = {n: points.get(n, 1) if isinstance(points, Mapping) else points for n in space.names}
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
            raise InputError(f"`points` must be whole numbers of at least 1; got {count!r} for {name!r}.")
    return [space.parameters[name].grid(int(count)) for name, count in counts.items()]


def combinations(space: Definition, axes: Sequence[Column]) -> Iterator[Points]:
    """Every configuration of these axes once, in blocks of rows, the last parameter fastest; constraints play no part.

    Where a condition switches a parameter off, its axis counts once; nothing is laid out below it.
    """
    names, d = space.names, len(axes)
    #: Rows whose columns before a place are set, and where each of these is the first point of its axis.
    waiting = [(np.zeros((1, d)), np.ones((1, d), dtype=np.bool_), 0)]
    while waiting:
        rows, first, place = waiting.pop()
        if place == d:
            rows = space.activate(rows)
            # A parameter before its parent was laid out for nothing where it is off: the first point stands for all.
            yield rows[(first | ~np.isnan(rows)).all(axis=1)]
            continue
        off = space.switches.off_by_then(names[place], rows)
        times = np.where(off, 1, len(axes[place]))
        ends = np.cumsum(times)
        fit = max(1, int(np.searchsorted(ends, _BLOCK, side="right")))
        if fit < len(rows):
            waiting.append((rows[fit:], first[fit:], place))
        source = np.repeat(np.arange(fit), times[:fit])
        index = np.arange(len(source)) - (ends - times)[source]
        rows, first = rows[source], first[source]
        rows[:, place] = np.where(off[source], np.nan, axes[place][index])
        first[:, place] = index == 0
        waiting.append((rows, first, place + 1))


def grid_blocks(space: Definition, points: int | Mapping[str, int]) -> Iterator[Points]:
    """Every allowed configuration of a grid once, in blocks."""
    for rows in combinations(space, axes_of(space, points)):
        yield rows[space.allowed(rows)]


def count(space: Definition, lengths: Sequence[float], axes: Sequence[Column]) -> float:
    """Configurations with so many values on each axis, constraints left out.

    ``axes`` are laid out for the parents of conditions only. Where these alone have more than `COUNTED` combinations
    the conditions are left out too: an upper bound.
    """
    parents = {condition.parent for condition in space.conditions}
    laid_out = [axis if name in parents else axis[:1] for name, axis in zip(space.names, axes, strict=True)]
    free = [place for place, name in enumerate(space.names) if name not in parents]
    total: float = 0
    seen = 0
    for rows in combinations(space, laid_out):
        seen += len(rows)
        if seen > COUNTED:
            return math.prod(lengths)
        patterns, times = np.unique(~np.isnan(rows[:, free]), axis=0, return_counts=True)
        for active, n in zip(patterns.tolist(), times.tolist(), strict=True):
            total += n * math.prod(lengths[place] for place, on in zip(free, active, strict=True) if on)
    return total


def size(space: Definition) -> float:
    """See `hyperband.space.Space.size`."""
    values = [p.n_values for p in space.parameters.values()]
    parents = {condition.parent for condition in space.conditions}
    # An axis that is too long to be laid out makes the count an upper bound; two points are enough to say so.
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
    """Points by parameter that make a grid of at most ``n`` allowed configurations.

    As many on every axis as fit, and then one more on each axis that allows it, in the order of the space.
    """

    def fits(points: int | Mapping[str, int]) -> bool:
        axes = axes_of(space, points)
        least = count(space, [len(axis) for axis in axes], axes)
        if least <= n or not space.constraints:
            return least <= n
        found = laid_out = 0
        for rows in combinations(space, axes):
            found, laid_out = found + int(space.allowed(rows).sum()), laid_out + len(rows)
            if found > n or laid_out > n + COUNTED:
                return False
        return True

    low, high = 1, 2
    longest = max(p.n_values for p in space.parameters.values())
    while low < longest and fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    points = dict.fromkeys(space.names, low)
    for name in space.names:
        more = {**points, name: low + 1}
        points = more if fits(more) else points
    return points
