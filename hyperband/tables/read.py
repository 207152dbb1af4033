"""Reading a table from a file, by the ending of its name and by its content."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
import zlib
from difflib import get_close_matches
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl

from hyperband._common import memory
from hyperband.errors import DataError
from hyperband.tables.arff import parse_arff
from hyperband.tables.delimited import MARKS_OF_16, MARKS_OF_32, decode, parse_delimited
from hyperband.tables.file_table import FileTable
from hyperband.tables.polars_threads import check_polars_threads

FORMATS = "csv, tsv (plain, .gz or one file in a .zip), parquet, arff, or sklearn:NAME"
SKLEARN = ("breast_cancer", "diabetes", "digits", "iris", "wine")

_DELIMITED = {".csv": None, ".tsv": "\t", ".tab": "\t"}

#: Bytes that are read at a time, for which there always is room.
_PART = 1 << 24

#: First bytes of a file -> what it is, for the error.
_SIGNATURES = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (xls); export it as csv",
    b"\x93NUMPY": "a NumPy array; load it with numpy.load and pass the array",
    b"SQLite format 3": "an SQLite database",
    b"ARROW1": "an Arrow (feather) file; write it as parquet",
    b"\x1f\x8b": "gzip-compressed twice",
    b"PK\x03\x04": "a zip archive",
    b"BZh": "bzip2-compressed; unpack it",
    b"\xfd7zXZ": "xz-compressed; unpack it",
    b"\x28\xb5\x2f\xfd": "zstd-compressed; unpack it",
}


def read_file(source: str | os.PathLike[str], header: bool | None = None) -> FileTable:
    """The table in a file as it lies there; parameters and errors as `hyperband.tables.typed_file.read_table`."""
    check_polars_threads()
    name = os.fspath(source)
    if name.startswith("sklearn:"):
        return FileTable(_read_sklearn(name.removeprefix("sklearn:")))
    data, name = _unpack(_read_bytes(Path(name)), name)
    kind = Path(name).suffix.lower()
    if kind in (".parquet", ".pq"):
        table = FileTable(_read_parquet(data, name))
    elif kind == ".arff":
        table = FileTable(parse_arff(decode(_checked_text(data, name), name), name))
    elif kind in _DELIMITED:
        text = decode(_checked_text(data, name), name)
        table = parse_delimited(text, name, separator=_DELIMITED[kind], header=header)
    else:
        table = _read_by_content(data, name, header)
    if table.frame.height == 0:
        raise DataError(f"A table needs rows; {name!r} has column names only. Add rows, or pass header=False.")
    return table


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise DataError(f"A table must be a file; {str(path)!r} is a folder. Name one of the files in it.")
    try:
        with path.open("rb") as stream:
            data = _all_of(stream, str(path), os.fstat(stream.fileno()).st_size)
    except FileNotFoundError:
        near = get_close_matches(path.name, _names_in(path.parent), n=3)
        hint = f" Did you mean {', '.join(near)}?" if near else f" Give the path of a {FORMATS}."
        raise DataError(f"A table must be a file that exists; there is no {str(path)!r}.{hint}") from None
    except OSError as error:
        raise DataError(f"A table must be readable; {str(path)!r} is not: {error.strerror}.") from error
    if not data or data.isspace():
        raise DataError(f"A table must hold at least two rows; the file {str(path)!r} is empty. Name another file.")
    return data


def _all_of(stream: IO[bytes] | gzip.GzipFile, name: str, size: int = 0) -> bytes:
    """All bytes of a stream: of a file, of a device that may never end, or of what a file unpacks to.

    ``size`` is how many there are, as far as that is known: they are read at once.

    Raises
    ------
    DataError
        When they are more than an eighth of the free memory: the text, its columns and what becomes of them are there
        at once.
    """
    free = memory.free_bytes()
    most = None if free is None else free // 8
    parts: list[bytes] = []
    while True:
        if most is not None and size > most:
            raise DataError(
                f"A table must have at most {most:,} bytes when it is unpacked, an eighth of the free memory; {name!r} "
                "has more. Free memory, or take fewer rows."
            )
        part = stream.read(max(_PART, size) if not parts else _PART)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size = max(size, sum(map(len, parts)))


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _unpack(data: bytes, name: str) -> tuple[bytes, str]:
    """Contents and inner name of a gzip file or of a zip archive with one file; any other file unchanged."""
    suffix = Path(name).suffix.lower()
    if suffix == ".gz" or data[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
                data = _all_of(stream, name)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(
                f"A .gz file must be complete gzip data; {name!r} is damaged or cut off: {error}."
            ) from None
        return _not_empty(data, name), name[:-3] if suffix == ".gz" else name
    if suffix == ".xlsx":
        raise DataError(f"A table must be a {FORMATS}; {name!r} is an Excel workbook. Save it as csv.")
    if suffix == ".zip":
        return _unzip(data, name)
    return data, name


def _unzip(data: bytes, name: str) -> tuple[bytes, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = [n for n in archive.namelist() if not n.endswith("/") and "__MACOSX" not in n]
            if len(inside) != 1:
                raise DataError(
                    f"A .zip table must hold exactly one file; {name!r} holds {len(inside)}. Unpack it and name one."
                )
            with archive.open(inside[0]) as stream:
                data = _all_of(stream, name)
            return _not_empty(data, name), os.path.join(os.path.dirname(name), inside[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise DataError(f"A .zip file must be a complete archive; {name!r} is not: {error}.") from None


def _not_empty(data: bytes, name: str) -> bytes:
    if not data or data.isspace():
        raise DataError(f"A table must hold at least two rows; the file inside {name!r} is empty. Name another file.")
    return data


def _checked_text(data: bytes, name: str) -> bytes:
    if data[:4] == b"PAR1":
        raise DataError(
            f"The ending of a file must match its content; {name!r} is a parquet file. Rename it to .parquet."
        )
    for signature, what in _SIGNATURES.items():
        if data.startswith(signature):
            raise DataError(f"A table must be a {FORMATS}; {name!r} is {what}.")
    start = data[:256].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DataError(f"A table must be a {FORMATS}; {name!r} is a web page or XML. Download the table itself.")
    if b"\0" in data[:65536] and not data.startswith((*MARKS_OF_16, *MARKS_OF_32)):
        raise DataError(f"A table must be a {FORMATS}; {name!r} is not text (it holds zero bytes).")
    return data


def _read_parquet(data: bytes, name: str) -> pl.DataFrame:
    if data[:4] != b"PAR1":
        raise DataError(f"A .parquet file must start with PAR1; {name!r} does not. Give it the ending of its format.")
    try:
        return pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DataError(f"A .parquet file must be complete; {name!r} cannot be read: {_first_line(error)}.") from None


def _read_by_content(data: bytes, name: str, header: bool | None) -> FileTable:
    if data[:4] == b"PAR1":
        return FileTable(_read_parquet(data, name))
    text = decode(_checked_text(data, name), name)
    lines = (line.strip().lower() for line in text[: 1 << 16].splitlines())
    first = next((line for line in lines if line and not line.startswith("%")), "")
    if first.startswith(("@relation", "@attribute")):
        return FileTable(parse_arff(text, name))
    return parse_delimited(text, name, separator=None, header=header)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _read_sklearn(name: str) -> pl.DataFrame:
    if name not in SKLEARN:
        near = get_close_matches(name, SKLEARN, n=1)
        hint = f" Did you mean sklearn:{near[0]}?" if near else ""
        raise DataError(f"`sklearn:` must be followed by one of {', '.join(SKLEARN)}; got {name!r}.{hint}")
    from sklearn import datasets

    bunch = vars(datasets)[f"load_{name}"]()
    columns = dict(zip(bunch.feature_names, np.asarray(bunch.data, dtype=np.float64).T, strict=True))
    labels = np.asarray(bunch.get("target_names", ()))  # a data set for regression has none
    # The classes of digits are the numbers 0 to 9; those of the other data sets have names.
    target = labels[bunch.target] if labels.dtype.kind == "U" else bunch.target
    return pl.DataFrame({**columns, "target": target})
