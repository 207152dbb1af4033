"""bfloat16 products against float32: time, and what many seeds score on rows that they never saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean, median, stdev

import click
import numpy as np

from benchmarks.common import records
from benchmarks.common.paths import DATA
from benchmarks.common.records import json_option
from benchmarks.search.datasets import TABLES
from benchmarks.training.rates import population, seconds_per_epoch, steps_of
from benchmarks.training.workloads import digits, mixture, pictures
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import F64, PRECISIONS, EngineSettings, Member, Split
from hyperband.errors import BackendUnavailable
from hyperband.tables import prepare

NETWORK = Architecture(widths=[128, 64], learning_rate=1e-3, batch_size=128)
TURNS = 5


def seconds(precision: str, threads: int) -> dict[str, float]:
    """Seconds of an epoch of all networks, by workload."""
    found = {}
    for task in (digits(64), pictures(8, 6000), mixture(32, 6000)):
        data = Split(task.x, task.y.astype(np.int32))
        engine = registry.get("native").engine(
            data, None, "cross_entropy", task.n_classes, EngineSettings(threads=threads, precision=precision)
        )
        steps = steps_of(task.networks, len(task.x))
        found[task.name] = seconds_per_epoch(engine, population(engine, task.networks), steps, 0.3)
    return found


def errors(table: str, precision: str, seeds: int, epochs: int) -> F64:
    """Error of each seed on the validation rows: the share misclassified, or the mean squared error."""
    if table == "digits":
        data = prepare("sklearn:digits", seed=0)
    else:
        data = prepare(str(DATA / TABLES[table].file), target=TABLES[table].target, seed=0)
    train = Split(data.x_train, data.y_train, data.weight_train)
    validation = Split(data.x_validation, data.y_validation, data.weight_validation)
    engine = registry.get("native").engine(train, None, data.loss, data.n_outputs, EngineSettings(precision=precision))
    steps = epochs * -(-len(data.x_train) // NETWORK.batch_size)
    ids = engine.add([Member(replace(NETWORK, schedule="cosine"), seed, steps) for seed in range(seeds)])
    engine.train(ids, np.full(seeds, steps, np.int64), evaluate=False)
    return engine.evaluate(ids, validation)[1]


@click.command("precision")
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(min=2))
@click.option("--epochs", default=20, show_default=True, type=click.IntRange(min=1))
@json_option
def main(seeds: int, epochs: int, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    try:
        turns = {t: [{p: seconds(p, t) for p in PRECISIONS} for _ in range(TURNS)] for t in (1, 2)}
    except BackendUnavailable as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{'workload':<18}{'threads':>8}{'ms float32':>12}{'ms bf16':>10}{'times':>8}")
    for threads, each in turns.items():
        for name in each[0]["float32"]:
            exact, half = (median(1e3 * turn[p][name] for turn in each) for p in PRECISIONS)
            ratio = median(turn["float32"][name] / turn["bf16"][name] for turn in each)
            click.echo(f"{name:<18}{threads:>8}{exact:>12.1f}{half:>10.1f}{ratio:>8.2f}")
    tables = ["digits", *(name for name, table in TABLES.items() if (DATA / table.file).is_file())]
    for name in set(TABLES) - set(tables):
        click.echo(f"{name}: left out, {DATA / TABLES[name].file} is not there")
    click.echo(f"\nerror, {seeds:>3} seeds{'':<6}{'float32':>10}{'sd':>9}{'bf16':>10}{'sd':>9}{'bf16 - float32':>22}")
    found = {name: {p: errors(name, p, seeds, epochs).tolist() for p in PRECISIONS} for name in tables}
    for name, by_precision in found.items():
        exact, half = by_precision["float32"], by_precision["bf16"]
        gaps = [b - a for a, b in zip(exact, half, strict=True)]
        click.echo(
            f"{name:<22}{fmean(exact):>10.4f}{stdev(exact):>9.4f}{fmean(half):>10.4f}{stdev(half):>9.4f}"
            f"{fmean(gaps):>+13.5f} ± {stdev(gaps) / seeds**0.5:.5f}"
        )
    records.write(json_file, {"seconds": turns, "errors": found})
