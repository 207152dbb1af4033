"""Backend "cuda": thousands of networks on a table that is on the device, beside PyTorch and JAX on the same GPU.

Before anything is timed, a few networks of the task train on a few rows: in float32 their weights must be those of the
CPU engine to the bit, in tf32 and bf16 within `benchmarks.gpu.tasks.TOLERANCES` of them, and a peer's within its
tolerance of the float64 reference. The time is that of one epoch of every network, with the data on the device. For
peers the order of the rows is there too: that of one epoch, used again. Peers train a share of the networks on some of
the rows; their networks a second are scaled by useful flops. The bound is that of float32 multiply-adds.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import click
import numpy as np

import hyperband as hb
from benchmarks.common import records
from benchmarks.common.optional import Unavailable
from benchmarks.common.records import json_option
from benchmarks.gpu import search
from benchmarks.gpu.contenders.base import GpuPeer
from benchmarks.gpu.contenders.buckets import buckets, share
from benchmarks.gpu.contenders.jax_vmap import GpuJax
from benchmarks.gpu.contenders.torch_graph import TorchGraph, TorchVmap
from benchmarks.gpu.tasks import NETWORKS, ROWS, TOLERANCES, WORKLOADS, Record, bound, compare, device
from benchmarks.gpu.tasks import stand_in as use_stand_in
from benchmarks.training.engine import EPOCHS, check, distance
from benchmarks.training.workloads import Layers, Task
from hyperband.errors import BackendUnavailable

PEERS: dict[str, type[GpuPeer]] = {"torch-graph": TorchGraph, "torch-vmap": TorchVmap, "jax": GpuJax}
PRECISIONS = ("float32", "tf32", "bf16")
#: Networks and rows that peers train: enough to fill the device, few enough for an order of rows each to fit.
SHARE = (512, 20_000)
#: Share of an epoch that is trained before the first one that is timed: members and their weights come to the device.
WARM = 0.1


def population(task: Task, backend: str, precision: str, epochs: float) -> hb.Population:
    """The task's networks with the seeds that `Task.initial` and `Task.order` follow."""
    seeds, y = range(len(task.networks)), task.y.astype(np.int32)
    return hb.Population(task.networks, task.x, y, seeds=seeds, epochs=epochs, backend=backend, precision=precision)


def answer(task: Task, precision: str, backend: str = "cuda") -> float:
    """The largest `distance` from the CPU engine's weights in float32 over a few networks: 0.0 is the same bits."""
    part = task.part(min(6, len(task.networks)), min(len(task.x), 2 * task.networks[0].batch_size + 7))
    found, expected = population(part, backend, precision, EPOCHS), population(part, "native", "float32", EPOCHS)
    found.train(until=EPOCHS)
    expected.train(until=EPOCHS)
    members = range(len(part.networks))
    pairs = [(found.weights(m), expected.weights(m), part.initial(m)) for m in members]
    if all(_equal(ours, theirs) for ours, theirs, _ in pairs):
        return 0.0
    worst = [distance(ours, theirs, start) for ours, theirs, start in pairs]
    return float("nan") if np.isnan(worst).any() else max(np.finfo(float).tiny, *worst)


def _equal(a: Layers, b: Layers) -> bool:
    return all(x.tobytes() == y.tobytes() for p, q in zip(a, b, strict=True) for x, y in zip(p, q, strict=True))


def own(task: Task, precision: str, clock: Clock) -> Record:
    """Status, distance and seconds of hyperband's own epochs."""
    record: Record = {"contender": "hyperband", "precision": precision, "tolerance": TOLERANCES[precision]}
    try:
        found = answer(task, precision)
        record["distance"] = found
        if not found <= record["tolerance"]:
            return record | {"status": "wrong"}
        if found == 0.0 and precision != "float32":
            return record | {"status": "wrong", "reason": f"the bits of float32: {precision} was ignored"}
        return record | _own_times(task, precision, clock)
    except BackendUnavailable as reason:
        return record | {"status": "absent", "reason": str(reason)}


def _own_times(task: Task, precision: str, clock: Clock) -> Record:
    began = time.perf_counter()
    trained = population(task, "cuda", precision, clock.repetitions + 1.0)
    fewest = min(-(-len(task.x) // n.batch_size) for n in task.networks)
    warm = max(WARM, 1.0 / fewest)
    trained.train(until=warm)
    ready = time.perf_counter() - began
    seconds = clock.times(lambda turn: trained.train(until=warm + turn))
    return {"status": "timed", "ready_seconds": ready, "seconds": seconds} | _size(task)


def peer(kind: type[GpuPeer], task: Task, where: str, clock: Clock) -> Record:
    """The same of another library, on its share of the task."""
    contender = kind(where)
    record: Record = {"contender": kind.name, "precision": "float32", "tolerance": kind.tolerance}
    try:
        record["distance"] = check(contender, task)
        if not record["distance"] <= kind.tolerance:
            return record | {"status": "wrong"}
        part = share(task, SHARE[0], min(len(task.x), SHARE[1]))
        began = time.perf_counter()
        session = contender.start(part)
        session.repeat = True  # type: ignore[attr-defined]
        session.train()
        ready = time.perf_counter() - began
        seconds = clock.times(lambda turn: session.train())
    except Unavailable as reason:
        return record | {"status": "absent", "reason": str(reason)}
    except Exception as error:  # a failure of another library goes into its record
        return record | {"status": "failed", "reason": f"{type(error).__name__}: {error}"[:1000]}
    found = {"status": "timed", "ready_seconds": ready, "seconds": seconds, "buckets": len(buckets(part))}
    found["notes"] = getattr(session, "notes", [])
    return record | found | _size(part)


def _size(task: Task) -> Record:
    return {
        "networks": len(task.networks),
        "rows": len(task.x),
        "flops": sum(task.flops(m) for m in range(len(task.networks))),
    }


class Clock:
    """A number of repetitions within a time limit; at least one."""

    def __init__(self, repetitions: int, seconds: float | None) -> None:
        self.repetitions = repetitions
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Seconds; None without a limit."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def times(self, work: Callable[[int], object]) -> list[float]:
        """Seconds of each call ``work(1)``, ``work(2)``, ..."""
        seconds: list[float] = []
        for turn in range(1, self.repetitions + 1):
            if seconds and self.left() is not None and self.left() < max(seconds):  # type: ignore[operator]
                break
            began = time.perf_counter()
            work(turn)
            seconds.append(time.perf_counter() - began)
        return seconds


def finish(record: Record, name: str, task: Task | None, peak: float | None) -> Record:
    """The record with rates, the bound and the goal."""
    workload = WORKLOADS[name]
    full = task is not None and (len(task.networks), len(task.x)) == (NETWORKS, ROWS)
    head = {"workload": name, "title": workload.title, "at_full_size": full}
    if record["status"] != "timed" or task is None:
        return head | record
    mean = sum(task.flops(m) for m in range(len(task.networks))) / len(task.networks)
    seconds = median(record["seconds"])
    rate = record["flops"] / seconds
    record |= {"tflops": rate / 1e12, "network_epochs_per_second": rate / mean} | bound(record["flops"], seconds, peak)
    if record["contender"] == "hyperband":
        goal = workload.goals.get(record["precision"])
        record |= {"goal_seconds": goal, "goal_met": seconds <= goal if full and goal is not None else None}
    return head | record


def _too_far(r: Record) -> str:
    return f"{r['distance']:.2g} from the answer, more than {r['tolerance']}"


def line(r: Record) -> str:
    """A record as a line of text."""
    start = f"{r['workload']:<8}{r['contender']:<30}{r['precision']:<9}"
    if r["status"] == "wrong":
        return f"{start}WRONG: {r.get('reason') or _too_far(r)}"
    if r["status"] != "timed":
        return f"{start}{r['status']}: {r['reason']}"
    share = "" if r.get("fraction_of_bound") is None else f", {100 * r['fraction_of_bound']:.1f} % of the float32 peak"
    goal = "" if r.get("goal_seconds") is None or not r["at_full_size"] else f"; goal {r['goal_seconds']} s"
    met = {True: ", met", False: ", NOT met", None: ""}[r.get("goal_met")]
    rate = "" if "network_epochs_per_second" not in r else f", {r['network_epochs_per_second']:,.4g} network-epochs/s"
    size = f" ({r['networks']} networks{'' if 'rows' not in r else ' x ' + str(r['rows']) + ' rows'})"
    return f"{start}{median(r['seconds']):.3f} s{size}, {r['tflops']:.3g} TFLOP/s{share}{rate}{goal}{met}"


@click.command("gpu")
@click.option("--workload", "workloads", multiple=True, type=click.Choice([*WORKLOADS, "search"]), help="Default: all.")
@click.option("--precision", "precisions", multiple=True, type=click.Choice(PRECISIONS), help="Default: all.")
@click.option("--contender", "chosen", multiple=True, type=click.Choice(["hyperband", *PEERS]), help="Default: all.")
@click.option("--scale", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True)
@click.option("--repetitions", type=click.IntRange(1), default=3, show_default=True)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Start nothing new after so long.")
@json_option
@click.option("--device", "where", type=click.Choice(["cuda", "cpu"]), default="cuda", hidden=True)
@click.option("--stand-in", is_flag=True, hidden=True)
def main(
    workloads: Sequence[str],
    precisions: Sequence[str],
    chosen: Sequence[str],
    scale: float,
    repetitions: int,
    seconds: float | None,
    json_file: Path | None,
    where: str,
    stand_in: bool,
) -> None:
    """See `benchmarks.__main__`."""
    if stand_in:
        use_stand_in()
    precisions, chosen, clock = precisions or PRECISIONS, chosen or ["hyperband", *PEERS], Clock(repetitions, seconds)
    about = device_or_reason()
    click.echo(f"{about['name'] or about['reason']}; scale {scale}; one epoch of every network; medians")
    found: list[Record] = []

    def note(record: Record) -> None:
        found.append(record)
        click.echo(line(record))
        compare(found)
        records.write(json_file, {"gpu": about, "scale": scale, "repetitions": repetitions, "records": found})

    for name in workloads or [*WORKLOADS, "search"]:
        if name != "search":
            task = WORKLOADS[name].task(scale)
            for work in jobs(task, precisions, chosen, where, clock):
                if clock.left() == 0.0:
                    break
                note(finish(work(), name, task, about["fp32_peak"]))
                gc.collect()
        elif "hyperband" in chosen:
            search.compare(precisions, scale, about["fp32_peak"], clock.left, note)
    if any(r["status"] == "wrong" for r in found):
        raise click.ClickException("An answer was wrong; nothing was timed for it.")
    if not any(r["status"] == "timed" for r in found):
        raise click.ClickException("Nothing could be timed here.")


def device_or_reason() -> Record:
    """`device`, or the reason why there is none."""
    try:
        return device()
    except BackendUnavailable as error:
        return {"name": None, "reason": str(error), "fp32_peak": None}


def jobs(
    task: Task, precisions: Sequence[str], chosen: Sequence[str], where: str, clock: Clock
) -> list[Callable[[], Record]]:
    """Functions that make the records of one workload, hyperband's own first."""
    mine = [lambda p=p: own(task, p, clock) for p in precisions if "hyperband" in chosen]
    return [*mine, *(lambda k=PEERS[c]: peer(k, task, where, clock) for c in chosen if c in PEERS)]
