"""What a model knows of the columns of its table: how each is read, decided once, from the training table."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from hyperband.errors import DataError
from hyperband.tables.columns import first_values
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.readings import MISSING, MISSING_NUMBERS, NUMBER, TEXT, TRUTH, Reading, find_reading, stripped
from hyperband.tables.table import Table, columns_of

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

    def read(self, table: Table, names: Collection[str]) -> Table:
        """A table with these of its columns as they are read.

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
        wanted = set(names)
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
    if table.matrix is not None:
        return Schema({}, tuple(missing), tuple(left_out), targets or {}), table, []
    assert table.frame is not None
    names = [column.name for column in table.frame if column.dtype in _TEXTS]
    notes: list[str] = []
    readings = {column.name: _by_type(column) for column in table.frame}
    read: list[pl.Series] = []
    for start in range(0, len(names), _TOGETHER):
        some = names[start : start + _TOGETHER]
        for name, texts in zip(some, stripped(columns_of(table.frame, some), missing), strict=True):
            if table.texts is not None:
                readings[name] = find_reading(texts, table.texts.decimal_comma)
                notes += _note(name, texts, readings[name])
                read.append(readings[name].of(texts).alias(name))
            elif not texts.equals(table.frame.get_column(name).cast(pl.String)):
                read.append(texts.alias(name))
    schema = Schema(readings, tuple(missing), tuple(left_out), targets or {})
    return schema, replace(table, frame=table.frame.with_columns(read), texts=None, read_by=schema), notes


def _by_type(column: pl.Series) -> Reading:
    """Of a column of a data frame."""
    if column.dtype == pl.Boolean:
        return Reading(TRUTH)
    return Reading(NUMBER if column.dtype.is_numeric() or column.dtype == pl.Null else TEXT)


def _note(name: str, texts: pl.Series, reading: Reading) -> list[str]:
    """A sentence where texts are read as numbers that programs do not write so."""
    if reading.form != NUMBER:
        return []
    values = reading.of(texts)
    notes = []
    if replace(reading, words=()) != _PLAIN:
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
        for name, texts in zip(some, stripped(columns_of(frame, some), missing), strict=True):
            read.append(_values(name, texts, readings[name]).alias(name))
    return read


def _values(name: str, texts: pl.Series, reading: Reading) -> pl.Series:
    """A column as it is read. A truth value is 1 or 0 where numbers are wanted; other words are told."""
    values = reading.of(texts)
    if values.null_count() == texts.null_count():
        return values
    if reading.form == NUMBER:
        values = values.zip_with(values.is_not_null(), Reading(TRUTH).of(texts).cast(values.dtype))
    wrong = texts.filter(texts.is_not_null() & values.is_null() & ~texts.is_in([*reading.words, *MISSING_NUMBERS]))
    if wrong.len():
        _tell(name, wrong, texts.len() - texts.null_count(), reading)
    return values


def _tell(name: str, wrong: pl.Series, n_values: int, reading: Reading) -> None:
    """Texts that are not what their column holds: a warning, or an error where they are more than half."""
    what = "truth values" if reading.form == TRUTH else "numbers"
    if 2 * wrong.len() > n_values:
        raise DataError(
            f"Column {name!r} must hold {what}, as in training; it holds {wrong[0]!r}. Correct that value, or leave it "
            "empty if it is missing."
        )
    warnings.warn(
        f"Column {name!r} holds {what} in training; {wrong.len()} of its values are none and count as missing, for "
        f"instance {first_values(wrong)}.",
        DataWarning,
        stacklevel=4,
    )
