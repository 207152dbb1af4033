"""Settings as plain JSON data: algorithms, samplers and schedulers, written and compared field by field.

A class takes part when it is a frozen dataclass that inherits from `Settings`, and is registered:

>>> from dataclasses import dataclass
>>> @register
... @dataclass(frozen=True)
... class EverySecond(Settings):
...     start_at: int = 0
>>> EverySecond(4).to_dict()
{'type': 'EverySecond', 'version': 1, 'start_at': 4}
>>> from_dict({"type": "EverySecond", "version": 1, "start_at": 4})
EverySecond(start_at=4)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from hyperband._common.checks import Number, exact
from hyperband.errors import InputError

T = TypeVar("T", bound="type[Settings]")

#: Classes that `from_dict` can make, by name.
_REGISTERED: dict[str, type[Settings]] = {}
#: Keys that mean something to `from_dict`; a mapping of a user that has one of them is written as ``{"mapping": ...}``.
_TYPE, _VERSION, _NUMBER, _MAPPING = "type", "version", "number", "mapping"


class Settings:
    """What frozen dataclasses inherit to be written as plain data and read back.

    ``SETTINGS_VERSION`` changes when the same field means something else.
    """

    __slots__ = ()
    SETTINGS_VERSION: ClassVar[int] = 1

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data: ``type``, ``version`` and every setting by its name; `from_dict` reads it back.

        Raises
        ------
        InputError
            When a setting cannot be written: a function, an iterator that can be read only once, an object of a class
            without ``to_dict``.
        """
        head = {_TYPE: type(self).__name__, _VERSION: self.SETTINGS_VERSION}
        return {**head, **{name: write(self.setting(name), f"`{name}`") for name in _names(self)}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The settings that `to_dict` wrote, of this class or one that inherits from it.

        Exact numbers come back as an int, a float or a Fraction of the same exact value.

        Raises
        ------
        InputError
            When the data is of another class or version, misses a setting, or has one that breaks a rule.
        """
        made = from_dict(data)
        if not isinstance(made, cls):
            raise InputError(f"`type` must be {cls.__name__}; got {data[_TYPE]!r}. Use the `from_dict` of that class.")
        return made

    def setting(self, name: str) -> Any:
        """The value of a setting as `to_dict` writes it; for classes that keep it in a form that is no plain data."""
        return getattr(self, name)


def register(kind: T) -> T:
    """Let `from_dict` make settings of this class; a decorator.

    Raises
    ------
    InputError
        When another class of this name is registered.
    """
    known = _REGISTERED.setdefault(kind.__name__, kind)
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise InputError(
            f"Registered classes must have names of their own; got another {kind.__name__}, after that of "
            f"{known.__module__}. Rename it."
        )
    _REGISTERED[kind.__name__] = kind
    return kind


def from_dict(data: Mapping[str, Any]) -> Settings:
    """The settings of any registered class that ``to_dict`` wrote; errors as `Settings.from_dict`."""
    if not isinstance(data, Mapping) or not isinstance(data.get(_TYPE), str):
        raise InputError(f"The data must be what `to_dict` wrote, with a `type`; got {data!r}.")
    kind = _REGISTERED.get(data[_TYPE])
    if kind is None:
        raise InputError(
            f"`type` must be a registered class; got {data[_TYPE]!r}. Import its module, and register it there: "
            "@hyperband.tuning.settings.register."
        )
    if data.get(_VERSION) != kind.SETTINGS_VERSION:
        raise InputError(
            f"`version` of {data[_TYPE]} must be {kind.SETTINGS_VERSION}; got {data.get(_VERSION)!r}. "
            "Write the settings again with this version of the package."
        )
    names, given = set(_names(kind)), set(data) - {_TYPE, _VERSION}
    if names != given:
        raise InputError(
            f"The data of {data[_TYPE]} must have the settings {', '.join(sorted(names)) or '(none)'}; "
            f"got {', '.join(sorted(map(str, given))) or '(none)'}."
        )
    values = {name: _read(data[name]) for name in names}
    try:
        return kind(**values)
    except (AttributeError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The data of {data[_TYPE]} must be what `to_dict` wrote; got {dict(data)!r}.") from error


def of_kind(data: Mapping[str, Any], kind: str, has: Sequence[str], lacks: Sequence[str] = ()) -> Any:
    """`from_dict`, and `InputError` unless what it makes has these members, and lacks those."""
    made = from_dict(data)
    if not all(hasattr(made, name) for name in has) or any(hasattr(made, name) for name in lacks):
        raise InputError(f"The data must be of {kind}; got {data[_TYPE]}.")
    return made


def write(value: Any, name: str) -> Any:
    """A value as plain JSON data; ``name`` begins the message of the `InputError` when it cannot be written."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float | np.integer | np.floating | Fraction | Decimal):
        return _write_number(value)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        plain = {key: write(entry, f"{name}[{key!r}]") for key, entry in value.items()}
        return {_MAPPING: plain} if plain.keys() & {_TYPE, _NUMBER, _MAPPING} else plain
    if isinstance(value, tuple | list | np.ndarray):
        return [write(entry, f"{name}[{row}]") for row, entry in enumerate(value)]
    if hasattr(value, "to_dict") and not isinstance(value, type):
        found: dict[str, Any] = value.to_dict()
        return found
    raise InputError(f"{name} must be plain data, or have `to_dict`, to be written; got {value!r}. {_remedy(value)}")


def identity(value: Any) -> dict[str, Any]:
    """What a saved state holds of a sampler or a scheduler: its class, and the settings that can be written.

    Examples
    --------
    >>> from hyperband.tuning.samplers import IterableSampler, PriorSampler
    >>> identity(PriorSampler(0.5))
    {'type': 'PriorSampler', 'version': 1, 'random_fraction': 0.5}
    >>> identity(IterableSampler(iter([])))  # an iterator cannot be written
    {'type': 'IterableSampler'}
    """
    found: dict[str, Any] = {_TYPE: type(value).__name__}
    if isinstance(value, Settings) or (hasattr(value, "to_dict") and not is_dataclass(value)):
        try:
            return dict(value.to_dict())
        except InputError:
            pass
    for name in _names(value) if is_dataclass(value) else ():
        entry = value.setting(name) if isinstance(value, Settings) else getattr(value, name)
        if hasattr(entry, "start"):  # a sampler in a sampler
            found[name] = identity(entry)
            continue
        try:
            found[name] = write(entry, name)
        except InputError:
            continue  # it cannot be compared
    return found


def difference(mine: Any, theirs: Any, path: str) -> tuple[str, Any, Any] | None:
    """The first place where two `identity` differ: its name, and both values; None when they are the same.

    Of settings only those are compared that both have.

    Examples
    --------
    >>> from hyperband.tuning.samplers import KDESampler
    >>> difference(KDESampler(top_fraction=0.2).to_dict(), KDESampler().to_dict(), "sampler")
    ('sampler.top_fraction', 0.2, 0.15)
    """
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        if _TYPE in mine and mine[_TYPE] != theirs.get(_TYPE):
            return f"{path}.{_TYPE}", mine[_TYPE], theirs.get(_TYPE)
        if _TYPE not in mine and mine.keys() != theirs.keys():
            return path, sorted(mine), sorted(theirs)
        pairs = [(f"{path}.{key}", mine[key], theirs[key]) for key in mine if key in theirs]
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        pairs = [(f"{path}[{row}]", *pair) for row, pair in enumerate(zip(mine, theirs, strict=True))]
    else:
        return None if mine == theirs else (path, mine, theirs)
    return next(filter(None, (difference(a, b, name) for name, a, b in pairs)), None)


def _write_number(value: Number | np.integer[Any] | np.floating[Any]) -> Any:
    """An int, a float, or ``{"number": "1/3"}``: the same for numbers of the same exact value."""
    if isinstance(value, float | np.floating | Decimal) and not math.isfinite(value):
        return {_NUMBER: str(float(value))}
    number = exact(value, "a number")
    if number.denominator == 1:
        return number.numerator
    return float(number) if exact(float(number), "a number") == number else {_NUMBER: str(number)}


def _read(value: Any) -> Any:
    """Inverse of `write`."""
    if isinstance(value, list):
        return [_read(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    if isinstance(value.get(_TYPE), str):
        return from_dict(value)
    try:
        if isinstance(value.get(_NUMBER), str):
            text = value[_NUMBER]
            return Fraction(text) if "/" in text else float(text)
    except (ValueError, ZeroDivisionError):
        raise InputError(f"A number must be written as 'p/q', 'inf' or 'nan'; got {value[_NUMBER]!r}.") from None
    inside = value[_MAPPING] if isinstance(value.get(_MAPPING), Mapping) else value
    return {key: _read(entry) for key, entry in inside.items()}


def _names(settings: Any) -> list[str]:
    return [field.name for field in fields(settings) if field.init]


def _remedy(value: Any) -> str:
    if isinstance(value, Iterator):
        return "Pass a list."
    if isinstance(value, Mapping):
        return "Use texts as keys."
    return "Pass a list, or a named setting." if isinstance(value, Iterable) else "Use settings of a registered class."
