"""What a model knows of the columns of its table: how each is read, decided once, from the training table."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from hyperband.errors import DataError
from hyperband.tables.columns import first_names, first_values, holds_times
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.dates import ISO, NO_DATE, as_instants, find_date, in_words, is_ambiguous
from hyperband.tables.fitted_numbers import check_positions, check_texts
from hyperband.tables.readings import (
    MISSING,
    MISSING_NUMBERS,
    NUMBER,
    TEXT,
    TIME,
    TRUTH,
    Reading,
    find_reading,
    may_be_names,
    plain_numbers,
    stripped,
)
from hyperband.tables.table import Table, columns_of
from hyperband.tables.time_parts import TimeParts, find_parts, instants_of

#: Columns that are looked at in one query.
_TOGETHER = 500
_PLAIN = Reading(NUMBER)
_TEXTS = (pl.String, pl.Categorical, pl.Enum)
_WHAT = {NUMBER: "numbers", TRUTH: "truth values", TIME: "dates or times"}


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
    times : dict of column to TimeParts: the columns of times that become columns of numbers
    """

    readings: Mapping[str, Reading] = field(default_factory=dict)
    missing: tuple[str, ...] = MISSING
    left_out: tuple[int, ...] = ()
    targets: Mapping[str, Reading] = field(default_factory=dict)
    times: Mapping[str, TimeParts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_positions(self.left_out, "left_out")
        check_texts(set(self.missing), "missing")

    def read(self, table: Table, names: Collection[str]) -> Table:
        """A table with these of its columns as they are read; columns of times become their parts.

        Raises
        ------
        DataError
            When more than half of the values of a column of numbers are texts that are none, or a column of times holds
            numbers.

        Warns
        -----
        DataWarning
            When some of them are: they count as missing.
        """
        if table.matrix is not None:
            return table
        assert table.frame is not None
        wanted = set(names)
        columns = [column for column in table.frame if column.name in wanted]
        texts = [column.name for column in columns if column.dtype in _TEXTS]
        read = _read(table.frame, {name: self.readings.get(name, _PLAIN) for name in texts}, self.missing)
        read += [_instants(column) for column in columns if self.is_time(column.name) and column.dtype not in _TEXTS]
        return self.with_parts(replace(table, frame=table.frame.with_columns(read), texts=None), wanted)

    def is_time(self, name: str) -> bool:
        """Whether a column holds dates or times."""
        reading = self.readings.get(name)
        return reading is not None and reading.form == TIME

    def with_parts(self, table: Table, names: Collection[str] | None = None) -> Table:
        """A table that was read, with its columns of times, or these of them, replaced by their parts."""
        if table.frame is None:
            return table
        times = {name: parts for name, parts in self.times.items() if names is None or name in names}
        made = {name for parts in times.values() for name in parts.names.values()}
        columns: list[pl.Series] = []
        for column in table.frame:
            if column.name in times:
                columns += times[column.name].of(column)
            elif column.name not in made:  # a column that training has not had
                columns.append(column)
        return replace(table, names=tuple(c.name for c in columns), frame=pl.DataFrame(columns), read_by=self)

    @property
    def part_of(self) -> dict[str, str]:
        """The column of times that each part comes from."""
        return {part: name for name, parts in self.times.items() for part in parts.names.values()}

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; `from_dict` reads it back."""
        return {
            "readings": {name: reading.to_dict() for name, reading in self.readings.items()},
            "missing": list(self.missing),
            "left_out": list(self.left_out),
            "targets": {name: reading.to_dict() for name, reading in self.targets.items()},
            "times": {name: parts.to_dict() for name, parts in self.times.items()},
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Schema:
        """The schema that `to_dict` wrote."""
        readings, targets = (
            {name: Reading.from_dict(reading) for name, reading in plain[part].items()}
            for part in ("readings", "targets")
        )
        times = {name: TimeParts.from_dict(parts) for name, parts in plain["times"].items()}
        return cls(readings, tuple(plain["missing"]), tuple(plain["left_out"]), targets, times)


def find_schema(
    table: Table,
    missing: Collection[str] = MISSING,
    left_out: Sequence[int] = (),
    targets: Mapping[str, Reading] | None = None,
    numeric: Collection[str] = (),
) -> tuple[Schema, Table, list[str]]:
    """The schema of a training table, the table as it reads it, and notes, as sentences.

    Texts of a file are numbers where they can be read so. Texts of a data frame stay texts, unless they are dates:
    there somebody has decided. Those of columns in ``numeric`` are numbers in both.

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
    read = [instants_of(column) for column in table.frame if holds_times(column)]
    if table.texts is not None:
        for name, values in _plain_numbers(table.frame, names, missing):
            if values.dtype.is_float() or not may_be_names(table.frame.get_column(name)):
                readings[name] = _PLAIN
                read.append(values)
        known = {values.name for values in read}
        names = [name for name in names if name not in known]
    for start in range(0, len(names), _TOGETHER):
        some = names[start : start + _TOGETHER]
        for name, texts in zip(some, stripped(columns_of(table.frame, some), missing), strict=True):
            if table.texts is not None or name in numeric:
                comma = table.texts is not None and table.texts.decimal_comma
                readings[name] = find_reading(texts, comma, name in numeric)
            elif table.frame.schema[name] == pl.String and (date := find_date(texts.drop_nulls(), 1.0)) is not None:
                readings[name] = Reading(TIME, date=date)
            if readings[name] != Reading(TEXT):
                notes += _note(name, texts, readings[name])
                read.append(readings[name].of(texts).alias(name))
            elif not texts.equals(table.frame.get_column(name).cast(pl.String)):
                read.append(texts.alias(name))
    schema = Schema(readings, tuple(missing), tuple(left_out), targets or {})
    return schema, replace(table, frame=table.frame.with_columns(read), texts=None), notes


def _plain_numbers(
    frame: pl.DataFrame, names: Sequence[str], missing: Collection[str]
) -> Iterator[tuple[str, pl.Series]]:
    """The columns of texts that `plain_numbers` reads."""
    texts = [name for name in names if frame.schema[name] == pl.String]
    for start in range(0, len(texts), _TOGETHER):
        some = texts[start : start + _TOGETHER]
        for name, values in zip(some, plain_numbers(columns_of(frame, some), missing), strict=True):
            if values is not None:
                yield name, values


def _by_type(column: pl.Series) -> Reading:
    """Of a column of a data frame."""
    if column.dtype == pl.Boolean:
        return Reading(TRUTH)
    if holds_times(column):
        return Reading(TIME, date=NO_DATE if column.dtype == pl.Time else ISO)
    return Reading(NUMBER if column.dtype.is_numeric() or column.dtype == pl.Null else TEXT)


def _note(name: str, texts: pl.Series, reading: Reading) -> list[str]:
    """Sentences where texts are read as numbers or times that programs do not write so."""
    notes: list[str] = []
    if reading.form == TIME:
        notes += _date_note(name, texts.drop_nulls().unique(maintain_order=True), reading.date)
    elif reading.form == NUMBER and replace(reading, words=()) != _PLAIN:
        values = reading.of(texts)
        unusual = texts.filter(values.is_not_null() & texts.cast(pl.Float64, strict=False).is_null())
        if unusual.len():
            value = reading.of(unusual.head(1))[0]
            notes.append(f"Column {name!r} is read as numbers: {unusual[0]!r} is {value:.15g}.")
    if reading.words:
        count = texts.is_in(list(reading.words)).sum()
        shown = ", ".join(map(repr, reading.words[:4])) + (", ..." if len(reading.words) > 4 else "")
        notes.append(f"Column {name!r} is read as {_WHAT[reading.form]}; missing there: {shown} ({count} rows).")
    return notes


def _date_note(name: str, levels: pl.Series, date: str) -> list[str]:
    """How dates were read that do not begin with the year."""
    if date == NO_DATE or date.startswith("%Y"):
        return []
    instants = as_instants(levels, date)
    text, instant = levels.filter(instants.is_not_null())[0], instants.drop_nulls()[0]
    open_ = " All fit the other order too: write 1999-01-31 where that is meant." if is_ambiguous(levels, date) else ""
    return [f"Column {name!r} is read as dates, {in_words(date)}: {text!r} is {instant:%Y-%m-%d}.{open_}"]


def _read(frame: pl.DataFrame, readings: Mapping[str, Reading], missing: Sequence[str]) -> list[pl.Series]:
    """Columns of texts as they are read."""
    plain = dict(_plain_numbers(frame, [name for name in readings if readings[name] == _PLAIN], missing))
    read = list(plain.values())
    names = [name for name in readings if name not in plain]
    for start in range(0, len(names), _TOGETHER):
        some = names[start : start + _TOGETHER]
        for name, texts in zip(some, stripped(columns_of(frame, some), missing), strict=True):
            read.append(_values(name, texts, readings[name]).alias(name))
    return read


def _instants(column: pl.Series) -> pl.Series:
    """A column of times of a data frame."""
    if holds_times(column):
        return instants_of(column)
    if column.dtype == pl.Null or (column.dtype.is_float() and column.is_nan().fill_null(True).all()):
        return pl.Series(column.name, [None] * column.len(), dtype=pl.Datetime("us"))  # pandas: a column of NaN
    raise DataError(
        f"Column {column.name!r} must hold dates or times, as in training; it holds {column.dtype}. Convert it as for "
        "training."
    )


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
    what = _WHAT[reading.form]
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


def find_time_parts(
    table: Table, categories: Collection[str], taken: Collection[str]
) -> tuple[dict[str, TimeParts], list[str]]:
    """What becomes of the columns of times of a training table, and a note.

    Parameters
    ----------
    table : Table, as a schema has read it, without the columns that are no features
    categories : names of columns that are categories whatever they hold
    taken : names that the parts cannot have
    """
    if table.frame is None:
        return {}, []
    columns = [c for c in table.frame if holds_times(c) and c.name not in categories]
    found = {column.name: find_parts(column, taken) for column in columns}
    shown = [f"{name} ({', '.join(parts.names)})" for name, parts in found.items()]
    return found, [f"Dates and times become numbers: {first_names(shown)}."] if shown else []
