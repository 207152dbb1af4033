"""Warnings as single lines on stderr."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def remarks(quiet: bool = False) -> Iterator[None]:
    """Show the warnings of a block as ``note: ...``, each once; with ``quiet`` not at all."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    if not quiet:
        for text in dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, UserWarning)):
            note(text)


def note(text: str) -> None:
    """One remark on stderr."""
    click.echo(f"note: {' '.join(text.split())}", err=True)
