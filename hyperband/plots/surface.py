"""The loss over two parameters as a heat map: computed where the function is known, else learnt from the trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.plots.losses import Range
from hyperband.plots.scales import Scale
from hyperband.plots.trials import Outcomes, Searched, complete, points_of, space_of
from hyperband.space import Choice, Expression, Space

F64 = NDArray[np.float64]
Loss = Callable[[Mapping[str, Any]], float]

#: Fewer trials with a finite loss than this teach a forest nothing about two parameters.
LEAST = 5
_TREES = 200


@dataclass(frozen=True, slots=True)
class Surface:
    """Losses on the cells of two scales.

    Parameters
    ----------
    values : float64 array, shape (n_y, n_x); NaN where no configuration is
    range : Range, what the colours show
    label : str, what the colours mean and where they come from
    """

    values: F64
    range: Range
    label: str


def surface_of(results: Sequence[Searched], x: Scale, y: Scale, loss: Loss | None) -> Surface | None:
    """Of a known function, or fitted to the last losses of all trials of all results together.

    None when there is no function, and too few losses to fit anything.
    """
    if loss is None:
        return _fitted(results, x, y)
    if not callable(loss):
        raise InputError(f"`loss` must be a function of a configuration, or None; got {loss!r}.")
    return _computed(results[0], x, y, loss)


def _computed(result: Searched, x: Scale, y: Scale, loss: Loss) -> Surface:
    """Other parameters as the incumbent has them, or at their defaults where it has none."""
    space = space_of(result)
    point = np.array([[p.default_point for p in space.parameters.values()]])
    outcomes = Outcomes.of(result)
    if outcomes.best is not None:
        found = points_of(result, outcomes.row[[outcomes.best]])
        point = np.where(np.isnan(found), point, found)
    us, vs = x.edges()[1], y.edges()[1]
    points = np.repeat(point, len(us) * len(vs), axis=0)
    points[:, space.column_of(x.name)] = np.tile(us, len(vs))
    points[:, space.column_of(y.name)] = np.repeat(vs, len(us))
    points = space.activate(points)
    there = complete(points[:, [space.column_of(x.name), space.column_of(y.name)]])
    there[there] = space.allowed(points[there])
    values = np.full(len(points), np.nan)
    values[there] = [float(loss(configuration)) for configuration in space.decode(points[there])]
    shown = Range.of(values)
    if shown is None:
        raise InputError("`loss` must be finite somewhere on the two axes; it is nowhere.")
    held = "others at defaults" if outcomes.best is None else "others as in the best"
    label = "loss, computed" if space.n_dimensions == 2 else f"loss, computed\n{held}"
    return Surface(values.reshape(len(vs), len(us)), shown, label)


def _fitted(results: Sequence[Searched], x: Scale, y: Scale) -> Surface | None:
    """Extremely randomised trees on the two parameters alone: others are averaged over as they were tried."""
    from sklearn.ensemble import ExtraTreesRegressor

    rows, losses = [], []
    for result in results:
        outcomes, space = Outcomes.of(result), space_of(result)
        points = points_of(result, outcomes.row)[:, [space.column_of(x.name), space.column_of(y.name)]]
        usable = ~outcomes.failed & complete(points)
        rows.append(points[usable])
        losses.append(outcomes.loss[usable])
    points, told = np.concatenate(rows), np.concatenate(losses)
    shown = Range.of(told)
    if shown is None or len(told) < LEAST:
        return None
    told = np.minimum(told, shown.top)
    us, vs = x.edges()[1], y.edges()[1]
    grid = np.column_stack([np.tile(us, len(vs)), np.repeat(vs, len(us))])
    forest = ExtraTreesRegressor(_TREES, min_samples_leaf=2, random_state=0)
    forest.fit(_features(points, x, y), np.log(told) if shown.log else told)
    values = forest.predict(_features(grid, x, y))
    values = np.exp(values) if shown.log else values
    values[~_allowed(space_of(results[0]), grid, x, y)] = np.nan
    return Surface(values.reshape(len(vs), len(us)), shown, "last loss, fitted by a forest")


def _features(points: F64, x: Scale, y: Scale) -> F64:
    """Columns for a forest: one an option where options have no order, since no split at a threshold fits those."""
    columns = []
    for u, scale in zip(points.T, (x, y), strict=True):
        p = scale.parameter
        if isinstance(p, Choice) and not p.ordered:
            columns.append(np.eye(len(p.options))[p.indices(u)])
        else:
            columns.append(p.canonical(u)[:, None])
    return np.concatenate(columns, axis=1)


def _allowed(space: Space, grid: F64, x: Scale, y: Scale) -> NDArray[np.bool_]:
    """Cells that the constraints on these two parameters alone leave, shape (n,)."""
    own = [c for c in space.constraints if isinstance(c, str) and set(Expression(c).names) <= {x.name, y.name}]
    return Space({x.name: x.parameter, y.name: y.parameter}, constraints=own).allowed(grid)
