"""From columns to float32 rows: scikit-learn's transformers, fitted on the training rows only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.errors import DataError
from hyperband.tables.columns import as_text, raise_infinite
from hyperband.tables.table import Table, as_table
from hyperband.tables.target import Target

F32 = NDArray[np.float32]
Array = NDArray[Any]

NUMBER, CATEGORY, IGNORED = "number", "category", "ignored"

#: Bytes of the block of rows that is transformed at a time.
_BLOCK_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class InputColumn:
    """A column of the input table: its name and its kind, "number", "category" or "ignored"."""

    name: str
    kind: str


@dataclass(frozen=True)
class Preprocessing:
    """The preprocessing, fitted on training rows; turns any table of the same columns into float32 rows.

    Parameters
    ----------
    inputs : tuple of InputColumn
        All columns of the training table except the target, in order, including the ignored ones.
    named : bool
        Whether columns are matched by name (tables) or by position (arrays).
    target : Target
        Turns predictions back into labels or original units.
    numbers : sklearn.compose.ColumnTransformer or None
        Transforms the columns of kind "number", in order.
    categories : sklearn.preprocessing.OneHotEncoder or None
        Transforms the columns of kind "category", in order.
    clip : float or None
        Features are limited to [-clip, clip], so that one extreme value cannot dominate a row.
    feature_names : tuple of str, one a feature
    """

    inputs: tuple[InputColumn, ...]
    named: bool
    target: Target
    numbers: Any
    categories: Any
    clip: float | None
    feature_names: tuple[str, ...]

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.feature_names)

    @property
    def n_numbers(self) -> int:
        """How many features are numbers, the first ones; indicators of missing values and categories follow them."""
        if self.numbers is None:
            return 0
        return sum(
            len(columns) for label, _, columns in self.numbers.transformers_ if label not in ("missing", "remainder")
        )

    def transform(self, table: Any, rows: Array | None = None) -> F32:
        """Features of a table.

        Parameters
        ----------
        table : anything that `hyperband.tables.as_table` takes
            Columns are matched by name, in any order, and additional columns are ignored. Unknown categories count as
            rare ones. Arrays must have the columns of training, in order.
        rows : int array, optional
            Only these rows, in this order.

        Returns
        -------
        float32 array, shape (n_rows, n_features), C-contiguous, finite

        Raises
        ------
        DataError
            When a column is missing, an array has another width, or a value is infinite or not a number.
        """
        table = self._match(as_table(table))
        n_rows = table.n_rows if rows is None else len(rows)
        out = np.empty((n_rows, self.n_features), dtype=np.float32)
        for part, block in self._blocks(table, n_rows, rows):
            if self.clip is not None:
                np.clip(block, -self.clip, self.clip, out=block)
            out[part] = block
            if not np.isfinite(out[part]).all():
                bad = self.feature_names[int(np.flatnonzero(~np.isfinite(out[part]).all(axis=0))[0])]
                raise DataError(
                    f"Features must fit in float32 once scaled; {bad!r} does not. Remove its extreme values."
                )
        return out

    def _blocks(self, table: Table, n_rows: int, rows: Array | None) -> Iterator[tuple[slice, Array]]:
        numbers, categories = (self.columns(kind) for kind in (NUMBER, CATEGORY))
        size = max(256, _BLOCK_BYTES // (8 * max(1, self.n_features, len(self.inputs))))
        for start in range(0, n_rows, size):
            part = slice(start, min(n_rows, start + size))
            take = part if rows is None else rows[part]
            blocks = []
            if numbers:
                blocks.append(self.numbers.transform(finite_block(table, numbers, take)))
            if categories:
                blocks.append(self.categories.transform(text_block(table, categories, take)))
            yield part, np.concatenate(blocks, axis=1) if len(blocks) > 1 else blocks[0]

    def columns(self, kind: str) -> list[str]:
        """Names of the input columns of one kind, in order."""
        return [column.name for column in self.inputs if column.kind == kind]

    def _match(self, table: Table) -> Table:
        names = tuple(column.name for column in self.inputs)
        if self.named and table.named:
            needed = [column.name for column in self.inputs if column.kind != IGNORED]
            missing = [name for name in needed if name not in table.names]
            if missing:
                has = ", ".join(table.names[:12]) + (", ..." if len(table.names) > 12 else "")
                raise DataError(
                    f"`X` must have the columns of training; {_listed(missing)} missing. It has {has}. Add them."
                )
            return table
        if len(table.names) != len(names):
            raise DataError(
                f"`X` must have {len(names)} columns, as in training; got {len(table.names)}. Pass the same columns "
                f"in the same order."
            )
        if table.frame is not None:
            return Table(names, frame=table.frame.rename(dict(zip(table.names, names, strict=True))))
        return Table(names, matrix=table.matrix)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:6])
    return f"{shown}{f', ... ({len(names)})' if len(names) > 6 else ''} {'is' if len(names) == 1 else 'are'}"


def finite_block(table: Table, names: Sequence[str], rows: Array | slice) -> Array:
    """Columns of numbers as floats, shape (n_rows, n_columns), NaN where missing; `DataError` where infinite."""
    block = table.numbers(names, rows)
    infinite = np.isinf(block)
    if infinite.any():
        column = int(np.flatnonzero(infinite.any(axis=0))[0])
        at = np.flatnonzero(infinite[:, column])
        raise_infinite(names[column], at + (rows.start or 0) if isinstance(rows, slice) else rows[at])
    return block


def text_block(table: Table, names: Sequence[str], rows: Array | slice) -> Array:
    """Columns as texts, an object array of shape (n_rows, n_columns), None where missing."""
    block = np.empty((_count(table, rows), len(names)), dtype=object)
    for j, name in enumerate(names):
        column = as_text(table.column(name))
        part = column[rows] if isinstance(rows, slice) else column.gather(pl.Series(rows, dtype=pl.Int64))
        block[:, j] = part.to_list()
    return block


def _count(table: Table, rows: Array | slice) -> int:
    return len(range(*rows.indices(table.n_rows))) if isinstance(rows, slice) else len(rows)
