"""What the package needs where it computes without its C++ engine; `pyproject.toml` names it, the build runs it.

It is run by itself, before the package is there: it imports nothing of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

#: Variables that ask for the pure-Python package: always, or where compiling fails (which is not known so early).
_ASKS_FOR_IT = ("HYPERBAND_PURE", "HYPERBAND_FALLBACK")
_NO = ("", "0", "false", "f", "off", "n", "no")


def dynamic_metadata(settings: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is added to the dependencies: the package's extra "numba", or nothing.

    Parameters
    ----------
    settings
        Of this entry in `pyproject.toml`: none.
    project
        The table "project" of `pyproject.toml`.
    """
    asked = any(os.environ.get(name, "").strip().lower() not in _NO for name in _ASKS_FOR_IT)
    return {"dependencies": list(project["optional-dependencies"]["numba"]) if asked else []}


def dynamic_wheel(settings: Mapping[str, Any]) -> dict[str, bool]:
    """A source package cannot know what its wheel will need."""
    return {"dependencies": True}
