"""The loss over two parameters as a heat map: computed from a known function, or fitted to the trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.plots.loss_range import LossRange
from hyperband.plots.plotted_result import Outcomes, PlottedResult, at_resource, complete, points_of, space_of
from hyperband.plots.scales import Scale
from hyperband.space import Choice, Expression, Space

F64 = NDArray[np.float64]
Loss = Callable[[Mapping[str, Any]], float]

#: Fewest trials with a finite loss to which a forest is fitted.
LEAST = 5
_TREES = 200


@dataclass(frozen=True, slots=True)
class Surface:
    """Losses in the cells of two scales.

    Parameters
    ----------
    values : float64 array, shape (n_y, n_x); NaN where no configuration is allowed
    range : LossRange, the losses that the colours show
    label : str, the label of the colour scale
    """

    values: F64
    range: LossRange
    label: str


def surface_of(results: Sequence[PlottedResult], x: Scale, y: Scale, loss: Loss | None) -> Surface | None:
    """The surface of a known function, or one fitted to the last losses of all trials of all results together.

    None without a function when there are fewer than `LEAST` finite losses.

    Raises
    ------
    InputError
        When ``loss`` is no function, or is finite nowhere.
    """
    if loss is None:
        return _fitted(results, x, y)
    if not callable(loss):
        raise InputError(f"`loss` must be a function of a configuration, or None; got {loss!r}.")
    return _computed(results[0], x, y, loss)


def _computed(result: PlottedResult, x: Scale, y: Scale, loss: Loss) -> Surface:
    """The surface of a function, with the other parameters as in the incumbent, or at their defaults."""
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
    has_both = complete(points[:, [space.column_of(x.name), space.column_of(y.name)]])
    has_both[has_both] = space.allowed(points[has_both])
    values = np.full(len(points), np.nan)
    values[has_both] = [float(loss(configuration)) for configuration in space.decode(points[has_both])]
    shown = LossRange.of(values)
    if shown is None:
        raise InputError("`loss` must be finite somewhere on the two axes; it is finite nowhere.")
    held = "others at defaults" if outcomes.best is None else "others as in the best"
    label = "loss, computed" if space.n_dimensions == 2 else f"loss, computed\n{held}"
    return Surface(values.reshape(len(vs), len(us)), shown, label)


def _fitted(results: Sequence[PlottedResult], x: Scale, y: Scale) -> Surface | None:
    """Extremely randomised trees fitted to the two parameters alone; they average over the other parameters."""
    from sklearn.ensemble import ExtraTreesRegressor

    rows, losses, resources = [], [], []
    for result in results:
        outcomes, space = Outcomes.of(result), space_of(result)
        points = points_of(result, outcomes.row)[:, [space.column_of(x.name), space.column_of(y.name)]]
        usable = ~outcomes.failed & complete(points)
        rows.append(points[usable])
        losses.append(outcomes.loss[usable])
        resources.append(outcomes.resource[usable])
    points, finite = np.concatenate(rows), np.concatenate(losses)
    shown = LossRange.of(finite)
    if shown is None or len(finite) < LEAST:
        return None
    finite = np.minimum(finite, shown.top)
    us, vs = x.edges()[1], y.edges()[1]
    grid = np.column_stack([np.tile(us, len(vs)), np.repeat(vs, len(us))])
    forest = ExtraTreesRegressor(_TREES, min_samples_leaf=2, random_state=0)
    forest.fit(_features(points, x, y), np.log(finite) if shown.log else finite)
    values = forest.predict(_features(grid, x, y))
    values = np.exp(values) if shown.log else values
    values[~_allowed(space_of(results[0]), grid, x, y)] = np.nan
    where = at_resource(np.concatenate(resources), results[0].unit)
    return Surface(values.reshape(len(vs), len(us)), shown, f"last loss, fitted by a forest\n({where})")


def _features(points: F64, x: Scale, y: Scale) -> F64:
    """Input columns of a forest: one an option for unordered options, which no threshold divides sensibly."""
    columns = []
    for u, scale in zip(points.T, (x, y), strict=True):
        p = scale.parameter
        if isinstance(p, Choice) and not p.ordered:
            columns.append(np.eye(len(p.options))[p.indices(u)])
        else:
            columns.append(p.canonical(u)[:, None])
    return np.concatenate(columns, axis=1)


def _allowed(space: Space, grid: F64, x: Scale, y: Scale) -> NDArray[np.bool_]:
    """Cells that satisfy the constraints on these two parameters alone, shape (n,)."""
    own = [c for c in space.constraints if isinstance(c, str) and set(Expression(c).names) <= {x.name, y.name}]
    return Space({x.name: x.parameter, y.name: y.parameter}, constraints=own).allowed(grid)
