"""The benchmark of backend "cuda" and ``gpu-check``, tiny, on the host in a GPU's place; wrong answers are found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmark_runs import ROOT
from click.testing import CliRunner, Result

from benchmarks.common.optional import Unavailable
from benchmarks.gpu import check as gpu_check
from benchmarks.gpu import epochs as gpu
from benchmarks.gpu import search as gpu_search
from benchmarks.gpu import tasks as gpu_tasks
from benchmarks.gpu.contenders.base import GpuPeer
from benchmarks.gpu.contenders.buckets import buckets, share
from benchmarks.gpu.steps import Steps, take_json
from benchmarks.training.contenders import Session
from benchmarks.training.contenders.numpy_loop import NumpyLoop
from benchmarks.training.engine import check
from benchmarks.training.workloads import Layers, Task, mixture
from hyperband.engine.backends import registry

MISSING = registry.available()["native"]
needs_native = pytest.mark.skipif(bool(MISSING), reason=MISSING or "there")
TINY = ["--scale", "0.0005", "--repetitions", "1", "--precision", "float32"]


class HostPeer(GpuPeer):
    """A peer that needs nothing installed: a loop in NumPy."""

    name = "NumPy in a peer's place"

    def start(self, task: Task) -> Session:
        return NumpyLoop(1).start(task)


class Hasty(HostPeer):
    """Trains with another rate than it was given."""

    name = "hasty"

    def start(self, task: Task) -> Session:
        return super().start(replace(task, networks=[replace(n, learning_rate=2e-3) for n in task.networks]))


class Absent(HostPeer):
    name = "absent"

    def start(self, task: Task) -> Session:
        raise Unavailable("it is not installed")


class Broken(HostPeer):
    name = "broken"

    def start(self, task: Task) -> Session:
        raise RuntimeError("out of memory")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backend "cuda" is the stand-in, and so are the peers."""
    monkeypatch.setattr(registry, "made", dict(registry.made))
    gpu_tasks.stand_in()
    monkeypatch.setattr(gpu, "PEERS", {"torch-graph": HostPeer, "torch-vmap": Broken, "jax": Absent})


def run(arguments: Sequence[str], file: Path) -> tuple[Result, dict[str, dict[str, Any]]]:
    """The command's result and its records by contender."""
    done = CliRunner().invoke(gpu.main, [*arguments, *TINY, "--json", str(file)])
    return done, {r["contender"]: r for r in json.loads(file.read_text(encoding="utf-8"))["records"]}


@needs_native
@pytest.mark.usefixtures("host")
def test_every_record_says_what_was_found(tmp_path: Path) -> None:
    file = tmp_path / "gpu.json"
    done, records = run(["--workload", "small"], file)
    assert done.exit_code == 0, done.output
    about = json.loads(file.read_text(encoding="utf-8"))
    assert {"commit", "processor", "packages", "gpu", "scale", "repetitions"} <= set(about)
    assert about["gpu"]["processors"] >= 1 and about["gpu"]["fp32_peak"] is None
    own, peer = records["hyperband"], records[HostPeer.name]
    assert own["distance"] == 0.0 and len(own["seconds"]) == 1 and own["title"] == "64-64-64-10"
    assert own["flops"] == own["networks"] * own["rows"] * 2 * (2 * 64 * 64 + 3 * (64 * 64 + 64 * 10))
    assert own["tflops"] == pytest.approx(own["flops"] / own["seconds"][0] / 1e12)
    assert own["goal_seconds"] == 0.8 and own["goal_met"] is None  # not at full size
    assert own["best_peer"] == HostPeer.name and own["times_best_peer"] > 0
    assert peer["status"] == "timed" and 0 < peer["distance"] <= peer["tolerance"]
    assert records["absent"]["status"] == "absent" and "not installed" in records["absent"]["reason"]
    assert records["broken"]["status"] == "failed" and "out of memory" in records["broken"]["reason"]


@needs_native
@pytest.mark.usefixtures("host")
def test_networks_of_unlike_shape(tmp_path: Path) -> None:
    done, records = run(["--workload", "mixed", "--contender", "hyperband"], tmp_path / "gpu.json")
    assert done.exit_code == 0, done.output
    assert records["hyperband"]["distance"] == 0.0


@needs_native
@pytest.mark.usefixtures("host")
def test_a_wrong_peer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gpu.PEERS, "jax", Hasty)
    done, records = run(["--workload", "small", "--contender", "jax"], tmp_path / "gpu.json")
    assert done.exit_code == 1 and "WRONG" in done.output
    assert records["hasty"]["status"] == "wrong" and "seconds" not in records["hasty"]


@needs_native
@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("error", [1e-7, float("nan")])
def test_one_wrong_bit_is_refused(error: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = gpu.population

    def population(task: Task, backend: str, *more: Any) -> Any:
        made = original(task, backend, *more)
        if backend == "cuda":
            weights = made.weights

            def wrong(member: int) -> Layers:
                layers = weights(member)
                layers[0][0][0, 0] += np.float32(error)
                return layers

            made.weights = wrong
        return made

    monkeypatch.setattr(gpu, "population", population)
    done, records = run(["--workload", "small", "--contender", "hyperband"], tmp_path / "gpu.json")
    assert done.exit_code == 1 and records["hyperband"]["status"] == "wrong"


@needs_native
@pytest.mark.usefixtures("host")
def test_a_precision_that_is_ignored_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    task = gpu_tasks.WORKLOADS["small"].task(0.0005)
    monkeypatch.setattr(gpu, "answer", lambda task, precision: 0.0)
    record = gpu.finish(gpu.own(task, "tf32", gpu.Clock(1, None)), "small", task, None)
    assert record["status"] == "wrong" and "ignored" in gpu.line(record)


@needs_native
@pytest.mark.usefixtures("host")
def test_a_search_finds_the_losses_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_search, "fashion", lambda: None)
    records: list[dict[str, Any]] = []
    gpu_search.compare(["float32"], 0.001, 1e12, lambda: None, records.append)
    own, native = records
    assert own["status"] == "timed" and native["same_losses"] and own["evaluations"] == 6
    assert own["times_cpu"] > 0 and own["goal_met"] is None and "synthetic" in own["data"]
    assert own["fraction_of_bound"] == pytest.approx(own["flops"] / 1e12 / own["seconds"][0])


def test_no_gpu_is_said_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_check, "smi", lambda field: [])
    monkeypatch.setattr(gpu_check, "build", None)
    done = CliRunner().invoke(gpu_check.main, [])
    assert done.exit_code == 2 and "no GPU: nvidia-smi" in done.output


@needs_native
def test_gpu_check_on_the_host(tmp_path: Path) -> None:
    tool = tmp_path / "compute-sanitizer"
    tool.write_text("#!/bin/sh\necho ========= ERROR SUMMARY: 2 errors\nexit 99\n", encoding="utf-8")
    tool.chmod(0o755)
    file = tmp_path / "found.json"
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "gpu-check", "--dry-run", "--seconds", "100", "--out", str(file)],
        cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    found = json.loads(file.read_text(encoding="utf-8"))
    steps = found["steps"]
    assert found["device"] == "host stand-in" and found["dry_run"] and found["commit"]
    assert found["hashes"]["equal"] and found["hashes"]["states"] > 40
    assert steps["hashes"]["status"] == steps["own epochs"]["status"] == steps["search"]["status"] == "passed"
    assert {r["workload"] for r in found["timings"]["records"]} == {"small", "mixed", "search"}
    assert steps["compute-sanitizer racecheck"]["summary"] == "ERROR SUMMARY: 2 errors"
    assert done.returncode == 1 and "FAILED: compute-sanitizer memcheck" in done.stderr  # the planted errors


def test_steps_end_in_time_and_the_next_ones_run(tmp_path: Path) -> None:
    steps = Steps(tmp_path / "logs", 60.0, 10.0, {"WORD": "heard"})
    python = [sys.executable, "-c"]
    began = time.monotonic()
    slow = steps.run("slow", [*python, "print('begun', flush=True); import time; time.sleep(60)"], 1.5)
    assert slow["status"] == "timed out" and time.monotonic() - began < 15
    assert steps.run("bad", [*python, "raise SystemExit(3)"], 20.0)["code"] == 3
    assert steps.run("none", ["no-such-program"], 20.0)["status"] == "failed"
    good = steps.run("good", [*python, "import os, json; print(json.dumps({'word': os.environ['WORD']}))"], 20.0)
    assert take_json(good) == {"word": "heard"} and steps.passed("good")
    steps.skip("other", "not here")
    assert steps.failures() == ["slow", "bad", "none"]


def test_the_tasks_are_those_of_the_goals() -> None:
    small, medium, mixed = (gpu_tasks.WORKLOADS[name].task(0.01) for name in ("small", "medium", "mixed"))
    assert [small.dims(0), medium.dims(0)] == [(64, 64, 64, 10), (784, 128, 64, 10)]
    assert {n.batch_size for n in (*small.networks, *medium.networks)} == {64}
    for task in (small, medium, mixed):
        assert (len(task.networks), len(task.x)) == (100, 600)
        assert set(task.y[: task.n_classes].tolist()) == set(range(task.n_classes))
        assert {n.optimizer for n in task.networks} == {"adam"}
    widths = [w for n in mixed.networks for w in n.widths]
    assert min(widths) >= 8 and max(widths) <= 256 and {len(n.widths) for n in mixed.networks} == {1, 2, 3, 4}


def test_shares_of_networks_keep_their_buckets() -> None:
    task = mixture(400, 300)
    whole = {(b.widths, b.settings): len(b.members) for b in buckets(task)}
    part = share(task, 100, 200)
    assert 30 < len(part.networks) < 250 and len(part.x) == 200
    assert all(len(b.members) == whole[b.widths, b.settings] for b in buckets(part))
    alike = share(gpu_tasks.small(50, 300), 7, 300)
    assert len(alike.networks) == 7 and [b.widths for b in buckets(alike)] == [(64, 64)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", gpu.PEERS.values(), ids=gpu.PEERS)
@pytest.mark.parametrize("name", ["small", "mixed"])
def test_peers_give_the_answer_of_the_reference(kind: type[GpuPeer], name: str) -> None:
    try:
        assert check(kind("cpu"), gpu_tasks.WORKLOADS[name].task(0.0005)) <= kind.tolerance
    except Unavailable as reason:
        pytest.skip(str(reason))
