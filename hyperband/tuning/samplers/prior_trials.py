"""Trials of an earlier search, in whatever form they are kept, as points of a space."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hyperband.errors import InputError
from hyperband.space import Points, Space
from hyperband.tuning.samplers.iterable import point_of
from hyperband.tuning.samplers.table_values import TableValues, is_missing
from hyperband.tuning.trial import Loss


@dataclass(frozen=True, slots=True)
class EarlierTrials:
    """Evaluations, one row each.

    Parameters
    ----------
    numbers : list of int, below 0: the trial of each row, the earliest the lowest
    points : float64 array, shape (n, n_dimensions)
    resources : list of float
    losses : list of float or tuple
    """

    numbers: list[int]
    points: Points
    resources: list[float]
    losses: list[Loss]


def read(trials: Any, space: Space, leave_out: bool = False) -> EarlierTrials:
    """Evaluations of a SearchResult, a TrialTable or another table of columns, or (configuration, resource, loss).

    Raises
    ------
    InputError
        When they have another form, or, without ``leave_out``, a configuration is not of the space.

    Examples
    --------
    >>> from hyperband.space import Float
    >>> found = read([({"x": 0.5}, 9, 0.1), ({"x": 0.25}, 9, 0.2)], Space({"x": Float(0.0, 1.0)}))
    >>> found.numbers, found.points.ravel().tolist(), found.losses
    ([-2, -1], [0.5, 0.25], [0.1, 0.2])
    """
    table = _columns_of_a_frame(getattr(trials, "trials", trials))
    rows = _rows_of_columns(table, space) if isinstance(table, Mapping) else _rows_of_triples(table)
    keys: list[Hashable] = []
    points, resources, losses = [np.empty((0, space.n_dimensions))], [], []
    for row, (key, configuration, resource, loss) in enumerate(rows):
        name = f"Row {row} of `trials`"
        written = _resource(resource, name), _loss(loss, name)
        try:
            points.append(point_of(space, configuration, name))
        except InputError:
            if leave_out:
                continue
            raise
        keys.append(key)
        resources.append(written[0])
        losses.append(written[1])
    order = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return EarlierTrials([order[key] - len(order) for key in keys], np.concatenate(points), resources, losses)


def plain_trials(trials: Any) -> Any:
    """What `read` takes as lists and mappings of plain values; None stands for a number that is not finite.

    An iterator is returned as it is: to list it would leave nothing for the search.

    Examples
    --------
    >>> plain_trials({"resource": np.array([1, 1]), "loss": np.array([0.5, np.nan]), "x": np.array([0.1, 0.2])})
    {'resource': [1, 1], 'loss': [0.5, None], 'x': [0.1, 0.2]}
    """
    table = _columns_of_a_frame(getattr(trials, "trials", trials))
    if isinstance(table, Mapping):
        return {str(name): [_finite_or_none(value) for value in _plain(column)] for name, column in table.items()}
    if isinstance(table, Iterator) or not isinstance(table, Iterable):
        return table
    return [
        [
            configuration,
            resource,
            [_finite_or_none(v) for v in loss] if isinstance(loss, tuple | list) else _finite_or_none(loss),
        ]
        for _, configuration, resource, loss in _rows_of_triples(table)
    ]


def _finite_or_none(value: Any) -> Any:
    infinite = isinstance(value, float | np.floating) and not math.isfinite(value)
    return None if infinite or is_missing(value) else value


_Row = tuple[Hashable, Any, Any, Any]


def _rows_of_triples(trials: Any) -> Iterator[_Row]:
    if isinstance(trials, str) or not isinstance(trials, Iterable):
        raise InputError(
            "`trials` must be a SearchResult, a TrialTable or a list of (configuration, resource, loss); "
            f"got {trials!r}."
        )
    for number, row in enumerate(trials):
        if not isinstance(row, tuple | list) or len(row) != 3:
            raise InputError(f"Row {number} of `trials` must be (configuration, resource, loss); got {row!r}.")
        yield (number, *row)


def _rows_of_columns(table: Mapping[str, Any], space: Space) -> Iterator[_Row]:
    for name in ("resource", "loss"):
        if name not in table:
            raise InputError(f"`trials` must have a column {name!r}; got {', '.join(map(str, table)) or 'none'}.")
    columns = {}
    for name in space.names:
        # A parameter named like another column of the table has a longer name there.
        column = f"parameter_{name}" if f"parameter_{name}" in table else name
        if column in table:
            columns[name] = _plain(table[column])
    readers = {name: TableValues(space.parameters[name]) for name in columns}
    resources, losses = _plain(table["resource"]), _losses(table, space)
    keys = _plain(table["trial"]) if "trial" in table else list(range(len(losses)))
    for row, key in enumerate(keys):
        values = {name: column[row] for name, column in columns.items()}
        yield key, _configuration(values, readers, space, f"Row {row} of `trials`"), resources[row], losses[row]


def _columns_of_a_frame(table: Any) -> Any:
    """A data frame (pandas, polars, pyarrow) as a mapping of columns; anything else as it is."""
    if isinstance(table, Mapping) or not hasattr(table, "columns") or not hasattr(table, "__getitem__"):
        return table
    names = getattr(table, "column_names", table.columns)  # pyarrow has the columns themselves under ``columns``
    return {str(name): table[name] for name in names}


def _losses(table: Mapping[str, Any], space: Space) -> list[Any]:
    """Tuples where a `TrialTable` has a column for each of several objectives: ``loss`` is the first of them alone."""
    several: list[list[Any]] = []
    while (name := f"objective_{len(several)}") in table:
        if name in space.names and f"parameter_{name}" not in table:
            break  # a parameter of that name
        several.append(_plain(table[name]))
    return _plain(table["loss"]) if len(several) < 2 else list(zip(*several, strict=True))


def _plain(column: Any) -> list[Any]:
    if isinstance(column, list):
        return column
    # The frame's own conversion keeps tuples and lists whole, and times as times.
    convert = next((getattr(column, name) for name in _CONVERSIONS if hasattr(column, name)), None)
    values: list[Any] = np.asarray(column).tolist() if convert is None else convert()
    return values


#: Of a column of pyarrow; of pandas and polars; of NumPy.
_CONVERSIONS = ("to_pylist", "to_list", "tolist")


def _configuration(
    values: Mapping[str, Any], readers: Mapping[str, TableValues], space: Space, row: str
) -> dict[str, Any]:
    """A row as a configuration; a hole is an option where one is written so and the conditions allow it."""
    holes = [name for name, value in values.items() if readers[name].is_hole(value)]
    there = {name: _value(value, readers[name], name, row) for name, value in values.items() if name not in holes}
    optional = [name for name in holes if readers[name].holes]
    supposed = {**there, **{name: readers[name].holes[0] for name in optional}}
    active = [name for name in optional if _active(space, supposed, name)]
    return {**there, **{name: _value(values[name], readers[name], name, row) for name in active}}


def _value(value: Any, reader: TableValues, name: str, row: str) -> Any:
    try:
        return reader.value(value)
    except InputError as error:
        raise InputError(f"{row}: Parameter {name!r}: {error}") from None


def _active(space: Space, values: Mapping[str, Any], name: str) -> bool:
    """Whether the conditions switch a parameter on, given the values of all that may be on."""
    point = np.zeros((1, space.n_dimensions))
    for other, value in values.items():
        try:
            point[0, space.column_of(other)] = space.parameters[other].encode([value])[0]
        except InputError:  # the row is refused later, with its number
            return True
    return not bool(np.isnan(space.activate(point)[0, space.column_of(name)]))


def _resource(value: Any, name: str) -> float:
    try:
        resource = float(value)
    except (TypeError, ValueError):
        resource = math.nan
    if not (math.isfinite(resource) and resource > 0.0):
        raise InputError(f"{name} must have a finite resource greater than 0; got {value!r}.")
    return resource


def _loss(value: Any, name: str) -> Loss:
    try:
        if isinstance(value, tuple | list | np.ndarray):
            return tuple(math.nan if is_missing(entry) else float(entry) for entry in value)
        return math.nan if is_missing(value) else float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must have a loss that is a number, or a tuple of numbers; got {value!r}.") from None
