"""Fitting the preprocessing: the kind of each column, and the scikit-learn transformers for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband._common import memory
from hyperband.errors import DataError
from hyperband.tables.columns import as_text
from hyperband.tables.preprocess import CATEGORY, IGNORED, NUMBER, InputColumn, Preprocessing, finite_block, text_block
from hyperband.tables.table import Table
from hyperband.tables.target import Target

RowNumbers = NDArray[np.intp]

#: Most one-hot columns of one category column; rarer levels share the last one.
MOST_LEVELS = 128
#: A text column with more distinct values than this, and than half of its rows, is an identifier.
FEWEST_IDS = 20
#: A column of consecutive whole numbers, from three to this many of them, holds codes: it becomes a category.
MOST_CODES = 5
#: With "auto", a column with values beyond this many standard deviations is mapped to quantiles, unless half of its
#: rows hold one value: quantiles would move all other values far away from that one.
HEAVY_TAIL = 10.0
#: With "auto" and "quantile", scaled values are limited to this distance from 0.
CLIP = 10.0


@dataclass(frozen=True, slots=True)
class _NumberColumns:
    """Columns of numbers by treatment, as positions among the columns of numbers."""

    constant: list[int]
    two_valued: list[int]
    heavy: list[int]
    plain: list[int]
    with_missing: list[int]


def fit_preprocessing(
    table: Table,
    train: RowNumbers,
    target: Target,
    scaling: str = "auto",
    categorical: Collection[str] = (),
    seed: int = 0,
) -> tuple[Preprocessing, list[str]]:
    """Preprocessing fitted on the rows ``train`` of ``table``, and notes on what was done, as sentences.

    Numbers and truth values: a missing value becomes the median, and an additional 0/1 column marks where values were
    missing. Where no training row misses the value, a missing value of a later table becomes the mean. Columns of two
    values become 0 and 1 with every scaling. Other columns are standardised, or mapped to normal quantiles and then
    standardised.

    Categories are one-hot encoded: text, categorical columns, those listed in ``categorical``, and columns of three to
    `MOST_CODES` consecutive whole numbers. A missing value is a level of its own. There are at most `MOST_LEVELS`
    levels; rare levels share one with those that training never saw.

    Constant columns and identifiers are ignored.

    Parameters
    ----------
    table : Table, without the target
    train : int array, numbers of the training rows
    target : Target
    scaling : {"auto", "standard", "quantile"}
        "auto" uses quantiles for columns with values beyond `HEAVY_TAIL` standard deviations, unless half of the rows
        hold one value. "auto" and "quantile" limit scaled values to [-`CLIP`, `CLIP`]; "standard" does not.
    categorical : names of columns that are categories whatever they hold
    seed : int, of the subsample of 100,000 rows from which quantiles are estimated

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
    >>> table, rows = as_table({"a": [1.0, 2.5, 4.0], "b": ["x", "y", "x"]}), np.arange(3)
    >>> preprocessing, notes = fit_preprocessing(table, rows, fit_scale(np.array([1.0, 2.0, 3.0]), rows, ("y",)))
    >>> preprocessing.feature_names
    ('a', 'b=x', 'b=y')
    """
    kinds = [_kind(table, name, categorical) for name in table.names]
    codes = _codes(table, [name for name, kind in zip(table.names, kinds, strict=True) if kind == NUMBER], train)
    kinds = [CATEGORY if name in codes else kind for name, kind in zip(table.names, kinds, strict=True)]
    inputs = [InputColumn(name, kind) for name, kind in zip(table.names, kinds, strict=True)]
    notes = _codes_note(codes)
    names = [i.name for i in inputs if i.kind == NUMBER]
    numbers: Any = None
    features: list[str] = []
    if names:
        width = 8 if table.frame is not None or table.matrix is None else max(4, table.matrix.dtype.itemsize)
        memory.require(2 * width * len(train) * len(names), "The training rows", "Use fewer rows, or drop columns.")
        numbers, features, ignored = _fit_numbers(finite_block(table, names, train), names, scaling, seed)
        inputs = [replace(i, kind=IGNORED) if i.name in ignored else i for i in inputs]
        notes += _ignored_note(ignored, "constant in the training rows")
    names = [i.name for i in inputs if i.kind == CATEGORY]
    ignored, more_notes = _unusable_categories(table, names, train)
    notes += more_notes
    inputs = [replace(i, kind=IGNORED) if i.name in ignored else i for i in inputs]
    categories = None
    if names := [i.name for i in inputs if i.kind == CATEGORY]:
        categories, more = _fit_categories(table, names, train)
        features += more
    if not features:
        raise DataError(
            "A table must have at least one feature that varies; every column is constant or an identifier. Add one."
        )
    clip = None if scaling == "standard" else CLIP
    prep = Preprocessing(tuple(inputs), table.named, target, numbers, categories, clip, tuple(features))
    return prep, notes + _missing_note(table, prep, train)


def _kind(table: Table, name: str, categorical: Collection[str]) -> str:
    if name in categorical:
        return CATEGORY
    if table.matrix is not None:
        return NUMBER
    dtype = table.column(name).dtype
    if dtype.is_numeric() or dtype in (pl.Boolean, pl.Null):  # a column without values is constant: ignored below
        return NUMBER
    return CATEGORY


def _codes(table: Table, names: Sequence[str], train: RowNumbers) -> list[str]:
    """Columns of numbers that are codes: networks learn more easily from a column a level than from one number."""
    found = []
    for name in names:
        if table.matrix is None and table.column(name).dtype == pl.Boolean:
            continue
        for rows in (train[:1000], train):  # a few rows rule out most columns
            levels = np.unique(finite_block(table, [name], rows))
            levels = levels[~np.isnan(levels)]
            codes = len(levels) <= MOST_CODES and bool((levels == np.floor(levels)).all())
            if not codes:
                break
        if codes and len(levels) >= 3 and levels[-1] - levels[0] == len(levels) - 1:
            found.append(name)
    return found


def _codes_note(codes: Sequence[str]) -> list[str]:
    if not codes:
        return []
    shown = ", ".join(codes[:8]) + (f", ... ({len(codes)} in all)" if len(codes) > 8 else "")
    return [f"Columns of 3 to {MOST_CODES} consecutive whole numbers are treated as categories: {shown}."]


def _fit_numbers(block: Any, names: Sequence[str], scaling: str, seed: int) -> tuple[Any, list[str], set[str]]:
    """The fitted transformer or None, the names of its outputs, and the columns that are ignored."""
    groups = _examine(block, scaling)
    ignored = {names[j] for j in groups.constant if j not in groups.with_missing}
    used = [j for j in range(len(names)) if names[j] not in ignored]
    if not used:
        return None, [], ignored
    position = {j: p for p, j in enumerate(used)}
    steps, features = [], []
    for label, members in (("two_valued", groups.two_valued), ("heavy", groups.heavy), ("plain", groups.plain)):
        for suffix, part in (
            ("", [j for j in members if j not in groups.with_missing]),
            ("_with_missing", [j for j in members if j in groups.with_missing]),
        ):
            if part:
                steps.append((label + suffix, _scaler(label + suffix, len(block), seed), [position[j] for j in part]))
                features += [names[j] for j in part]
    if groups.with_missing:
        from sklearn.impute import MissingIndicator

        indicator = MissingIndicator(features="all", error_on_new=False)
        steps.append(("missing", indicator, [position[j] for j in groups.with_missing]))
        features += [f"{names[j]} is missing" for j in groups.with_missing]
    from sklearn.compose import ColumnTransformer

    transformer = ColumnTransformer(steps, sparse_threshold=0.0)
    transformer.fit(block[:, used] if len(used) < len(names) else block)
    return transformer, features, ignored


def _examine(block: Any, scaling: str) -> _NumberColumns:
    """The treatment of each column of numbers."""
    groups = _NumberColumns([], [], [], [], [])
    for j in range(block.shape[1]):
        column = block[:, j].astype(np.float64)
        missing = np.isnan(column)
        if missing.any():
            groups.with_missing.append(j)
            column = column[~missing]
        if len(column) == 0:
            groups.with_missing.remove(j)
            groups.constant.append(j)
            continue
        low, high = column.min(), column.max()
        if low == high:
            groups.constant.append(j)
        elif ((column == low) | (column == high)).all():
            groups.two_valued.append(j)
        elif scaling == "quantile" or (scaling == "auto" and _is_heavy(column)):
            groups.heavy.append(j)
        else:
            groups.plain.append(j)
    return groups


def _is_heavy(column: Any) -> bool:
    return _reach(column) > HEAVY_TAIL and float((column == np.median(column)).mean()) < 0.5


def _reach(column: Any) -> float:
    """Largest distance of a value from the mean, in standard deviations."""
    with np.errstate(over="ignore", invalid="ignore"):  # 1e300 squared overflows: infinitely far
        mean, deviation = column.mean(), column.std()
        reach = float(max(column.max() - mean, mean - column.min()) / deviation) if deviation > 0 else 0.0
    return reach if np.isfinite(deviation) and np.isfinite(reach) else np.inf


def _scaler(label: str, n_rows: int, seed: int) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler

    # Columns without missing values in training get the mean: the median of a wide table takes seconds.
    typical = "median" if label.endswith("_with_missing") else "mean"
    if label.startswith("two_valued"):
        steps = [("impute", SimpleImputer(strategy="most_frequent")), ("scale", MinMaxScaler())]
    else:
        steps = [("impute", SimpleImputer(strategy=typical)), ("scale", StandardScaler())]
    if label.startswith("heavy"):
        quantiles = QuantileTransformer(
            n_quantiles=min(1000, n_rows),
            output_distribution="normal",
            subsample=100_000,
            random_state=seed & (2**32 - 1),
        )
        # Quantiles of a column with many equal values are off centre: standardise the result.
        steps.insert(1, ("quantiles", quantiles))
    return Pipeline(steps)


def _unusable_categories(table: Table, names: Sequence[str], train: RowNumbers) -> tuple[set[str], list[str]]:
    """Category columns to ignore, constant ones and identifiers, and notes on them and on columns of many levels."""
    ignored: set[str] = set()
    constant: set[str] = set()
    notes: list[str] = []
    for name in names:
        column = as_text(table.column(name)).gather(pl.Series(train, dtype=pl.Int64))
        levels, present = column.n_unique(), column.len() - column.null_count()
        if levels < 2:
            constant.add(name)
        elif levels > max(FEWEST_IDS, present // 2):
            ignored.add(name)
            notes.append(
                f"Column {name!r} is ignored: {levels} different texts in {present} rows{_numbers_hint(column)}."
            )
        elif levels > MOST_LEVELS:
            notes.append(
                f"Column {name!r} has {levels} levels: the {MOST_LEVELS - 1} most frequent have a column each, the "
                f"others share one{_numbers_hint(column)}."
            )
    return ignored | constant, notes + _ignored_note(constant, "constant in the training rows")


def _numbers_hint(column: pl.Series) -> str:
    """A note for a text column that is mostly numbers, with the first value that is none."""
    numbers = column.cast(pl.Float64, strict=False)
    wrong = column.filter(numbers.is_null() & column.is_not_null())
    if wrong.len() == 0 or numbers.len() - numbers.null_count() < column.len() // 2:
        return ""
    return f" (most are numbers, but not {wrong[0]!r}: leave such fields empty to have it read as numbers)"


def _fit_categories(table: Table, names: Sequence[str], train: RowNumbers) -> tuple[Any, list[str]]:
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MOST_LEVELS, sparse_output=False, dtype=np.float32
    )
    encoder.fit(text_block(table, names, train))
    features = []
    for name, levels, rare in zip(names, encoder.categories_, encoder.infrequent_categories_, strict=True):
        infrequent = set() if rare is None else set(rare)
        features += [f"{name}={level}" for level in levels if level not in infrequent]
        features += [f"{name}=(rare)"] if infrequent else []
    return encoder, features


def _ignored_note(names: Collection[str], why: str) -> list[str]:
    if not names:
        return []
    shown = sorted(names)
    text = ", ".join(shown[:8]) + (f", ... ({len(shown)} in all)" if len(shown) > 8 else "")
    return [f"Ignored, {why}: {text}."]


def _missing_note(table: Table, prep: Preprocessing, train: RowNumbers) -> list[str]:
    counts = {}
    for feature in prep.feature_names:
        name = feature.removesuffix(" is missing")
        if name != feature and name in table.names:
            counts[name] = int(np.isnan(table.numbers([name], train)).sum())
    if not counts:
        return []
    shown = ", ".join(f"{name} ({count})" for name, count in list(counts.items())[:8])
    return [f"Missing numbers in the training rows are replaced by the median, with a 0/1 column each: {shown}."]
