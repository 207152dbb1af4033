"""Warnings as single lines on stderr."""

from __future__ import annotations

import shutil
import sys
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from hyperband.cli.wording import with_options


@contextmanager
def remarks(quiet: bool = False) -> Iterator[None]:
    """Show the warnings of a block as ``note: ...``, each once; with ``quiet`` not at all."""
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            yield
    finally:  # also before an error: a note may be what explains it
        for text in dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, UserWarning)):
            if not quiet:
                note(text)


def note(text: str) -> None:
    """One remark on stderr, in the words of the command that runs."""
    ctx = click.get_current_context(silent=True)
    said = text if ctx is None else with_options(text, ctx.command)
    say(f"note: {' '.join(said.split())}")


def say(text: str) -> None:
    """A line on stderr, on a terminal broken between words.

    That nobody reads it any more, or that its disk is full, ends no search.
    """
    with suppress(OSError, ValueError):
        if sys.stderr.isatty():
            width = shutil.get_terminal_size().columns
            text = textwrap.fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        click.echo(text, err=True)
