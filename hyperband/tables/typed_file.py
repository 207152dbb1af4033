"""A file as a data frame whose columns have their types."""

from __future__ import annotations

import os

import polars as pl

from hyperband.tables.schema import find_schema
from hyperband.tables.table import as_table, without_index


def read_table(source: str | os.PathLike[str], *, header: bool | None = None) -> pl.DataFrame:
    """The table in a file, or one of the data sets that come with scikit-learn.

    Parameters
    ----------
    source : path, or ``"sklearn:digits"`` (breast_cancer, diabetes, digits, iris, wine)
        csv and tsv (plain, gzip, or the only file in a zip; separator and comments are detected), parquet, dense
        arff. Files with other endings (``.data``, ``.test``, ``.txt``, ...) are recognised by their content.
    header : bool, optional
        Whether the first line of a csv or tsv names the columns; None detects it. Without a header the columns are
        named ``column_1``, ``column_2``, ...

    Returns
    -------
    polars.DataFrame
        Text is stripped of blanks; empty fields and those of `hyperband.tables.readings.MISSING` are missing (null).
        Columns of numbers are numbers, however they are written. A nominal attribute of an arff file becomes an
        ``Enum``. The target of a scikit-learn data set is the column ``target``.

    Raises
    ------
    DataError
        When the file does not exist, is empty, damaged or of an unknown format, or its content does not match its
        ending.

    Warns
    -----
    DataWarning
        When text is not UTF-8 and is read as Windows-1252, or a column had to be renamed or left out.

    Examples
    --------
    >>> read_table("sklearn:iris").shape
    (150, 5)
    """
    _, table, _ = find_schema(without_index(as_table(source, header=header)))
    assert table.frame is not None
    return table.frame
