"""Configurations of a nested space: from flat to nested data and back; nests read from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hyperband.errors import InputError
from hyperband.space.choice import Choice
from hyperband.space.conversion import encode
from hyperband.space.definition import Definition
from hyperband.space.nested import CHOICE, GROUP, MOST, REPEAT, nest_of
from hyperband.space.numbers import Int
from hyperband.space.parameters import Parameter


class NestedConfigurations:
    """Converts configurations of one space between the flat and the nested form.

    Parameters
    ----------
    space : Space

    Examples
    --------
    >>> from hyperband.space import Repeat, Space
    >>> NestedConfigurations(Space({"n": Repeat(1, 2, Int(0, 9))})).nested({"n": 1, "n.0": 5})
    {'n': [5]}
    """

    def __init__(self, space: Definition) -> None:
        self._space, self._nests = space, space.nests
        self._children: dict[str | None, dict[str, str]] = {None: {}, **{name: {} for name in space.nests}}
        for name in dict.fromkeys([*space.names, *space.nests]):
            nest = nest_of(name, space.nests)
            self._children[nest][name if nest is None else name[len(nest) + 1 :]] = name

    def nested(self, flat: Mapping[str, Any]) -> dict[str, Any]:
        """Nested data of a flat configuration; see `hyperband.space.Space.nested`."""
        encode(self._space, [flat])
        return self._read(None, flat)

    def flat(self, nested: Mapping[str, Any]) -> dict[str, Any]:
        """The flat configuration of nested data; see `hyperband.space.Space.flat`."""
        found: dict[str, Any] = {}
        self._write(None, nested, found)
        encode(self._space, [found])
        return {name: found[name] for name in self._space.names if name in found}

    def _read(self, nest: str | None, flat: Mapping[str, Any]) -> dict[str, Any]:
        children = self._children[nest].items()
        return {label: self._value(name, flat) for label, name in children if self._present(name, flat)}

    def _present(self, name: str, flat: Mapping[str, Any]) -> bool:
        return name in flat or self._nests.get(name) == GROUP

    def _value(self, name: str, flat: Mapping[str, Any]) -> Any:
        kind = self._nests.get(name)
        if kind == GROUP:
            return self._read(name, flat)
        if kind == REPEAT:
            entries = (f"{name}.{number}" for number in range(int(flat[name])))
            return [self._value(entry, flat) for entry in entries if self._present(entry, flat)]
        value = flat[name]
        return {value: self._read(f"{name}.{value}", flat)} if kind == CHOICE else value

    def _write(self, nest: str | None, values: Any, found: dict[str, Any]) -> None:
        where = "A nested configuration" if nest is None else f"{nest!r}"
        if not isinstance(values, Mapping):
            raise InputError(f"{where} must be a mapping of names to values; got {values!r}.")
        for label, value in values.items():
            if label not in self._children[nest]:
                known = ", ".join(self._children[nest]) or "none"
                raise InputError(f"{where} must name parameters of the space ({known}); got {label!r}.")
            self._put(self._children[nest][label], value, found)

    def _put(self, name: str, value: Any, found: dict[str, Any]) -> None:
        kind = self._nests.get(name)
        if kind == GROUP:
            self._write(name, value, found)
        elif kind == REPEAT:
            if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence):
                raise InputError(f"{name!r} must be a list, one entry a repetition; got {value!r}.")
            found[name] = len(value)
            self._space.parameters[name].encode([len(value)])
            for number, entry in enumerate(value):
                self._put(f"{name}.{number}", entry, found)
        elif kind == CHOICE:
            if not isinstance(value, Mapping) or len(value) != 1:
                raise InputError(f"{name!r} must be a mapping of one option to its parameters; got {value!r}.")
            ((option, values),) = value.items()
            self._space.parameters[name].encode([option])
            found[name] = option
            self._write(f"{name}.{option}", values, found)
        else:
            found[name] = value


def checked_nests(data: Any, parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """Nests of a written space, checked against its parameters.

    Raises
    ------
    InputError
        When a nest is not what `Space.to_dict` writes.
    """
    nests: dict[str, str] = {}
    for name, kind in data.items():
        axis = parameters.get(name)
        if kind == REPEAT and isinstance(axis, Int) and axis.low >= 0 and axis.high <= MOST:
            needed = [f"{name}.{number}" for number in range(axis.high)]
        elif kind == CHOICE and isinstance(axis, Choice):
            needed = [f"{name}.{option}" for option in axis.options]
        elif kind == GROUP and axis is None:
            needed = []
        else:
            raise InputError(
                f"A nest of a written space must be a choice, a repeat or a group; got {kind!r} for {name!r}."
            )
        for child in needed:
            if data.get(child) != GROUP and (kind == CHOICE or child not in parameters):
                raise InputError(f"The nest {name!r} of a written space must hold {child!r}; it does not.")
        nests[name] = kind
    return nests
