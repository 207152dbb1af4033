"""How a copy of a member differs from its parent: the explore step of population-based training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from hyperband._common.philox import EXPLORE, uniform
from hyperband.errors import InputError
from hyperband.space import Choice, Points, Space

#: Share of the parameters that are drawn again.
RESAMPLED = 0.25
#: How far the others move, as a share of their axis (of the logarithm on log axes).
STEP = 0.1
#: Draws before constraints leave the copy as its parent.
ATTEMPTS = 100


def explored(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """The parameters that may change; None: all. `InputError` for what is no list of names."""
    if names is None:
        return None
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise InputError(f"`explore` must list names of parameters, or be None; got {names!r}.")
    found = tuple(names)
    if not all(isinstance(name, str) for name in found):
        raise InputError(f"`explore` must list names of parameters, or be None; got {list(found)!r}.")
    return found


def explore(space: Space, parents: Points, trials: Sequence[int], seed: int, names: Sequence[str] | None) -> Points:
    """Points of copies near those of their parents.

    Each parameter is drawn again with probability 1/4, and else moves up or down by a tenth of its axis, reflected at
    the bounds; an unordered choice stays (Jaderberg et al. 2017, appendix A, on the unit cube). Draws are keyed by
    (seed, trial).

    Parameters
    ----------
    space : Space
    parents : shape (n, n_dimensions)
    trials : numbers of the copies
    seed : int
    names : parameters that may change; None: all

    Returns
    -------
    array, shape (n, n_dimensions)
        Allowed by the constraints; where none of 100 draws is, the parent's own.

    Examples
    --------
    >>> from hyperband.space import Float
    >>> space = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)})
    >>> points = explore(space, np.array([[0.5, 0.5]]), [7], 0, ["x"])
    >>> bool(points[0, 0] != 0.5), float(points[0, 1])
    (True, 0.5)
    """
    columns = [space.column_of(name, "`explore`") for name in (space.names if names is None else names)]
    points, waiting = parents.copy(), np.arange(len(parents))
    for attempt in range(ATTEMPTS):
        if not len(waiting):
            break
        chosen = [trials[row] for row in waiting.tolist()]
        drawn = _draw(space, parents[waiting], uniform(seed, EXPLORE, chosen, 3 * space.n_dimensions, attempt), columns)
        good = space.allowed(drawn)
        points[waiting[good]] = drawn[good]
        waiting = waiting[~good]
    return points


def _draw(space: Space, parents: Points, u: Points, columns: Sequence[int]) -> Points:
    fresh, kind, side = np.split(u, 3, axis=1)
    moved = np.abs(parents + np.where(side < 0.5, -STEP, STEP))
    moved = np.where(moved > 1.0, 2.0 - moved, moved)
    points = np.where(np.isnan(parents), fresh, parents)
    for column in columns:
        parameter = list(space.parameters.values())[column]
        step = parents[:, column] if isinstance(parameter, Choice) and not parameter.ordered else moved[:, column]
        new = np.isnan(step) | (kind[:, column] < RESAMPLED)
        points[:, column] = np.where(new, fresh[:, column], step)
    return space.activate(points)
