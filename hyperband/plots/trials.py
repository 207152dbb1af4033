"""What pictures read of a result: where its trials lie in the space, and where each one ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space import Choice
from hyperband.tuning.plans import Plan

if TYPE_CHECKING:
    from hyperband.space import Points, Space

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Searched(Protocol):
    """A `hyperband.SearchResult`, as far as pictures know it."""

    @property
    def trials(self) -> Mapping[str, NDArray[Any]]:
        """Columns ``trial, bracket, rung, resource, loss, cost`` and one a parameter, one row an evaluation."""

    @property
    def plan(self) -> Plan:
        """What was meant to run."""

    @property
    def unit(self) -> str:
        """Of the resource."""

    @property
    def space(self) -> Space | None:
        """In which was searched."""

    @property
    def best(self) -> Any:
        """The incumbent, with its ``trial``, or None."""

    @property
    def order(self) -> I64 | None:
        """Rows of ``trials`` in the order in which they were told, or None."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Where each trial ended; one entry a trial, in the order of trials.

    Parameters
    ----------
    trial : int64 array, shape (n_trials,)
    row : int64 array, its last evaluation in ``result.trials``
    level : int64 array, which of ``levels`` that evaluation was at
    loss : float64 array, the last loss; NaN or infinite: it failed
    levels : float64 array, shape (n_levels,)
        Amounts of resource at which the plan judges: the rungs of its longest bracket, in Hyperband those of all.
    best : int or None, place of the incumbent's trial
    """

    trial: I64
    row: I64
    level: I64
    loss: F64
    levels: F64
    best: int | None

    @classmethod
    def of(cls, result: Searched, levels: F64 | None = None) -> Outcomes:
        """Of all trials with at least one result; ``levels`` of several results, to be comparable."""
        trial, resource, loss = (np.asarray(result.trials[name]) for name in ("trial", "resource", "loss"))
        rows = np.lexsort((result.trials["rung"], trial))
        last = rows[np.flatnonzero(np.diff(trial[rows], append=-1))]
        planned = [float(rung.r) for bracket in result.plan.brackets for rung in bracket.rungs]
        levels = np.unique(np.concatenate([planned, resource, [] if levels is None else levels]))
        best = None if result.best is None else int(np.searchsorted(trial[last], result.best.trial))
        level = np.searchsorted(levels, resource[last])
        return cls(trial[last], last, level, loss[last].astype(np.float64), levels, best)

    @property
    def failed(self) -> NDArray[np.bool_]:
        """The last loss is no finite number."""
        return ~np.isfinite(self.loss)


def space_of(result: Searched) -> Space:
    """The space of a result; `InputError` when it is not known."""
    if result.space is None:
        raise InputError("`space` of the result must be known for this picture; got None. Use the search's own result.")
    return result.space


def points_of(result: Searched, rows: I64) -> Points:
    """Points of the unit cube of some evaluations, NaN where a parameter was switched off, shape (len(rows), d)."""
    space = space_of(result)
    points = np.full((len(rows), space.n_dimensions), 0.5)
    for place, (name, parameter) in enumerate(space.parameters.items()):
        values = _column(result, name)[rows].tolist()
        if isinstance(parameter, Choice):  # None may be an option; among numbers it is written as NaN
            values = [None if value != value else value for value in values]
            nothing = None not in parameter.options
            there = [i for i, value in enumerate(values) if not (value is None and nothing)]
        else:
            there = [i for i, value in enumerate(values) if value is not None and value == value]
        points[there, place] = parameter.encode([values[i] for i in there])
    return space.activate(points)


def complete(points: Points) -> NDArray[np.bool_]:
    """Rows without NaN, shape (n,)."""
    whole: NDArray[np.bool_] = np.all(~np.isnan(points), axis=1)
    return whole


def _column(result: Searched, name: str) -> NDArray[Any]:
    """Values of a parameter; its column has another name when a column of results had it first."""
    other = f"parameter_{name}"
    renamed = other in result.trials and other not in space_of(result).parameters
    return np.asarray(result.trials[other if renamed else name])
