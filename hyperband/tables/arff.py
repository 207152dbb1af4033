"""Dense ARFF files (Weka, OpenML)."""

from __future__ import annotations

import re

import polars as pl

from hyperband.errors import DataError
from hyperband.tables.readings import MISSING
from hyperband.tables.text_layout import with_line_feeds

_FLAGS = re.IGNORECASE | re.DOTALL
_ATTRIBUTE = re.compile(r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+?)\s*(\{.*|\s\S.*)$""", _FLAGS)
_LEVELS = re.compile(r"""\{((?:[^'"}\\]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\\.)*)\}\s*(?:%.*)?$""")
_FIELD = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)""")
_NUMERIC = ("numeric", "real", "integer")


def parse_arff(text: str, name: str) -> pl.DataFrame:
    """The table of a dense ARFF file: numbers as Float64, nominal attributes as Enum, strings as String.

    Parameters
    ----------
    text : str, the contents of the file
    name : str, the file in errors

    Raises
    ------
    DataError
        When the file is sparse, relational or no ARFF, or a row does not fit the attributes.

    Examples
    --------
    >>> parse_arff("@attribute x numeric\\n@attribute y {a, b}\\n@data\\n1.5,a\\n?,b", "t.arff").rows()
    [(1.5, 'a'), (None, 'b')]
    """
    header, body = _sections(text, name)
    attributes = [_attribute(line, name) for line in header if line.lower().startswith("@attribute")]
    names = [a for a, _ in attributes]
    if not attributes:
        raise DataError(
            f"An arff file must declare its columns by @attribute; {name!r} declares none. Check its format."
        )
    if len(set(names)) < len(names):
        raise DataError(f"Attributes of an arff file must have different names; {name!r} uses one twice. Rename one.")
    if body and body[0].startswith("{"):
        raise DataError(f"An arff file must be dense; {name!r} is sparse ({{index value, ...}}). Convert it to csv.")
    columns = _columns(body, len(names), name)
    return pl.DataFrame(
        [_typed(pl.Series(n, values), kind, name) for (n, kind), values in zip(attributes, columns, strict=True)]
    )


def _sections(text: str, name: str) -> tuple[list[str], list[str]]:
    lines = [line for raw in with_line_feeds(text).split("\n") if (line := raw.strip()) and not line.startswith("%")]
    for k, line in enumerate(lines):
        if line.lower() == "@data":
            return lines[:k], lines[k + 1 :]
    raise DataError(f"An arff file must have a line @data; {name!r} has none. Check that it is complete.")


def _attribute(line: str, name: str) -> tuple[str, str | list[str]]:
    """Name and type of an attribute: "number", "string", "date" or the list of nominal levels."""
    match = _ATTRIBUTE.match(line)
    if match is None:
        raise DataError(f"An arff attribute must have a name and a type; {name!r} has {line!r}.")
    label, kind = _unquote(match[1]), match[2].strip()
    if kind.startswith("{"):
        levels = _LEVELS.match(kind)  # a comment may follow
        inside = kind[1:-1] if levels is None else levels[1]
        return label, [level for level in _split(inside) if level is not None]
    word = kind.split()[0].lower()
    if word in _NUMERIC:
        return label, "number"
    if word in ("string", "date"):
        return label, word
    raise DataError(f"An arff attribute must be numeric, nominal, string or date; {label!r} in {name!r} is {kind!r}.")


def _unquote(field: str) -> str:
    if len(field) >= 2 and field[0] == field[-1] and field[0] in "'\"":
        field = field[1:-1]
    return re.sub(r"\\(.)", r"\1", field)


def _split(line: str) -> list[str | None]:
    """Fields of one row, with None for missing ones; a quoted field is never missing."""
    fields: list[str | None] = []
    position = 0
    while position <= len(line):
        match = _FIELD.match(line, position)
        if match is None:
            raise ValueError(line)
        single, double, plain = match.groups()
        if plain is not None:
            fields.append(None if plain in MISSING else plain)
        else:
            fields.append(re.sub(r"\\(.)", r"\1", single if single is not None else double))
        if match.end() == len(line) and not match[0].endswith(","):
            break
        position = match.end()
    return fields


def _columns(body: list[str], width: int, name: str) -> list[list[str | None]]:
    plain = not any(sign in line for line in body for sign in "'\"\\")
    rows: list[list[str | None]] = []
    for number, line in enumerate(body, 1):
        try:
            row = (
                [None if (f := field.strip()) in MISSING else f for field in line.split(",")] if plain else _split(line)
            )
        except ValueError:
            raise DataError(f"Quotes in an arff file must be closed; row {number} of {name!r} is {line!r}.") from None
        if len(row) != width:
            raise DataError(f"Every arff row must have {width} values; row {number} of {name!r} has {len(row)}.")
        rows.append(row)
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _typed(column: pl.Series, kind: str | list[str], name: str) -> pl.Series:
    column = column.cast(pl.String)
    if kind == "string":
        return column
    if kind == "date":  # of its own type, so that it is an error as a feature unless it is dropped
        return column.str.to_datetime(format="%Y-%m-%dT%H:%M:%S", strict=False)
    dtype = pl.Float64() if kind == "number" else pl.Enum(list(dict.fromkeys(kind)))
    typed = column.cast(dtype, strict=False)
    if typed.null_count() > column.null_count():
        wrong = column.filter(typed.is_null() & column.is_not_null())[0]
        what = "a number" if kind == "number" else "one of its nominal levels"
        raise DataError(f"Values of arff attribute {column.name!r} must be {what}; {name!r} has {wrong!r}.")
    return typed
