"""A table as it lies in a file, before anybody has decided what its texts mean."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Texts:
    """Of a table from a text file, whose columns are texts that nobody has read yet.

    Parameters
    ----------
    decimal_comma : bool
        Whether 1,234 is a number below 2: so it is where semicolons separate the fields.
    """

    decimal_comma: bool = False


@dataclass(frozen=True, slots=True)
class FileTable:
    """The contents of a file.

    Parameters
    ----------
    frame : polars.DataFrame
    named : bool, whether the file names its columns
    texts : Texts or None, where all columns are texts
    index : str or None
        The first column, where it is an index by its name and form: training leaves it out.
    """

    frame: pl.DataFrame
    named: bool = True
    texts: Texts | None = None
    index: str | None = None
