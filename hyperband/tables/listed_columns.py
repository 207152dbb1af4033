"""The columns that options list: those to leave out, and those whose kind is said and not found."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hyperband.errors import DataError
from hyperband.tables.options import TableOptions
from hyperband.tables.table import Table, resolve_columns


@dataclass(frozen=True, slots=True)
class ListedColumns:
    """Names of columns to leave out, of categories and of numbers.

    Examples
    --------
    >>> from hyperband.tables.table import as_table
    >>> table = as_table({"a": [1, 2], "b": [3, 4]})
    >>> ListedColumns.of(TableOptions(categorical=[-1]), table).categorical
    frozenset({'b'})
    """

    drop: frozenset[str]
    categorical: frozenset[str]
    numeric: frozenset[str]

    @classmethod
    def of(cls, options: TableOptions, table: Table) -> ListedColumns:
        """As options list them by name or index.

        Raises
        ------
        DataError
            When there is no such column, or one is both a number and a category.
        """
        found = cls(
            *(
                frozenset(resolve_columns(table, getattr(options, option), option))
                for option in ("drop", "categorical", "numeric")
            )
        )
        if both := sorted(found.categorical & found.numeric):
            raise DataError(f"A column must be in `categorical` or in `numeric`; {both[0]!r} is in both. Choose one.")
        return found

    def check(self, table: Table) -> None:
        """`DataError` where a column that shall hold numbers holds none in the table, as it was read."""
        for name in sorted(self.numeric - self.drop):
            column = table.column(name).drop_nulls()
            if column.len() and not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
                raise DataError(
                    f"`numeric` must name columns of numbers; {name!r} holds {column[0]!r} and no number. Take it "
                    "out of that list."
                )
