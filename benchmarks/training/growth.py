"""Time and memory a network as the population grows, networks all different."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

import hyperband as hb
from benchmarks.common import records
from benchmarks.common.machine import resident
from benchmarks.common.records import json_option
from benchmarks.training.rates import fma_peak, population, seconds_per_epoch, steps_of
from benchmarks.training.workloads import Task, mixture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import EngineSettings, Split

SIZES = (100, 300, 1000, 3000, 10_000)


def resident_population(pattern: Task, size: int, threads: int) -> dict[str, Any]:
    """Seconds and bytes a network of a population that memory holds."""
    networks = [pattern.networks[i % len(pattern.networks)] for i in range(size)]
    data = Split(pattern.x, pattern.y.astype(np.int32))
    engine = registry.get("native").engine(
        data, None, "cross_entropy", pattern.n_classes, EngineSettings(threads=threads)
    )
    before = resident()
    ids = population(engine, networks)
    seconds = seconds_per_epoch(engine, ids, steps_of(networks, len(pattern.x)), 0.5)
    after = resident()
    return {
        "networks": size,
        "seconds_per_network_epoch": seconds / size,
        "bytes_per_network": None if before is None or after is None else (after - before) / size,
        "planned_bytes_per_network": sum(engine.bytes_per_member(n) for n in networks) / size,
    }


def in_waves(pattern: Task, size: int, threads: int, memory_limit: int) -> dict[str, Any]:
    """Seconds a network-epoch over ten epochs of each; initialisation and the way to disk and back are counted."""
    networks = [pattern.networks[i % len(pattern.networks)] for i in range(size)]
    data = (pattern.x, pattern.y.astype(np.int32))
    made = hb.Population(networks, *data, epochs=10, threads=threads, memory_limit=memory_limit)
    start = time.perf_counter()
    made.train()
    seconds = (time.perf_counter() - start) / size / 10
    return {"networks": size, "memory_limit": memory_limit, "seconds_per_network_epoch": seconds}


def of_peak(record: dict[str, Any], pattern: Task, peak: float | None) -> float | None:
    """The share of so many threads' peak that a record reached."""
    size, n = record["networks"], len(pattern.networks)
    flops = sum(pattern.flops(i % n) for i in range(size)) / size
    return None if peak is None else flops / record["seconds_per_network_epoch"] / peak


@click.command("growth")
@click.option("--rows", default=1000, show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--most", type=click.IntRange(1), default=SIZES[-1], show_default=True, help="Largest population.")
@click.option("--memory-limit", type=click.IntRange(1), help="Bytes: train the largest one again, in waves.")
@json_option
def main(rows: int, threads: int, most: int, memory_limit: int | None, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    peak, found = fma_peak(), []
    # A hundred networks are repeated, so that every size has the same mixture and the same work per network.
    pattern = mixture(100, rows)
    sizes = [n for n in SIZES if n <= most]
    work = [partial(resident_population, pattern, size, threads) for size in sizes]
    if memory_limit is not None:
        work.append(partial(in_waves, pattern, sizes[-1], threads, memory_limit))
    click.echo(f"{'networks':>9}{'us a network-epoch':>20}{'% of peak':>11}{'MB a network':>14}{'as planned':>12}")
    for measured in work:
        record = measured()
        record["of_peak"] = of_peak(record, pattern, None if peak is None else peak * threads)
        found.append(record)
        memory = "".join(
            f"{(record[name] or 0) / 1e6:>{width}.3f}"
            for name, width in (("bytes_per_network", 14), ("planned_bytes_per_network", 12))
            if name in record
        )
        click.echo(
            f"{record['networks']:>9,}{1e6 * record['seconds_per_network_epoch']:>20,.1f}"
            f"{100 * (record['of_peak'] or 0):>11.1f}{memory or f'   in {memory_limit:,} bytes, in waves'}"
        )
    records.write(json_file, {"peak": peak, "threads": threads, "records": found})
