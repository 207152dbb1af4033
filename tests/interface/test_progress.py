"""Progress: figures add up, a terminal gets a live table, a pipe gets plain lines."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import pytest

from hyperband.evaluation.networks.evaluator import Activity
from hyperband.interface.reporter import Meter, Reporter
from hyperband.tuning.plans import hyperband_plan


class Terminal(io.StringIO):
    def isatty(self):
        return True


def status(*activity):
    return Meter(hyperband_plan(9, 3), 1.0).status(activity)


def test_meter_knows_the_plan_before_anything_ran():
    start = status()
    assert [b.planned for b in start.brackets] == [21, 21, 27]
    assert (start.epochs, start.planned) == (0, 69)
    assert all(math.isnan(b.best) for b in start.brackets)


def test_meter_scales_resource_to_passes_over_the_rows():
    assert Meter(hyperband_plan(900, 3, 100), 50 / 900).status([]).planned == pytest.approx(69 / 9 * 50)


def test_lines_name_every_bracket_that_moved_once():
    stream = io.StringIO()
    reporter = Reporter(stream, interval=0.0)
    reporter(status(Activity(0, 1, 3, 9.0, 0.5)))
    reporter(status(Activity(0, 1, 3, 9.0, 0.5)))
    reporter(status(Activity(0, 2, 1, 21.0, 0.25), Activity(2, 0, 3, 1.5, math.nan)))
    reporter.close()
    lines = [line.split("] ")[1].split(" epochs,")[0] for line in stream.getvalue().splitlines()]
    assert lines == [
        "bracket 0: rung 2 of 3, 3 alive, best loss 0.5000, 9 of 21",
        "bracket 0: rung 3 of 3, 1 alive, best loss 0.2500, 21 of 21",
        "bracket 2: rung 1 of 1, 3 alive, no loss yet, 2 of 27",
    ]


def test_lines_are_occasional():
    stream = io.StringIO()
    reporter = Reporter(stream, interval=60.0)
    for epochs in range(20):
        reporter(status(Activity(0, 0, 9, float(epochs), math.nan)))
    assert len(stream.getvalue().splitlines()) <= 1
    reporter.close()
    assert "19 of 21 epochs" in stream.getvalue().splitlines()[-1]


def test_a_terminal_gets_one_live_table():
    stream = Terminal()
    reporter = Reporter(stream)
    reporter(status(Activity(0, 1, 3, 9.0, 0.5)))
    reporter.close()
    shown = stream.getvalue()
    assert "bracket" in shown and "2 of 3" in shown and "0.5000" in shown and "network-epochs/s" in shown


def test_the_rate_of_a_search_without_end_counts_brackets_that_are_no_longer_shown(monkeypatch):
    now = iter([0.0, 1.0, 2.0])
    monkeypatch.setattr("hyperband.interface.reporter.time.monotonic", lambda: next(now))
    meter = Meter(replace(hyperband_plan(3, 3), endless=True), 1.0)
    first = [Activity(bracket, 0, 0, 5.0, 0.5) for bracket in range(2)]
    assert meter.status(first).rate == 10.0
    later = meter.status([Activity(bracket, 0, 0, 5.0, 0.5) for bracket in range(40)])
    assert len(later.brackets) == 2
    assert later.rate == 100.0  # 200 epochs in two seconds
