"""Between points of the unit cube and configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.definition import Definition, Points

_OFF = object()


def checked(space: Definition, points: Points) -> Points:
    """Points as an array of shape (n, n_dimensions).

    Raises
    ------
    InputError
        When the shape is another one, or a number lies outside [0, 1].
    """
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != space.n_dimensions:
        raise InputError(f"Points must have shape (n, {space.n_dimensions}); got {array.shape}.")
    if array.size and (np.fmin.reduce(array, axis=None) < 0.0 or np.fmax.reduce(array, axis=None) > 1.0):
        outside = array[(array < 0.0) | (array > 1.0)]
        raise InputError(f"Points must lie in [0, 1] or be NaN; got {outside[0]}.")
    return array


def column(space: Definition, points: Points, name: str) -> NDArray[Any]:
    """Values of one parameter, shape (n,): numbers with NaN, other values with None where switched off."""
    u = points[:, space.place(name)]
    off = np.isnan(u)
    if not off.any():
        return space.parameters[name].decode(u)
    values = space.parameters[name].decode(np.where(off, 0.0, u))
    values = values.astype(np.float64 if values.dtype.kind in "if" else object)
    values[off] = None if values.dtype == object else np.nan
    return values


def decode(space: Definition, points: Points) -> list[dict[str, Any]]:
    """See `hyperband.space.Space.decode`."""
    points = checked(space, points)
    lists = []
    for place, parameter in enumerate(space.parameters.values()):
        u = points[:, place]
        off = np.isnan(u)
        values = parameter.values(np.where(off, 0.0, u))
        lists.append([_OFF if gone else v for gone, v in zip(off.tolist(), values)] if off.any() else values)
    rows = zip(*lists, strict=True)
    return [{name: v for name, v in zip(space.parameters, row) if v is not _OFF} for row in rows]


def encode(space: Definition, configurations: Sequence[Mapping[str, Any]]) -> Points:
    """See `hyperband.space.Space.encode`."""
    points = np.full((len(configurations), space.n_dimensions), np.nan)
    for row, configuration in enumerate(configurations):
        for name, value in configuration.items():
            place = space.place(name, "A configuration")
            try:
                points[row, place] = space.parameters[name].encode([value])[0]
            except InputError as error:
                raise InputError(f"Parameter {name!r}: {error}") from None
    expected = np.isnan(space.activate(np.where(np.isnan(points), 0.0, points)))
    wrong = np.argwhere(expected != np.isnan(points))
    if len(wrong):
        row, place = wrong[0]
        state = "be absent: a condition switches it off" if expected[row, place] else "have a value"
        raise InputError(f"Parameter {space.names[place]!r} must {state}; got {dict(configurations[row])!r}.")
    return points
