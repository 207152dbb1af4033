"""Network-epochs per second of a population, against other ways to train the same networks.

Every contender gets the same initial weights, the same rows in the same order and the same optimiser. Before it is
timed, it trains a few of the networks for a few epochs. Its weights must then agree with those of the float64
reference: their distance is at most `Contender.tolerance` times the distance that training moved them. Repetitions
take turns. Each number of threads has a process of its own, bound to as many processors, so that no library takes
more. A library that may be faster on fewer threads is timed with both numbers, and the faster one counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

from benchmarks.common import machine, records
from benchmarks.common.optional import Unavailable
from benchmarks.common.paths import ROOT
from benchmarks.common.records import json_option
from benchmarks.common.timing import take_turns
from benchmarks.training.contenders import ALL, Contender, Reference
from benchmarks.training.rates import fma_peak
from benchmarks.training.workloads import Layers, Task, digits, mixture, pictures

#: Epochs of a check: in the first steps a wrong decay of the second moment makes no difference.
EPOCHS = 3
#: workload -> its task for a scale; scale 1 takes minutes
WORKLOADS = {
    "A": lambda scale: digits(max(2, int(256 * scale))),
    "B": lambda scale: pictures(max(2, int(8 * scale)), max(300, int(6000 * scale))),
    "C": lambda scale: mixture(max(2, int(32 * scale)), max(300, int(6000 * scale))),
}
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def distance(found: Layers, reference: Layers, start: Layers) -> float:
    """Euclidean distance to the reference's weights, in units of what training changed."""

    def flat(layers: Layers) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.concatenate([np.asarray(part, np.float64).ravel() for layer in layers for part in layer])

    moved = float(np.linalg.norm(flat(reference) - flat(start)))
    return float(np.linalg.norm(flat(found) - flat(reference))) / moved


def check(contender: Contender, task: Task) -> float:
    """The largest `distance` over a few networks after `EPOCHS` on a few rows with a short last batch."""
    small = task.part(min(4, len(task.networks)), min(len(task.x), 2 * task.networks[0].batch_size + 7))
    small = small.with_activations(contender.activations, "tanh")
    session, reference = contender.start(small), Reference(1).start(small)
    for _ in range(EPOCHS):
        session.train()
        reference.train()
    members = range(len(small.networks))
    return max(distance(session.weights(m), reference.weights(m), small.initial(m)) for m in members)


def measure(
    task: Task, threads: int, repetitions: int, chosen: Sequence[type[Contender]] = ALL
) -> list[dict[str, Any]]:
    """A record per contender: status ("timed", "wrong", "absent"), distance, raw seconds, useful flops a repetition."""
    found: list[dict[str, Any]] = []
    work: dict[tuple[type[Contender], int], Callable[[], object]] = {}
    for kind in chosen:
        record = {"workload": task.name, "contender": kind.name, "threads": threads, "tolerance": kind.tolerance}
        found.append(record)
        try:
            ready = {(kind, n): _prepare(kind(n), task, repetitions, record) for n in kind.settings(threads)}
        except Wrong:
            record["status"] = "wrong"
        except Unavailable as reason:
            record |= {"status": "absent", "reason": str(reason)}
        else:
            record["status"] = "timed"
            work |= ready
    turns = take_turns(work, repetitions)
    mean_flops = sum(task.flops(m) for m in range(len(task.networks))) / len(task.networks)
    for kind, record in zip(chosen, found, strict=True):
        if record["status"] == "timed":
            tried = {n: seconds for (timed, n), seconds in turns.items() if timed is kind}
            best = min(tried, key=lambda n: median(tried[n]))
            rate = record["flops"] / median(tried[best])
            record |= {"library_threads": best, "seconds": tried[best], "seconds_by_threads": tried}
            record |= {"gflops": rate / 1e9, "network_epochs_per_second": rate / mean_flops}
    return found


class Wrong(Exception):
    """A contender whose weights are too far from the reference's."""


def _prepare(contender: Contender, task: Task, repetitions: int, record: dict[str, Any]) -> Callable[[], object]:
    """Check the contender's answer, then return one epoch of its share of the task, ready to be timed."""
    found = check(contender, task)
    record["distance"] = max(found, record.get("distance", 0.0))
    if not found <= contender.tolerance:
        record["distance"] = found
        raise Wrong
    members, rows = contender.share(task)
    part = task.part(members, rows)
    record |= {
        "networks": members,
        "rows": rows,
        "replaced_by_tanh": sum(n.activation not in contender.activations for n in part.networks),
        "flops": sum(part.flops(m) for m in range(members)),
    }
    known = part.with_activations(contender.activations, "tanh")
    for epoch in range(repetitions + 1):  # drawing the order of rows is not timed
        for member in range(members):
            known.order(member, epoch)
    return contender.start(known).train


def table(records: Sequence[dict[str, Any]], peak: float | None) -> str:
    """The records of one workload and number of threads as text; others are compared with the first one.

    ``peak`` is that of as many threads together, in flops per second.
    """
    first = records[0]
    title = f"{first['workload']}, {first['threads']} thread{'s' if first['threads'] > 1 else ''}"
    head = f"{'threads':>8}{'network-epochs/s':>18}{'GFLOP/s':>10}{'% of peak':>11}{'times slower':>14}"
    lines = [title, f"{'':<28}{head}   checked"]
    for r in records:
        if r["status"] != "timed":
            why = r.get("reason") or f"WRONG: {r['distance']:.2g} from the reference, more than {r['tolerance']}"
            lines.append(f"{r['contender']:<28}{why}")
            continue
        share = "" if peak is None else f"{100e9 * r['gflops'] / peak:.1f}"
        slower = first["gflops"] / r["gflops"] if first["status"] == "timed" else float("nan")
        note = f", tanh for gelu in {r['replaced_by_tanh']}" if r["replaced_by_tanh"] else ""
        some = f", {r['networks']} networks x {r['rows']} rows"
        lines.append(
            f"{r['contender']:<28}{r['library_threads']:>8}{r['network_epochs_per_second']:>18,.4g}{r['gflops']:>10.3g}"
            f"{share:>11}{slower:>14.3g}   {r['distance']:.0e}{some}{note}"
        )
    return "\n".join(lines)


def _worker(threads: int, workloads: Sequence[str], scale: float, repetitions: int, file: Path) -> None:
    peak, timed = fma_peak(threads), []
    for name in workloads:
        found = measure(WORKLOADS[name](scale), threads, repetitions)
        click.echo(table(found, peak) + "\n")
        timed += found
    file.write_text(json.dumps({"threads": threads, "fma_peak": peak, "records": timed}), encoding="utf-8")


def _in_own_process(threads: int, arguments: Sequence[str]) -> dict[str, Any]:
    """Run a worker process that is bound to as many processors as it has threads."""
    processors = machine.cores()[:threads]

    def bind() -> None:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, processors)

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "records.json"
        command = [sys.executable, "-m", "benchmarks", "engine", *arguments, "--worker", str(threads), str(file)]
        subprocess.run(
            command,
            check=True,
            preexec_fn=bind,
            env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)),
            cwd=ROOT,
        )
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found


@click.command("engine")
@click.option("--workload", "workloads", multiple=True, type=click.Choice(list(WORKLOADS)), help="Default: all.")
@click.option("--threads", multiple=True, type=click.IntRange(1), help="Repeatable.  [default: 1 and all processors]")
@click.option("--scale", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True, help="Of the work.")
@click.option("--repetitions", type=click.IntRange(1), default=5, show_default=True)
@json_option
@click.option("--worker", type=(int, click.Path(path_type=Path)), hidden=True)
def main(
    workloads: Sequence[str],
    threads: Sequence[int],
    scale: float,
    repetitions: int,
    json_file: Path | None,
    worker: tuple[int, Path] | None,
) -> None:
    """See `benchmarks.__main__`."""
    workloads = workloads or list(WORKLOADS)
    if worker is not None:
        _worker(worker[0], workloads, scale, repetitions, worker[1])
        return
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise click.ClickException(f"--json must name a file in a folder that exists; got {json_file}.")
    processors = len(machine.cores())
    if any(t > processors for t in threads):
        raise click.ClickException(f"--threads must be at most {processors}, the processors of this machine.")
    about = machine.describe()
    click.echo(
        f"{about['processor']}, {processors} processors; {about['engine']['instruction set']}; commit {about['commit']}"
    )
    click.echo("flops of a row: 2 in x out a layer, forward, dX (not of the first layer), dW; medians over turns")
    click.echo("network-epochs/s of a contender that trains fewer networks or rows are scaled by these flops\n")
    arguments = [part for name in workloads for part in ("--workload", name)]
    arguments += ["--scale", str(scale), "--repetitions", str(repetitions)]
    runs = [_in_own_process(t, arguments) for t in threads or sorted({1, processors})]
    options = {"workloads": list(workloads), "scale": scale, "repetitions": repetitions}
    records.write(json_file, {**options, "runs": runs}, about)
