"""What a search hands back: the best configuration, every evaluation as columns, and what was spent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.counted import counted
from hyperband._common.html import html_table
from hyperband.tuning.plans import Plan
from hyperband.tuning.run.run import Incumbent, Run

if TYPE_CHECKING:
    import pandas
    import polars

    from hyperband.plots import Plots
    from hyperband.space import Space


#: Rows of a table of trials that a notebook shows, from its beginning and from its end.
_SHOWN = 5


class TrialTable(Mapping[str, NDArray[np.generic]]):
    """Every evaluation of a search, one row each, in the order (bracket, rung, trial); a mapping of columns.

    Parameters
    ----------
    columns : mapping of str to array, shape (n_rows,)
        ``trial``, ``bracket``, ``rung`` (int64), ``resource``, ``loss``, ``cost`` (float64), one float64 column a
        metric and one column a parameter: int64, float64, bool, or object for text and mixed values. Where a parameter
        was inactive a number is NaN and an object None. A parameter named like another column gets ``parameter_`` in
        front.
    """

    def __init__(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        self._columns = dict(columns)

    @classmethod
    def of(cls, run: Run) -> TrialTable:
        """All results told to a run so far."""
        columns = run.columns()
        trials, rows = np.unique(columns["trial"], return_inverse=True)
        configurations = run.configurations(trials.tolist())
        for name in run.space.names:
            values = _column([configuration.get(name) for configuration in configurations])
            columns[f"parameter_{name}" if name in columns else name] = values[rows]
        return cls(columns)

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def n_rows(self) -> int:
        """Evaluations."""
        return len(self._columns["trial"])

    def to_pandas(self) -> pandas.DataFrame:
        """As a data frame of pandas (which must be installed)."""
        import pandas

        return pandas.DataFrame(self._columns)

    def to_polars(self) -> polars.DataFrame:
        """As a data frame of polars; values of several types, such as 3 and "a", are their texts."""
        import polars

        # polars has no use for object columns; it works out the type of a list by itself.
        return polars.DataFrame(
            {name: _of_one_type(v.tolist()) if v.dtype == object else v for name, v in self._columns.items()},
            strict=False,
        )

    def __repr__(self) -> str:
        return f"TrialTable({self.n_rows} rows; columns {', '.join(self._columns)})"

    def _repr_html_(self) -> str:
        all_rows = self.n_rows <= 2 * _SHOWN
        rows = range(self.n_rows) if all_rows else (*range(_SHOWN), *range(self.n_rows - _SHOWN, self.n_rows))
        cells = [[_cell(values[row]) for values in self._columns.values()] for row in rows]
        if not all_rows:
            cells.insert(_SHOWN, ["..."] * len(self._columns))
        return html_table([*self._columns], cells, title=f"{self.n_rows} evaluations")


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Outcome of a search, finished or not.

    Parameters
    ----------
    best : Incumbent or None
        The incumbent: smallest loss seen at any resource where losses are comparable across resource (epochs), else
        smallest loss at the highest resource reached (rows, features). None when no evaluation gave a finite loss:
        then ``print(result)`` shows the first failure with its traceback.
    best_at_full : Incumbent or None
        Smallest loss at the maximal resource.
    trials : TrialTable
    plan : Plan, what was meant to run
    unit : str, of the resource
    seconds : float, wall time
    stopped : {"finished", "interrupted", "time", "evaluations", "resource", "cost", "target", "patience", "callback",
        "cut"}
        Why the search ended; "cut": where ``training`` says that another one was cut off.
    failures : mapping of trial to what went wrong: a line, and the traceback where there is one
    space : Space or None, in which was searched
    front : tuple of Incumbent
        Of several objectives: the evaluations that no other beats in one without losing in another, one a trial, in the
        order of the first objective. Where losses are not comparable across resource, those at the maximal resource.
    order : int64 array, shape (n_rows,), or None
        Rows of ``trials`` in the order in which they were told.
    """

    best: Incumbent | None
    best_at_full: Incumbent | None
    trials: TrialTable
    plan: Plan
    unit: str = "resource"
    seconds: float = 0.0
    stopped: str = "finished"
    failures: Mapping[int, str] = field(default_factory=dict)
    space: Space | None = None
    front: tuple[Incumbent, ...] = ()
    order: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, run: Run, *, comparable: bool = True, **others: Any) -> SearchResult:
        """What a run has found so far; ``others`` are the remaining fields."""
        table = TrialTable.of(run)
        best = run.best if comparable else _best_at_highest(run, table)
        front = run.front(None if comparable else float(run.plan.max_resource)) if run.n_objectives > 1 else ()
        others |= {"space": run.space, "front": tuple(front), "order": run.order}
        return cls(best, run.best_at_full, table, run.plan, **others)

    @property
    def plot(self) -> Plots:
        """Pictures of this result, by matplotlib: ``result.plot.landscape("x", "y")`` and others."""
        from hyperband.plots import Plots

        return Plots(self)

    @property
    def interrupted(self) -> bool:
        """Somebody pressed Ctrl-C; the best so far is here all the same."""
        return self.stopped == "interrupted"

    @property
    def n_evaluations(self) -> int:
        """Results in the table."""
        return self.trials.n_rows

    @property
    def n_configurations(self) -> int:
        """Configurations with at least one result."""
        return len(np.unique(self.trials["trial"]))

    @property
    def cost(self) -> float:
        """Sum of the costs of all evaluations, in units of resource unless the objective said otherwise."""
        return math.fsum(self.trials["cost"].tolist())

    @property
    def not_finite(self) -> NDArray[np.int64]:
        """Rows of ``trials`` whose loss is NaN or infinite without a failure: the evaluation itself gave that.

        Such a trial counts as failed: it is never promoted and never the best.
        """
        rows = np.flatnonzero(~np.isfinite(np.asarray(self.trials["loss"], dtype=np.float64)))
        return rows[~np.isin(self.trials["trial"][rows], [*self.failures])].astype(np.int64)

    @property
    def first_failure(self) -> str:
        """The trial of the first failure that says why, and its reason with the traceback; empty without any."""
        return next((f"trial {trial}: {text}" for trial, text in self.failures.items() if text), "")

    def __repr__(self) -> str:
        lines = [f"SearchResult: {self._head()}"]
        if self.best is None:
            lines += ["  no evaluation gave a finite loss", *(f"  {line}" for line in self.first_failure.splitlines())]
        else:
            lines.append(
                f"  best: loss {self.best.loss:.6g} at {self.best.resource:g} {self.unit}, trial {self.best.trial}"
            )
            lines += [f"    {name} = {_show(value)}" for name, value in self.best.configuration.items()]
        lines += [f"  {name}: {text}" for name, text in self._figures()]
        if self.front:
            lines.append(f"  front: {len(self.front)} trials, in result.front; best is that of the first objective")
        if n := len(self.not_finite):
            lines.append(
                f"  NaN or infinite: {n} of {self.n_evaluations} losses, in rows result.not_finite of the trials"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        facts: list[tuple[str, str]] = []
        if self.best is None:
            facts.append(("best", "no evaluation gave a finite loss"))
        else:
            facts.append(
                ("best loss", f"{self.best.loss:.6g} at {self.best.resource:g} {self.unit}, trial {self.best.trial}")
            )
            facts += [(name, _show(value)) for name, value in self.best.configuration.items()]
        facts += self._figures()
        if self.front:
            facts.append(("front", f"{len(self.front)} trials"))
        if n := len(self.not_finite):
            facts.append(("NaN or infinite", f"{n} losses"))
        return html_table([], facts, title=self._head(), left=True)

    def _head(self) -> str:
        """What was done."""
        return (
            f"{counted(self.n_evaluations, 'evaluation')} of {counted(self.n_configurations, 'configuration')}, "
            f"{self.cost:.6g} {self.unit}, {self.seconds:.3g} s, {self.stopped}"
            f"{f', {len(self.failures)} failed' if self.failures else ''}"
        )

    def _figures(self) -> list[tuple[str, str]]:
        """More of what is shown of a result: name and text."""
        return []


def _best_at_highest(run: Run, table: TrialTable) -> Incumbent | None:
    if run.best_at_full is not None or run.best is None:
        return run.best_at_full
    trial, resource, loss = (np.asarray(table[name]) for name in ("trial", "resource", "loss"))
    resource = np.where(np.isfinite(loss), resource, -np.inf)
    top = np.flatnonzero(resource == resource.max())
    row = int(top[np.lexsort((trial[top], loss[top]))[0]])
    found = run.results[row]
    return replace(
        run.best,
        trial=found.trial,
        configuration=run.configuration(found.trial),
        loss=found.loss,
        resource=found.resource,
        bracket=found.bracket,
        rung=found.rung,
        metrics=found.metrics,
    )


def _column(values: Sequence[Any]) -> NDArray[np.generic]:
    """The narrowest of int64, float64, bool and object that holds the values; None is a hole."""
    kinds = {type(value) for value in values}
    fits = all(-(2**63) <= value < 2**63 for value in values if type(value) is int)
    if kinds == {bool}:
        return np.array(values, dtype=np.bool_)
    if kinds == {int} and fits:
        return np.array(values, dtype=np.int64)
    if kinds - {type(None)} and kinds <= {int, float, type(None)} and all(map(_is_exact, values)):
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # one by one: NumPy would take a list of lists apart
        column[i] = value
    return column


def _of_one_type(values: Sequence[Any]) -> list[Any]:
    """Texts in place of values that polars would convert: True among numbers to 1, ``Colour.RED`` to its value."""
    parts = [part for part in _parts(values) if part is not None]
    types = {type(part) for part in parts}
    is_one = len(types) <= 1 or (types == {int, float} and all(map(_is_exact, parts)))
    if is_one and not any(isinstance(part, Enum) and not isinstance(part, str | int | float) for part in parts):
        return list(values)
    return [None if value is None else str(value) for value in values]


def _parts(values: Iterable[Any]) -> Iterator[Any]:
    """Values that are neither tuples nor mappings, and those in them."""
    for value in values:
        if isinstance(value, tuple | Mapping):
            yield from _parts(value.values() if isinstance(value, Mapping) else value)
        else:
            yield value


def _is_exact(value: Any) -> bool:
    """Whether float64 keeps a number, as it does all of this size; True of anything that is no int."""
    return not isinstance(value, int) or abs(value) <= 2**53


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _show(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(value)
