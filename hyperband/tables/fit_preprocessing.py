"""Fitting the preprocessing of one view: kinds of columns, their transformers or encodings, and what was done."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common import memory
from hyperband.errors import DataError
from hyperband.tables.category_encoding import CategoryEncoding
from hyperband.tables.column_kinds import (
    CONSTANT,
    NumberColumns,
    column_kinds,
    examine,
    ignored_note,
    unusable_categories,
)
from hyperband.tables.fit_categories import (
    MOST_LEVELS,
    ONE_HOT_LEVELS,
    fit_categories,
    fit_one_hot,
    target_columns,
)
from hyperband.tables.number_encoders import Bins, Fourier, NumberEncoder, RobustClip
from hyperband.tables.number_encoding import NumberEncoding
from hyperband.tables.preprocess import CATEGORY, IGNORED, NUMBER, InputColumn, Preprocessing, finite_block
from hyperband.tables.standard_scaling import HEAVY, PLAIN, TWO_VALUED, Standard
from hyperband.tables.table import Table
from hyperband.tables.target import Target
from hyperband.tables.views import VIEWS, View

F32 = NDArray[np.float32]
Array = NDArray[Any]
RowNumbers = NDArray[np.intp]

#: Scaled values are limited to this distance from 0, except with scaling="standard".
CLIP = 10.0


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What decides about a fit besides the rows.

    Parameters
    ----------
    view : str, a name of `hyperband.tables.views.VIEWS`
    scaling : {"auto", "standard", "quantile"}, of the view "standard"
        "auto" uses quantiles for columns with values beyond `HEAVY_TAIL` standard deviations, unless half of the rows
        hold one value. "standard" does not limit scaled values to [-`CLIP`, `CLIP`].
    categorical, numeric : names of columns that are categories, and of those that are numbers, whatever they hold
    seed : int, of the draws of the view "fourier"
    """

    view: str = "standard"
    scaling: str = "auto"
    categorical: Collection[str] = ()
    numeric: Collection[str] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted preprocessing, notes as sentences, and features of the training rows that it does not give itself.

    Parameters
    ----------
    preprocessing : Preprocessing
    notes : tuple of str
    cross_fitted : dict of feature number to a float32 array, one value a training row
        See `hyperband.tables.fit_categories.fit_categories`.
    """

    preprocessing: Preprocessing
    notes: tuple[str, ...]
    cross_fitted: dict[int, F32] = field(default_factory=dict)


def fit_preprocessing(table: Table, train: RowNumbers, target: Target, y: Array, settings: FitSettings) -> Fitted:
    """Preprocessing of a view, fitted on the rows ``train`` of ``table``.

    Constant columns and identifiers are ignored. For the treatments see `hyperband.tables.views`.

    Parameters
    ----------
    table : Table, without the target
    train : int array, numbers of the training rows, in random order
    target : Target
    y : array, targets of the training rows as ``target.encode`` returns them
    settings : FitSettings

    Raises
    ------
    DataError
        When every column is constant or an identifier.
    InsufficientMemory
        When the training rows do not fit in free memory.

    Examples
    --------
    >>> from hyperband.tables.table import as_table
    >>> from hyperband.tables.target import fit_scale
    >>> table, rows, y = as_table({"a": [1.0, 2.5, 4.0], "b": ["x", "y", "x"]}), np.arange(3), np.array([1.0, 2.0, 3.0])
    >>> target = fit_scale(y, rows, ("y",))
    >>> fit_preprocessing(table, rows, target, target.encode(y), FitSettings()).preprocessing.feature_names
    ('a', 'b=x', 'b=y')
    """
    view = VIEWS[settings.view]
    inputs, notes = column_kinds(table, train, settings.categorical, settings.numeric)
    numbers: NumberEncoding | None = None
    categories: CategoryEncoding | None = None
    features: list[str] = []
    cross_fitted: dict[int, F32] = {}
    n_numbers = 0
    if names := [i.name for i in inputs if i.kind == NUMBER]:
        numbers, features, n_numbers, ignored = _fit_number_columns(table, names, train, view, settings)
        inputs = _without(inputs, dict.fromkeys(ignored, CONSTANT))
        notes += ignored_note(ignored, CONSTANT)
    names = [i.name for i in inputs if i.kind == CATEGORY]
    most = ONE_HOT_LEVELS if view.encodes_categories else MOST_LEVELS
    unusable, more_notes = unusable_categories(table, names, train, most)
    notes += more_notes
    inputs = _without(inputs, unusable)
    if names := [i.name for i in inputs if i.kind == CATEGORY]:
        if view.encodes_categories:
            categories, of_training = fit_categories(table, names, train, target_columns(y, len(target.classes)))
            cross_fitted = {len(features) + k: values for k, values in of_training.items()}
        else:
            categories = fit_one_hot(table, names, train)
        features += categories.names(names)
    if not features:
        raise DataError(
            "A table must have at least one feature that varies; every column is constant or an identifier. Add one."
        )
    clip = None if view.numbers == "standard" and settings.scaling == "standard" else CLIP
    prep = Preprocessing(
        tuple(inputs), table.named, target, numbers, categories, clip, tuple(features), n_numbers, view.name
    )
    return Fitted(prep, (*notes, *_missing_note(table, prep, train)), cross_fitted)


def _without(inputs: Sequence[InputColumn], ignored: Mapping[str, str]) -> list[InputColumn]:
    """The columns, those of ``ignored`` of that kind for its reason."""
    return [replace(i, kind=IGNORED, why=ignored[i.name]) if i.name in ignored else i for i in inputs]


def _fit_number_columns(
    table: Table, names: Sequence[str], train: RowNumbers, view: View, settings: FitSettings
) -> tuple[NumberEncoding | None, list[str], int, set[str]]:
    """The fitted encoding or None, its features, how many are numbers, and columns to ignore."""
    width = 8 if table.frame is not None or table.matrix is None else max(4, table.matrix.dtype.itemsize)
    memory.require(2 * width * len(train) * len(names), "The training rows", "Use fewer rows, or drop columns.")
    block = finite_block(table, names, train)
    scaling = {"standard": settings.scaling, "quantile": "most quantile"}.get(view.numbers, "standard")
    groups = examine(block, scaling)
    ignored = {names[j] for j in groups.constant if j not in groups.with_missing}
    used = [j for j in range(len(names)) if names[j] not in ignored]
    if not used:
        return None, [], 0, ignored
    block = block[:, used] if len(used) < len(names) else block
    names, groups = [names[j] for j in used], groups.among(used)
    if view.numbers in ("standard", "quantile"):
        first = view.numbers == "standard"
        encoding = _scaling(block, groups, first)
        n_numbers = len(groups.heavy) + len(groups.plain) + (len(groups.two_valued) if first else 0)
        return encoding, encoding.names(names), n_numbers, ignored
    position = {name: j for j, name in enumerate(table.names)}
    keys = [position[names[j]] for j in groups.plain]
    encoding = _encoding(block, groups, view.numbers, keys, settings.seed)
    n_numbers = 0 if view.numbers == "bins" else len(groups.plain)
    return encoding, encoding.names(names), n_numbers, ignored


def _scaling(block: Array, groups: NumberColumns, two_valued_first: bool) -> NumberEncoding:
    """Two values, heavy tails, others; columns of two values come first, as numbers, or follow them.

    Of each treatment those without missing values come first.
    """
    treatments = {TWO_VALUED: groups.two_valued, HEAVY: groups.heavy, PLAIN: groups.plain}
    if not two_valued_first:
        treatments[TWO_VALUED] = treatments.pop(TWO_VALUED)
    columns = [
        (j, treatment)
        for treatment, members in treatments.items()
        for j in sorted(members, key=groups.with_missing.__contains__)
    ]
    order = [j for j, _ in columns]
    x = np.ascontiguousarray(block[:, order], dtype=np.float64)
    encoder = Standard.fit(x, [treatment for _, treatment in columns]) if columns else None
    return NumberEncoding(tuple(order), encoder, (), tuple(groups.with_missing))


def _encoding(block: Array, groups: NumberColumns, kind: str, keys: Sequence[int], seed: int) -> NumberEncoding:
    encoder: NumberEncoder | None = None
    if groups.plain:
        x = np.ascontiguousarray(block[:, groups.plain], dtype=np.float64)
        if kind == "robust":
            encoder = RobustClip.fit(x)
        else:
            encoder = Bins.fit(x) if kind == "bins" else Fourier.fit(x, keys, seed)
    two_valued = [(j, float(np.nanmin(block[:, j])), float(np.nanmax(block[:, j]))) for j in groups.two_valued]
    missing = [j for j in groups.with_missing if j not in groups.two_valued]
    return NumberEncoding(tuple(groups.plain), encoder, tuple(two_valued), tuple(missing))


def _missing_note(table: Table, prep: Preprocessing, train: RowNumbers) -> list[str]:
    features = set(prep.feature_names)
    names = [name for name in prep.columns(NUMBER) if f"{name} is missing" in features]
    counts = dict(zip(names, np.isnan(table.numbers(names, train)).sum(axis=0).tolist(), strict=True))
    if not counts:
        return []
    shown = ", ".join(f"{name} ({count})" for name, count in list(counts.items())[:8])
    return [f"Missing numbers in the training rows are replaced by the median, with a 0/1 column each: {shown}."]
