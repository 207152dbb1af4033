"""The warning that says what was done to a table on the way in."""

from __future__ import annotations


class DataWarning(UserWarning):
    """A table was read or used in a way that its owner should know of."""
