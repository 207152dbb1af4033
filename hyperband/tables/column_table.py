"""What a model makes of each column of its table, and why: for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hyperband.tables.preprocess import CATEGORY, IGNORED, NUMBER, SAYS_NOTHING, InputColumn, Preprocessing
from hyperband.tables.readings import Reading

#: The kind of a column that becomes its parts.
TIMES = "time"


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """A column of the input table: its kind, "number", "category", "time" or "ignored", and why."""

    name: str
    kind: str
    why: str


def column_table(views: Sequence[Preprocessing]) -> list[ColumnUse]:
    """How a model sees each column of its table, in order: a column that one of its views uses is not ignored.

    Parameters
    ----------
    views : the preprocessings of a model, of the same table

    Examples
    --------
    >>> from hyperband.tables import prepare
    >>> days = ["2020-01-01", "2020-02-02"]
    >>> prepared = prepare({"a": [1.5, 2.0] * 3, "b": ["u", "v"] * 3, "c": days * 3}, [0, 1] * 3)
    >>> for use in column_table([prepared.preprocessing]):
    ...     print(use)
    ColumnUse(name='a', kind='number', why='')
    ColumnUse(name='b', kind='category', why='2 levels')
    ColumnUse(name='c', kind='time', why='month, day, weekday, days')
    """
    found = [_uses(view) for view in views]
    return [min((uses[name] for uses in found), key=_ignored_last) for name in found[0]]


def _ignored_last(use: ColumnUse) -> tuple[bool, bool]:
    return use.kind == IGNORED, use.why == SAYS_NOTHING


def _uses(view: Preprocessing) -> dict[str, ColumnUse]:
    of_source: dict[str, list[InputColumn]] = {}
    for column in view.inputs:
        of_source.setdefault(column.source, []).append(column)
    levels = view.levels
    return {source: _use(source, columns, view, levels) for source, columns in of_source.items()}


def _use(source: str, columns: list[InputColumn], view: Preprocessing, levels: dict[str, list[str]]) -> ColumnUse:
    used = [column for column in columns if column.kind != IGNORED]
    if not used:
        return ColumnUse(source, IGNORED, columns[0].why)
    if columns[0].part_of:
        parts = {name: part for part, name in view.schema.times[source].names.items()}
        return ColumnUse(source, TIMES, ", ".join(parts[column.name] for column in used))
    (column,) = used
    if column.kind == CATEGORY:
        return ColumnUse(source, CATEGORY, "; ".join(filter(None, (f"{len(levels[source])} levels", column.why))))
    reading = view.schema.readings.get(source)
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
