"""The command line of the benchmarks, ``hyperband bench``, and what every record says of the machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from benchmark_runs import ROOT, command

from benchmarks.__main__ import COMMANDS, Benchmarks
from benchmarks.common import machine
from hyperband.cli.bench import command as bench_command
from hyperband.errors import BackendUnavailable


def test_help_has_a_line_for_every_benchmark() -> None:
    listed = dict(re.findall(r"^  ([a-z][\w-]+) {2,}(\S.*)$", command("--help").stdout, re.M))
    assert listed == {name: shows for name, (_, shows) in COMMANDS.items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_benchmark_can_be_called(name: str) -> None:
    assert isinstance(Benchmarks("benchmarks").get_command(click.Context(click.Command("x")), name), click.Command)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threads", "999"], "at most"),
        (["--json", "no/such/folder/x.json"], "folder that exists"),
        (["--workload", "Z"], "'Z' is not one of"),
        (["speed"], "No such command"),
        (["search-quality", "--contenders", "no such"], "unknown contender 'no such'"),
        (["search-quality", "--tasks", "no such"], "unknown task 'no such'"),
        (["rungs", "--contenders", "no such"], "unknown contender 'no such'"),
    ],
    ids=" ".join,
)
def test_a_bad_argument_is_named(arguments: list[str], message: str) -> None:
    done = command(*arguments)
    assert done.returncode != 0 and message in done.stderr


def test_hyperband_bench_hands_its_options_on_and_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hyperband", "bench", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0 and "engine" in done.stdout and "datasets" in done.stdout
    monkeypatch.setattr("hyperband.cli.bench.source_tree", lambda: None)
    with pytest.raises(BackendUnavailable, match="source tree.*checkout"):
        bench_command.callback(())  # type: ignore[misc]


def test_datasets_that_are_absent_are_named(tmp_path: Path) -> None:
    done = command("datasets", "--table", "adult", env={"HYPERBAND_DATA": str(tmp_path), "PATH": ""})
    assert done.returncode != 0 and "adult" in done.stderr and "HYPERBAND_DATA" in done.stderr


def test_the_machine_is_described() -> None:
    about = machine.describe()
    assert about["processor"] and about["python"] and about["commit"]
