"""From columns to float32 rows: encodings fitted on the training rows only, and their plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband._common.checks import whole_number
from hyperband.errors import DataError, InputError
from hyperband.tables.category_encoding import CategoryEncoding
from hyperband.tables.columns import as_text, raise_infinite
from hyperband.tables.fitted_numbers import check_flags, check_positive, check_texts
from hyperband.tables.number_encoding import NumberEncoding
from hyperband.tables.polars_threads import check_polars_threads
from hyperband.tables.schema import Schema
from hyperband.tables.table import Table, as_table
from hyperband.tables.target import Target
from hyperband.tables.views import VIEWS

F32 = NDArray[np.float32]
Array = NDArray[Any]

NUMBER, CATEGORY, IGNORED = "number", "category", "ignored"
#: Why a view ignores a column that others may use.
SAYS_NOTHING = "says nothing about the target"

_NO_VALUES = (pl.Binary, pl.Object)

#: Bytes of the block of rows that is transformed at a time.
_BLOCK_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class InputColumn:
    """A column that features are made of.

    Parameters
    ----------
    name : str, of the column
    kind : {"number", "category", "ignored"}
    part_of : str, the column of times of the input table that it is a part of; empty for a column of that table itself
    why : str, why it is of this kind, where that is not the rule
    """

    name: str
    kind: str
    part_of: str = ""
    why: str = ""

    def __post_init__(self) -> None:
        check_texts((self.name,), "name")
        check_texts((self.part_of,), "part_of")
        check_texts((self.why,), "why")
        if self.kind not in (NUMBER, CATEGORY, IGNORED):
            raise InputError(f"`kind` of a column must be {NUMBER}, {CATEGORY} or {IGNORED}; got {self.kind!r:.80}.")

    @property
    def source(self) -> str:
        """The column of the input table."""
        return self.part_of or self.name


@dataclass(frozen=True)
class Preprocessing:
    """The preprocessing, fitted on training rows; turns any table of the same columns into float32 rows.

    Parameters
    ----------
    inputs : tuple of InputColumn
        All columns of the training table except the target, in order, including the ignored ones; a column of times as
        its parts.
    named : bool
        Whether columns are matched by name (tables) or by position (arrays).
    target : Target
        Turns predictions back into labels or original units.
    numbers : NumberEncoding or None, of the columns of kind "number", in order
    categories : CategoryEncoding or None, of the columns of kind "category", in order
    clip : float or None
        Features are limited to [-clip, clip], so that one extreme value cannot dominate a row.
    feature_names : tuple of str, one a feature
    n_numbers : int
        The first so many features are numbers, one a column: what a network may have learned embeddings of. Indicators,
        one-hot columns and other features follow.
    view : str, how the table is seen; see `hyperband.tables.views`
    schema : Schema, how columns of texts are read

    Raises
    ------
    InputError
        When encodings do not belong to the columns, features to the encodings, or the view is unknown.
    """

    inputs: tuple[InputColumn, ...]
    named: bool
    target: Target
    numbers: NumberEncoding | None
    categories: CategoryEncoding | None
    clip: float | None
    feature_names: tuple[str, ...]
    n_numbers: int = 0
    view: str = "standard"
    schema: Schema = field(default_factory=Schema)

    def __post_init__(self) -> None:
        names, categories = self.columns(NUMBER), self.columns(CATEGORY)
        check_flags(named=self.named)
        if self.view not in VIEWS:
            raise InputError(f"`view` must be one of {', '.join(VIEWS)}; got {self.view!r:.80}.")
        if self.clip is not None:
            check_positive((self.clip,), "clip", 1)
        n_numbers = 0 if self.numbers is None else self.numbers.least_columns
        n_categories = 0 if self.categories is None else len(self.categories.columns)
        if n_numbers > len(names) or n_categories != len(categories):
            raise InputError(
                f"Encodings must be of the {len(names)} columns of numbers and {len(categories)} of categories; they "
                f"are of {n_numbers} and {n_categories}."
            )
        features = [] if self.numbers is None else self.numbers.names(names)
        features += [] if self.categories is None else self.categories.names(categories)
        if list(self.feature_names) != features:
            raise InputError(
                f"`feature_names` must be those of the encodings, {len(features)}; got {len(self.feature_names)}."
            )
        whole_number(self.n_numbers, "n_numbers", 0, len(features))

    @property
    def n_inputs(self) -> int:
        """Number of columns of the training table besides the target, ignored ones among them."""
        return len(self.sources)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the columns of the training table besides the target, in order."""
        return tuple(dict.fromkeys(column.source for column in self.inputs))

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of the target columns."""
        return self.target.names

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.feature_names)

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
        table = self.read(as_table(table))
        n_rows = table.n_rows if rows is None else len(rows)
        out = np.empty((n_rows, self.n_features), dtype=np.float32)
        for part, blocks in self._blocks(table, n_rows, rows):
            start = 0
            for block in blocks:
                if self.clip is not None:
                    np.clip(block, -self.clip, self.clip, out=block)
                out[part, start : start + block.shape[1]] = block
                start += block.shape[1]
            if not np.isfinite(out[part]).all():
                bad = self.feature_names[int(np.flatnonzero(~np.isfinite(out[part]).all(axis=0))[0])]
                raise DataError(
                    f"Features must fit in float32 once scaled; {bad!r} does not. Remove its extreme values."
                )
        return out

    def _blocks(self, table: Table, n_rows: int, rows: Array | None) -> Iterator[tuple[slice, list[Array]]]:
        numbers, categories = (self.columns(kind) for kind in (NUMBER, CATEGORY))
        size = max(256, _BLOCK_BYTES // (8 * max(1, self.n_features, len(self.inputs))))
        for start in range(0, n_rows, size):
            part = slice(start, min(n_rows, start + size))
            take = part if rows is None else rows[part]
            blocks: list[Array] = []
            if self.numbers is not None:
                with np.errstate(over="ignore", invalid="ignore"):  # overflows are clipped, or an error of `transform`
                    blocks.append(self.numbers.transform(finite_block(table, numbers, take)))
            if self.categories is not None:
                blocks.append(self.categories.transform([text_column(table, name, take) for name in categories]))
            yield part, blocks

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; `from_dict` reads it back.

        Examples
        --------
        >>> target = Target(("y",), "regression", (), (0.0,), (1.0,))
        >>> numbers = NumberEncoding((), None, ((0, 0.0, 1.0),), ())
        >>> plain = Preprocessing((InputColumn("a", NUMBER),), True, target, numbers, None, None, ("a",)).to_dict()
        >>> Preprocessing.from_dict(plain).transform({"a": [1, 0, None]}).tolist()
        [[1.0], [-1.0], [0.0]]
        """
        return {
            "view": self.view,
            "inputs": [asdict(column) for column in self.inputs],
            "named": self.named,
            "target": self.target.to_dict(),
            "numbers": None if self.numbers is None else self.numbers.to_dict(),
            "categories": None if self.categories is None else self.categories.to_dict(),
            "clip": self.clip,
            "feature_names": list(self.feature_names),
            "n_numbers": self.n_numbers,
            "schema": self.schema.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Preprocessing:
        """The preprocessing that `to_dict` wrote."""
        numbers, categories = plain["numbers"], plain["categories"]
        made = cls(
            inputs=tuple(InputColumn(**column) for column in plain["inputs"]),
            named=plain["named"],
            target=Target.from_dict(plain["target"]),
            numbers=None if numbers is None else NumberEncoding.from_dict(numbers),
            categories=None if categories is None else CategoryEncoding.from_dict(categories),
            clip=plain["clip"],
            feature_names=tuple(plain["feature_names"]),
            n_numbers=plain["n_numbers"],
            view=plain["view"],
            schema=Schema.from_dict(plain["schema"]),
        )
        for column in made.inputs:
            if column.part_of != made.schema.part_of.get(column.name, ""):
                raise InputError(
                    f"`part_of` of {column.name!r:.80} must be what the schema says; got {column.part_of!r:.80}."
                )
        return made

    def columns(self, kind: str) -> list[str]:
        """Names of the input columns of one kind, in order."""
        return [column.name for column in self.inputs if column.kind == kind]

    @property
    def levels(self) -> dict[str, list[str]]:
        """The levels of each column of categories that training has seen."""
        if self.categories is None:
            return {}
        columns = zip(self.columns(CATEGORY), self.categories.columns, strict=True)
        return {name: list(column.levels) for name, column in columns}

    @property
    def used(self) -> list[str]:
        """Names of the columns of the input table that are not ignored, in order."""
        return list(dict.fromkeys(column.source for column in self.inputs if column.kind != IGNORED))

    def read(self, table: Table, used: Sequence[str] | None = None) -> Table:
        """A table with the columns of training as the model reads them, and possibly more; errors as `transform`.

        Columns of times have become their parts.

        Parameters
        ----------
        used : columns that are needed; None: those that this view uses
        """
        used = self.used if used is None else used
        if table.read_by == self.schema:
            return table
        matched = self._matched(table, used)
        if matched.frame is not None:
            _check_types(matched.frame, [name for name in used if not self.schema.is_time(name)])
        return self.schema.read(matched, used)

    def _matched(self, table: Table, used: Sequence[str]) -> Table:
        """The table with the columns of training, and possibly more."""
        names = self.sources
        if self.named and not table.named and table.texts is not None:
            table = _with_its_header(table, used)
        if self.named and table.named:
            known = set(table.names)
            missing = [name for name in used if name not in known]
            if missing:
                has = ", ".join(table.names[:12]) + (", ..." if len(table.names) > 12 else "")
                raise DataError(
                    f"`X` must have the columns of training; {_listed(missing)} missing. It has {has}. Add them."
                )
            return table
        whole = len(names) + len(self.schema.left_out)
        if table.texts is not None and not table.named and len(table.names) == whole:
            table = table.without([table.names[j] for j in self.schema.left_out])
        if len(table.names) != len(names):
            raise DataError(
                f"`X` must have {len(names)} columns, as in training; got {len(table.names)}. Pass the same columns "
                f"in the same order."
            )
        if table.frame is not None:
            return replace(table, names=names, frame=table.frame.rename(dict(zip(table.names, names, strict=True))))
        return Table(names, matrix=table.matrix)


def _with_its_header(table: Table, used: Sequence[str]) -> Table:
    """A text table whose first row are the names of training: with few rows that is not seen from the file alone."""
    assert table.frame is not None
    first = [str(field).strip() for field in table.frame.row(0)] if table.n_rows else []
    if not set(used) <= set(first) or len(set(first)) < len(first):
        return table
    frame = table.frame.slice(1).rename(dict(zip(table.names, first, strict=True)))
    return replace(table, names=tuple(first), frame=frame, named=True)


def _check_types(frame: pl.DataFrame, names: Sequence[str]) -> None:
    """`DataError` for columns whose values can be neither numbers nor categories."""
    types = frame.schema
    wrong = [name for name in names if (kind := types[name]).is_temporal() or kind.is_nested() or kind in _NO_VALUES]
    if wrong:
        raise DataError(
            f"Columns must hold numbers, text or truth values, as in training; {wrong[0]!r} holds {types[wrong[0]]}. "
            "Convert it as for training."
        )


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


def text_column(table: Table, name: str, rows: Array | slice) -> pl.Series:
    """Some rows of a column as texts, None where missing."""
    check_polars_threads()
    if table.matrix is not None:  # the whole column would be copied for every block
        return as_text(pl.Series(name, np.ascontiguousarray(table.matrix[rows, table.names.index(name)])))
    column = table.column(name).alias("column")  # polars takes a name such as "^a$" for a pattern
    return as_text(column[rows] if isinstance(rows, slice) else column.gather(pl.Series(rows, dtype=pl.Int64)))
