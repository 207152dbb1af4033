"""Outputs of trained networks on many rows: hyperband, and the same products in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.common import records
from benchmarks.common.records import json_option
from benchmarks.common.timing import take_turns
from benchmarks.training.rates import needed_peak
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import F32, EngineSettings, Member, Split
from hyperband.engine.parameters import layered

#: inputs, hidden widths (relu), outputs
SHAPES = (
    (64, (64, 64), 10),
    (64, (256, 256), 10),
    (784, (128, 64), 10),
    (54, (), 7),
    (16, (8,), 1),
)
#: Rows of a block in NumPy, small enough for intermediate results to stay in the cache.
TOGETHER = 1024
#: Largest difference from NumPy's outputs, as a fraction of the largest output.
TOLERANCE = 1e-5


def in_numpy(layers: Sequence[tuple[F32, F32]], x: F32) -> F32:
    """The products and relu, a block of rows at a time."""
    out = np.empty((len(x), len(layers[-1][1])), np.float32)
    for first in range(0, len(x), TOGETHER):
        h: NDArray[Any] = x[first : first + TOGETHER]
        for layer, (weights, bias) in enumerate(layers, 1):
            h = h @ weights
            h += bias
            if layer < len(layers):
                np.maximum(h, 0, out=h)
        out[first : first + TOGETHER] = h
    return out


def measure(n_rows: int, shape: tuple[int, tuple[int, ...], int], threads: int, repetitions: int) -> dict[str, Any]:
    """Seconds of both in turns, after their outputs agreed within `TOLERANCE`."""
    n_inputs, widths, n_outputs = shape
    x = np.random.default_rng(0).normal(size=(n_rows, n_inputs)).astype(np.float32)
    data = Split(x[:2], np.arange(2, dtype=np.int32))
    loss = "cross_entropy" if n_outputs > 1 else "logistic"
    engine = registry.get("native").engine(data, None, loss, n_outputs, EngineSettings(threads=threads))
    (member,) = engine.add([Member(Architecture(widths=widths), seed=0)]).tolist()
    layers = layered(engine.export_state(member))
    found, expected = engine.predict(member, x), in_numpy(layers, x)
    distance = float(np.abs(found - expected).max() / np.abs(expected).max())
    if distance > TOLERANCE:
        raise click.ClickException(f"The outputs of {shape} are {distance:.2g} away from NumPy's.")
    turns = take_turns(
        {"hyperband": lambda: engine.predict(member, x), "numpy": lambda: in_numpy(layers, x)}, repetitions
    )
    dims = (n_inputs, *widths, n_outputs)
    flops = 2 * n_rows * sum(a * b for a, b in pairwise(dims))
    moved = 4 * n_rows * (n_inputs + n_outputs)
    return {
        "shape": "-".join(map(str, dims)),
        "threads": threads,
        "rows": n_rows,
        "distance": distance,
        "flops": flops,
        "bytes": moved,
        "seconds": turns["hyperband"],
        "numpy_seconds": turns["numpy"],
    }


@click.command("inference")
@click.option("--rows", type=click.IntRange(2), default=1_000_000, show_default=True)
@click.option("--repetitions", type=click.IntRange(1), default=5, show_default=True)
@json_option
def main(rows: int, repetitions: int, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    peak = needed_peak()
    found = []
    click.echo(f"{'':<16}{'threads':>8}{'million rows/s':>16}{'% of peak':>11}{'GB/s':>8}{'NumPy, all threads':>20}")
    for shape in SHAPES:
        few = max(2, rows * 64 // max(64, shape[0]))  # wide rows take no more memory
        for threads in (1, 2):
            record = measure(few, shape, threads, repetitions)
            found.append(record)
            own, other = median(record["seconds"]), median(record["numpy_seconds"])
            record["of_peak"] = record["flops"] / own / peak / threads
            click.echo(
                f"{record['shape']:<16}{threads:>8}{few / own / 1e6:>16.2f}"
                f"{100 * record['of_peak']:>11.1f}{record['bytes'] / own / 1e9:>8.1f}"
                f"{f'{other / own:.2f}x as long':>20}"
            )
    records.write(json_file, {"peak": peak, "records": found})
