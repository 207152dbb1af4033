"""The figure of `accuracy`: a panel a set, with the test metric over time where there are snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.contenders import ALL as CONTENDERS
from benchmarks.accuracy.contenders import OURS
from benchmarks.accuracy.measures import regret
from benchmarks.accuracy.report import Cells, budgets, cells
from benchmarks.accuracy.runs import Record
from benchmarks.common.charts import INK, OTHERS, pyplot, without_frame  # fmt: skip
from benchmarks.common.charts import OURS as OUR_COLOUR

COLUMNS = 4


def draw(records: Sequence[Record], file: Path) -> bool:
    """Write the figure of the largest budget; False, and no file, when there are no runs."""
    if not budgets(records):
        return False
    budget = budgets(records)[-1]
    found = cells(records, budget)
    plt = pyplot()
    rows = -(-len(found) // COLUMNS)
    figure, panels = plt.subplots(rows, COLUMNS, figsize=(14, 2.6 * rows), layout="constrained", squeeze=False)
    over_time = any(record["snapshots"] for by in found.values() for each in by.values() for record in each)
    for axes in panels.flat[len(found) :]:
        axes.set_visible(False)
    for axes, (name, by) in zip(panels.flat, found.items(), strict=False):
        (_curves if over_time else _bars)(axes, by)
        axes.set_title(name, fontsize=10, loc="left", color=INK)
        axes.tick_params(labelsize=8)
        without_frame(axes)
    what = "seconds" if over_time else "relative to the best"
    figure.suptitle(f"Wrong answers, or RMSE, on the test rows: {what}, {budget:g} s", fontsize=11, color=INK)
    figure.savefig(file, dpi=90)
    plt.close(figure)
    return True


def relative(by: Mapping[str, Sequence[Record]]) -> dict[str, float]:
    """Mean regret of each contender, divided by the smallest one; best first."""
    means = {name: float(np.mean([regret(r["metrics"]) for r in each])) for name, each in by.items()}
    best = min(means.values())
    ordered = sorted(means.items(), key=lambda item: item[1])
    return {name: mean / best if best else 1.0 + mean for name, mean in ordered}


def _bars(axes: Any, by: Mapping[str, Sequence[Record]]) -> None:
    found = relative(by)
    colours = [OUR_COLOUR if name == OURS else OTHERS for name in found]
    rows = range(len(found))
    axes.barh(rows, [x - 1.0 for x in found.values()], left=1.0, color=colours, height=0.6)
    axes.plot(list(found.values()), rows, "o", ms=3, color=INK)
    axes.set_yticks(rows, [CONTENDERS[name].title for name in found])
    axes.invert_yaxis()


def _curves(axes: Any, by: Mapping[str, Sequence[Record]]) -> None:
    for name, each in by.items():
        points: dict[float, list[float]] = {}
        for record in each:
            for second, figures in record["snapshots"].items():
                points.setdefault(float(second), []).append(regret(figures))
        end = float(np.mean([record["seconds"] for record in each]))
        points.setdefault(end, []).extend(regret(record["metrics"]) for record in each)
        times = sorted(points)
        style = {"color": OUR_COLOUR, "lw": 1.8} if name == OURS else {"color": OTHERS, "lw": 1.0}
        axes.plot(times, [np.mean(points[t]) for t in times], marker="o", ms=3, **style)
        axes.annotate(CONTENDERS[name].title, (times[-1], np.mean(points[times[-1]])), fontsize=6, color=INK)
    axes.set_xscale("log")


__all__ = ["Cells", "draw", "relative"]
