"""The columns of a table as a model sees them, in lines for people."""

from __future__ import annotations

from collections.abc import Sequence

from hyperband.cli.report import table
from hyperband.tables.column_table import ColumnUse, column_table
from hyperband.tables.columns import first_names
from hyperband.tables.preprocess import Preprocessing

#: Of more columns only the names of the first ones are shown, by kind and reason.
MOST_LINES = 40


def column_lines(views: Sequence[Preprocessing]) -> list[str]:
    """A line a column: its name, its kind, and why; of a wide table a line a kind and reason."""
    uses = column_table(views)
    if len(uses) <= MOST_LINES:
        return table(["column", "kind", "why"], [[use.name, use.kind, use.why] for use in uses], left=True)
    groups: dict[tuple[str, str], list[ColumnUse]] = {}
    for use in uses:
        groups.setdefault((use.kind, use.why), []).append(use)
    return [
        f"{kind}{f' ({why})' if why else ''}: {first_names([use.name for use in group])}"
        for (kind, why), group in groups.items()
    ]
