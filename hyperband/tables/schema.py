"""What a model knows of the columns of its table: how each is read, decided once, from the training table."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from hyperband.errors import DataError
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.readings import MISSING, MISSING_NUMBERS, NUMBER, TEXT, TRUTH, Reading, find_reading, stripped
from hyperband.tables.table import Table

#: Columns that are looked at in one query.
_TOGETHER = 500
_PLAIN = Reading(NUMBER)
_TEXTS = (pl.String, pl.Categorical, pl.Enum)


@dataclass(frozen=True, slots=True)
class Schema:
    """How the columns of a table are read, so that a row means the same in every file and frame.

    Parameters
    ----------
    readings : dict of column to Reading; a column that is not there is one of plain numbers
    missing : tuple of str, texts that mean a missing value
    left_out : tuple of int
        Positions of the columns of the training table that are no features, such as the target.
    targets : dict of target column to Reading, where it is a quantity in a text file
    """

    readings: Mapping[str, Reading] = field(default_factory=dict)
    missing: tuple[str, ...] = MISSING
    left_out: tuple[int, ...] = ()
    targets: Mapping[str, Reading] = field(default_factory=dict)

    def read(self, table: Table, names: Sequence[str] | None = None) -> Table:
        """A table with its columns as they are read.

        Parameters
        ----------
        table : Table
        names : columns that are wanted; None: all that the schema knows

        Raises
        ------
        DataError
            When more than half of the values of a column of numbers are texts that are none.

        Warns
        -----
        DataWarning
            When some of them are: they count as missing.
        """
        if table.matrix is not None or table.read_by is self or table.read_by == self:
            return table
        assert table.frame is not None
        wanted = set(self.readings if names is None else names)
        texts = [column.name for column in table.frame if column.name in wanted and column.dtype in _TEXTS]
        read = _read(table.frame, {name: self.readings.get(name, _PLAIN) for name in texts}, self.missing)
        return replace(table, frame=table.frame.with_columns(read), texts=None, read_by=self)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; `from_dict` reads it back."""
        return {
            "readings": {name: reading.to_dict() for name, reading in self.readings.items()},
            "missing": list(self.missing),
            "left_out": list(self.left_out),
            "targets": {name: reading.to_dict() for name, reading in self.targets.items()},
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Schema:
        """The schema that `to_dict` wrote."""
        readings, targets = (
            {name: Reading.from_dict(reading) for name, reading in plain[part].items()}
            for part in ("readings", "targets")
        )
        return cls(readings, tuple(plain["missing"]), tuple(plain["left_out"]), targets)


def find_schema(
    table: Table,
    missing: Collection[str] = MISSING,
    left_out: Sequence[int] = (),
    targets: Mapping[str, Reading] | None = None,
) -> tuple[Schema, Table, list[str]]:
    """The schema of a training table, the table as it reads it, and notes, as sentences.

    Texts of a file are numbers where they can be read so. Texts of a data frame stay texts: there somebody has decided.

    Examples
    --------
    >>> from hyperband.tables.table import as_table
    >>> schema, table, _ = find_schema(as_table({"a": [" x", "?"], "b": [1, 2]}))
    >>> schema.readings["a"].form, table.column("a").to_list()
    ('text', ['x', None])
    """
    missing = tuple(dict.fromkeys(("", *missing)))
    if table.matrix is not None:
        return Schema({}, missing, tuple(left_out), targets or {}), table, []
    assert table.frame is not None
    names = [column.name for column in table.frame if column.dtype in _TEXTS]
    notes: list[str] = []
    readings = {column.name: _by_type(column) for column in table.frame}
    read: list[pl.Series] = []
    for start in range(0, len(names), _TOGETHER):
        clean = _stripped(table.frame, names[start : start + _TOGETHER], missing)
        if table.texts is None:
            read += [column for column in clean if not column.equals(table.frame[column.name].cast(pl.String))]
            continue
        for name, column, typed in zip(clean.columns, _unnamed(clean), _plain_numbers(clean), strict=True):
            reading = _PLAIN if typed is not None else find_reading(column, table.texts.decimal_comma)
            readings[name] = reading
            notes += _note(name, column, reading)
            read.append((reading.of(column) if typed is None else typed).alias(name))
    schema = Schema(readings, missing, tuple(left_out), targets or {})
    return schema, replace(table, frame=table.frame.with_columns(read), texts=None, read_by=schema), notes


def _by_type(column: pl.Series) -> Reading:
    """Of a column of a data frame."""
    if column.dtype == pl.Boolean:
        return Reading(TRUTH)
    return Reading(NUMBER if column.dtype.is_numeric() or column.dtype == pl.Null else TEXT)


def _plain_numbers(texts: pl.DataFrame) -> list[pl.Series | None]:
    """Each column as whole numbers or numbers where all texts are; None otherwise, or where a zero begins one."""
    whole = texts.select(pl.all().cast(pl.Int64, strict=False)).get_columns()
    numbers = texts.select(pl.all().cast(pl.Float64, strict=False)).get_columns()
    padded = texts.select(pl.all().str.contains(r"^[+-]?0\d").any()).row(0)
    found: list[pl.Series | None] = []
    for column, i, f, zero in zip(texts, whole, numbers, padded, strict=True):
        empty = column.null_count()
        if zero or empty == column.len() or f.null_count() > empty:
            found.append(None)
        else:
            found.append(i if i.null_count() == empty else f.fill_nan(None))
    return found


def _unnamed(frame: pl.DataFrame) -> list[pl.Series]:
    """The columns without their names: polars takes a name such as "^a$" for a pattern."""
    return [column.alias("column") for column in frame]


def _note(name: str, texts: pl.Series, reading: Reading) -> list[str]:
    """A sentence where texts are read as numbers that programs do not write so."""
    if reading.form != NUMBER:
        return []
    values = reading.of(texts)
    notes = []
    if reading != Reading(NUMBER, words=reading.words):
        unusual = texts.filter(values.is_not_null() & texts.cast(pl.Float64, strict=False).is_null())
        if unusual.len():
            value = reading.of(unusual.head(1))[0]
            notes.append(f"Column {name!r} is read as numbers: {unusual[0]!r} is {value:.15g}.")
    if reading.words:
        count = texts.is_in(list(reading.words)).sum()
        shown = ", ".join(map(repr, reading.words[:4])) + (", ..." if len(reading.words) > 4 else "")
        notes.append(f"Column {name!r} is read as numbers; missing there: {shown} ({count} rows).")
    return notes


def _read(frame: pl.DataFrame, readings: Mapping[str, Reading], missing: Sequence[str]) -> list[pl.Series]:
    """Columns of texts as they are read."""
    names = list(readings)
    read: list[pl.Series] = []
    for start in range(0, len(names), _TOGETHER):
        some = names[start : start + _TOGETHER]
        for name, texts in zip(some, _unnamed(_stripped(frame, some, missing)), strict=True):
            read.append(_values(name, texts, readings[name]).alias(name))
    return read


def _values(name: str, texts: pl.Series, reading: Reading) -> pl.Series:
    """A column as it is read. A truth value is 1 or 0 where numbers are wanted; other words are told."""
    values = reading.of(texts)
    if values.null_count() == texts.null_count():
        if reading == _PLAIN and (whole := texts.cast(pl.Int64, strict=False)).null_count() == values.null_count():
            return whole  # exact beyond 2^53 too
        return values
    if reading.form == NUMBER:
        truth = Reading(TRUTH).of(texts).cast(pl.Float64)
        values = pl.select(pl.coalesce(pl.lit(values), pl.lit(truth))).to_series()
    wrong = texts.filter(texts.is_not_null() & values.is_null() & ~texts.is_in([*reading.words, *MISSING_NUMBERS]))
    if wrong.len():
        _tell(name, wrong, texts.len() - texts.null_count(), reading)
    return values


def _stripped(frame: pl.DataFrame, names: Sequence[str], missing: Sequence[str]) -> pl.DataFrame:
    """These columns as texts; for `select`, "*" would be all of them."""
    columns = pl.DataFrame([frame.get_column(name) for name in names])
    return columns.select(stripped(pl.all().cast(pl.String), missing))


def _tell(name: str, wrong: pl.Series, n_values: int, reading: Reading) -> None:
    """Texts that are not what their column holds: a warning, or an error where they are more than half."""
    what = "truth values" if reading.form == TRUTH else "numbers"
    if 2 * wrong.len() > n_values:
        raise DataError(
            f"Column {name!r} must hold {what}, as in training; it holds {wrong[0]!r}. Correct that value, or leave it "
            "empty if it is missing."
        )
    examples = ", ".join(map(repr, wrong.unique(maintain_order=True).head(3).to_list()))
    warnings.warn(
        f"Column {name!r} holds {what} in training; {wrong.len()} of its values are none and count as missing, for "
        f"instance {examples}.",
        DataWarning,
        stacklevel=4,
    )
