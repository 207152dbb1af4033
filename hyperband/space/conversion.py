"""Conversion between points of the unit cube and configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.definition import Definition, Points

_INACTIVE = object()


def checked(space: Definition, points: Points) -> Points:
    """Points as a float64 array of shape (n, n_dimensions), checked.

    Raises
    ------
    InputError
        When the shape differs, or a number lies outside [0, 1]; NaN is allowed.
    """
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != space.n_dimensions:
        raise InputError(f"Points must have shape (n, {space.n_dimensions}); got {array.shape}.")
    if array.size and (np.fmin.reduce(array, axis=None) < 0.0 or np.fmax.reduce(array, axis=None) > 1.0):
        outside = array[(array < 0.0) | (array > 1.0)]
        raise InputError(f"Points must lie in [0, 1] or be NaN; got {outside[0]}.")
    return array


def column(space: Definition, points: Points, name: str) -> NDArray[Any]:
    """Values of one parameter, shape (n,); where it is inactive, NaN among numbers and None among other values."""
    u = points[:, space.column_of(name)]
    inactive = np.isnan(u)
    if not inactive.any():
        return space.parameters[name].decode(u)
    values = space.parameters[name].decode(np.where(inactive, 0.0, u))
    values = values.astype(np.float64 if values.dtype.kind in "if" else object)
    values[inactive] = None if values.dtype == object else np.nan
    return values


def decode(space: Definition, points: Points) -> list[dict[str, Any]]:
    """Configurations of points; see `hyperband.space.Space.decode`."""
    points = checked(space, points)
    lists = []
    for u, parameter in zip(points.T, space.parameters.values(), strict=True):
        inactive = np.isnan(u)
        values = parameter.values(np.where(inactive, 0.0, u))
        if inactive.any():
            values = [_INACTIVE if absent else v for absent, v in zip(inactive.tolist(), values, strict=True)]
        lists.append(values)
    rows = zip(*lists, strict=True)
    return [{name: v for name, v in zip(space.parameters, row) if v is not _INACTIVE} for row in rows]


def encode(space: Definition, configurations: Sequence[Mapping[str, Any]]) -> Points:
    """Points of configurations; see `hyperband.space.Space.encode`."""
    points = np.full((len(configurations), space.n_dimensions), np.nan)
    for row, configuration in enumerate(configurations):
        for name, value in configuration.items():
            index = space.column_of(name, "A configuration")
            try:
                points[row, index] = space.parameters[name].encode([value])[0]
            except InputError as error:
                raise InputError(f"Parameter {name!r}: {error}") from None
    expected = np.isnan(space.activate(np.where(np.isnan(points), 0.0, points)))
    wrong = np.argwhere(expected != np.isnan(points))
    if len(wrong):
        row, index = wrong[0]
        state = "be absent: a condition makes it inactive" if expected[row, index] else "have a value"
        raise InputError(f"Parameter {space.names[index]!r} must {state}; got {dict(configurations[row])!r}.")
    return points
