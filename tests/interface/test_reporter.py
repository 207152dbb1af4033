"""What is drawn: a terminal gets a live table, a pipe gets plain lines from time to time."""

from __future__ import annotations

import io
import math
import re

import pytest

from hyperband.evaluation.progress import BracketProgress, SearchProgress
from hyperband.interface import reporter as reporter_module
from hyperband.interface.reporter import Reporter, progress_line


class Terminal(io.StringIO):
    def isatty(self):
        return True


def progress(*brackets, rate=2.0, left=None):
    return SearchProgress(brackets, "epochs", 0.0, rate, left)


FIRST = BracketProgress(0, 1, 3, 3, 0.5, 9.0, 21.0)


def test_a_line_tells_of_the_whole_search_once():
    stream = io.StringIO()
    reporter = Reporter(stream, interval=0.0)
    untouched = BracketProgress(1, 0, 2, 0, math.nan, 0.0, 21.0)
    reporter(progress(FIRST, untouched))
    reporter(progress(FIRST, untouched))
    done = BracketProgress(0, 2, 3, 0, 0.25, 21.0, 21.0)
    reporter(progress(done, BracketProgress(1, 0, 2, 1, math.nan, 1.5, 21.0), left=190.0))
    reporter(progress(done, *(BracketProgress(k, 1, 2, 3, 0.125, 9.0, 21.0) for k in (1, 2))))
    reporter(progress(done, BracketProgress(1, 1, 2, 0, 0.5, 21.0, 21.0)))
    reporter.close()
    assert stream.getvalue().splitlines() == [
        "[  0.0 s] bracket 0: rung 2 of 3, 3 trials left, best loss 0.5000, 9 of 42 epochs, 2 epochs/s",
        "[  0.0 s] bracket 1: rung 1 of 2, 1 trial left, best loss 0.2500, 22.5 of 42 epochs, 2 epochs/s, "
        "about 3 min left",
        "[  0.0 s] bracket 1: rung 2 of 2, 1 more open, 6 trials left, best loss 0.1250, 39 of 63 epochs, 2 epochs/s",
        "[  0.0 s] bracket 1: rung 2 of 2, 0 trials left, best loss 0.2500, 42 of 42 epochs, 2 epochs/s",
    ]


def test_before_the_first_loss():
    waiting = BracketProgress(0, 0, 2, 0, math.nan, 0.0, 21.0)
    assert progress_line(progress(waiting)) == "0 trials left, no loss yet, 0 of 21 epochs, 2 epochs/s"


def test_long_searches_write_fewer_lines(monkeypatch):
    """Three hours, looked at every second."""
    stream, clock = io.StringIO(), iter(float(k) for k in range(1_000_000))
    monkeypatch.setattr(reporter_module.time, "monotonic", lambda: next(clock) / 2)  # asked twice a line
    reporter = Reporter(stream)
    for second in range(3 * 3600):
        now = BracketProgress(0, 0, 3, 9, math.nan, float(second), 20000.0)
        reporter(SearchProgress((now,), "epochs", float(second), 1.0))
    assert 100 < len(stream.getvalue().splitlines()) < 600


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_breaks_no_word(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    stream = Terminal()
    reporter = Reporter(stream)
    many = BracketProgress(12, 10, 12, 4321, 123.4567, 1234567.0, 7654321.0)
    reporter(SearchProgress((many,), "epochs", 3.0, 2.0, exact=False))
    reporter.close()
    lines = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).splitlines()
    (row,) = {line for line in lines if "4321" in line}  # drawn more than once
    assert row.startswith("     12  11 of 12         4321   123.4567  1,234,567 of ≥ 7,654,321  ██")
    assert len(row.rstrip()) <= width and "…" not in "".join(lines)


def test_lines_are_occasional():
    stream = io.StringIO()
    reporter = Reporter(stream, interval=60.0)
    for epochs in range(20):
        reporter(progress(BracketProgress(0, 0, 3, 9, math.nan, float(epochs), 21.0)))
    assert len(stream.getvalue().splitlines()) <= 1
    reporter.close()
    assert "19 of 21 epochs" in stream.getvalue().splitlines()[-1]


def test_a_terminal_gets_one_live_table():
    stream = Terminal()
    reporter = Reporter(stream)
    reporter(progress(FIRST, left=7.0))
    reporter.close()
    shown = stream.getvalue()
    for text in ("bracket", "2 of 3", "0.5000", "9 of 21", "2 epochs/s", "about 7 s left"):
        assert text in shown


def test_an_asynchronous_search_may_do_more_than_is_planned():
    stream = io.StringIO()
    reporter = Reporter(stream, interval=0.0)
    for done in (9.0, 30.0):
        reporter(
            SearchProgress((BracketProgress(0, 1, 3, 3, 0.5, done, max(done, 21.0)),), "epochs", 0.0, 2.0, exact=False)
        )
    assert [line.split("0.5000, ")[1] for line in stream.getvalue().splitlines()] == [
        "9 of at least 21 epochs, 2 epochs/s",
        "30 epochs, 2 epochs/s",
    ]


def test_no_time_is_shown_where_none_is_known():
    stream = io.StringIO()
    reporter = Reporter(stream)
    reporter(progress(FIRST))
    reporter.close()
    assert "about" not in stream.getvalue()
