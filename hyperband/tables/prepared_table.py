"""A table with its folds and views: every data set that networks of one population may train on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.errors import DataError
from hyperband.tables.column_kinds import column_kinds, examine, kinds_of, numbers_as_texts
from hyperband.tables.columns import first_names, is_declared
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.features_and_target import (
    LabelledRows,
    check_features,
    held_out_rows,
    match_rows,
    separate_target,
    when_missing,
)
from hyperband.tables.fit_categories import ONE_HOT_LEVELS
from hyperband.tables.folds import Folds, Labelled, make_folds
from hyperband.tables.listed_columns import ListedColumns
from hyperband.tables.make_dataset import Source, make_dataset, make_refit
from hyperband.tables.options import VALIDATION, TableOptions
from hyperband.tables.pairs import row_pairs
from hyperband.tables.prepared import Prepared
from hyperband.tables.preprocess import CATEGORY, NUMBER, finite_block, text_column
from hyperband.tables.readings import MISSING, Reading
from hyperband.tables.row_counters import row_counters
from hyperband.tables.schema import find_schema, find_time_parts
from hyperband.tables.splitters import GroupSplit, TimeSplit
from hyperband.tables.table import Table, as_table, without_index
from hyperband.tables.target import Target, fit_classes, fit_scale
from hyperband.tables.target_input import infer_task, read_target
from hyperband.tables.validation import RowPairs, is_rows, key_column, normalised, split_keys
from hyperband.tables.views import sensible_views

RowNumbers = NDArray[np.intp]

#: Rows by which the views are chosen.
_LOOKED_AT = 10_000
#: Of fewer columns none are left out.
_FEWEST_FOR_SELECTION = 8


@dataclass(frozen=True, slots=True)
class RowsForTest:
    """Rows that the search never saw.

    Parameters
    ----------
    numbers : int array, of the rows in the table that they were given in, counted from 0
    table : Table, their columns besides the target
    values : array, their target
    """

    numbers: RowNumbers
    table: Table
    values: NDArray[Any]


class PreparedTable:
    """A table, and for each view and fold the arrays that networks train on, made when they are asked for.

    `prepare_table` makes it. Row numbers are those of the labelled table: the rows that have a target, in their order.

    Examples
    --------
    >>> table = prepare_table("sklearn:diabetes", target="target", validation=5)
    >>> table.views, table.n_folds
    (('standard', 'robust', 'quantile', 'bins', 'fourier'), 5)
    >>> data = table.dataset("robust", fold=2)
    >>> data.x_train.shape, data.x_validation.shape, len(table.validation_rows(2))
    ((354, 10), (88, 10), 88)
    >>> table.forget("robust", 2)
    >>> table.nbytes
    0
    """

    def __init__(self, source: Source, folds: Folds, views: tuple[str, ...]) -> None:
        self._source, self._folds, self._views = source, folds, views
        self._made: dict[tuple[str, int], Prepared] = {}

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the views that make sense for this table, the default one first; see `hyperband.tables.views`."""
        return self._views

    @property
    def n_folds(self) -> int:
        """Number of folds, at least one."""
        return len(self._folds.folds)

    @property
    def n_rows(self) -> int:
        """Rows with a target, test rows among them when they are a fraction."""
        return len(self._source.rows.values)

    @property
    def target(self) -> Target:
        """What is predicted; the same in every data set."""
        return self._source.target

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return self.target.task

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided about the rows, as sentences; each data set adds what was done to its columns."""
        return self._source.notes

    @property
    def selection_seconds(self) -> float:
        """About the time in which the columns of noise are found for a fold; 0 where no view leaves them out."""
        return max(self._source.seconds, default=0.0)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays of all data sets that are held."""
        return sum(made.nbytes for made in self._made.values())

    def dataset(self, view: str, fold: int = 0) -> Prepared:
        """Rows of a fold as a view shows them; fitted on its training rows only, and held until `forget`.

        The training rows of a fold are the same in every view, and in the same random order.

        Parameters
        ----------
        view : str, one of ``views``
        fold : int in [0, n_folds)

        Raises
        ------
        DataError
            When there is no such view or fold, or the rows of this fold cannot be used: a column of them that must vary
            is constant, or values do not fit in float32.
        InsufficientMemory
            When the arrays do not fit in free memory; nothing is made.
        """
        self._check(view, fold)
        key = (view, int(fold))
        if key not in self._made:
            part = self._folds.folds[fold]
            self._made[key] = make_dataset(self._source, view, part.train, part.validation)
        return self._made[key]

    def forget(self, view: str, fold: int = 0) -> None:
        """Let go of a data set, if it is held; `dataset` makes it again, to the same bits."""
        self._check(view, fold)
        self._made.pop((view, int(fold)), None)

    def validation_rows(self, fold: int = 0) -> RowNumbers | None:
        """Numbers of the validation rows of a fold, ascending; None when they were given apart from the table."""
        self._check(self._views[0], fold)
        return self._folds.folds[fold].validation

    @property
    def test_rows(self) -> RowNumbers | None:
        """Numbers of the test rows, ascending; None when there are none, or they were given apart from the table."""
        return self._folds.test

    def rows_for_test(self) -> RowsForTest | None:
        """The test rows as they were given; None when there are none."""
        apart, taken = self._source.held.get("test"), self._folds.test
        if apart is None and taken is None:
            return None
        rows = self._source.rows if apart is None else apart
        given = np.arange(len(rows.values)) if rows.kept is None else np.flatnonzero(rows.kept)
        part = np.full(len(rows.values), taken is None)
        part[[] if taken is None else taken] = True
        return RowsForTest(given[part], rows.table.rows(part), rows.values[part])

    @property
    def is_hold_out(self) -> bool:
        """Whether a part of the rows validates, once, and all others train or test."""
        fold, *others = self._folds.folds
        if others or fold.validation is None:
            return False
        return len(fold.train) + len(fold.validation) == len(self._folds.rest)

    def refit(self, view: str) -> Prepared:
        """All rows that are not test rows as training rows, validation rows among them; there are no validation rows.

        Validation rows that were given apart from the table train too, though the preprocessing is fitted without them.
        It is not held.

        Parameters
        ----------
        view : str, one of ``views``

        Raises
        ------
        DataError, InsufficientMemory
            As `dataset`.
        """
        self._check(view, 0)
        return make_refit(self._source, view, self._folds.rest)

    def _check(self, view: str, fold: int) -> None:
        if view not in self._views:
            raise DataError(f"`view` must be one of {', '.join(self._views)}; got {view!r}.")
        if isinstance(fold, bool) or not isinstance(fold, (int, np.integer)) or not 0 <= fold < self.n_folds:
            raise DataError(f"`fold` must be a whole number from 0 to {self.n_folds - 1}; got {fold!r}.")


def prepare_table(
    X: Any,
    y: Any = None,
    *,
    target: str | int | Sequence[str | int] | None = None,
    validation: Any = VALIDATION,
    test: Any = None,
    seed: int = 0,
    options: TableOptions | None = None,
) -> PreparedTable:
    """A table with its folds and views.

    Parameters
    ----------
    X : array, data frame, dict of columns, list of rows, path or ``"sklearn:NAME"``, see `hyperband.tables.as_table`
        NaN and None in features are missing values and are imputed; infinite values are an error.
    y : array, series or list, optional
        The target: one value a row, or shape (n_rows, n_outputs) for regression.
    target : column of ``X`` to predict, instead of ``y``; see `hyperband.tables.resolve_target`
        Several columns make a regression with several outputs.
    validation : how rows are held out to compare networks, one of

        * a fraction of all rows: one fold, stratified by class, and every class keeps at least one training row;
        * a number of folds, or `KFold`; `GroupSplit`; `TimeSplit`;
        * rows as (X, y), or a table with the target column: one fold;
        * an object with ``split(X, y)``, as those of scikit-learn, which gets a column of zeros and class numbers or
          values; or a list of (training rows, validation rows), row numbers of ``X``;
        * ``"auto"``: five folds for tables of up to 5,000 rows, repeated where there are few, otherwise a hold-out of
          2,000 rows, but at least a tenth of all rows (at most 20,000) and at most a fifth.
    test : None, a fraction, or rows as for ``validation``; a search never reads them
        A fraction is held out before the validation rows; with `GroupSplit` whole groups, with `TimeSplit` the newest.
    seed : int, of the splits, of the order of the training rows, and of the draws of a view
    options : TableOptions, optional
        Task, columns to drop, categorical columns, scaling and weights; None uses the defaults.

    Returns
    -------
    PreparedTable

    Raises
    ------
    DataError
        When an argument breaks one of these rules, or the table cannot be used; it names the column and the reason.

    Examples
    --------
    >>> table = prepare_table("sklearn:iris", target="target", validation="auto")
    >>> table.n_folds, table.notes[-1]
    (15, 'Validation: 5 folds, repeated 3 times, since 150 rows are too few for one hold-out.')
    """
    options = options or TableOptions()
    validation = normalised(validation)
    whole = without_index(as_table(X))
    table, values, names, weight = separate_target(whole, y, target, options.sample_weight)
    declared = is_declared(values) or (y is None and names[0] in whole.declared)
    missing = MISSING if options.na_values is None else options.na_values
    goals: dict[str, Reading] = {}
    hint, texts = "", values
    if y is None and whole.texts is not None:
        values, goals = read_target(texts, options.task, missing, whole.texts.decimal_comma)
        hint = _class_hint(texts, values)
    left = set(table.names)
    left_out = [position for position, name in enumerate(whole.names) if name not in left]
    listed = ListedColumns.of(options, table)
    schema, table, found = find_schema(table, missing, left_out, goals, listed.numeric)
    listed.check(table)
    dropped = dict.fromkeys(listed.drop, "dropped")
    key = key_column(validation, table)
    if key is not None and not validation.as_feature:
        dropped[key] = "splits the rows"
    check_features(table, dropped)
    missing_target = when_missing(options.missing_target, apart=y is not None or bool(hint))
    rows = match_rows(table, values, names, weight, missing_target, hint=hint)
    notes = found + ([f"{rows.dropped} rows without a target are left out.{hint}"] if rows.dropped else [])
    notes += [f"{rows.weightless} rows of weight 0 are left out."] if rows.weightless else []
    if rows.table.n_rows < 2:
        raise DataError(f"A table must have at least two rows; got {rows.table.n_rows}.")
    task, note = _task(options, rows, declared)
    notes += [note] if note else []
    classes = fit_classes(rows.values, names) if task == "classification" else None
    keys = None
    if isinstance(validation, (GroupSplit, TimeSplit)):
        keys = split_keys(validation, rows.table, rows.kept)
    elif isinstance(validation, RowPairs) and rows.kept is not None:
        validation = _labelled_pairs(validation, rows.kept)
    labelled = Labelled(rows.values, None if classes is None else classes.encode(rows.values), keys)
    folds = make_folds(labelled, validation, test, seed)
    given = {name: value for name, value in (("validation", validation), ("test", test)) if is_rows(value)}
    held = {name: held_out_rows(value, rows, name, schema, options.missing_target) for name, value in given.items()}
    # Of several folds each row trains in some of them.
    scaled_by = folds.folds[0].train if len(folds.folds) == 1 else folds.rest
    goal = classes or fit_scale(rows.values, scaled_by, rows.names)
    usable = rows.table.without(dropped)
    if counters := row_counters(usable, listed.categorical | listed.numeric | {key}):
        dropped |= dict.fromkeys(counters, "numbers the rows")
        keep = f"TableOptions(numeric=[{counters[0]!r}]), --numeric {counters[0]}"
        text = f"Ignored, since it numbers the rows: {first_names(counters)}. Where it means more, pass {keep}."
        warnings.warn(text, DataWarning, stacklevel=3)
    texts_of_frame = rows.table.without({*dropped, *listed.categorical})
    if whole.texts is None and (unread := numbers_as_texts(texts_of_frame, scaled_by)):
        keep = f"TableOptions(numeric=[{', '.join(map(repr, unread[:4]))}]), --numeric {unread[0]}"
        warnings.warn(
            f"Ignored, texts of a data frame that look like numbers: {first_names(unread)}. To read them as numbers, "
            f"pass {keep}.",
            DataWarning,
            stacklevel=3,
        )
    times, of_times = find_time_parts(rows.table.without(dropped), listed.categorical, rows.table.names)
    notes += of_times
    schema = replace(schema, times=times)
    rows = replace(rows, table=schema.with_parts(rows.table))
    source = Source(
        rows, rows.table.without(dropped), schema, goal, held, folds.test,
        listed.categorical - dropped.keys(), listed.numeric, dropped, options, seed, (*notes, *folds.notes),
    )  # fmt: skip
    return PreparedTable(source, folds, _views(source, folds.folds[0].train))


def _class_hint(texts: pl.Series | pl.DataFrame, values: pl.Series | pl.DataFrame) -> str:
    """What to do where a text that means a missing value may be a class, for the error on missing targets."""
    if not (isinstance(texts, pl.Series) and isinstance(values, pl.Series) and values.dtype == pl.String):
        return ""
    markers = texts.filter(values.is_null() & texts.is_not_null())
    return f" If {markers[0]!r} is a class, pass na_values=() (--keep-na)." if markers.len() else ""


def _task(options: TableOptions, rows: LabelledRows, declared: bool) -> tuple[str, str | None]:
    """The task, and a note where it was guessed and may surprise."""
    if options.task != "auto":
        return options.task, None
    return ("classification", None) if declared else infer_task(rows.values)


def _labelled_pairs(given: RowPairs, kept: NDArray[np.bool_]) -> RowPairs:
    """Pairs of row numbers of the whole table as numbers of its rows with a target."""
    number = np.cumsum(kept) - 1
    checked = row_pairs(given.pairs, len(kept), np.arange(len(kept)))
    return RowPairs(tuple((number[train[kept[train]]], number[held[kept[held]]]) for train, held in checked))


def _views(source: Source, train: RowNumbers) -> tuple[str, ...]:
    """The views that make sense, by a random part of the training rows."""
    table, some = source.usable, train[:_LOOKED_AT]
    kinds = kinds_of(column_kinds(table, some, source.categories, source.numeric)[0])
    numbers = [name for name in table.names if kinds[name] == NUMBER]
    block = finite_block(table, numbers, some) if numbers else np.empty((0, 0))
    groups = examine(block, "standard")
    categories = [text_column(table, name, some) for name in table.names if kinds[name] == CATEGORY]
    differ = any(
        texts.drop_nulls().n_unique() == 2 or texts.n_unique() > ONE_HOT_LEVELS for texts in categories
    ) or bool(groups.two_valued)
    relevant = _relevant_among_noise(source, some) if source.options.scaling == "auto" else 0
    return sensible_views(len(groups.plain), table.n_rows, differ, source.options.scaling, relevant)


def _relevant_among_noise(source: Source, train: RowNumbers) -> int:
    """How many columns say something about the target; 0 where these are more than half of all, or columns are few."""
    n = len(source.usable.names)
    if n < _FEWEST_FOR_SELECTION:
        return 0
    relevant = len(source.relevance(train, source.target.encode(source.rows.values[train])).relevant)
    return relevant if relevant <= n // 2 else 0
