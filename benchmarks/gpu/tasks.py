"""The workloads of `benchmarks.gpu.epochs`, their goals on an H100-class GPU, and what the device says of itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.training.workloads import Task, mixture, pictures
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry

ROWS, NETWORKS = 60_000, 10_000
#: Float32 fused multiply-adds of a streaming multiprocessor per cycle, by compute capability; 128 for all others.
LANES = {"7.0": 64, "7.5": 64, "8.0": 64}
#: Largest distance of weights from those in float32, in units of the distance that training moved them. Adam's first
#: steps have the size of the rate whatever the gradient's, so the sign of a small gradient counts. bfloat16 on a CPU
#: gives 0.12.
TOLERANCES = {"float32": 0.0, "tf32": 0.1, "bf16": 0.25}

#: What was measured, as plain data.
Record = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """One row of the table of goals.

    Parameters
    ----------
    title : str
    make : (networks, rows) -> Task
    goals : mapping of precision to seconds an epoch of all networks
    times_peer : float or None
        How many times as many networks a second as the best peer, in float32.
    """

    title: str
    make: Callable[[int, int], Task]
    goals: dict[str, float]
    times_peer: float | None = None

    def task(self, scale: float) -> Task:
        """All networks and rows at scale 1; never fewer than 8 networks and 300 rows."""
        return every_class(self.make(max(8, round(NETWORKS * scale)), max(300, round(ROWS * scale))))


def every_class(task: Task) -> Task:
    """The first rows show every class, so that any part of the task has as many outputs as the whole."""
    y = task.y.copy()
    y[: task.n_classes] = np.arange(task.n_classes)
    return replace(task, y=y, _orders={})


def small(members: int, rows: int) -> Task:
    """64-64-64-10, relu, batches of 64, on classes that a matrix gives."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((rows, 64), np.float32)
    y = (x @ rng.standard_normal((64, 10)) + rng.standard_normal((rows, 10))).argmax(1)
    return Task("64-64-64-10", x, y.astype(np.int64), 10, [Architecture(widths=[64, 64], batch_size=64)] * members)


def medium(members: int, rows: int) -> Task:
    """784-128-64-10, relu, batches of 64, on mixtures of Gaussians."""
    task = pictures(1, rows)
    return replace(task, name="784-128-64-10", networks=[replace(task.networks[0], batch_size=64)] * members)


WORKLOADS = {
    "small": Workload("64-64-64-10", small, {"float32": 0.8, "tf32": 0.3}),
    "medium": Workload("784-128-64-10", medium, {"float32": 7.0, "tf32": 3.0}),
    "mixed": Workload("widths 8..256, depth 1..4, batch 32..256", mixture, {}, times_peer=5.0),
}


def bound(flops: float, seconds: float, peak: float | None) -> Record:
    """Seconds that the float32 peak would take, and the fraction of it that was reached."""
    least = None if peak is None else flops / peak
    return {"bound_seconds": least, "fraction_of_bound": None if least is None else least / seconds}


def compare(records: Sequence[Record]) -> None:
    """Each own time beside the best peer's in float32, and the goal where that is one."""
    for name, workload in WORKLOADS.items():
        timed = [r for r in records if r["workload"] == name and r["status"] == "timed"]
        peers = [r for r in timed if r["contender"] != "hyperband"]
        if not peers:
            continue
        best = max(peers, key=lambda r: r["network_epochs_per_second"])
        for record in (r for r in timed if r["contender"] == "hyperband"):
            times = record["network_epochs_per_second"] / best["network_epochs_per_second"]
            record |= {"best_peer": best["contender"], "times_best_peer": times}
            if workload.times_peer is not None and record["precision"] == "float32":
                met = times >= workload.times_peer if record["at_full_size"] else None
                record |= {"goal_times_best_peer": workload.times_peer, "goal_met": met}


def stand_in() -> None:
    """From now on backend "cuda" of this process runs on the host: for trying programs, never for times."""
    from hyperband import _core
    from hyperband.engine.backends.cuda import CudaBackend

    registry.made["cuda"] = CudaBackend([_core.host_device(threads=32)])


def device(backend: str = "cuda") -> dict[str, Any]:
    """Name, processors, clock and peak of the devices behind a backend; peak in flops per second, None when unknown.

    The peak is that of float32 fused multiply-adds at the highest clock that the driver allows.

    Raises
    ------
    BackendUnavailable
        When there is no GPU, or no code for one.
    """
    devices = registry.get(backend).devices  # type: ignore[attr-defined]
    facts = [d.facts() for d in devices]
    from hyperband.engine.backends import cuda  # there is one, so its module can be imported

    clock = largest_clock()
    first = facts[0]
    lanes = LANES.get(str(first["capability"]), 128)
    processors = sum(int(f["processors"]) for f in facts)
    real = first["capability"] != "none"
    peak = processors * lanes * 2 * clock if clock and real else None
    block = cuda.block_threads() if real else first["threads"]
    more = {"clock_hz": clock, "fp32_lanes": lanes, "fp32_peak": peak, "block_threads": block}
    return {**first, "devices": len(facts), **more}


def smi(field: str) -> list[str]:
    """A field of nvidia-smi for each GPU; empty where the program is absent or fails."""
    program = shutil.which("nvidia-smi", path=None) or shutil.which("nvidia-smi", path="/usr/bin:/usr/local/nvidia/bin")
    if program is None:
        return []
    try:
        done = subprocess.run(
            [program, f"--query-gpu={field}", "--format=csv,noheader,nounits"],
            capture_output=True, text=True, check=True, timeout=20,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def largest_clock() -> float | None:
    """Cycles per second of the slowest GPU's processors at its highest clock."""
    clocks = [float(c) for c in smi("clocks.max.sm") if c.replace(".", "").isdigit()]
    return min(clocks) * 1e6 if clocks else None
