"""The scikit-learn transformers of the views "standard" and "quantile", fitted on the training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.tables.column_kinds import NumberColumns
from hyperband.tables.preprocess import text_block
from hyperband.tables.table import Table

RowNumbers = NDArray[np.intp]

#: Most one-hot columns of one category column; rarer levels share the last one.
MOST_LEVELS = 128


def fit_numbers(
    block: Any, names: Sequence[str], groups: NumberColumns, seed: int, two_valued_first: bool
) -> tuple[Any, list[str], int]:
    """The fitted transformer, the names of its outputs, and how many of these are numbers, which come first.

    A missing value becomes the median, and an additional 0/1 column marks where values were missing. Where no training
    row misses the value, a missing value of a later table becomes the mean. Columns of two values become 0 and 1, heavy
    columns are mapped to normal quantiles and standardised, plain ones are standardised.

    Parameters
    ----------
    block : float array, shape (n_rows, n_columns), NaN where missing
    names : names of the columns
    groups : NumberColumns, positions among these columns
    seed : int, of the subsample of 100,000 rows from which quantiles are estimated
    two_valued_first : bool
        Whether columns of two values count as numbers and come first; otherwise they follow the numbers.
    """
    parts = {"two_valued": groups.two_valued, "heavy": groups.heavy, "plain": groups.plain}
    if not two_valued_first:
        parts["two_valued"] = parts.pop("two_valued")
    steps, features = [], []
    for label, members in parts.items():
        for suffix, part in (
            ("", [j for j in members if j not in groups.with_missing]),
            ("_with_missing", [j for j in members if j in groups.with_missing]),
        ):
            if part:
                steps.append((label + suffix, _scaler(label + suffix, len(block), seed), part))
                features += [names[j] for j in part]
    if groups.with_missing:
        from sklearn.impute import MissingIndicator

        indicator = MissingIndicator(features="all", error_on_new=False)
        steps.append(("missing", indicator, groups.with_missing))
        features += [f"{names[j]} is missing" for j in groups.with_missing]
    from sklearn.compose import ColumnTransformer

    transformer = ColumnTransformer(steps, sparse_threshold=0.0)
    transformer.fit(block)
    n_numbers = len(groups.heavy) + len(groups.plain) + (len(groups.two_valued) if two_valued_first else 0)
    return transformer, features, n_numbers


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


def fit_one_hot(table: Table, names: Sequence[str], train: RowNumbers) -> tuple[Any, list[str]]:
    """The fitted encoder and the names of its outputs: one a level, at most `MOST_LEVELS`, rare ones share the last.

    A missing value is a level of its own. Levels that training never saw count as rare ones.
    """
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
