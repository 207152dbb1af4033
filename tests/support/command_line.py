"""The command line, called in this process."""

from __future__ import annotations

from click.testing import CliRunner, Result

from hyperband.cli.main import main


def call(*arguments: object) -> Result:
    """A command with its output and exit code."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])
