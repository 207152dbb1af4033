"""Time and memory a network as the population grows, networks all different."""

from __future__ import annotations

import time
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


def in_waves(pattern: Task, size: int, threads: int, memory_limit: int) -> float:
    """Seconds a network-epoch over ten epochs of each; initialisation and the way to disk and back are counted."""
    networks = [pattern.networks[i % 100] for i in range(size)]
    data = (pattern.x, pattern.y.astype(np.int32))
    made = hb.Population(networks, *data, epochs=10, threads=threads, memory_limit=memory_limit)
    start = time.perf_counter()
    made.train()
    return (time.perf_counter() - start) / size / 10


@click.command("growth")
@click.option("--rows", default=1000, show_default=True)
@click.option("--threads", default=1, show_default=True)
@click.option("--most", type=click.IntRange(1), default=SIZES[-1], show_default=True, help="Largest population.")
@click.option("--memory-limit", type=click.IntRange(1), help="Bytes: train the largest one again, in waves.")
@json_option
def main(rows: int, threads: int, most: int, memory_limit: int | None, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    peak, found = fma_peak(), []
    # A hundred networks again and again: the mixture, hence the work a network, is the same in every size above.
    pattern = mixture(100, rows)
    data = Split(pattern.x, pattern.y.astype(np.int32))
    click.echo(f"{'networks':>9}{'us a network-epoch':>20}{'% of peak':>11}{'MB a network':>14}{'as planned':>12}")
    for size in (n for n in SIZES if n <= most):
        networks = [pattern.networks[i % 100] for i in range(size)]
        engine = registry.get("native").engine(
            data, None, "cross_entropy", pattern.n_classes, EngineSettings(threads=threads)
        )
        before = resident()
        ids = population(engine, networks)
        per_epoch = seconds_per_epoch(engine, ids, steps_of(networks, rows), 0.5)
        after = resident()
        flops = sum(pattern.flops(i % 100) for i in range(size))
        record: dict[str, Any] = {
            "networks": size,
            "seconds_per_network_epoch": per_epoch / size,
            "of_peak": None if peak is None else flops / per_epoch / peak / threads,
            "bytes_per_network": None if before is None or after is None else (after - before) / size,
            "planned_bytes_per_network": sum(engine.bytes_per_member(n) for n in networks) / size,
        }
        found.append(record)
        click.echo(
            f"{size:>9,}{1e6 * per_epoch / size:>20,.1f}{100 * (record['of_peak'] or 0):>11.1f}"
            f"{(record['bytes_per_network'] or 0) / 1e6:>14.3f}{record['planned_bytes_per_network'] / 1e6:>12.3f}"
        )
    if memory_limit is not None:
        size = max(n for n in SIZES if n <= most)
        seconds = in_waves(pattern, size, threads, memory_limit)
        flops = sum(pattern.flops(i % 100) for i in range(size)) / size
        of_peak = None if peak is None else flops / seconds / peak / threads
        record = {
            "networks": size,
            "memory_limit": memory_limit,
            "seconds_per_network_epoch": seconds,
            "of_peak": of_peak,
        }
        found.append(record)
        click.echo(
            f"{size:>9,}{1e6 * seconds:>20,.1f}{100 * (of_peak or 0):>11.1f}   in {memory_limit:,} bytes, in waves"
        )
    records.write(json_file, {"peak": peak, "threads": threads, "records": found})
