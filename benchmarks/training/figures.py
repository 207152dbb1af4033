"""Charts of what other benchmarks wrote: contenders side by side, and growth with the population."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from benchmarks.common.charts import INK, OTHERS, OURS, pyplot, without_frame
from benchmarks.common.paths import RESULTS


def contenders(record: dict[str, Any], file: Path) -> None:
    """Percent of the peak, a panel for each workload and number of threads; as PNG."""
    plt = pyplot()
    names = list(dict.fromkeys(r["workload"] for run in record["runs"] for r in run["records"]))
    figure, grid = plt.subplots(
        len(names),
        len(record["runs"]),
        figsize=(11, 2.7 * len(names)),
        layout="constrained",
        sharex=True,
        squeeze=False,
    )
    for column, run in enumerate(record["runs"]):
        for row, name in enumerate(names):
            timed = [r for r in run["records"] if r["workload"] == name and r["status"] == "timed"]
            timed.sort(key=lambda r: r["gflops"])
            shares = [100e9 * r["gflops"] / run["fma_peak"] for r in timed]
            axes = grid[row][column]
            colours = [OURS if r["contender"].startswith("hyperband") else OTHERS for r in timed]
            bars = axes.barh([r["contender"] for r in timed], shares, color=colours)
            axes.bar_label(bars, [f"{s:.1f}" for s in shares], padding=3, fontsize=8, color=INK)
            axes.set_title(f"{name}, {run['threads']} thread{'s' * (run['threads'] > 1)}", fontsize=10, loc="left")
            axes.tick_params(labelsize=8)
            without_frame(axes)
    for axes in grid[-1]:
        axes.set(xlabel="percent of the FMA peak", xlim=(0, 100))
    figure.savefig(file, dpi=130)
    plt.close(figure)


def growth(record: dict[str, Any], file: Path) -> None:
    """Time and memory of a network by the number of networks; as PNG."""
    plt = pyplot()
    whole = [r for r in record["records"] if "memory_limit" not in r]
    waves = [r for r in record["records"] if "memory_limit" in r]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    left.plot([r["networks"] for r in whole], [1e6 * r["seconds_per_network_epoch"] for r in whole], "o-", color=OURS)
    for r in waves:
        left.plot(r["networks"], 1e6 * r["seconds_per_network_epoch"], "s", color=INK, mfc="none")
        text = f"in {r['memory_limit'] / 1e6:.0f} MB, in waves "
        left.annotate(text, (r["networks"], 1e6 * r["seconds_per_network_epoch"]), ha="right", va="top", fontsize=8,
                      xytext=(0, -20), textcoords="offset points")  # fmt: skip
    right.plot([r["networks"] for r in whole], [(r["bytes_per_network"] or 0) / 1e6 for r in whole], "o-", color=OURS)
    left.set(ylabel="µs a network-epoch")
    right.set(ylabel="MB a network, without snapshots")
    for axes in (left, right):
        axes.set(xscale="log", xlabel="networks", ylim=(0, 1.1 * axes.get_ylim()[1]))
        without_frame(axes)
    figure.savefig(file, dpi=130)
    plt.close(figure)


@click.command("figures")
@click.option("--folder", default=RESULTS, show_default=False, help="Where the JSON lies.",
              type=click.Path(path_type=Path, file_okay=False, exists=True))  # fmt: skip
def main(folder: Path) -> None:
    """See `benchmarks.__main__`."""
    if find_spec("matplotlib") is None:
        raise click.ClickException("figures are drawn by matplotlib, which is not installed: pip install matplotlib")
    for source, draw in (("engine-cpu.json", contenders), ("growth.json", growth)):
        if not (folder / source).is_file():
            click.echo(f"{source}: not there, nothing drawn")
            continue
        file = (folder / source).with_suffix(".png")
        draw(json.loads((folder / source).read_text(encoding="utf-8")), file)
        click.echo(str(file))
