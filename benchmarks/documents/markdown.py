"""Tables in Markdown, numbers as text, and sections of a document that are written from data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

BEGIN, END = '<!-- written by "python -m benchmarks readme": {name} -->', "<!-- end of {name} -->"
_SECTION = re.compile(
    re.escape(BEGIN).replace(r"\{name\}", r"(?P<name>[\w-]+)")
    + r"\n(?P<body>.*?)"
    + re.escape(END).replace(r"\{name\}", r"(?P=name)"),
    re.DOTALL,
)


def digits(x: float, significant: int) -> str:
    """A number with so many significant digits at most, thousands separated, never with an exponent.

    Examples
    --------
    >>> digits(2310.4, 3), digits(97.98, 3), digits(0.020013, 4)
    ('2,310', '98', '0.02001')
    """
    rounded = float(f"{x:.{significant}g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 ** (significant - 1) else f"{rounded:.{significant}g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, one line a row; every row has as many cells as the head."""
    lines = [head, ["---"] * len(head), *rows]
    if len({len(line) for line in lines}) != 1:
        raise ValueError(f"Every row must have {len(head)} cells; got rows of {sorted({len(row) for row in rows})}.")
    return "\n".join(
        "| " + " | ".join(line) + " |" if line[0] else "| | " + " | ".join(line[1:]) + " |" for line in lines
    )


def names(text: str) -> list[str]:
    """Names of the sections of a document that are written from data."""
    return [match["name"] for match in _SECTION.finditer(text)]


def fill(text: str, sections: Mapping[str, str]) -> str:
    """The document with every section's body replaced.

    Raises
    ------
    ValueError
        When the document lacks a section, or has one that is not known.
    """
    found = names(text)
    if sorted(found) != sorted(sections):
        missing, unknown = sorted(set(sections) - set(found)), sorted(set(found) - set(sections))
        raise ValueError(
            f"The document must have each known section once; missing {missing}, unknown {unknown}, found {found}."
        )

    def body(match: re.Match[str]) -> str:
        name = match["name"]
        return f"{BEGIN.format(name=name)}\n\n{sections[name].strip()}\n\n{END.format(name=name)}"

    return _SECTION.sub(body, text)
