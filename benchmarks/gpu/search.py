"""A whole Hyperband on Fashion-MNIST with the default space: on the GPU, and on the CPU engine with all processors.

This is `hyperband.search` after its table was read and scaled, without the packages that read tables.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hyperband as hb
from benchmarks.common import machine
from benchmarks.common.paths import DATA
from benchmarks.gpu.tasks import Record, bound
from benchmarks.training.workloads import F32, flops_per_row, pictures
from hyperband.engine.backends import registry
from hyperband.engine.network_space import PARAMETERS, default_space, to_architecture
from hyperband.errors import BackendUnavailable
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.networks.datasets import OneDataset
from hyperband.evaluation.networks.evaluator import NetworkEvaluator
from hyperband.interface.carry_out import carry_out

TITLE, GOAL = "Hyperband R = 81, Fashion-MNIST, default space", 20.0
VALIDATION = 0.2
Curves = dict[tuple[int, int], float]


@dataclass(frozen=True)
class Rows:
    """Rows for training and for validation; see `hyperband.evaluation.networks.datasets.Data`."""

    x_train: F32
    y_train: NDArray[np.int32]
    x_validation: F32
    y_validation: NDArray[np.int32]
    weight_train: None = None
    weight_validation: None = None
    loss: str = "cross_entropy"
    n_outputs: int = 10
    scale: tuple[float, ...] = (1.0,)
    n_numbers: int = 0


def fashion(folder: Path = DATA) -> tuple[F32, NDArray[np.int64]] | None:
    """60,000 pictures of 784 numbers with mean 0 and deviation 1, and their classes; None where they are absent."""
    files = [folder / "fashion-mnist" / f"train-{kind}.gz" for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")]
    if not all(file.is_file() for file in files):
        return None
    images, labels = (gzip.decompress(file.read_bytes()) for file in files)
    x = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 784).astype(np.float32)
    return (x - x.mean()) / x.std(), np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def rows(scale: float) -> tuple[Rows, str]:
    """The data in random order, a fifth of it for validation, and a description with the numbers of rows."""
    found = fashion()
    if found is None:
        task = pictures(1, 60_000 if scale == 1 else max(500, round(60_000 * scale)))
        found, what = (task.x, task.y), "synthetic, of Fashion-MNIST's shape: mixtures of Gaussians in 784 dimensions"
    else:
        what = "Fashion-MNIST"
    x, y = found
    order = np.random.default_rng(0).permutation(len(x))[: max(500, round(len(x) * scale))]
    y = y.astype(np.int32)
    held = round(VALIDATION * len(order))
    validation, train = order[:held], order[held:]
    return Rows(x[train], y[train], x[validation], y[validation]), f"{what}, {len(train):,} + {held:,} rows"


def search(
    data: Rows, backend: str, precision: str, largest: int, seconds: float | None
) -> tuple[hb.SearchResult, float]:
    """The result, and seconds from data in memory to the end."""
    began = time.perf_counter()
    space = default_space(*data.x_train.shape, data.n_outputs, data.loss)
    run = hb.Hyperband(largest).start(space, 0)
    evaluator = NetworkEvaluator(
        OneDataset(data),
        registry.get(backend),
        max_resource=float(largest),
        seed=0,
        compute=hb.Compute(precision=precision),
    )
    try:
        result = carry_out(run, evaluator, Budget(seconds=seconds))
    finally:
        evaluator.close()
    return result, time.perf_counter() - began


def flops(result: hb.SearchResult, data: Rows) -> float:
    """Useful flops of all training of a search by epochs, without validation."""
    table, total = result.trials, 0.0
    names = [name for name in table if name in PARAMETERS]
    for row, cost in enumerate(table["cost"].tolist()):
        values = {name: table[name][row] for name in names}
        network = to_architecture({name: value for name, value in values.items() if not _absent(value)})
        total += cost * len(data.x_train) * flops_per_row(network, data.x_train.shape[1], data.n_outputs)
    return total


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def curves(result: hb.SearchResult) -> Curves:
    """Loss by trial and rung."""
    columns = (result.trials[n].tolist() for n in ("trial", "rung", "loss"))
    return {(trial, rung): loss for trial, rung, loss in zip(*columns, strict=True)}


def same(a: Curves, b: Curves) -> bool:
    """Whether every loss that both found is the same to the bit."""
    both = a.keys() & b.keys()
    return bool(both) and np.array_equal([a[k] for k in both], [b[k] for k in both], equal_nan=True)


def measure(backend: str, precision: str, scale: float, seconds: float | None) -> tuple[Record, Curves]:
    """One search's record and its losses; ``seconds`` ends it early, which the record says."""
    data, what = rows(scale)
    largest = 81 if scale == 1 else 9 if scale >= 0.1 else 3
    result, took = search(data, backend, precision, largest, seconds)
    done = flops(result, data)
    best = None if result.best is None else {"loss": result.best.loss, **result.best.metrics}
    return {
        "workload": "search",
        "title": TITLE,
        "contender": "hyperband" if backend.startswith("cuda") else f"hyperband on the CPU ({backend})",
        "precision": precision,
        "status": "timed",
        "data": what,
        "max_resource": largest,
        "networks": result.n_configurations,
        "evaluations": result.n_evaluations,
        "stopped": result.stopped,
        "best": best,
        "seconds": [took],
        "flops": done,
        "tflops": done / took / 1e12,
    }, curves(result)


def compare(
    precisions: Sequence[str],
    scale: float,
    peak: float | None,
    left: Callable[[], float | None],
    note: Callable[[Record], object],
) -> None:
    """The search on the GPU in each precision, then on the CPU engine, which must find the same losses in float32.

    Each record goes to ``note`` when it is made. When the CPU's is there, the others get its time as a multiple of
    theirs. ``left`` returns the seconds that are left, or None.
    """
    timed: dict[str, Record] = {}
    exact: Curves = {}
    for precision in precisions:
        try:
            record, found = measure("cuda", precision, scale, _limit(left()))
        except BackendUnavailable as reason:
            head = {"workload": "search", "title": TITLE, "contender": "hyperband", "precision": precision}
            note(head | {"status": "absent", "reason": str(reason)})
            continue
        if precision == "float32":
            exact = found
        elif same(exact, found):
            record |= {"status": "wrong", "reason": f"the losses of float32: {precision} was ignored"}
        timed[precision] = record | bound(record["flops"], record["seconds"][0], peak)
        note(timed[precision])
    if not timed:
        return
    native, found = measure("native", "float32", scale, _limit(left()))
    for record in timed.values():
        _beside(record, native, scale)
    if exact and not same(exact, found):
        timed["float32"] |= {"status": "wrong", "reason": "not the losses of the CPU engine"}
    note(native | {"processors": len(machine.cores()), "same_losses": same(exact, found)})


def _limit(seconds: float | None) -> float | None:
    return None if seconds is None else max(1.0, seconds)


def _beside(record: Record, native: Record, scale: float) -> None:
    """Add the CPU's time and the goal, which a CPU search that was stopped early can also show to be met."""
    times = native["seconds"][0] / record["seconds"][0]
    known = record["stopped"] == "finished" and (native["stopped"] == "finished" or times >= GOAL)
    record |= {"times_cpu": times, "times_cpu_is_a_lower_limit": native["stopped"] != "finished"}
    record |= {"goal_times_cpu": GOAL, "goal_met": times >= GOAL if known and scale == 1 else None}
