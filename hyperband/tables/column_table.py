"""What a model makes of each column of its table, and why: for people."""

from __future__ import annotations

from dataclasses import dataclass

from hyperband.tables.preprocess import CATEGORY, IGNORED, NUMBER, InputColumn, Preprocessing
from hyperband.tables.readings import Reading

#: The kind of a column that becomes its parts.
TIMES = "time"


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """A column of the input table: its kind, "number", "category", "time" or "ignored", and why."""

    name: str
    kind: str
    why: str


def column_table(preprocessing: Preprocessing) -> list[ColumnUse]:
    """How a model sees each column of its table, in order.

    Examples
    --------
    >>> from hyperband.tables import prepare
    >>> days = ["2020-01-01", "2020-02-02"]
    >>> prepared = prepare({"a": [1.5, 2.0] * 3, "b": ["u", "v"] * 3, "c": days * 3}, [0, 1] * 3)
    >>> for use in column_table(prepared.preprocessing):
    ...     print(use)
    ColumnUse(name='a', kind='number', why='')
    ColumnUse(name='b', kind='category', why='2 levels')
    ColumnUse(name='c', kind='time', why='month, day, weekday, days')
    """
    of_source: dict[str, list[InputColumn]] = {}
    for column in preprocessing.inputs:
        of_source.setdefault(column.source, []).append(column)
    levels = preprocessing.levels
    return [_use(source, columns, preprocessing, levels) for source, columns in of_source.items()]


def _use(
    source: str, columns: list[InputColumn], preprocessing: Preprocessing, levels: dict[str, list[str]]
) -> ColumnUse:
    used = [column for column in columns if column.kind != IGNORED]
    if not used:
        return ColumnUse(source, IGNORED, columns[0].why)
    reading = preprocessing.schema.readings.get(source)
    if columns[0].part_of:
        parts = preprocessing.schema.times[source].names
        named = [part for part, name in parts.items() if name in {column.name for column in used}]
        return ColumnUse(source, TIMES, ", ".join(named))
    (column,) = used
    if column.kind == CATEGORY:
        return ColumnUse(source, CATEGORY, "; ".join(filter(None, (f"{len(levels[source])} levels", column.why))))
    return ColumnUse(source, NUMBER, "" if reading is None else _written(reading))


def _written(reading: Reading) -> str:
    """How numbers are written, where programs do not write them so."""
    said = []
    if reading.decimal == ",":
        said.append("decimal comma")
    if reading.thousands:
        said.append(f"{reading.thousands!r} between thousands")
    if reading.signs:
        said.append("with percent or currencies")
    if reading.words:
        said.append(f"missing: {', '.join(map(repr, reading.words[:4]))}")
    return ", ".join(said)
