"""What pictures read from a result: the protocol, the last evaluation of each trial, and points of the space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.plots.ticks import short
from hyperband.space import Choice
from hyperband.tuning.incumbent import Incumbent
from hyperband.tuning.plans import Plan

if TYPE_CHECKING:
    from hyperband.space import Points, Space

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class PlottedResult(Protocol):
    """The attributes of a `hyperband.SearchResult` that pictures read."""

    @property
    def trials(self) -> Mapping[str, NDArray[Any]]:
        """Columns ``trial, bracket, rung, resource, loss, cost`` and one for each parameter; one row an evaluation."""

    @property
    def plan(self) -> Plan:
        """The plan of the search."""

    @property
    def unit(self) -> str:
        """Name of the unit of resource."""

    @property
    def space(self) -> Space | None:
        """The space that was searched, or None where it is not known."""

    @property
    def best(self) -> Incumbent | None:
        """The incumbent, or None when no loss is finite."""

    @property
    def order(self) -> I64 | None:
        """Row numbers of ``trials`` in the order in which the results were told, or None where it is not known."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The last evaluation of each trial, one entry a trial, in the order of their numbers.

    Parameters
    ----------
    trial : int64 array, shape (n_trials,), numbers of the trials
    row : int64 array, shape (n_trials,), row of the last evaluation in ``result.trials``
    level : int64 array, shape (n_trials,), index in ``levels`` of its resource
    loss : float64 array, shape (n_trials,), its loss; NaN or infinite for a failed trial
    levels : float64 array, shape (n_levels,)
        The resources of the rungs of all brackets of the plan, and any others that occur, ascending.
    best : int or None, index of the incumbent's trial in these arrays

    Examples
    --------
    >>> import hyperband as hb
    >>> result = hb.minimize(lambda c, r: c["x"], hb.Space({"x": hb.Float(0.0, 1.0)}), hb.SuccessiveHalving(9))
    >>> outcomes = Outcomes.of(result)
    >>> outcomes.levels.tolist(), outcomes.level.tolist().count(2)
    ([1.0, 3.0, 9.0], 1)
    """

    trial: I64
    row: I64
    level: I64
    loss: F64
    levels: F64
    best: int | None

    @classmethod
    def of(cls, result: PlottedResult, levels: F64 | None = None) -> Outcomes:
        """The outcomes of all trials with at least one result; ``levels`` adds the levels of other results."""
        trial, resource, loss = (np.asarray(result.trials[name]) for name in ("trial", "resource", "loss"))
        rows = np.lexsort((result.trials["rung"], trial))
        last = rows[np.flatnonzero(np.diff(trial[rows], append=-1))]
        planned = [float(rung.r) for bracket in result.plan.brackets for rung in bracket.rungs]
        levels = np.unique(np.concatenate([planned, resource, [] if levels is None else levels]))
        best = None if result.best is None else int(np.searchsorted(trial[last], result.best.trial))
        level = np.searchsorted(levels, resource[last])
        return cls(trial[last], last, level, loss[last].astype(np.float64), levels, best)

    @property
    def resource(self) -> F64:
        """The resource of each trial's last evaluation, shape (n_trials,)."""
        return self.levels[self.level]

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Whether the last loss of each trial is no finite number, bool array of shape (n_trials,)."""
        return ~np.isfinite(self.loss)


def at_resource(resources: F64, unit: str) -> str:
    """At which resource losses were measured, so that losses of unlike resource are never mixed without saying so.

    Examples
    --------
    >>> at_resource(np.array([9.0, 9.0]), "epochs"), at_resource(np.array([9.0, 1.0]), "epochs")
    ('at 9 epochs', 'each at its own 1 to 9 epochs')
    """
    low, high = (short(float(extreme)) for extreme in (resources.min(), resources.max()))
    return f"at {high} {unit}" if low == high else f"each at its own {low} to {high} {unit}"


def space_of(result: PlottedResult) -> Space:
    """The space of a result; raises `InputError` when it is not known."""
    if result.space is None:
        raise InputError("`space` of the result must be known for this picture; got None. Use the search's own result.")
    return result.space


def points_of(result: PlottedResult, rows: I64) -> Points:
    """Points of some evaluations, shape (n_rows, n_dimensions), NaN where a parameter was inactive."""
    space = space_of(result)
    points = np.full((len(rows), space.n_dimensions), 0.5)
    for column, (name, parameter) in zip(points.T, space.parameters.items(), strict=True):
        values = _column(result, name)[rows].tolist()
        if isinstance(parameter, Choice):  # None may be an option, which a column of numbers stores as NaN
            values = [None if value != value else value for value in values]
            may_be_none = None in parameter.options
            active = [i for i, value in enumerate(values) if value is not None or may_be_none]
        else:
            active = [i for i, value in enumerate(values) if value is not None and value == value]
        column[active] = parameter.encode([values[i] for i in active])
    return space.activate(points)


def complete(points: Points) -> NDArray[np.bool_]:
    """Which points have no NaN, bool array of shape (n,).

    Examples
    --------
    >>> complete(np.array([[0.5, 0.5], [np.nan, 0.5]])).tolist()
    [True, False]
    """
    whole: NDArray[np.bool_] = np.all(~np.isnan(points), axis=1)
    return whole


def _column(result: PlottedResult, name: str) -> NDArray[Any]:
    """Values of a parameter; its column is ``parameter_NAME`` where ``NAME`` is a column of results."""
    other = f"parameter_{name}"
    renamed = other in result.trials and other not in space_of(result).parameters
    return np.asarray(result.trials[other if renamed else name])
