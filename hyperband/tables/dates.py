"""Texts that are dates or times of day: how they are written, and the instants that they mean."""

from __future__ import annotations

import re

import polars as pl

#: How a date is written -> what it looks like. Of two that fit the same texts, the first is tried first.
DATES = {
    "%Y-%m-%d": r"\d{4}-\d{1,2}-\d{1,2}",
    "%Y/%m/%d": r"\d{4}/\d{1,2}/\d{1,2}",
    "%Y.%m.%d": r"\d{4}\.\d{1,2}\.\d{1,2}",
    "%m/%d/%Y": r"\d{1,2}/\d{1,2}/\d{4}",
    "%d/%m/%Y": r"\d{1,2}/\d{1,2}/\d{4}",
    "%m/%d/%y": r"\d{1,2}/\d{1,2}/\d{2}",
    "%d/%m/%y": r"\d{1,2}/\d{1,2}/\d{2}",
    "%d.%m.%Y": r"\d{1,2}\.\d{1,2}\.\d{4}",
    "%d.%m.%y": r"\d{2}\.\d{2}\.\d{2}",
    "%m-%d-%Y": r"\d{1,2}-\d{1,2}-\d{4}",
    "%d-%m-%Y": r"\d{1,2}-\d{1,2}-\d{4}",
    "%d-%b-%Y": r"\d{1,2}-[A-Za-z]{3}-\d{4}",
    "%d-%b-%y": r"\d{1,2}-[A-Za-z]{3}-\d{2}",
    "%d %b %Y": r"\d{1,2} [A-Za-z]{3} \d{4}",
    "%d %B %Y": r"\d{1,2} [A-Za-z]{3,9} \d{4}",
    "%b %d, %Y": r"[A-Za-z]{3} \d{1,2}, \d{4}",
    "%B %d, %Y": r"[A-Za-z]{3,9} \d{1,2}, \d{4}",
}
#: A date as frames, and standards, write it.
ISO = "%Y-%m-%d"
#: In place of a date where there are times of day alone.
NO_DATE = ""

_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?"
_ZONE = r"(?: ?(?:Z|UTC|GMT)|[+-]\d{2}:?\d{2})?"
_LOOKS = {date: rf"^{form}(?:(?:T| +){_CLOCK}{_ZONE})?$" for date, form in DATES.items()} | {NO_DATE: f"^{_CLOCK}$"}

#: How a time of day may follow the date.
_CLOCKS = ("", " %H:%M", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
#: A zone after a time of day.
_AFTER_CLOCK = r"(:\d{2}(?:[.,]\d+)?(?: ?[AaPp][Mm])?)(?: ?(?:Z|UTC|GMT)|[+-]\d{2}:?\d{2})$"

#: Values that are looked at first: most columns of texts are ruled out by them, where not half as many are dates as
#: have to be. All values decide in the end: which ones come first may be chance.
_SAMPLE, _ENOUGH = 1000, 0.5


def find_date(levels: pl.Series, share: float) -> str | None:
    """How the dates of a column are written, a key of `DATES` or `NO_DATE`; None where its texts are no dates.

    Parameters
    ----------
    levels : texts without null
    share : float, the part of them that has to be dates

    Examples
    --------
    >>> find_date(pl.Series(["1/31/1999", "2/1/1999 10:15"]), 1.0), find_date(pl.Series(["31/1/1999"]), 1.0)
    ('%m/%d/%Y', '%d/%m/%Y')
    >>> find_date(pl.Series(["10:15", "9:05 pm"]), 1.0), find_date(pl.Series(["1.5", "x"]), 1.0)
    ('', None)
    """
    if levels.len() == 0:
        return None
    some = levels.head(_SAMPLE)
    found: dict[str, int] = {}
    for date, form in _LOOKS.items():
        if some.str.contains(form).sum() >= _ENOUGH * share * some.len():
            read = levels.len() - as_instants(levels, date).null_count()
            if read >= share * levels.len():
                found[date] = read
    return max(found, key=lambda date: found[date]) if found else None


def is_ambiguous(levels: pl.Series, date: str) -> bool:
    """Whether the texts could have the month before the day as well as after it."""
    others = {"%m/%d/": "%d/%m/", "%m-%d-": "%d-%m-"}
    other = others.get(date[:6])
    return (
        other is not None
        and as_instants(levels, other + date[6:]).null_count() == as_instants(levels, date).null_count()
    )


def as_instants(texts: pl.Series, date: str) -> pl.Series:
    """What dates and times mean, Datetime in microseconds without a zone; null where a text is none.

    Times of day are those of 1970-01-01. An offset from UTC is not applied: the time is that on the clocks there, as it
    is for the columns of data frames that have a zone.

    Examples
    --------
    >>> as_instants(pl.Series(["2013-01-31T10:15:00Z", "2013-02-30"]), "%Y-%m-%d").to_list()
    [datetime.datetime(2013, 1, 31, 10, 15), None]
    """
    column = pl.col("text")
    plain = column.str.replace(r"(\d)T(\d)", "${1} ${2}").str.replace_all(" +", " ")
    plain = (
        plain.str.replace(_AFTER_CLOCK, "${1}")
        .str.replace(r"(:\d{2}),(\d+)", "${1}.${2}")
        .str.replace(r"(\d)([AaPp][Mm])$", "${1} ${2}")
    )
    if date == NO_DATE:
        plain, date = pl.lit("1970-01-01 ") + plain, ISO
    looks = rf"^{DATES[date]}(?: |$)"
    frame = pl.DataFrame({"text": texts.alias("text")}).with_columns(
        text=pl.when(plain.str.contains(looks)).then(plain), found=pl.lit(None, dtype=pl.Datetime("us"))
    )
    for clock in _CLOCKS:
        left = pl.when(pl.col("found").is_null()).then(column)
        read = left.str.to_datetime(date + clock, strict=False, time_unit="us", ambiguous="earliest")
        frame = frame.with_columns(found=pl.coalesce("found", read))
        if frame["found"].null_count() == frame["text"].null_count():
            break
    return frame["found"].alias(texts.name)


def looks_like_dates(column: pl.Series) -> bool:
    """Whether the first 1000 values of a text column are all dates or times.

    Examples
    --------
    >>> looks_like_dates(pl.Series("day", ["2013-01-01", "2013-01-02"]))
    True
    """
    if column.dtype != pl.String:
        return False
    some = column.alias("column").drop_nulls().head(_SAMPLE)  # polars takes a name such as "^a$" for a pattern
    return some.len() > 0 and find_date(some, 1.0) is not None


def in_words(date: str) -> str:
    """What comes first in a date, as a part of a sentence.

    Examples
    --------
    >>> in_words("%m/%d/%Y"), in_words("%d.%m.%y")
    ('month first', 'day first')
    """
    first = re.sub("[^a-zA-Z]", "", date)[:1].lower()
    return {"m": "month first", "b": "month first", "d": "day first"}.get(first, "year first")
