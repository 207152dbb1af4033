"""Columns of dates and times as columns of numbers that networks can learn from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from hyperband.errors import InputError
from hyperband.tables.fitted_numbers import check_texts

_DAY = 86_400_000_000  # microseconds

#: What becomes of an instant: a name and its value. `hour` has a fraction for minutes and seconds.
PARTS = ("year", "month", "day", "weekday", "hour", "days")


@dataclass(frozen=True, slots=True)
class TimeParts:
    """What becomes of one column of times.

    Parameters
    ----------
    first : int, the earliest instant of the training table in microseconds since 1970: what `days` counts from
    names : dict of part, one of `PARTS`, to the name of its column; at least one, those that vary

    Raises
    ------
    InputError
        When ``first`` does not fit in 64 bits, or ``names`` are of other parts, or not different.

    Examples
    --------
    >>> day = pl.Series("day", ["2013-01-31", "2013-02-01"]).str.to_datetime(time_unit="us")
    >>> parts = find_parts(day, {"day"})
    >>> parts.names
    {'month': 'day: month', 'day': 'day: day', 'weekday': 'day: weekday', 'days': 'day: days'}
    >>> [column.to_list() for column in parts.of(day)]
    [[1.0, 2.0], [31.0, 1.0], [4.0, 5.0], [0.0, 1.0]]
    """

    first: int
    names: Mapping[str, str]

    def __post_init__(self) -> None:
        if isinstance(self.first, bool) or not isinstance(self.first, int) or not -(2**63) <= self.first < 2**63:
            raise InputError(f"`first` must be a whole number of 64 bits; got {self.first!r:.80}.")
        if not self.names or not set(self.names) <= {*PARTS}:
            raise InputError(
                f"`names` must be of parts of an instant, {', '.join(PARTS)}; got {list(self.names)!r:.80}."
            )
        check_texts(self.names.values(), "names")

    def of(self, instants: pl.Series) -> list[pl.Series]:
        """The columns of numbers, null where the instant is."""
        values = _parts(instants, self.first)
        return [values.get_column(part).alias(name) for part, name in self.names.items()]

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; `from_dict` reads it back."""
        return {"first": self.first, "names": dict(self.names)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TimeParts:
        """What `to_dict` wrote."""
        return cls(plain["first"], dict(plain["names"]))


def find_parts(instants: pl.Series, taken: Collection[str]) -> TimeParts:
    """The parts of a column of the training table that vary.

    Parameters
    ----------
    instants : Datetime in microseconds; its name is that of the column
    taken : names that other columns have
    """
    earliest = instants.to_physical().min()
    first = int(earliest) if isinstance(earliest, int) else 0
    values = _parts(instants, first)
    varying = [part for part in PARTS if values.get_column(part).drop_nulls().n_unique() > 1]
    if varying == ["hour", "days"]:  # of one day: the days that passed say what the hour says
        varying = ["hour"]
    varying = varying or ["days"]  # of a column without any variation, which is ignored like other constant ones
    return TimeParts(first, {part: _free(f"{instants.name}: {part}", taken) for part in varying})


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _parts(instants: pl.Series, first: int) -> pl.DataFrame:
    """All parts, Float64."""
    when = pl.col("when")
    since = when.cast(pl.Int64)
    return pl.DataFrame({"when": instants.alias("when")}).select(
        year=when.dt.year().cast(pl.Float64),
        month=when.dt.month().cast(pl.Float64),
        day=when.dt.day().cast(pl.Float64),
        weekday=when.dt.weekday().cast(pl.Float64),
        hour=(since.mod(_DAY) / (_DAY / 24)).cast(pl.Float64),
        days=((since - first) / _DAY).cast(pl.Float64),
    )


def instants_of(column: pl.Series) -> pl.Series:
    """A column of dates, times or instants as Datetime in microseconds, in its own zone; times are those of 1970-01-01.

    Examples
    --------
    >>> import datetime
    >>> instants_of(pl.Series([datetime.time(10, 15)])).to_list()
    [datetime.datetime(1970, 1, 1, 10, 15)]
    """
    if column.dtype == pl.Time:
        since = column.cast(pl.Int64) // 1000
        return since.cast(pl.Datetime("us"))
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        column = column.dt.replace_time_zone(None)
    return column.cast(pl.Datetime("us"))
