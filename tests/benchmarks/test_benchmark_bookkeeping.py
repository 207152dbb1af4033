"""The benchmarks of rungs and of spaces run, and find answers that are wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import pytest
from benchmark_runs import measure

from benchmarks.bookkeeping import rungs, spaces
from benchmarks.bookkeeping.contenders import ALL, Heaps, Losses, Sorting
from benchmarks.common.optional import Unavailable


@pytest.mark.parametrize("name", [name for name, kind in ALL.items() if kind.rule == "promotion"])
def test_rung_tables_hand_out_the_same_jobs(name: str) -> None:
    try:
        rungs.check(ALL[name], 2000)
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_a_rung_table_with_another_rule_is_found() -> None:
    class Generous(Sorting):
        def tell(self, trial: int, rung: int, loss: float) -> None:
            super().tell(trial, rung, loss if trial % 97 else -loss)

    with pytest.raises(rungs.WrongAnswer, match="plain Python says"):
        rungs.check(Generous, 2000)


def test_sorting_follows_the_rule_by_hand() -> None:
    losses = Losses(100)
    table = Sorting(losses)
    jobs = [table.ask() for _ in range(4)]
    assert jobs == [(0, 0), (1, 0), (2, 0), (3, 0)]
    for trial, loss in enumerate([0.3, 0.1, 0.2]):
        table.tell(trial, 0, loss)
    assert [table.ask(), table.ask()] == [(1, 1), (4, 0)]
    table.tell(3, 0, 0.05)  # one of four continues, and it is this one: that another one has gone takes nothing from it
    assert [table.ask(), table.ask()] == [(3, 1), (5, 0)]
    for trial in (4, 5):
        table.tell(trial, 0, 0.9)
    assert table.ask() == (6, 0)  # two of six, and both have gone


def test_time_and_memory_are_read_at_the_marks() -> None:
    record = rungs.measure(Heaps.name, (100, 1000), limit=60.0)
    assert [told for told, _ in record["windows"]] == [100, 1000]
    assert all(seconds > 0 for _, seconds in record["windows"])
    assert record["results"] == 1000
    assert len(rungs.measure(Sorting.name, (300, 5_000_000), limit=1.0)["windows"]) == 1


def test_it_runs_beside_whatever_is_installed(tmp_path: Path) -> None:
    records = measure(tmp_path, "spaces", "--n", "500", "--turns", "1")["records"]
    assert {contender.name for contender in spaces.OURS} < {record["name"] for record in records}
    assert all(record["n"] == 500 and record["seconds"] > 0 for record in records)


@pytest.mark.parametrize("contender", spaces.OURS, ids=lambda contender: contender.name)
def test_ours_are_right(contender: spaces.Contender) -> None:
    spaces.check(contender, 1000)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: rows[:-1], "instead of"),
        (lambda rows: [{**row, "momentum": 0.5} for row in rows], "should have values"),
        (lambda rows: [{k: v for k, v in row.items() if k != "dropout"} for row in rows], "should have values"),
        (lambda rows: [{**row, "learning_rate": 0.9} for row in rows], "unevenly"),
    ],
)
def test_a_wrong_answer_is_found_and_not_timed(spoil, message: str) -> None:
    faulty = replace(spaces.OURS[2], read=spoil)
    with pytest.raises(click.ClickException, match=message):
        spaces.check(faulty, 1000)
