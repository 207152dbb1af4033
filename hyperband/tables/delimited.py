"""Tables in text files: encoding, separator, comments, header and missing values are detected from the text."""

from __future__ import annotations

import csv
import itertools
import re
import warnings
from collections import Counter
from collections.abc import Sequence

import polars as pl

from hyperband.errors import DataError
from hyperband.tables.data_warning import DataWarning

#: Fields that mean a missing value, after blanks are stripped.
MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "<NA>")

_SEPARATORS = (",", "\t", ";", "|")
_COMMENT = ("#", "|", "%", "//")
_SAMPLE_ROWS = 1000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)


def decode(data: bytes, name: str) -> str:
    """Text of a file: UTF-8, UTF-16 with a byte order mark, otherwise Latin-1 with a `DataWarning`.

    Raises
    ------
    DataError
        When the file begins as UTF-16 but cannot be decoded.

    Examples
    --------
    >>> decode("é".encode(), "t.csv")
    'é'
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            raise DataError(
                f"A text file must be UTF-8; {name!r} starts as UTF-16 but is damaged. Save it as UTF-8."
            ) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        warnings.warn(
            f"{name!r} is not UTF-8 (byte {error.start}); it is read as Latin-1. "
            "Save it as UTF-8 if letters look wrong.",
            DataWarning,
            stacklevel=3,
        )
        return data.decode("latin-1")


def parse_delimited(text: str, name: str, *, separator: str | None, header: bool | None) -> pl.DataFrame:
    """The table in a text.

    Parameters
    ----------
    text : str, the contents of the file
    name : str, the file in errors and warnings
    separator : str, between the fields; None detects it
    header : bool, whether the first row names the columns; None detects it

    Raises
    ------
    DataError
        When fewer than 80 % of the lines have the usual number of fields, or a line has more fields than the first.

    Warns
    -----
    DataWarning
        When a column had to be renamed, or a column of row numbers is left out.

    Examples
    --------
    >>> parse_delimited("a;b\\n1,5;x\\n;y", "t.csv", separator=None, header=None).rows()
    [(1.5, 'x'), (None, 'y')]
    """
    text, sample, separator = _layout(text, name, separator)
    if header is None:
        header = _has_header(sample)
    if header and len(sample) == 1:
        raise DataError(f"A table needs rows; {name!r} has column names only. Add rows, or pass header=False.")
    names = _names(sample[0], header)
    body_start = 1 if header else 0
    frame = _parse(text, name, separator, body_start, len(names))
    frame.columns = names
    frame = frame.with_columns(_clean(frame[c], decimal_comma=separator == ";") for c in names)
    if len(names) > 1:
        frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))  # blank lines
    return _without_row_numbers(frame, sample[0][0] if header else "x")


def _layout(text: str, name: str, separator: str | None) -> tuple[str, list[list[str]], str]:
    """The text without leading comments, its first rows split into fields, and the separator."""
    lines = text.splitlines(keepends=True) if len(text) < 1 << 20 else text[: 1 << 20].splitlines(keepends=True)
    lines = [line for line in lines[: _SAMPLE_ROWS + 50] if line.strip()]
    if not lines:
        raise DataError(f"A table must hold at least two rows; {name!r} holds blank lines only. Check the file.")
    if separator is None or not any(separator in line for line in lines):
        separator = _find_separator(lines)
    if separator == " ":  # runs of blanks separate the fields of many older tables
        text = re.sub(r"[ \t]+", "\t", re.sub(r"(?m)^[ \t]+|[ \t]+$", "", text))
        return _layout(text, name, "\t")
    rows = _fields(lines, separator)
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    skip = 0
    while skip < len(lines) - 1 and lines[skip].lstrip().startswith(_COMMENT) and len(rows[skip]) != width:
        text = text[text.index(lines[skip]) + len(lines[skip]) :]
        skip += 1
    first = lines[skip]
    if first.startswith("#"):  # a commented header: `# "RMSD","F1",...`
        text = text[text.index(first) + 1 :].lstrip(" ")
        lines[skip] = first[1:].lstrip(" ")
    rows = _fields(lines[skip:], separator)
    if sum(len(row) == width for row in rows) < 0.8 * len(rows):
        raise DataError(
            f"A text table must have the same number of fields in every line; {name!r} does not. Check the "
            "separator, and quote fields that contain it."
        )
    return text, rows, separator


def _fields(lines: Sequence[str], separator: str) -> list[list[str]]:
    rows = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    try:
        return [[field.strip() for field in row] for row in itertools.islice(rows, _SAMPLE_ROWS)]
    except csv.Error:  # a field longer than 128 KiB: not a table with that separator
        return [[line] for line in lines]


def _find_separator(lines: Sequence[str]) -> str:
    best, best_score = ",", (0.0, 1)
    for separator in _SEPARATORS:
        widths = Counter(len(row) for row in _fields(lines, separator))
        width, count = widths.most_common(1)[0]
        score = (count / widths.total(), width)
        if width > 1 and score[0] > 0.8 and score > best_score:
            best, best_score = separator, score
    if best_score[1] == 1:
        widths = Counter(len(line.split()) for line in lines)
        width, count = widths.most_common(1)[0]
        if width > 1 and count > 0.8 * len(lines) and not any('"' in line for line in lines):
            return " "
    return best


def _is_number(field: str) -> bool:
    return _NUMBER.fullmatch(field) is not None


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns.

    True when a text stands above a column of numbers; when the fields count 0, 1, 2, ..., as in a frame written without
    names; or when all fields are distinct texts and none occurs again in its column. Otherwise False.
    """
    first, rest = rows[0], rows[1:]
    present = [[row[j] for row in rest if j < len(row) and row[j] not in MISSING] for j in range(len(first))]
    for field, column in zip(first, present, strict=True):
        if field not in MISSING and not _is_number(field) and column and all(map(_is_number, column)):
            return True
    named = [field for field in first if field]
    numbers = [field for field in named if _is_number(field)]
    if len(numbers) > 2 and numbers == [*map(str, range(len(numbers)))]:
        return True
    if not named or numbers or len(set(named)) < len(named):
        return False
    return not any(field in column for field, column in zip(first, present, strict=True))


def _names(first: Sequence[str], header: bool) -> list[str]:
    if not header:
        return [f"column_{j + 1}" for j in range(len(first))]
    names: list[str] = []
    for j, field in enumerate(first):
        name, copy = field or f"column_{j + 1}", 2
        while name in names:
            name, copy = f"{field or f'column_{j + 1}'}_{copy}", copy + 1
        if name != field and field:
            warnings.warn(
                f"Column name {field!r} is used twice; the second becomes {name!r}.", DataWarning, stacklevel=4
            )
        names.append(name)
    return names


def _parse(text: str, name: str, separator: str, skip: int, width: int) -> pl.DataFrame:
    if re.search(f'{re.escape(separator)}[ ]+"', text):  # polars recognises a quote only right after the separator
        rows = list(csv.reader(text.splitlines(), delimiter=separator, skipinitialspace=True))
        rows = [row + [""] * (width - len(row)) for row in rows[skip:] if row]
        if any(len(row) > width for row in rows):
            raise DataError(_too_long(name, width, separator))
        return pl.DataFrame(rows, schema=[str(j) for j in range(width)], orient="row")
    try:
        return pl.read_csv(
            text.encode(),
            separator=separator,
            has_header=False,
            skip_rows=skip,
            new_columns=[str(j) for j in range(width)],
            null_values=list(MISSING),
            infer_schema_length=None,
            raise_if_empty=False,
        ).select(str(j) for j in range(width))
    except pl.exceptions.PolarsError as error:
        if any(len(row) > width for row in csv.reader(text.splitlines(), delimiter=separator)):
            raise DataError(_too_long(name, width, separator)) from None
        first = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"A text table must have one row a line and {width} fields in it; {name!r}: {first}.") from None


def _too_long(name: str, width: int, separator: str) -> str:
    return (
        f"Every line must have at most as many fields as the first; {name!r} has lines of more than {width} (separated "
        f"by {separator!r}). Quote fields that contain the separator."
    )


def _clean(column: pl.Series, *, decimal_comma: bool) -> pl.Series:
    """A column of texts stripped, with missing markers as null; numeric or boolean where every field is."""
    if column.dtype != pl.String:
        return column
    text = column.str.strip_chars()
    text = pl.select(pl.when(text.is_in(MISSING)).then(None).otherwise(text)).to_series().alias(column.name)
    seen = text.len() - text.null_count()
    if seen == 0:
        return text
    if text.str.to_lowercase().is_in(["true", "false"]).sum() == seen:
        return (text.str.to_lowercase() == "true").alias(column.name)
    if decimal_comma and text.str.contains(r"^[+-]?\d*,?\d*$").sum() == seen:
        text = text.str.replace(",", ".", literal=True)
    for dtype in (pl.Int64, pl.Float64):
        number = text.cast(dtype, strict=False)
        if number.len() - number.null_count() == seen:
            return number
    return text


def _without_row_numbers(frame: pl.DataFrame, first_field: str) -> pl.DataFrame:
    """The frame without a first column that has no name and counts the rows: the index that pandas writes."""
    index = frame.to_series(0)
    if first_field or frame.width == 1 or not index.dtype.is_integer():
        return frame
    if index.null_count() or not (index == pl.int_range(index[0], index[0] + frame.height, eager=True)).all():
        return frame
    warnings.warn("The first column has no name and counts the rows; it is left out.", DataWarning, stacklevel=4)
    return frame.drop(index.name)
