"""The benchmark of drawing configurations runs, and finds answers that are wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import spaces  # noqa: E402


def test_it_runs_beside_whatever_is_installed(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    subprocess.run(
        [sys.executable, "-m", "benchmarks", "spaces", "--n", "500", "--turns", "1", "--json", str(file)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    records = json.loads(file.read_text(encoding="utf-8"))["records"]
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
