"""The space as text, for files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hyperband.errors import InputError
from hyperband.space import tree
from hyperband.space.choice import Choice
from hyperband.space.numbers import Float, Int
from hyperband.space.rules import When

if TYPE_CHECKING:
    from hyperband.space.space import Space

VERSION = 1
_KINDS: dict[str, Any] = {"float": Float, "int": Int, "choice": Choice}


def to_json(space: Space) -> str:
    """See `hyperband.space.Space.to_json`."""
    for constraint in space.constraints:
        if not isinstance(constraint, str):
            raise InputError(
                f"A constraint must be a text, such as 'x < y', to be written; got the function {constraint!r}."
            )
    data = {
        "version": VERSION,
        "parameters": {name: p.to_dict() for name, p in space.parameters.items()},
        "conditions": [condition.to_dict() for condition in space.conditions],
        "constraints": list(space.constraints),
        **({"nests": space.nests} if space.nests else {}),
    }
    try:
        text = json.dumps(data, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Options must be texts, finite numbers, True, False, None or lists of them to be written; {error}."
        ) from None
    if read(text) != space:
        raise InputError("Options must not be mappings with other keys than texts to be written. Name them by a text.")
    return text


def read(text: str) -> Space:
    """See `hyperband.space.Space.from_json`."""
    from hyperband.space.space import Space

    try:
        data = json.loads(text)
        if data["version"] != VERSION:
            raise InputError(f"The text must be of version {VERSION}; got {data['version']!r}.")
        parameters = {
            name: _KINDS[entry["type"]](**{key: value for key, value in entry.items() if key != "type"})
            for name, entry in data["parameters"].items()
        }
        conditions = [When(**entry) for entry in data["conditions"]]
        space = Space(parameters, conditions, data["constraints"])
        space.nests = tree.read(data.get("nests", {}), space)
        return space
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"The text must be what `to_json` wrote; {type(error).__name__}: {error}.") from None
