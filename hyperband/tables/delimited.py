"""Tables in text files: encoding, separator, comments, header and missing values are detected from the text."""

from __future__ import annotations

import re
import warnings

import numpy as np
import polars as pl

from hyperband.errors import DataError
from hyperband.tables.columns import INDEX_NAMES, is_index
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.file_table import FileTable, Texts
from hyperband.tables.text_layout import Layout, find_layout, rows_of

#: Byte order marks of UTF-16 and of UTF-32.
MARKS_OF_16, MARKS_OF_32 = (b"\xff\xfe", b"\xfe\xff"), (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_QUOTE, _LINE_FEED = b'"\n'
#: Where Latin-1 has control characters, Windows-1252 has quotes, dashes and the sign of the euro.
_WINDOWS = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)}


def decode(data: bytes, name: str) -> str:
    """Text of a file: UTF-8, UTF-16 or UTF-32 with a byte order mark, otherwise Windows-1252 with a `DataWarning`.

    Raises
    ------
    DataError
        When the file begins as UTF-16 or UTF-32 but cannot be decoded.

    Examples
    --------
    >>> decode("é".encode(), "t.csv")
    'é'
    """
    for marks, encoding in ((MARKS_OF_32, "UTF-32"), (MARKS_OF_16, "UTF-16")):  # one of 32 begins like one of 16
        if data.startswith(marks):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                raise DataError(
                    f"A text file must be UTF-8; {name!r} starts as {encoding} but is damaged. Save it as UTF-8."
                ) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        warnings.warn(
            f"{name!r} is not UTF-8 (byte {error.start}); it is read as Windows-1252. "
            "Save it as UTF-8 if letters look wrong.",
            DataWarning,
            stacklevel=3,
        )
        return data.decode("latin-1").translate(_WINDOWS)


def parse_delimited(text: str, name: str, *, separator: str | None, header: bool | None) -> FileTable:
    """The table in a text; all of its columns are texts: how they are read is decided by `hyperband.tables.schema`.

    Parameters
    ----------
    text : str, the contents of the file
    name : str, the file in errors and warnings
    separator : str, between the fields; None detects it
    header : bool, whether the first row names the columns; None detects it

    Raises
    ------
    DataError
        When fewer than 80 % of the lines have the usual number of fields, a line has more fields than the first, or a
        quotation mark opens a field and none closes it.

    Warns
    -----
    DataWarning
        When a column had to be renamed, the first row is taken as names though it has numbers, or lines have fewer
        fields than the others (in files without quotation marks).

    Examples
    --------
    >>> table = parse_delimited("a;b\\n1,5;x\\n;y", "t.csv", separator=None, header=None)
    >>> table.frame.rows(), table.texts
    ([('1,5', 'x'), (None, 'y')], Texts(decimal_comma=True))
    """
    layout = find_layout(text, name, separator, header)
    if layout.doubtful and layout.names is not None:
        warnings.warn(
            f"The first row of {name!r} is taken as names of columns ({', '.join(layout.names[:4])}, ...). If it is a "
            "row of values, pass header=False (--no-header).",
            DataWarning,
            stacklevel=3,
        )
    names = _names(layout)
    frame = _parse(layout, name)
    if frame.to_series(-1).null_count():  # where fields are absent, the last one is
        _warn_of_short_lines(layout, name, frame.height)
    frame.columns = names
    named, texts = layout.names is not None, Texts(decimal_comma=layout.separator == ";")
    return FileTable(frame, named, texts, _index(frame, layout))


def _names(layout: Layout) -> list[str]:
    if layout.names is None:
        return [f"column_{j + 1}" for j in range(layout.width)]
    first = ["row_names", *layout.names] if layout.row_names else layout.names
    names: dict[str, None] = {}  # in their order
    copies: dict[str, int] = {}
    for j, field in enumerate(first):
        usual = field or f"column_{j + 1}"
        name, copy = usual, copies.get(usual, 1)
        while name in names:
            copy += 1
            name = f"{usual}_{copy}"
        copies[usual] = copy
        if name != field and field:
            warnings.warn(
                f"Column name {field!r} is used twice; the second becomes {name!r}.", DataWarning, stacklevel=4
            )
        names[name] = None
    return list(names)


def _parse(layout: Layout, name: str) -> pl.DataFrame:
    body = _without_blank_lines(layout).encode()
    if not _plainly_quoted(body, layout.separator):
        return _parse_by_fields(layout, name)
    try:
        return pl.read_csv(
            body,
            separator=layout.separator,
            has_header=False,
            new_columns=[str(j) for j in range(layout.width)],
            infer_schema=False,
            raise_if_empty=False,
        ).select(str(j) for j in range(layout.width))
    except pl.exceptions.PolarsError:
        return _parse_by_fields(layout, name)  # it says which line is at fault


def _warn_of_short_lines(layout: Layout, name: str, n_rows: int) -> None:
    """Say where fields are absent at the end of lines; texts with quotation marks are not looked through again."""
    body, separator = layout.body, layout.separator
    whole = n_rows * (layout.width - 1)
    if '"' in body or body.count(separator) == whole:
        return
    blanks = " " if separator == "\t" else " \t"
    found = [
        (number, line.count(separator) + 1)
        for number, line in enumerate(body.split("\n"), layout.first_line)
        if line.count(separator) < layout.width - 1 and line.strip(blanks)
    ]
    if found and 2 * len(found) < n_rows:  # else it is the header that has more
        number, fields = found[0]
        warnings.warn(
            f"{len(found)} lines of {name!r} have fewer fields than the others, first line {number} ({fields}, not "
            f"{layout.width}): the absent ones count as missing values. Check these lines.",
            DataWarning,
            stacklevel=4,
        )


def _without_blank_lines(layout: Layout) -> str:
    """The rows; in a table of one column a blank line is a missing value, unless it is the last one."""
    body = layout.body
    if not body.endswith("\n") or body.endswith("\n\n"):  # a large text is not copied in vain
        body = body.rstrip("\n") + "\n"
    if layout.width == 1:
        return body
    blanks = " *" if layout.separator == "\t" else r"[ \t]*"
    blank_lines = re.compile(rf"\n(?:{blanks}\n)+")
    if '"' not in body:
        return blank_lines.sub("\n", body)
    quotes = np.array([found.start() for found in re.finditer('"', body)])

    def outside_quotes(found: re.Match[str]) -> str:
        return "\n" if np.searchsorted(quotes, found.start()) % 2 == 0 else found[0]

    return blank_lines.sub(outside_quotes, body)


def _plainly_quoted(body: bytes, separator: str) -> bool:
    """Whether quotation marks stand only where fields begin and end, or double inside a quoted field.

    That is what polars reads. Others are characters of their field, as in 5" pipe.
    """
    if b'"' not in body:
        return True
    text = np.frombuffer(body, dtype=np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    if len(quotes) % 2:
        return False
    ends = np.array([ord(separator), _LINE_FEED, _QUOTE], dtype=np.uint8)
    before, after = quotes[0::2] - 1, quotes[1::2] + 1
    opened = np.isin(text[before[before >= 0]], ends).all()
    return bool(opened and np.isin(text[after[after < len(text)]], ends).all())


def _parse_by_fields(layout: Layout, name: str) -> pl.DataFrame:
    """Row by row, as `csv` reads it: blanks before a quoted field, quotation marks inside fields.

    Raises
    ------
    DataError
        With the line, when it has too many fields, or a quotation mark is not closed.
    """
    lines = [line + "\n" for line in layout.body.rstrip("\n").split("\n")]
    rows = rows_of(lines, layout.separator, len(lines))
    for before, row in rows:
        if len(row) > layout.width:
            raise DataError(
                f"Every line must have at most as many fields as the first; line {layout.first_line + before} of "
                f"{name!r} has {len(row)}, not {layout.width} (separated by {layout.separator!r}). Quote fields that "
                "contain the separator."
            )
    before, last = rows[-1]
    if last and _is_open(last[-1], layout.body):
        raise DataError(
            f"A quotation mark that opens a field must be closed; that in line {layout.first_line + before} of "
            f"{name!r} is not. Close it, or double it inside a quoted field."
        )
    rows = [(before, row) for before, row in rows if layout.width == 1 or row not in ([], [""])]  # no blank lines
    full = [row + [""] * (layout.width - len(row)) for _, row in rows]
    return pl.DataFrame(full, schema=dict.fromkeys(map(str, range(layout.width)), pl.String), orient="row")


def _is_open(last: str, body: str) -> bool:
    """Whether the last field swallowed the end of the text."""
    return "\n" in last and not body.rstrip().endswith('"')


def _index(frame: pl.DataFrame, layout: Layout) -> str | None:
    """The first column where it is an index: row names of R, or whole numbers as pandas writes them."""
    if layout.names is None or frame.width == 1:
        return None
    first = frame.to_series(0).alias("index")
    saved = layout.names[0] in ("", *INDEX_NAMES) and is_index(first.str.strip_chars().cast(pl.Int64, strict=False))
    return frame.columns[0] if saved or (layout.row_names and first.is_unique().all()) else None
