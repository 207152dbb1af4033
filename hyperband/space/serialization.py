"""Search spaces as plain data, for files and saved states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hyperband.errors import InputError
from hyperband.space.choice import Choice
from hyperband.space.definition import Definition
from hyperband.space.nested_configurations import checked_nests
from hyperband.space.numbers import Float, Int
from hyperband.space.parameters import Parameter
from hyperband.space.rules import When

#: Version of the format.
VERSION = 1
_KINDS: dict[str, Any] = {"float": Float, "int": Int, "choice": Choice}


@dataclass(frozen=True, slots=True)
class SpaceParts:
    """Checked arguments for a `Space`, with its nests."""

    parameters: dict[str, Parameter]
    conditions: list[When]
    constraints: list[str]
    nests: dict[str, str]


def to_dict(space: Definition) -> dict[str, Any]:
    """A space as plain data; see `hyperband.space.Space.to_dict`.

    Examples
    --------
    >>> from hyperband.space import Space
    >>> to_dict(Space({"x": Float(0.0, 1.0)}))["parameters"]
    {'x': {'type': 'float', 'low': 0.0, 'high': 1.0, 'log': False, 'default': None}}
    """
    for constraint in space.constraints:
        if not isinstance(constraint, str):
            raise InputError(
                f"A constraint must be a text, such as 'x < y', to be written; got the function {constraint!r}. Use "
                "a text."
            )
    data = {
        "version": VERSION,
        "parameters": {name: p.to_dict() for name, p in space.parameters.items()},
        "conditions": [condition.to_dict() for condition in space.conditions],
        "constraints": list(space.constraints),
        **({"nests": dict(space.nests)} if space.nests else {}),
    }
    try:
        plain: dict[str, Any] = json.loads(json.dumps(data, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Options must be texts, finite numbers, True, False, None or lists of them to be written; {error}."
        ) from None
    if parts(plain).parameters != space.parameters:
        raise InputError(
            "Options that are mappings must have texts as keys to be written as data. Name the options by texts."
        )
    return plain


def parts(data: Mapping[str, Any]) -> SpaceParts:
    """The parts of a space from what `to_dict` wrote, checked.

    Raises
    ------
    InputError
        When ``data`` is anything else, or of another version.
    """
    try:
        if not isinstance(data, Mapping):
            raise TypeError(f"there must be an object, got {data!r:.60}")
        if data["version"] != VERSION:
            raise InputError(f"The written space must be of version {VERSION}; got {data['version']!r}.")
        parameters = {name: _parameter(name, entry) for name, entry in data["parameters"].items()}
        conditions = [When(**entry) for entry in data["conditions"]]
        nests = checked_nests(data.get("nests", {}), parameters)
        constraints = data["constraints"]
        if not isinstance(constraints, list) or not all(isinstance(text, str) for text in constraints):
            raise TypeError(f"constraints must be a list of texts, got {constraints!r:.60}")
        return SpaceParts(parameters, conditions, constraints, nests)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(error) from None


def _parameter(name: str, entry: Mapping[str, Any]) -> Parameter:
    try:
        made: Parameter = _KINDS[entry["type"]](**{key: value for key, value in entry.items() if key != "type"})
    except InputError as error:
        raise InputError(f"Of the parameter {name!r:.80}: {error}") from None
    return made


def loads(text: str) -> Any:
    """Data from JSON; raises `InputError` when the text is no JSON."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, TypeError, RecursionError) as error:
        raise _damaged(error) from None


def _damaged(error: Exception) -> InputError:
    return InputError(f"A written space must be what `to_dict` or `to_json` wrote; {type(error).__name__}: {error}.")
