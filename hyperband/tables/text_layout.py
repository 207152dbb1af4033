"""Where the table starts in a text, what separates its fields, and whether its first row names the columns."""

from __future__ import annotations

import csv
import itertools
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from hyperband.errors import DataError
from hyperband.tables.readings import MISSING

_SEPARATORS = (",", "\t", ";", "|")
_COMMENT = ("#", "|", "%", "//")
_BLANKS = " \t\n"
#: Characters and rows by which the layout is found.
_SAMPLE, _SAMPLE_ROWS = 1 << 20, 1000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)*")
_SEPARATOR_LINE = re.compile(r"sep=(.)[ \t]*\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """A text table.

    Parameters
    ----------
    body : str, the rows, without comments, blank lines and header before them; lines end by "\\n"
    first_line : int, the number in the file of the line that the body begins with, from 1
    separator : str
    width : int, fields in a row
    names : tuple of str or None
        The fields of the header as they are written; None: there is none.
    row_names : bool
        Whether the header has no field for the first column, as R writes row names.
    doubtful : bool
        Whether the header was found though some of its fields are numbers.
    """

    body: str
    first_line: int
    separator: str
    width: int
    names: tuple[str, ...] | None
    row_names: bool = False
    doubtful: bool = False


def find_layout(text: str, name: str, separator: str | None, header: bool | None) -> Layout:
    """The layout of a text.

    Parameters
    ----------
    text : str, the contents of the file
    name : str, the file in errors
    separator : str, between the fields; None detects it
    header : bool, whether the first row names the columns; None detects it

    Raises
    ------
    DataError
        When there are blank lines only, or fewer than 80 % of the lines have the usual number of fields.

    Examples
    --------
    >>> find_layout("sep=;\\n# a comment\\n\\na;b\\n1;x\\n", "t.csv", None, None)
    Layout(body='1;x\\n', first_line=5, separator=';', width=2, names=('a', 'b'), row_names=False, doubtful=False)
    """
    text = with_line_feeds(text)
    start = _Start(text)
    start.skip_blank_lines()
    if (declared := _SEPARATOR_LINE.match(text, start.position)) is not None:  # Excel's first line
        separator = declared[1]
        start.skip(declared.end() - start.position)
        start.skip_blank_lines()
    comments = start.comments()
    lines = start.lines(sum(map(len, comments))) or start.lines()
    if not lines:
        raise DataError(f"A table must hold at least two rows; {name!r} holds blank lines only. Check the file.")
    if separator is None or not any(separator in line for line in lines):
        separator = _find_separator(lines)
    if separator == " ":  # runs of blanks separate the fields of many older tables
        return find_layout(re.sub(r"[ \t]+", "\t", re.sub(r"(?m)^[ \t]+|[ \t]+$", "", text)), name, "\t", header)
    rows = fields_of(lines, separator)
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    _skip_comments(start, comments, separator, width, _names_numbers(rows))
    return _with_header(start, name, separator, width, header)


def with_line_feeds(text: str) -> str:
    """A text whose lines end by line feeds alone, whatever system wrote it; other carriage returns are blanks.

    Examples
    --------
    >>> with_line_feeds("a,b\\r\\n1,2\\r\\n"), with_line_feeds("a,b\\r1,2\\r")
    ('a,b\\n1,2\\n', 'a,b\\n1,2\\n')
    """
    if "\r" not in text:
        return text
    if "\n" not in text:  # as on old Macintoshes
        return text.replace("\r", "\n")
    return text.replace("\r\n", "\n").replace("\r", " ")


class _Start:
    """A position in a text, and the number of its line."""

    def __init__(self, text: str) -> None:
        self.text, self.position, self.line = text, 0, 1

    def skip(self, n: int) -> None:
        """So many characters."""
        self.line += self.text.count("\n", self.position, self.position + n)
        self.position += n

    def skip_blank_lines(self) -> None:
        blank = _BLANK_LINES.match(self.text, self.position)
        assert blank is not None
        self.skip(blank.end() - self.position)

    def comments(self) -> list[str]:
        """The next lines that begin with a sign of comments, with the blank lines after each."""
        found: list[str] = []
        position = self.position
        while self.text.startswith(_COMMENT, position) and (end := self.text.find("\n", position) + 1):
            blank = _BLANK_LINES.match(self.text, end)
            assert blank is not None
            found.append(self.text[position : blank.end()])
            position = blank.end()
        return found

    def lines(self, after: int = 0) -> list[str]:
        """The next lines that are not blank, after so many characters, with their ends."""
        begin = self.position + after
        end = self.text.find("\n", begin + _SAMPLE)
        some = self.text[begin : None if end < 0 else end].split("\n")
        return [line + "\n" for line in some[: _SAMPLE_ROWS + 50] if line.strip(_BLANKS)]


def _skip_comments(start: _Start, comments: Sequence[str], separator: str, width: int, above_header: bool) -> None:
    """Leave comments out up to one that is the header, or a row: one with the usual number of fields.

    That one too is a comment where it stands above a header.
    """
    for comment in comments:
        if len(fields_of([comment], separator)[0]) == width and not above_header:
            break
        start.skip(len(comment))
    if start.text.startswith("#", start.position):  # a commented header: `# "RMSD","F1",...`
        blanks = re.compile(r"# *").match(start.text, start.position)
        assert blanks is not None
        start.skip(blanks.end() - start.position)


def _with_header(start: _Start, name: str, separator: str, width: int, header: bool | None) -> Layout:
    rows = fields_of(start.lines(), separator)
    if sum(len(row) == width for row in rows) < 0.8 * len(rows):
        lines = [line + "\n" for line in start.text[start.position :][:_SAMPLE].split("\n")]
        numbered = [(start.line + before, row) for before, row in rows_of(lines, separator, _SAMPLE_ROWS) if any(row)]
        first = next((f"line {n} has {len(row)}" for n, row in numbered if len(row) != width), "others have more")
        raise DataError(
            f"A text table must have the same number of fields in every line; {name!r} does not: most lines have "
            f"{width} (separated by {separator!r}), {first}. Check the separator, and quote fields that contain it."
        )
    row_names = header is not False and len(rows) > 1 and _lacks_row_names(rows, width)
    doubtful = False
    if header is None:
        header = row_names or _has_header(rows)
        doubtful = not header and _has_header_with_numbers(rows)
        header = header or doubtful
    if not header:
        return Layout(start.text[start.position :], start.line, separator, width, None)
    if len(rows) == 1:
        raise DataError(f"A table needs rows; {name!r} has column names only. Add rows, or pass header=False.")
    start.skip(_length_of_first_row(start, separator))
    body = start.text[start.position :]
    return Layout(body, start.line, separator, len(rows[0]) + row_names, tuple(rows[0]), row_names, doubtful)


def _lacks_row_names(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the first row alone has one field less than all others, and is no row of numbers."""
    first, rest = rows[0], rows[1:]
    return len(first) == width - 1 and all(len(row) == width for row in rest) and not any(map(is_number, first))


def _length_of_first_row(start: _Start, separator: str) -> int:
    """Characters of the first row: several lines where a quoted field has line feeds."""
    lines = start.lines()
    with _long_fields():
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        next(reader)
    return sum(map(len, lines[: reader.line_num]))


def fields_of(lines: Sequence[str], separator: str, most: int = _SAMPLE_ROWS) -> list[list[str]]:
    """The fields of the first rows, stripped; a quoted field may have several lines."""
    return [row for _, row in rows_of(lines, separator, most)]


def rows_of(lines: Sequence[str], separator: str, most: int) -> list[tuple[int, list[str]]]:
    """The first rows, each with the number of lines before it and its fields, stripped."""
    rows = []
    with _long_fields():
        reader, before = csv.reader(lines, delimiter=separator, skipinitialspace=True), 0
        for row in itertools.islice(reader, most):
            rows.append((before, [field.strip() for field in row]))
            before = reader.line_num
    return rows


@contextmanager
def _long_fields() -> Iterator[None]:
    """`csv` has one limit of the length of a field for the whole process, 128 KiB."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _find_separator(lines: Sequence[str]) -> str:
    best, best_score = ",", (0.0, 1)
    for separator in _SEPARATORS:
        widths = Counter(len(row) for row in fields_of(lines, separator))
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


def is_number(field: str) -> bool:
    """Whether a field is a number, as programs write them."""
    return _NUMBER.fullmatch(field) is not None


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns.

    True when a text stands above a column of numbers; when the fields count 0, 1, 2, ..., as in a frame written without
    names; or when all fields are distinct texts and none occurs again in its column. Otherwise False.
    """
    first, present = rows[0], _columns_below(rows)
    if _names_numbers(rows):
        return True
    named = [field for field in first if field]
    numbers = [field for field in named if is_number(field)]
    if len(numbers) > 2 and numbers == [*map(str, range(len(numbers)))]:
        return True
    if not named or numbers or len(set(named)) < len(named):
        return False
    return not any(field in column for field, column in zip(first, present, strict=True))


def _names_numbers(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a text stands above a column of numbers."""
    return bool(rows) and any(
        field not in MISSING and not is_number(field) and column and all(map(is_number, column))
        for field, column in zip(rows[0], _columns_below(rows), strict=True)
    )


def _has_header_with_numbers(rows: Sequence[Sequence[str]]) -> bool:
    """Whether numbers among different names, such as years, name columns.

    So it is when a text stands above a column in which all values occur twice, and that text not at all.
    """
    first = rows[0]
    named = [field for field in first if field]
    return len(set(named)) == len(named) and any(
        field and not is_number(field) and column and field not in column and min(Counter(column).values()) > 1
        for field, column in zip(first, _columns_below(rows), strict=True)
    )


def _columns_below(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The values of each column below the first row that are not missing."""
    return [[row[j] for row in rows[1:] if j < len(row) and row[j] not in MISSING] for j in range(len(rows[0]))]
