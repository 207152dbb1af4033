"""Exceptions: one base class, and one class per kind of remedy."""

from __future__ import annotations

from typing import Any


class HyperbandError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(HyperbandError, ValueError):
    """An argument breaks a rule. The message names the rule, the value and the remedy."""


class DataError(InputError):
    """A table, a column or an array cannot be used for training or prediction."""


class ModelFileError(HyperbandError, ValueError):
    """A model file is truncated, damaged, or written by a newer version."""


class ObjectiveError(HyperbandError, RuntimeError):
    """An objective failed in every evaluation: the message has the first traceback, ``result`` what there is."""

    def __init__(self, message: str, result: Any = None) -> None:
        super().__init__(message)
        self.result = result


class BackendUnavailable(HyperbandError, RuntimeError):
    """The backend asked for is not built or has no device; the message names the option that builds it."""


class InsufficientMemory(HyperbandError, MemoryError):
    """The work needs more memory than there is; the message names needed and free bytes."""
