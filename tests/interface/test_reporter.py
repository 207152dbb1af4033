"""What is drawn: a terminal gets a live table, a pipe gets plain lines from time to time."""

from __future__ import annotations

import io
import math

from hyperband.evaluation.progress import BracketProgress, SearchProgress
from hyperband.interface.reporter import Reporter


class Terminal(io.StringIO):
    def isatty(self):
        return True


def progress(*brackets, rate=2.0, left=None):
    return SearchProgress(brackets, "epochs", 3.0, rate, left)


FIRST = BracketProgress(0, 1, 3, 3, 0.5, 9.0, 21.0)


def test_lines_name_every_bracket_that_moved_once():
    stream = io.StringIO()
    reporter = Reporter(stream, interval=0.0)
    untouched = BracketProgress(1, 0, 2, 0, math.nan, 0.0, 21.0)
    reporter(progress(FIRST, untouched))
    reporter(progress(FIRST, untouched))
    second = BracketProgress(0, 2, 3, 1, 0.25, 21.0, 21.0), BracketProgress(2, 0, 1, 3, math.nan, 1.5, 27.0)
    reporter(progress(*second, left=190.0))
    reporter.close()
    assert stream.getvalue().splitlines() == [
        "[  3.0 s] bracket 0: rung 2 of 3, 3 alive, best loss 0.5000, 9 of 21 epochs, 2 epochs/s",
        "[  3.0 s] bracket 0: rung 3 of 3, 1 alive, best loss 0.2500, 21 of 21 epochs, 2 epochs/s, about 3 min left",
        "[  3.0 s] bracket 2: rung 1 of 1, 3 alive, no loss yet, 1.5 of 27 epochs, 2 epochs/s, about 3 min left",
    ]


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
            SearchProgress((BracketProgress(0, 1, 3, 3, 0.5, done, max(done, 21.0)),), "epochs", 3.0, 2.0, exact=False)
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
    assert "left" not in stream.getvalue()
