"""What the values in a table of trials mean: tables have fewer types than the options of a `Choice`."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from hyperband.errors import InputError
from hyperband.space import Choice
from hyperband.space.choice import as_python
from hyperband.space.parameters import Parameter

#: No option: None may be one.
_NONE = object()

#: Texts that pandas reads from a file as a missing value.
_MISSING_TEXTS = {"", "#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "n/a", "NULL", "null", "None", "NaN", "nan"} | {
    sign + text for sign in ("", "-") for text in ("NaN", "nan", "1.#IND", "1.#QNAN")
}

#: Significant digits that every reader of csv files gets right; the fast ones may miss the last bit of a float64.
_DIGITS = 13

#: The spelling of a hole.
_HOLE: Hashable = None


class TableValues:
    """The values of one parameter in the columns of tables, read as values of the space.

    A table may hold 3 as 3.0 or "3", True as "true", a tuple as a list or a text, and None, or a text such as "NA", as
    a hole. A value that is an option as it stands is that option; any other is the option with the same `spelling`.

    Examples
    --------
    >>> values = TableValues(Choice([None, 3, (1, 2)]))
    >>> values.value(float("nan")), values.value("3"), values.value("[1, 2]"), values.value("other")
    (None, 3, (1, 2), 'other')
    """

    def __init__(self, parameter: Parameter) -> None:
        self._parameter = parameter
        self._options: dict[Hashable, list[Any]] = {}
        for option in parameter.options if isinstance(parameter, Choice) else ():
            # The second is that of a tuple with objects in it, which no text can be parsed to.
            for spelled in {spelling(option), spelling(str(option))}:
                self._options.setdefault(spelled, []).append(option)

    @property
    def holes(self) -> Sequence[Any]:
        """The options that a hole of the table can stand for; without any, the parameter is inactive there."""
        return self._options.get(_HOLE, ())

    def is_hole(self, value: Any) -> bool:
        """Whether a value is missing, or is written like a missing one and is no option as it stands."""
        return value is None or (spelling(value) is _HOLE and self._option(value) is _NONE)

    def value(self, value: Any) -> Any:
        """The value of the space; what is none is returned as it is, for the space to refuse.

        Raises
        ------
        InputError
            When it stands for several options.
        """
        if not isinstance(self._parameter, Choice):
            return _number(value)
        option = self._option(value)
        if option is not _NONE:
            return option
        found = self._options.get(spelling(value), [])
        if len(found) > 1:
            raise InputError(
                f"the value must stand for one option; {value!r} is how a table writes "
                f"{' and '.join(map(repr, found))}. Give the trials as a list of (configuration, resource, loss)."
            )
        return found[0] if found else value

    def _option(self, value: Any) -> Any:
        """The option that equals a value as it stands."""
        if isinstance(self._parameter, Choice):
            with suppress(InputError):
                return self._parameter.options[self._parameter.index(value)]
        return _NONE


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, or what a library has in their place.

    Examples
    --------
    >>> is_missing(None), is_missing(float("nan")), is_missing("nan"), is_missing(0)
    (True, True, False, False)
    """
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA has no truth value, nor has an array
        return type(value).__name__ == "NAType"


def spelling(value: Any) -> Hashable:
    """The same for all forms in which tables write a value; None for a hole.

    Examples
    --------
    >>> spelling(3) == spelling(3.0) == spelling("3"), spelling(True) == spelling("true") == spelling(1)
    (True, False)
    >>> spelling((1, "relu")) == spelling(["1", "relu"]) == spelling("(1, 'relu')")
    True
    """
    value = as_python(value)
    if isinstance(value, str):
        value = _parsed(value)
    if is_missing(value):
        return _HOLE
    if isinstance(value, tuple):
        return ("tuple", *map(spelling, value))
    if isinstance(value, Mapping):  # a struct of polars has all names, with holes
        parts = ((str(name), spelling(part)) for name, part in value.items())
        return ("mapping", *sorted((name, repr(part)) for name, part in parts if part is not _HOLE))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.{_DIGITS}g}"
    return str(value)


def _parsed(text: str) -> Any:
    """The value that a text was written from, as far as that can be known."""
    if text in _MISSING_TEXTS:
        return None
    bare = text.strip()
    if bare.lower() in ("true", "false"):
        return bare.lower() == "true"
    if bare[:1] in ("(", "[", "{"):
        return _literal(bare, text)
    return _number(text)


def _literal(bare: str, text: str) -> Any:
    """A list, a tuple or a mapping as JSON or Python writes it; a text that only begins like one stays a text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # about backslashes
        for read in (json.loads, ast.literal_eval):
            with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                return as_python(read(bare))
    return text


def _number(value: Any) -> Any:
    """A text as the number that it is of; anything else as it is."""
    if not isinstance(value, str) or "_" in value:  # Python's own digit separators mean nothing in a table
        return value
    for kind in (int, float):
        with suppress(ValueError):
            return kind(value)
    return value
