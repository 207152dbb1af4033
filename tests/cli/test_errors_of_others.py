"""Errors that nobody expected end a command like others: one line on stderr; a traceback where it is asked for."""

from __future__ import annotations

import pytest
from command_line import call

from hyperband.cli import info
from hyperband.cli.main import LONGEST
from hyperband.errors import InputError


def deep(n=0):
    return deep(n + 1)


ERRORS = {
    "memory": MemoryError("Unable to allocate 9 TiB"),
    "unicode": UnicodeDecodeError("utf-8", b"\xff" * 5000, 0, 1, "invalid start byte"),
    "several lines": ValueError("first\nsecond\n" + "value " * 1000),
    "a data dump": KeyError("x" * 100_000),
    "nothing to say": RuntimeError(),
    "ours, long": InputError("Rule. " + "column, " * 500 + "Remedy."),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_one_line(monkeypatch, error):
    def raises(*_, **__):
        raise error

    monkeypatch.setattr(info.command, "callback", raises)
    result = call("info")
    assert result.exit_code == 2 and result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and len(line) <= LONGEST + len("error: ")
    assert line.endswith(("Remedy.", "--debug shows where it happened."))


def test_recursion(monkeypatch):
    monkeypatch.setattr(info.command, "callback", lambda *_, **__: deep())
    result = call("info")
    assert result.exit_code == 2 and result.stderr.startswith("error: RecursionError: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [["--debug", "info"], ["info", "--debug"]])
def test_a_traceback_where_it_is_asked_for(monkeypatch, words):
    def raises(*_, **__):
        raise ValueError("odd")

    monkeypatch.setattr(info.command, "callback", raises)
    result = call(*words)
    assert result.exit_code == 2 and "Traceback" in result.stderr and "in raises" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: ValueError: odd")


def test_help_is_no_error():
    for words in (["--help"], ["search", "--help"], ["--version"]):
        result = call(*words)
        assert result.exit_code == 0 and result.stderr == "" and result.stdout
