"""Many small networks of one shape, which train side by side in the lanes of a vector, against one of them alone."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.common import records
from benchmarks.common.records import json_option
from benchmarks.training.rates import gflops, needed_peak, table
from benchmarks.training.workloads import flops_per_row
from hyperband.engine.architecture import Architecture

#: inputs, widths, classes
SHAPES = (
    (8, [8], 2), (16, [8, 8], 4), (20, [16], 3), (32, [16, 16], 10), (54, [16, 16], 7), (30, [32, 16], 5),
    (64, [24, 24], 10), (64, [32, 32], 10),
)  # fmt: skip
BATCHES = (1, 8, 64)


@click.command("same-shape")
@click.option("--seconds", default=0.5, show_default=True, help="For each number.")
@click.option("--networks", default=64, show_default=True, type=click.IntRange(min=2), help="Of each shape.")
@json_option
def main(seconds: float, networks: int, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    peak = needed_peak()
    found = []
    click.echo(f"{'network':<16}{'flops a row':>12}{'batch':>7}{'alone, %':>10}{f'of {networks}, %':>10}{'times':>7}")
    for inputs, widths, classes in SHAPES:
        name = "-".join(map(str, [inputs, *widths, classes]))
        for batch in BATCHES:
            network = Architecture(widths=widths, batch_size=batch)
            data = table("cross_entropy", min(1024, 64 * batch), inputs, classes)
            alone, together = (
                gflops([network] * n, data, "cross_entropy", classes, seconds=seconds) for n in (1, networks)
            )
            flops = flops_per_row(network, inputs, classes)
            found.append({"network": name, "batch": batch, "flops": flops, "alone": alone, "together": together})
            click.echo(
                f"{name:<16}{flops:>12,.0f}{batch:>7}{100e9 * alone / peak:>10.1f}{100e9 * together / peak:>10.1f}"
                f"{together / alone:>7.2f}"
            )
    records.write(json_file, {"peak": peak, "networks": networks, "gflops": found})
