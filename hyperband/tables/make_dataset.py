"""One data set of a table: the rows of one fold, as one view shows them."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common import memory
from hyperband.tables import holdout
from hyperband.tables.column_kinds import column_kinds, kinds_of, unusable_categories
from hyperband.tables.column_selection import ROWS, Relevance, relevance
from hyperband.tables.columns import first_names
from hyperband.tables.features_and_target import LabelledRows
from hyperband.tables.fit_preprocessing import FitSettings, Fitted, fit_preprocessing
from hyperband.tables.options import TableOptions
from hyperband.tables.prepared import Prepared
from hyperband.tables.preprocess import CATEGORY, IGNORED, SAYS_NOTHING, InputColumn, Preprocessing
from hyperband.tables.schema import Schema
from hyperband.tables.table import Table
from hyperband.tables.target import Target
from hyperband.tables.views import VIEWS
from hyperband.tables.weights import F64, class_weights, row_weights

F32 = NDArray[np.float32]
Array = NDArray[Any]
RowNumbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What all data sets of a table are made from.

    Parameters
    ----------
    rows : LabelledRows, with all columns
    usable : Table, the same rows without the columns that are no features
    schema : Schema, by which the columns were read
    target : Target, the same for all data sets, so that their networks can be averaged
    held : validation and test rows that were given apart from the table, by these names
    test : int array, numbers of the test rows among ``rows``, or None
    categories, numeric : names of columns that are categories, and of those that are numbers, whatever they hold
    left_out : dict of column that is no feature to why
    options, seed : see `hyperband.tables.prepare_table`
    notes : tuple of str
    found : dict, what was found out of the columns, by the bytes of the row numbers that were looked at
    """

    rows: LabelledRows
    usable: Table
    schema: Schema
    target: Target
    held: Mapping[str, LabelledRows]
    test: RowNumbers | None
    categories: Collection[str]
    numeric: Collection[str]
    left_out: Mapping[str, str]
    options: TableOptions
    seed: int
    notes: tuple[str, ...]
    found: dict[bytes, Relevance] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)  # that each of them took

    def relevance(self, train: RowNumbers, y: Array) -> Relevance:
        """Which columns say something about the target on these rows; of two views of a fold it is found once."""
        rows = train[:ROWS]
        key = rows.tobytes()
        if key not in self.found:
            began = time.monotonic()
            kinds = kinds_of(column_kinds(self.usable, rows, self.categories, self.numeric)[0])
            texts = [name for name, kind in kinds.items() if kind == CATEGORY]
            ignored, _ = unusable_categories(self.usable, texts, rows, len(rows))
            used = {name: kind for name, kind in kinds.items() if name not in ignored}
            self.found[key] = relevance(self.usable, used, rows, y[:ROWS], self.seed)
            self.seconds.append(time.monotonic() - began)
        return self.found[key]


@dataclass(frozen=True, slots=True)
class _Part:
    """The arrays of one part of the rows: training, validation or test."""

    x: F32
    y: Array
    weight: F32 | None

    @classmethod
    def of(
        cls, rows: LabelledRows, prep: Preprocessing, name: str, by_class: F64 | None, take: RowNumbers | None = None
    ) -> _Part:
        """The listed rows, or all of them, transformed and encoded."""
        values, weight = rows.values, rows.weight
        if take is not None:
            values, weight = values[take], None if weight is None else weight[take]
        y = prep.target.encode(values, name)
        return cls(prep.transform(rows.table, take), y, row_weights(weight, by_class, y) if len(y) else None)


def make_dataset(source: Source, view: str, train: RowNumbers, validation: RowNumbers | None) -> Prepared:
    """The arrays of a fold in a view, fitted on the rows ``train``.

    Parameters
    ----------
    source : Source
    view : str, a name of `hyperband.tables.views.VIEWS`
    train : int array, row numbers in the order that they shall have
    validation : int array, row numbers; None when ``source`` holds the validation rows

    Raises
    ------
    DataError
        When these rows cannot be used.
    InsufficientMemory
        When the arrays do not fit in free memory.
    """
    drawn = {"validation": validation, "test": source.test}
    return _make(source, view, train, {name: rows for name, rows in drawn.items() if rows is not None}, source.held)


def make_refit(source: Source, view: str, rest: RowNumbers) -> Prepared:
    """All rows that are not test rows as training rows, those of ``source.held["validation"]`` too; none validate.

    Parameters
    ----------
    source, view : as for `make_dataset`
    rest : int array, ascending, the rows that are not test rows

    Raises
    ------
    DataError, InsufficientMemory
        As `make_dataset`.
    """
    train = rest[holdout.shuffled(len(rest), source.seed, holdout.REFIT)]
    drawn = {"validation": rest[:0]} | ({} if source.test is None else {"test": source.test})
    apart = {name: rows for name, rows in source.held.items() if name == "test"}
    return _make(source, view, train, drawn, apart, source.held.get("validation"))


def _make(
    source: Source,
    view: str,
    train: RowNumbers,
    drawn: Mapping[str, RowNumbers],
    apart: Mapping[str, LabelledRows],
    more: LabelledRows | None = None,
) -> Prepared:
    """Training rows, and validation and test rows by name: drawn from the table, or given apart from it."""
    rows, options = source.rows, source.options
    goal = source.target
    y = goal.encode(rows.values[train])
    settings = FitSettings(view, options.scaling, source.categories, source.numeric, source.seed)
    usable, chosen = _selected(source, view, train, y)
    fitted = fit_preprocessing(usable, train, goal, y, settings)
    prep = _of_whole_table(fitted.preprocessing, source)
    n_rows = len(train) + sum(map(len, drawn.values())) + sum(part.table.n_rows for part in apart.values())
    n_rows += 0 if more is None else 2 * (len(train) + more.table.n_rows)  # joined, then put in order
    memory.require(
        4 * n_rows * prep.n_features,
        f"The table as {n_rows:,} x {prep.n_features:,} float32 rows",
        "Use fewer rows, or drop columns.",
    )
    by_class = None if options.class_weight is None else class_weights(options.class_weight, goal, y)
    made = {name: _Part.of(rows, prep, "y", by_class, take) for name, take in drawn.items()}
    made |= {name: _Part.of(part, prep, name, by_class) for name, part in apart.items()}
    training = _training(source, replace(fitted, preprocessing=prep), by_class, train, more)
    notes = [
        f"{part.dropped} rows of the {name} table without a target are left out."
        for name, part in source.held.items()
        if part.dropped
    ]
    validation, test = made["validation"], made.get("test")
    return Prepared(
        training.x,
        training.y,
        validation.x,
        validation.y,
        prep,
        training.weight,
        validation.weight,
        None if test is None else test.x,
        None if test is None else test.y,
        (*source.notes, *chosen, *fitted.notes, *notes),
    )


def _selected(source: Source, view: str, train: RowNumbers, y: Array) -> tuple[Table, list[str]]:
    """The columns that a view uses, at least one, and a note where it leaves some out."""
    table = source.usable
    if not VIEWS[view].selects:
        return table, []
    found = source.relevance(train, y)
    names = set(found.relevant or found.best)
    kept = table.without(name for name in table.names if name not in names)
    return kept, [f"View {view!r} uses {len(kept.names)} of {len(table.names)} columns: {first_names(kept.names)}."]


def _training(
    source: Source, fitted: Fitted, by_class: F64 | None, train: RowNumbers, more: LabelledRows | None
) -> _Part:
    """The training rows, with their cross-fitted features, and further rows mixed among them."""
    rows, prep = source.rows, fitted.preprocessing
    weight = None if rows.weight is None else rows.weight[train]
    x, y = prep.transform(rows.table, train), prep.target.encode(rows.values[train])
    for feature, values in fitted.cross_fitted.items():
        x[:, feature] = values
    if more is not None:
        x = np.concatenate([x, prep.transform(more.table)])
        y = np.concatenate([y, prep.target.encode(more.values, "validation")])
        if weight is not None:  # rows that were given apart have no weights: they count as much as the mean row
            weight = np.concatenate([weight, np.full(more.table.n_rows, weight.mean())])
        order = holdout.shuffled(len(x), source.seed, holdout.REFIT)
        x, y, weight = x[order], y[order], None if weight is None else weight[order]
    return _Part(x, y, row_weights(weight, by_class, y))


def _of_whole_table(prep: Preprocessing, source: Source) -> Preprocessing:
    """Columns that are left out stay among the inputs as ignored ones, so that arrays with all columns still fit."""
    known = {column.name: column for column in prep.inputs}
    part_of = source.schema.part_of
    inputs: list[InputColumn] = []
    for name in source.rows.table.names:
        why = source.left_out.get(name, SAYS_NOTHING)
        column = known.get(name, InputColumn(name, IGNORED, why=why))
        inputs.append(replace(column, part_of=part_of.get(name, "")))
    return replace(prep, inputs=tuple(inputs), schema=source.schema)
