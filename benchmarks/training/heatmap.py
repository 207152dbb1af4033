"""Percent of the FMA peak by width and batch size: two hidden layers of one width, 64 inputs, 10 classes, Adam."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.common import charts, records
from benchmarks.common.records import json_option
from benchmarks.training.rates import gflops, needed_peak, table
from hyperband.engine.architecture import Architecture

WIDTHS = (8, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024)
BATCHES = (1, 4, 16, 32, 64, 128, 256, 1024, 4096)


def draw(shares: list[list[float]], file: Path) -> None:
    """The chart, as PNG."""
    plt = charts.pyplot()
    figure, axes = plt.subplots(figsize=(7.5, 5.5), layout="constrained")
    image = axes.imshow(shares, cmap="viridis", vmin=0, vmax=100, origin="lower", aspect="auto")
    axes.set_xticks(range(len(WIDTHS)), [str(w) for w in WIDTHS])
    axes.set_yticks(range(len(BATCHES)), [f"{b:,}" for b in BATCHES])
    axes.set(xlabel="width of both hidden layers", ylabel="rows of a batch")
    axes.set_title("Percent of the FMA peak of one processor, 64 inputs, 10 classes, relu, Adam", fontsize=10)
    for y, row in enumerate(shares):
        for x, share in enumerate(row):
            axes.text(x, y, f"{share:.0f}", ha="center", va="center", color="white" if share < 65 else "black", size=8)
    figure.colorbar(image, label="% of peak")
    figure.savefig(file, dpi=150)
    plt.close(figure)


@click.command("heatmap")
@click.option("--seconds", default=0.2, show_default=True, help="For each cell.")
@json_option
@click.option("--png", "png_file", type=click.Path(path_type=Path, dir_okay=False), help="Needs matplotlib.")
def main(seconds: float, json_file: Path | None, png_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    peak = needed_peak()
    shares = []
    click.echo("batch / width" + "".join(f"{w:>6}" for w in WIDTHS))
    for batch in BATCHES:
        rows = max(batch, min(1024, 64 * batch))
        data = table("cross_entropy", rows, 64, 10)
        networks = [Architecture(widths=[w, w], batch_size=batch) for w in WIDTHS]
        row = [100e9 * gflops([n], data, "cross_entropy", 10, seconds=seconds) / peak for n in networks]
        shares.append(row)
        click.echo(f"{batch:>13,}" + "".join(f"{share:>6.0f}" for share in row))
    records.write(json_file, {"peak": peak, "widths": WIDTHS, "batches": BATCHES, "of_peak": shares})
    if png_file is not None:
        draw(shares, png_file)
