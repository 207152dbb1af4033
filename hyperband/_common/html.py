"""Small tables for notebooks: escaped, without scripts, and in the colours of the page, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_TABLE = "border-collapse:collapse;margin:0.3em 0"
_HEAD = "padding:0.15em 0.6em;border-bottom:1px solid currentColor;font-weight:600;text-align:"
_CELL = "padding:0.15em 0.6em;text-align:"


def html_table(names: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "", left: bool = False) -> str:
    """A table as HTML, in a box of its own that scrolls where the table is wider.

    Parameters
    ----------
    names : of the columns; empty: there is no line of names
    rows : cells of each row, written by ``str``
    title : a line above it
    left : bool, whether cells are aligned to the left; else to the right

    Examples
    --------
    >>> page = html_table(["a"], [["<b>"]], title="rows & columns")
    >>> "<b>" in page, "&lt;b&gt;" in page, "rows &amp; columns" in page
    (False, True, True)
    """
    side = "left" if left else "right"
    lines = [f'<div style="overflow-x:auto"><table style="{_TABLE}">']
    if title:
        lines.append(f'<caption style="text-align:left;white-space:nowrap">{escape(title)}</caption>')
    if names:
        lines.append(f"<thead>{_row('th', _HEAD + side, names)}</thead>")
    lines += ["<tbody>", *(_row("td", _CELL + side, row) for row in rows), "</tbody></table></div>"]
    return "\n".join(lines)


def _row(tag: str, style: str, cells: Sequence[object]) -> str:
    return "<tr>" + "".join(f'<{tag} style="{style}">{escape(str(cell))}</{tag}>' for cell in cells) + "</tr>"
