"""The internal form of every table: a matrix of numbers, or columns with names."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.errors import DataError
from hyperband.tables.columns import INDEX_NAMES, is_declared, is_index, series_from_objects, unmasked
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.file_table import Texts
from hyperband.tables.polars_threads import check_polars_threads

Array = NDArray[Any]

#: Names of the target column when none is given, in any case of letters; exactly one column must have one of them.
USUAL_TARGETS = ("target", "class", "label", "y")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with names, stored as one matrix of numbers or as a polars frame.

    Parameters
    ----------
    names : tuple of str
    matrix : array, shape (n_rows, n_columns), of bool, int or float, or None
        Stored without a copy.
    frame : polars.DataFrame or None
        Exactly one of ``matrix`` and ``frame`` is given.
    named : bool
        Whether the data had column names; otherwise they are ``x0``, ``x1``, ... and columns are matched by position.
    declared : frozenset of str
        Columns that the data declares to be categories though they hold numbers, such as pandas' dtype category.
    named_by_numbers : bool
        Whether all names were whole numbers: then a whole number means a name, not a position.
    index : str or None
        The first column, where it is the index of a saved frame by its name and form.
    texts : Texts or None
        What is known of the texts of a file, until they are read.
    read_by : hyperband.tables.schema.Schema or None, which has read the texts and times

    Examples
    --------
    >>> table = Table(("a", "b"), matrix=np.array([[1, 2], [3, 4]]))
    >>> table.without(["a"]).names, table.column("b").to_list()
    (('b',), [2, 4])
    """

    names: tuple[str, ...]
    matrix: Array | None = None
    frame: pl.DataFrame | None = None
    named: bool = True
    declared: frozenset[str] = frozenset()
    named_by_numbers: bool = False
    index: str | None = None
    texts: Texts | None = None
    read_by: Any = None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        if self.matrix is not None:
            return int(self.matrix.shape[0])
        assert self.frame is not None
        return self.frame.height

    def column(self, name: str) -> pl.Series:
        """One column as a series."""
        check_polars_threads()
        if self.matrix is not None:
            return pl.Series(name, np.ascontiguousarray(self.matrix[:, self.names.index(name)]))
        assert self.frame is not None
        return self.frame[name]

    def numbers(self, names: Sequence[str], rows: Array | slice) -> Array:
        """The listed columns and rows as floats, shape (n_rows, n_columns), NaN where missing.

        float32 where that holds every value of the matrix exactly, otherwise float64.

        Raises
        ------
        DataError
            When a column holds text that is no number.
        """
        if self.matrix is not None:
            dtype = np.float32 if np.can_cast(self.matrix.dtype, np.float32) else np.float64
            block = self.matrix[rows]
            if tuple(names) != self.names:
                index = {name: j for j, name in enumerate(self.names)}
                block = block[:, [index[name] for name in names]]
            return block.astype(dtype, copy=False)
        assert self.frame is not None
        check_polars_threads()
        if not names:
            return np.empty((len(np.arange(self.n_rows)[rows]), 0))
        part = columns_of(self.frame, names)
        part = part[rows] if isinstance(rows, slice) else part[np.asarray(rows, dtype=np.int64)]
        return _as_numbers(part).to_numpy(order="c").reshape(part.height, len(names))

    def empty_rows(self) -> NDArray[np.bool_]:
        """Whether each row has no value at all, shape (n_rows,)."""
        if self.matrix is not None:
            return np.asarray(np.isnan(self.matrix).all(axis=1))
        assert self.frame is not None
        if not self.names:
            return np.ones(self.n_rows, dtype=np.bool_)
        return self.frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()

    def without(self, names: Iterable[str]) -> Table:
        """The table without the listed columns."""
        dropped = set(names)
        keep = [j for j, name in enumerate(self.names) if name not in dropped]
        left = tuple(self.names[j] for j in keep)
        if len(left) == len(self.names):
            return self
        if self.matrix is not None:
            return replace(self, names=left, matrix=self.matrix[:, keep])
        assert self.frame is not None
        return replace(self, names=left, frame=columns_of(self.frame, left))

    def rows(self, keep: Array) -> Table:
        """The table with only the rows where ``keep``, a bool array of shape (n_rows,), is true."""
        if self.matrix is not None:
            return replace(self, matrix=self.matrix[keep])
        assert self.frame is not None
        return replace(self, frame=self.frame.filter(pl.Series(keep)))


def without_index(table: Table) -> Table:
    """A table for training without the index that it has from a file, with a `DataWarning`."""
    if table.index is None:
        return table
    warnings.warn(f"The first column, {table.index!r}, is an index; it is left out.", DataWarning, stacklevel=3)
    return replace(table.without([table.index]), index=None)


def columns_of(frame: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """These columns; for `select`, "*" would be all of them."""
    return pl.DataFrame([frame.get_column(name) for name in names])


def _as_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """All columns as floats, NaN where missing; in one query, since thousands of columns would be thousands of them."""
    texts = [column.cast(pl.String) for column in frame if column.dtype in (pl.Categorical, pl.Enum)]
    if texts:  # a direct cast would give the codes of the levels
        frame = frame.with_columns(texts)
    try:
        return frame.select(pl.all().cast(pl.Float64).fill_null(float("nan")))
    except pl.exceptions.PolarsError:
        raise DataError(_no_number(frame)) from None


def _no_number(frame: pl.DataFrame) -> str:
    for column in frame:
        wrong = column.filter(column.cast(pl.Float64, strict=False).is_null() & column.is_not_null())
        if wrong.len():
            return (
                f"Column {column.name!r} must hold numbers, as in training; it holds {wrong[0]!r}. Correct that value, "
                f"or leave it empty if it is missing."
            )
    return "Columns must hold numbers, as in training."


def as_table(data: Any, name: str = "X", header: bool | None = None) -> Table:
    """A `Table` from an array, data frame, dict of columns, list of rows, or file.

    Parameters
    ----------
    data : 2-D NumPy array; pandas, polars or pyarrow table; dict of columns; list of lists; path or ``sklearn:NAME``
        Arrays of bool, int or float are not copied. In arrays of objects, None and NaN are missing values.
    name : str, the data in errors
    header : bool, optional
        Whether the first line of a text file names the columns; None detects it.

    Raises
    ------
    DataError
        When ``data`` is none of these, is not 2-D, is complex or sparse, or has two columns of one name.
    HyperbandError
        Where polars cannot be called, see `hyperband.tables.polars_threads`; arrays of numbers do not need it.

    Examples
    --------
    >>> as_table([[1.0, 2.0], [3.0, 4.0]]).names
    ('x0', 'x1')
    """
    if isinstance(data, Table):
        if data.frame is not None:
            check_polars_threads()
        return data
    if isinstance(data, (str, os.PathLike)):
        from hyperband.tables.read import read_file

        found = read_file(data, header)
        table = _from_frame(found.frame)
        return replace(table, named=found.named, texts=found.texts, index=found.index or table.index)
    if isinstance(data, pl.DataFrame):
        return _from_frame(data)
    if isinstance(data, pl.LazyFrame):
        check_polars_threads()
        return _from_frame(data.collect())
    # By the name of the package: pandas and pyarrow need not be installed, and importing them takes a second.
    package = type(data).__module__.partition(".")[0]
    if package == "pandas" and hasattr(data, "columns"):  # a frame, not a series
        return _from_pandas(data, name)
    if package == "pyarrow" and hasattr(data, "schema"):  # a table, not a column
        return _from_arrow(data, name)
    if isinstance(data, Mapping):
        single = [key for key, values in data.items() if isinstance(values, str) or not hasattr(values, "__len__")]
        if single:
            raise DataError(
                f"Columns of `{name}` must be lists or arrays, one value a row; {single[0]!r} is {data[single[0]]!r}. "
                "Write one row as {'column': [value], ...}."
            )
        lengths = {len(values) for values in data.values()}
        if len(lengths) > 1:
            raise DataError(
                f"Columns of `{name}` must have the same length; got lengths {sorted(lengths)}. Pad or cut them."
            )
        return _from_frame(pl.DataFrame([series_from_objects(str(k), v) for k, v in data.items()]))
    if hasattr(data, "toarray"):  # every sparse matrix and array of SciPy
        raise DataError(f"`{name}` must be dense; got a sparse {type(data).__name__}. Pass `{name}.toarray()`.")
    return _from_array(data, name)


def _from_frame(frame: pl.DataFrame) -> Table:
    check_polars_threads()
    first = frame.columns[0] if frame.width > 1 else None
    saved = first in INDEX_NAMES and is_index(frame.to_series(0))
    return Table(tuple(frame.columns), frame=frame, index=first if saved else None)


def _unique_names(names: Iterable[Any], what: str) -> list[str]:
    texts = [str(n) for n in names]
    if len(set(texts)) < len(texts):
        twice = next(n for n in texts if texts.count(n) > 1)
        raise DataError(f"Columns of `{what}` must have different names; {twice!r} is used twice. Rename one.")
    return texts


def _from_pandas(data: Any, name: str) -> Table:
    columns: list[pl.Series] = []
    declared: list[str] = []
    for j, label in enumerate(_unique_names(data.columns, name)):
        column = data.iloc[:, j]
        if is_declared(column):
            declared.append(label)
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufmM":
            columns.append(series_from_objects(label, column.to_numpy()))
        else:
            missing = column.isna().to_numpy(dtype=bool)
            values = column.astype(object).to_numpy()
            columns.append(series_from_objects(label, np.where(missing, None, values)))
    by_numbers = all(isinstance(label, (int, np.integer)) for label in data.columns)
    table = _from_frame(pl.DataFrame(columns))
    return replace(table, declared=frozenset(declared), named_by_numbers=by_numbers)


def _from_arrow(data: Any, name: str) -> Table:
    _unique_names(data.schema.names, name)
    check_polars_threads()
    frame = pl.from_arrow(data)
    assert isinstance(frame, pl.DataFrame)
    return _from_frame(frame)


def _from_array(data: Any, name: str) -> Table:
    try:
        array = unmasked(data)
    except ValueError:
        raise DataError(
            f"Rows of `{name}` must have the same length; got rows of different lengths. Pad or cut them."
        ) from None
    if isinstance(data, (list, tuple)) and array.dtype.kind == "U":
        array = np.asarray(data, dtype=object)  # NumPy would turn the number of [[1.5, "a"]] into a text
    if array.dtype.names is not None:
        return _from_frame(pl.DataFrame([series_from_objects(n, array[n]) for n in array.dtype.names]))
    if array.ndim != 2:
        remedy = ".reshape(-1, 1) for one column" if array.ndim < 2 else ".reshape(len(a), -1) to one row each"
        raise DataError(f"`{name}` must be 2-D, (rows, columns); got shape {array.shape}. Use a{remedy}.")
    names = tuple(f"x{j}" for j in range(array.shape[1]))
    if array.dtype.kind in "biuf":
        return Table(names, matrix=array, named=False)
    if array.dtype.kind not in "OUSmMT":
        raise DataError(f"`{name}` must hold real numbers or text; got dtype {array.dtype}.")
    check_polars_threads()
    return Table(
        names, frame=pl.DataFrame([series_from_objects(n, array[:, j]) for j, n in enumerate(names)]), named=False
    )


def resolve_target(table: Any, target: str | int | None = None) -> str:
    """The name of the target column.

    Parameters
    ----------
    table : anything that `as_table` takes
    target : column name, ``"first"``, ``"last"``, or an index such as ``0``, ``-1`` or ``"-1"``; None
        A column with exactly that name comes before any other meaning; of a data frame whose columns are named by whole
        numbers, so does a whole number. None means the only column named target, class,
        label or y, in any case of letters.

    Raises
    ------
    DataError
        When there is no such column; the error lists close matches.

    Examples
    --------
    >>> resolve_target({"a": [1, 2], "b": [3, 4]}, "-1")
    'b'
    """
    whole: Table = as_table(table)
    names = whole.names
    if not names:
        raise DataError("A table must have columns; got none.")
    if target is None:
        usual = [n for n in names if n.lower() in USUAL_TARGETS]
        if len(usual) == 1:
            return usual[0]
        raise DataError(f"`target` must name a column; got none. {_listing(names)}")
    if (own := _own_name(whole, target)) is not None:
        return own
    word = {"first": 0, "last": -1}.get(target, target) if isinstance(target, str) else target
    try:
        index = int(word)
    except (TypeError, ValueError):
        raise DataError(_no_column("target", str(target), names)) from None
    if not -len(names) <= index < len(names):
        raise DataError(f"`target` must be an index from {-len(names)} to {len(names) - 1}; got {index}.")
    return names[index]


def resolve_columns(table: Table, wanted: Iterable[str | int], option: str) -> list[str]:
    """Names of the wanted columns, given by name or index.

    Parameters
    ----------
    table : Table
    wanted : a name or index, or several
    option : str, such as "drop", in errors

    Raises
    ------
    DataError
        When there is no such column; the error lists close matches.

    Examples
    --------
    >>> resolve_columns(as_table({"a": [1], "b": [2], "c": [3]}), ["a", -1], "drop")
    ['a', 'c']
    """
    names = table.names
    found = []
    for want in [wanted] if isinstance(wanted, (str, int)) else wanted:
        if (name := _own_name(table, want)) is not None:
            found.append(name)
        elif isinstance(want, (int, np.integer)) and -len(names) <= want < len(names):
            found.append(names[want])
        else:
            raise DataError(_no_column(option, str(want), names))
    return found


def _own_name(table: Table, wanted: object) -> str | None:
    """The column that has this very name: a text, or a number in a table whose names were numbers."""
    if isinstance(wanted, str) or (table.named_by_numbers and isinstance(wanted, (int, np.integer))):
        return str(wanted) if str(wanted) in table.names else None
    return None


def _no_column(option: str, wanted: str, names: Sequence[str]) -> str:
    near = get_close_matches(wanted, names, n=3, cutoff=0.5)
    near += [n for n in names if n.lower() == wanted.lower() and n not in near]
    hint = f"Close matches: {', '.join(near)}." if near else _listing(names)
    return f"`{option}` must name a column of the table; got {wanted!r}. {hint}"


def _listing(names: Sequence[str]) -> str:
    shown = list(names) if len(names) <= 12 else [*names[:8], "...", *names[-3:]]  # targets often come last
    return f"The columns are: {', '.join(shown)}{f' ({len(names)} in all)' if len(names) > 12 else ''}."
