"""The figure of `search-quality`: mean ranks, and regret on every task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.charts import INK, OTHERS, pyplot, without_frame
from benchmarks.quality.contenders import ALL
from benchmarks.quality.contenders.ours import TABLE
from benchmarks.quality.outcomes import Outcome
from benchmarks.quality.report import by_task
from benchmarks.quality.statistics import mean_ranks, quartiles

#: of contenders that are drawn in colour, in the order of the table
COLOURS = ("#333333", "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#e377c2", "#17becf", "#bcbd22")


def draw(outcomes: Sequence[Outcome], file: Path) -> None:
    """Mean ranks above (a panel for each number of workers), medians and quartiles of regret on each task below."""
    plt = pyplot()
    workers = sorted({o.work.workers for o in outcomes})
    tasks = list(dict.fromkeys(o.work.task for o in outcomes))
    rows = 1 + -(-len(tasks) // 4)
    figure = plt.figure(figsize=(14, 3.2 * rows), layout="constrained")
    top = figure.add_gridspec(rows, 4 * len(workers))
    for panel, count in enumerate(workers):
        axes = figure.add_subplot(top[0, 4 * panel : 4 * panel + 4])
        mine = [o for o in outcomes if o.work.workers == count]
        _ranks(axes, mine, "resource" if count == 1 else "time")
        axes.set_title(f"mean rank, {count} worker{'s' * (count > 1)}", fontsize=10, loc="left")
    for panel, name in enumerate(tasks):
        column = len(workers) * (panel % 4)
        axes = figure.add_subplot(top[1 + panel // 4, column : column + len(workers)])
        _regret(axes, [o for o in outcomes if o.work.task == name and o.work.workers == workers[0]])
        axes.set_ylabel("regret" if panel % 4 == 0 else "", fontsize=8, color=INK)
        axes.set_title(name, fontsize=10, loc="left")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=9, frameon=False)
    figure.savefig(file, dpi=90)
    plt.close(figure)


def _style(name: str) -> dict[str, Any]:
    shown = [n for n, c in ALL.items() if c.shown]
    if name not in shown:
        return {"color": OTHERS, "lw": 0.7, "zorder": 1}
    line = "-" if name in TABLE else "--"  # of other libraries
    return {"color": COLOURS[shown.index(name) % len(COLOURS)], "lw": 1.6, "ls": line, "label": name, "zorder": 2}


def _ranks(axes: Any, outcomes: Sequence[Outcome], axis: str) -> None:
    curves: dict[str, list[tuple[float, float]]] = {}
    for point in sorted({point for o in outcomes for point in o.work.grid}):
        for name, rank in mean_ranks(by_task(outcomes, axis, point), 0).items():
            curves.setdefault(name, []).append((point, rank.mean))
    for name, points in curves.items():
        axes.plot(*zip(*points, strict=True), **_style(name))
    _finish(axes, axis)


def _regret(axes: Any, outcomes: Sequence[Outcome]) -> None:
    for o in outcomes:
        low, middle, high = (np.where(np.isfinite(q), q, np.nan) for q in quartiles(o.regrets["resource"]))
        style = _style(o.work.contender)
        axes.plot(o.work.grid, middle, **style)
        if "label" in style:
            axes.fill_between(o.work.grid, low, high, color=style["color"], alpha=0.08, lw=0)
    axes.set(yscale="log")
    axes.tick_params(which="minor", labelleft=False)
    _finish(axes, "resource")


def _finish(axes: Any, axis: str) -> None:
    label = {"resource": "resource", "time": "simulated time x workers"}[axis]
    axes.set(xscale="log")
    axes.set_xlabel(f"{label}, in full evaluations", fontsize=8, color=INK)
    axes.tick_params(labelsize=8)
    without_frame(axes)
