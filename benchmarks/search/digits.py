"""A whole Hyperband on digits: how long it takes, and how busy it keeps the processors."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

import hyperband as hb
from benchmarks.common import records
from benchmarks.common.records import json_option
from hyperband.interface.search import Settings, search_prepared
from hyperband.tables import prepare_table

LARGEST = (27, 81)
TABLE = "sklearn:digits"

#: Small networks, so that what is timed is many of them at once and the search around them.
SPACE = hb.Space(
    {
        "n_layers": hb.Int(1, 4, default=2),
        "width": hb.Int(16, 128, log=True, default=64),
        "activation": hb.Choice(["relu", "gelu", "silu", "tanh"]),
        "optimizer": hb.Choice(["adamw", "sgd"]),
        "learning_rate": hb.Float(3e-4, 1e-2, log=True, default=2e-3),
        "sgd_learning_rate": hb.Float(3e-3, 3e-1, log=True, default=3e-2),
        "momentum": hb.Float(0.5, 0.98, default=0.9),
        "weight_decay": hb.Float(1e-6, 1e-1, log=True, default=1e-4),
        "batch_size": hb.Choice([16, 32, 64, 128], ordered=True),
        "dropout": hb.Choice([0.0, 0.1, 0.2, 0.35, 0.5], default=0.0, ordered=True),
        "schedule": hb.Choice(["cosine", "exponential"]),
        "clip_norm": hb.Choice([0.0, 1.0], default=0.0, ordered=True),
        "label_smoothing": hb.Choice([0.0, 0.05], default=0.0, ordered=True),
    },
    [
        hb.When("learning_rate", "optimizer", ["adamw"]),
        hb.When("sgd_learning_rate", "optimizer", ["sgd"]),
        hb.When("momentum", "optimizer", ["sgd"]),
    ],
)


def measure(max_resource: int, threads: int, repetitions: int, expected: hb.SearchResult | None) -> tuple[Any, Any]:
    """The result, and a record of seconds and processor seconds by repetition; all results must be the same."""
    prepared = prepare_table(TABLE, seed=0)
    record: dict[str, Any] = {"max_resource": max_resource, "threads": threads, "seconds": [], "processor_seconds": []}
    result: Any = expected
    for turn in range(repetitions + 1):
        began, used = time.perf_counter(), time.process_time()
        found = search_prepared(
            prepared,
            Settings(algorithm=hb.Hyperband(max_resource), space=SPACE, seed=0, compute=hb.Compute(threads=threads)),
        )
        seconds, processor = time.perf_counter() - began, time.process_time() - used
        if turn > 0:
            record["seconds"].append(seconds)
            record["processor_seconds"].append(processor)
        if result is not None and not _same(result, found):
            raise click.ClickException("Two searches with the same seed found different losses.")
        result = found
    shares = [p / s / threads for p, s in zip(record["processor_seconds"], record["seconds"], strict=True)]
    record |= {"busy": median(shares), "evaluations": result.n_evaluations, "networks": result.n_configurations}
    return result, record


def _same(a: hb.SearchResult, b: hb.SearchResult) -> bool:
    columns = [np.array(sorted(zip(*(r.trials[n] for n in ("trial", "rung", "loss")), strict=True))) for r in (a, b)]
    return np.array_equal(*columns, equal_nan=True)


@click.command("search")
@click.option("--repetitions", type=click.IntRange(1), default=5, show_default=True)
@click.option("--largest", type=click.Choice([str(n) for n in LARGEST]), default="81", show_default=True)
@json_option
def main(repetitions: int, largest: str, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    click.echo(f"Hyperband, eta 3, default space, {TABLE}; reading and scaling the table is not counted")
    click.echo(f"{'R':>4}{'threads':>9}{'networks':>10}{'evaluations':>13}{'seconds':>9}{'processors busy':>17}")
    found = []
    for max_resource in (n for n in LARGEST if n <= int(largest)):
        result = None
        for threads in (1, 2):
            result, record = measure(max_resource, threads, repetitions, result)
            found.append(record)
            click.echo(
                f"{max_resource:>4}{threads:>9}{record['networks']:>10}{record['evaluations']:>13}"
                f"{median(record['seconds']):>9.3f}{100 * record['busy']:>15.0f} %"
            )
    records.write(json_file, {"records": found})
