"""The warning about how a table was read."""

from __future__ import annotations


class DataWarning(UserWarning):
    """A table was read in a way that its owner should check, such as a renamed column or a guessed encoding."""
