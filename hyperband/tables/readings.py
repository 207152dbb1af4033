"""How the texts of a column are read: as numbers or times, however people write them, as truth values, or as texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from hyperband.errors import InputError
from hyperband.tables.dates import DATES, ISO, NO_DATE, as_instants, find_date
from hyperband.tables.fitted_numbers import check_flags, check_texts

#: Texts that mean a missing value in any column, after blanks are stripped.
MISSING = ("", "?", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "<NA>", "#N/A", "#NA")
#: Texts that mean a missing value where all others of their column are numbers.
MISSING_NUMBERS = ("-", "--", ".", "None", "none", "NONE", "nil", "missing", "unknown", "#DIV/0!", "#VALUE!", "#REF!")

#: A column of digits is one of names when so many of its different values begin with a zero, or all are as long.
PADDED_SHARE = 0.05

NUMBER, TRUTH, TEXT, TIME = "number", "truth", "text", "time"

#: A column is one of numbers when so many of its values are, and the others are at most `MOST_WORDS` different words.
SHARE, MOST_WORDS = 0.95, 10
#: With fewer different numbers it is one of codes, some of which are words.
FEWEST_NUMBERS = 6

_CURRENCY = r"(?:[$€£¥]|USD|EUR|GBP|CHF)"
_BEFORE, _AFTER = rf"^([+-]?)\s*{_CURRENCY}\s*", rf"\s*(?:%|{_CURRENCY})$"
_PADDED = r"^[+-]?0\d+$"
#: (decimal, thousands) -> the form of a number that has one of the two.
_FORMS = {
    (".", ","): r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$",
    (".", "'"): r"^[+-]?[1-9]\d{0,2}('\d{3})+(\.\d*)?$",
    (".", " "): "^[+-]?\\d{1,3}([ \u00a0\u202f]\\d{3})+(\\.\\d*)?$",
    (",", " "): "^[+-]?\\d{1,3}([ \u00a0\u202f]\\d{3})*(,\\d*)?$",
    (",", ""): r"^[+-]?\d*,\d+([eE][+-]?\d+)?$",
    (",", "."): r"^[+-]?\d{1,3}(\.\d{3})*(,\d+)?$",
}
#: Numbers with a decimal comma or without, and without separators of thousands.
_UNGROUPED = r"^[+-]?(\d+|\d*,\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True, slots=True)
class Reading:
    """How the texts of one column are read.

    Parameters
    ----------
    form : {"number", "truth", "text", "time"}
    decimal : {".", ","}
    thousands : {"", ",", ".", "'", " "}, the separator of thousands
    signs : bool
        Whether signs of currencies and percent stand beside the numbers; they change no number.
    words : tuple of str
        Texts of a column of numbers or times that are none: they mean a missing value.
    date : str, how dates are written in a column of times, see `hyperband.tables.dates`

    Raises
    ------
    InputError
        When the form, the separators or the date are none that `find_reading` finds.

    Examples
    --------
    >>> Reading(NUMBER, ",", ".", True).of(pl.Series(["1.234,5 €", "7", "x", None])).to_list()
    [1234.5, 7.0, None, None]
    """

    form: str
    decimal: str = "."
    thousands: str = ""
    signs: bool = False
    words: tuple[str, ...] = ()
    date: str = ISO

    def __post_init__(self) -> None:
        written = (self.decimal, self.thousands)
        known = self.form in (NUMBER, TRUTH, TEXT, TIME) and (written == (".", "") or written in _FORMS)
        if not known or self.date not in (*DATES, NO_DATE):
            raise InputError(f"A reading must be one of those that `find_reading` finds; got {self!r:.200}.")
        check_flags(signs=self.signs)
        check_texts(self.words, "words")

    def of(self, texts: pl.Series) -> pl.Series:
        """Values of texts as `stripped` gives them, null where missing and, but for texts, where a text is none.

        Numbers are Int64 where all are written as whole ones, so that they are exact beyond 2^53 too, else Float64.
        Times are Datetime in microseconds.
        """
        if self.form == TEXT:
            return texts
        if self.form == TIME:
            found = as_instants(texts, self.date)
            if self.date == ISO or found.null_count() == texts.null_count():
                return found
            return found.zip_with(found.is_not_null(), as_instants(texts, ISO))  # which means the same everywhere
        if self.form == TRUTH:
            lower = texts.str.to_lowercase()
            true = lower.is_in(["true", "1", "1.0"])
            known = true | lower.is_in(["false", "0", "0.0"])
            return true.zip_with(known.fill_null(False), pl.Series([None], dtype=pl.Boolean))
        plain = pl.select(self._plain(pl.lit(texts))).to_series().alias(texts.name)
        return _exact(plain, plain.cast(pl.Float64, strict=False))

    def _plain(self, texts: pl.Expr) -> pl.Expr:
        """Numbers as programs write them; null where a text is none of this form."""
        if self.signs:
            texts = _without_signs(texts)
        form = _FORMS.get((self.decimal, self.thousands))
        if form is None:
            return texts
        fits = texts.str.contains(form)
        others = texts.str.contains(_UNGROUPED) if self.decimal == "," else ~texts.str.contains(",", literal=True)
        plain = texts
        if self.thousands == " ":
            plain = plain.str.replace_all("[ \u00a0\u202f]", "")
        elif self.thousands:
            plain = plain.str.replace_all(self.thousands, "", literal=True)
        if self.decimal == ",":
            plain, texts = (t.str.replace(",", ".", literal=True) for t in (plain, texts))
        return pl.when(fits).then(plain).when(others).then(texts)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; `from_dict` reads it back."""
        return {**asdict(self), "words": list(self.words)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Reading:
        """The reading that `to_dict` wrote."""
        return cls(**{**plain, "words": tuple(plain["words"])})


def stripped(texts: pl.DataFrame, missing: Collection[str]) -> list[pl.Series]:
    """The columns of a frame as texts without blanks around them, null where they mean a missing value.

    They are called "column": polars takes a name such as "^a$" for a pattern.
    """
    text = pl.all().cast(pl.String).str.strip_chars()
    found = texts.select(pl.when(~text.is_in([*missing, ""])).then(text))
    return [column.alias("column") for column in found]


def plain_numbers(texts: pl.DataFrame, missing: Collection[str]) -> list[pl.Series | None]:
    """Values of the columns of texts that hold numbers as programs write them, and null, alone; None for the others.

    So are most columns of most tables: they need not be `stripped`, which takes longer than to read them.

    Examples
    --------
    >>> found = plain_numbers(pl.DataFrame({"a": ["1", None], "b": ["1.5", "x"], "c": [" 1", "2"]}), MISSING)
    >>> [None if values is None else values.to_list() for values in found]
    [[1, None], None, None]
    """
    words = pl.Series(list(missing), dtype=pl.String).cast(pl.Float64, strict=False)
    if words.is_not_nan().any():  # -999, say, means a missing value
        return [None] * texts.width
    numbers = texts.select(pl.all().cast(pl.Float64, strict=False))
    return [
        None if read.null_count() > text.null_count() or not read.is_not_nan().any() or read.is_nan().any()
        else _exact(text, read)
        for text, read in zip(texts, numbers, strict=True)
    ]  # fmt: skip


def may_be_names(digits: pl.Series) -> bool:
    """Whether some begin with a zero, as in postcodes."""
    return bool(digits.str.contains(_PADDED).any())


def _exact(texts: pl.Series, numbers: pl.Series) -> pl.Series:
    """Numbers as Int64 where all are written as whole ones."""
    if _has_fractions(numbers):
        return numbers
    whole = texts.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == numbers.null_count() else numbers


def _has_fractions(numbers: pl.Series) -> bool:
    return bool((numbers.floor() != numbers).any())


def _without_signs(texts: pl.Expr) -> pl.Expr:
    return texts.str.replace(_BEFORE, "${1}").str.replace(_AFTER, "")


def find_reading(texts: pl.Series, decimal_comma: bool, numeric: bool = False) -> Reading:
    """How a column of texts is to be read, from its values.

    Parameters
    ----------
    texts : stripped, with null where missing
    decimal_comma : bool
        Whether 1,234 is a number below 2: so it is where semicolons separate the fields.
    numeric : bool
        Whether they are numbers: then all other texts mean a missing value, unless no text is a number.

    Examples
    --------
    >>> find_reading(pl.Series(["1", "2.5"]), False), find_reading(pl.Series(["01", "02"]), False).form
    (Reading(form='number', decimal='.', thousands='', signs=False, words=(), date='%Y-%m-%d'), 'text')
    >>> find_reading(pl.Series(["1,234", "12"]), False).thousands, find_reading(pl.Series(["1,5"]), False).decimal
    (',', ',')
    >>> find_reading(pl.Series(["31.12.1999"]), False).date
    '%d.%m.%Y'
    """
    seen = texts.drop_nulls()
    if seen.len() == 0:
        return Reading(TEXT)
    numbers = seen.cast(pl.Float64, strict=False)
    if not numbers.null_count() and (_has_fractions(numbers) or not may_be_names(seen)):
        return Reading(NUMBER)  # most columns: what follows takes ten times as long
    if numeric and (found := _forced(seen.unique(), decimal_comma)) is not None:
        return found
    if seen.str.to_lowercase().is_in(["true", "false"]).all():
        return Reading(TRUTH)
    levels = seen.unique()
    if (date := find_date(levels, SHARE)) is not None:
        words = levels.filter(as_instants(levels, date).is_null())
        if words.len() == 0 or _are_words(seen, words, levels):
            return Reading(TIME, words=tuple(words.sort().to_list()), date=date)
    for reading in _candidates(levels, decimal_comma):
        if _is_padded(levels, reading):
            return Reading(TEXT)
        words = levels.filter(reading.of(levels).is_null())
        if words.len() == 0:
            return reading
        if _are_words(seen, words, levels):
            return Reading(NUMBER, reading.decimal, reading.thousands, reading.signs, tuple(words.sort().to_list()))
    return Reading(TEXT)


def _forced(levels: pl.Series, decimal_comma: bool) -> Reading | None:
    """The reading that finds most numbers among texts, if it finds one."""
    reading = _candidates(levels, decimal_comma)[0]
    words = levels.filter(reading.of(levels).is_null()).sort().to_list()
    return None if len(words) == levels.len() else replace(reading, words=tuple(words))


def _are_words(seen: pl.Series, words: pl.Series, levels: pl.Series) -> bool:
    """Whether a few texts among numbers stand for a missing value."""
    if words.len() > MOST_WORDS or levels.len() - words.len() < FEWEST_NUMBERS:
        return False
    share = seen.is_in(words.to_list()).sum() / seen.len()
    return bool(words.is_in(list(MISSING_NUMBERS)).all()) or share <= 1.0 - SHARE


def _candidates(levels: pl.Series, decimal_comma: bool) -> list[Reading]:
    """Ways to read the values as numbers: the one that reads most of them first, of several the plainest."""
    bare = pl.select(_without_signs(pl.lit(levels))).to_series()
    signs = not bare.equals(levels)
    forms = [form for form, pattern in _FORMS.items() if bare.str.contains(pattern).any()]
    if decimal_comma:
        forms = [form for form in forms if form != (".", ",")]
    found = [Reading(NUMBER, *form, signs) for form in ((".", ""), *forms)]
    return sorted(found, key=lambda reading: reading.of(levels).null_count())


def _is_padded(levels: pl.Series, reading: Reading) -> bool:
    """Whether digits begin with zeros, as in postcodes: then they are names."""
    if reading.signs or reading.thousands:
        return False
    padded = int(levels.str.contains(_PADDED).sum())
    return padded > 0 and (padded >= PADDED_SHARE * levels.len() or levels.str.len_chars().n_unique() == 1)
