"""The figure of `accuracy`: a panel a set, over time where most contenders have runs of several budgets."""

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
    """Write the figure; False, and no file, when there are no runs."""
    times = budgets(records)
    if not times:
        return False
    found = {budget: cells(records, budget) for budget in times}
    last = found[times[-1]]
    plt = pyplot()
    rows = -(-len(last) // COLUMNS)
    figure, panels = plt.subplots(rows, COLUMNS, figsize=(14, 2.6 * rows), layout="constrained", squeeze=False)
    for axes in panels.flat[len(last) :]:
        axes.set_visible(False)
    for axes, (name, by) in zip(panels.flat, last.items(), strict=False):
        over_time = {budget: cell[name] for budget, cell in found.items() if name in cell}
        several = sum(any(contender in cell for cell in list(over_time.values())[:-1]) for contender in by)
        if several > max(1, len(by) // 2):
            _curves(axes, over_time)
            axes.set_title(f"{name}, over seconds", fontsize=10, loc="left", color=INK)
        else:
            _bars(axes, by)
            axes.set_title(name, fontsize=10, loc="left", color=INK)
        axes.tick_params(labelsize=8)
        without_frame(axes)
    title = f"Wrong answers, or RMSE, on the test rows: relative to the best after {times[-1]:g} s"
    figure.suptitle(title, fontsize=11, color=INK)
    figure.savefig(file, dpi=90)
    plt.close(figure)
    return True


def relative(by: Mapping[str, Sequence[Record]]) -> dict[str, float]:
    """Mean regret of each contender, divided by the smallest one that is not 0; best first."""
    means = _means(by)
    best = _least(means)
    return {name: mean / best for name, mean in sorted(means.items(), key=lambda item: item[1])}


def _means(by: Mapping[str, Sequence[Record]]) -> dict[str, float]:
    return {name: float(np.mean([regret(r["metrics"]) for r in each])) for name, each in by.items()}


def _least(means: Mapping[str, float]) -> float:
    return min((mean for mean in means.values() if mean > 0.0), default=1.0)


def _bars(axes: Any, by: Mapping[str, Sequence[Record]]) -> None:
    found = relative(by)
    colours = [OUR_COLOUR if name == OURS else OTHERS for name in found]
    rows = range(len(found))
    axes.barh(rows, [x - 1.0 for x in found.values()], left=1.0, color=colours, height=0.6)
    axes.plot(list(found.values()), rows, "o", ms=3, color=INK)
    axes.set_yticks(rows, [CONTENDERS[name].title for name in found])
    axes.invert_yaxis()


def _curves(axes: Any, over_time: Mapping[float, Mapping[str, Sequence[Record]]]) -> None:
    """Of each contender its mean regret at each budget, relative to the best one at the largest budget."""
    means = {budget: _means(by) for budget, by in over_time.items()}
    last = means[max(means)]
    best = _least(last)
    for name in last:
        points = {budget: mean[name] / best for budget, mean in means.items() if name in mean}
        style = {"color": OUR_COLOUR, "lw": 1.8} if name == OURS else {"color": OTHERS, "lw": 1.0}
        axes.plot(list(points), list(points.values()), marker="o", ms=3, **style)
        end = max(points)
        axes.annotate(CONTENDERS[name].title, (end, points[end]), fontsize=6, color=INK)
    axes.set_xscale("log")
    axes.set_xticks(list(over_time), [f"{budget:g}" for budget in over_time])
    axes.set_xticks([], minor=True)


__all__ = ["Cells", "draw", "relative"]
