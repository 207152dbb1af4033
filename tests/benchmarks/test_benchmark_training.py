"""The benchmarks of training run, check every answer, and find a wrong one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from benchmark_runs import ROOT, measure

from benchmarks.common.optional import Unavailable
from benchmarks.common.timing import take_turns
from benchmarks.training import engine, instructions
from benchmarks.training.contenders import ALL, Contender, Reference, Session
from benchmarks.training.contenders.numpy_loop import NumpyLoop
from benchmarks.training.workloads import Task, digits, mixture, pictures
from hyperband.engine.backends import registry

MISSING = registry.available()["native"]
needs_native = pytest.mark.skipif(bool(MISSING), reason=MISSING or "there")
TASKS = {"A": digits(3), "B": pictures(2, 300).part(2, 300), "C": mixture(4, 600)}


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of torch itself, on import
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
@pytest.mark.parametrize("name", TASKS)
def test_every_contender_gives_the_answer_of_the_reference(kind: type[Contender], name: str) -> None:
    if kind.name == "pure Python loop" and name == "B":
        pytest.skip("takes half a minute; A and C are the same code")
    try:
        assert engine.check(kind(1), TASKS[name]) <= kind.tolerance
    except Unavailable as reason:
        pytest.skip(str(reason))


def faulty(**settings: float) -> type[NumpyLoop]:
    """A contender that trains with other settings than it was given."""

    class Faulty(NumpyLoop):
        name = "faulty"

        def start(self, task: Task) -> Session:
            return super().start(replace(task, networks=[replace(n, **settings) for n in task.networks]))

    return Faulty


@pytest.mark.parametrize(
    "settings", [{"learning_rate": 1.01e-3}, {"beta1": 0.91}, {"beta2": 0.99}, {"epsilon": 1e-6}, {"batch_size": 63}],
    ids=str,
)  # fmt: skip
def test_a_wrong_answer_is_found_and_not_timed(settings: dict[str, float]) -> None:
    task = TASKS["A"].part(2, 128)
    wrong, right = engine.measure(task, 1, 1, [faulty(**settings), Reference])
    assert wrong["status"] == "wrong" and "seconds" not in wrong
    assert right["status"] == "timed" and right["distance"] == 0.0 and len(right["seconds"]) == 1
    assert "WRONG" in engine.table([wrong, right], None)


def test_an_answer_that_is_not_a_number_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "check", lambda contender, task: float("nan"))
    (record,) = engine.measure(TASKS["A"].part(1, 64), 1, 1, [NumpyLoop])
    assert record["status"] == "wrong"


@pytest.mark.parametrize("name", TASKS)
def test_the_order_of_rows_is_not_timed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(work: Any, repetitions: int) -> Any:
        with monkeypatch.context() as inside:
            inside.setattr("benchmarks.training.workloads.RowOrder", None)  # a session that needs an order now fails
            return take_turns(work, repetitions)

    monkeypatch.setattr(engine, "take_turns", timed)
    (record,) = engine.measure(TASKS[name].part(2, 300), 1, 2, [NumpyLoop])
    assert record["status"] == "timed"


def test_the_better_number_of_threads_counts() -> None:
    (record,) = engine.measure(TASKS["A"].part(2, 128), 2, 2, [NumpyLoop])
    tried = record["seconds_by_threads"]
    assert set(tried) == {1, 2}
    assert median(record["seconds"]) == min(median(seconds) for seconds in tried.values())


def test_useful_flops() -> None:
    one = TASKS["A"].part(1, 10)
    assert one.flops(0) == 10 * 2 * (2 * 64 * 32 + 3 * (32 * 32 + 32 * 10))


def test_the_command_prints_a_table_and_writes_json(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    done = subprocess.run(
        [sys.executable, "-m", "hyperband", "bench", "--scale", "0.01", "--repetitions", "1", "--workload", "A",
         "--threads", "1", "--json", str(file)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert "network-epochs/s" in done.stdout and "pure Python loop" in done.stdout
    written = json.loads(file.read_text(encoding="utf-8"))
    about = {"commit", "processor", "memory_bytes", "system", "python", "packages", "build", "engine", "date"}
    assert about | {"workloads", "scale", "repetitions", "runs"} <= set(written)
    assert written["build"]["compiler"]
    records = {r["contender"]: r for r in written["runs"][0]["records"]}
    assert set(records) == {kind.name for kind in ALL}
    for record in records.values():
        assert record["status"] in ("timed", "absent")
        if record["status"] == "timed":
            assert record["distance"] <= record["tolerance"] and len(record["seconds"]) == 1
            assert record["network_epochs_per_second"] > 0


def test_names_of_kernels_are_short() -> None:
    assert instructions.kernel_of("hyperband::avx2::initialise(hyperband::Layout const&, float*)") == "initialise"
    tile = "void hyperband::avx2::tile<6, 1, (hyperband::avx2::Finish)0>(float const*, unsigned long)"
    assert instructions.kernel_of(tile) == "tile"
    rule = "void hyperband::avx2::update_run<(hyperband::Rule)3, true>(float*, hyperband::Update const&)"
    assert instructions.kernel_of(rule) == "update_run<(Rule)3, true>"
    assert instructions.kernel_of("hyperband::cpu::Engine::train_member(unsigned long)") == "Engine::train_member"


@pytest.mark.parametrize(
    ("now", "worse"),
    [
        ({"tile": 1000, "adam": 100}, []),
        ({"tile": 900, "adam": 103}, []),  # within the tolerance
        ({"tile": 1000, "adam": 120}, ["adam"]),
        ({"tile": 1000, "adam": 100, "new": 50}, ["new", "all"]),
        ({"tile": 1000, "adam": 100, "new": 5}, []),  # too few to matter
        ({"adam": 100}, []),
    ],
)
def test_kernels_that_need_more_instructions_are_named(now: dict[str, int], worse: list[str]) -> None:
    found = instructions.compare(now, {"tile": 1000, "adam": 100})
    assert [line.split(":")[0] for line in found] == worse


@needs_native
@pytest.mark.parametrize(
    "arguments",
    [
        ["features", "--seconds", "0"],
        ["growth", "--most", "100", "--rows", "300", "--memory-limit", "2000000"],
        ["inference", "--rows", "500", "--repetitions", "1"],
    ],
)
def test_the_other_benchmarks_of_the_engine(arguments: list[str], tmp_path: Path) -> None:
    records = measure(tmp_path, *arguments)["records"]
    assert records and all(0.0 < record["of_peak"] < 1.1 for record in records)
