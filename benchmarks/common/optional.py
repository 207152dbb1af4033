"""Packages that a benchmark uses where they are installed, and does without where they are not."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Unavailable(Exception):
    """A contender or a task that cannot run here, and why."""


def needed(module: str, package: str) -> Any:
    """A module of a package that may not be installed.

    Raises
    ------
    Unavailable
        When it cannot be imported; the message says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        absent = error.name == module.partition(".")[0]
        raise Unavailable(f"{package} is not installed: pip install {package}" if absent else str(error)) from None
