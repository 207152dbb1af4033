"""The trials of a landscape as marks: dots in the colours of their levels, crosses, and a star."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband.plots.canvas import extent, rung_colours
from hyperband.plots.plotted_result import Outcomes, complete
from hyperband.plots.scales import Scale, spread
from hyperband.plots.style import Style
from hyperband.plots.ticks import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

F64 = NDArray[np.float64]

#: Areas of marks with and without a number, of the star and of crosses, in square points.
BIG, DOT, STAR, CROSS = 80, 14, 150, 18


@dataclass(frozen=True, slots=True)
class DrawnTrials:
    """The trials of one landscape as they are drawn.

    Parameters
    ----------
    outcomes : Outcomes
    where : float64 array, shape (n_trials, 2), data coordinates
    shown : bool array, shape (n_trials,); False where one of the two parameters was inactive
    marks : mapping of level to the collection of its marks
    colours : list, a colour a level
    """

    outcomes: Outcomes
    where: F64
    shown: NDArray[np.bool_]
    marks: dict[int, Any]
    colours: list[Any]

    def radii(self) -> F64:
        """Radii of all marks in points, before any has a number, shape (n_trials,)."""
        areas = np.where(self.outcomes.failed, CROSS, DOT).astype(np.float64)
        if self.outcomes.best is not None:
            areas[self.outcomes.best] = STAR
        return np.asarray(np.sqrt(areas) / 2)

    def enlarge(self, i: int) -> None:
        """Enlarge the mark of trial i, a dot, for its number."""
        level = int(self.outcomes.level[i])
        drawn = self.shown & ~self.outcomes.failed & (self.outcomes.level == level)
        if self.outcomes.best is not None:
            drawn[self.outcomes.best] = False
        sizes = np.array(self.marks[level].get_sizes(), dtype=np.float64)
        sizes[int(drawn[:i].sum())] = BIG
        self.marks[level].set_sizes(sizes)


def draw_marks(ax: Axes, look: Style, outcomes: Outcomes, scales: tuple[Scale, Scale], points: F64) -> DrawnTrials:
    """The trials as marks: the best one a star, failed ones crosses, all others dots in the colour of their level."""
    shown = complete(points)
    close = math.sqrt(DOT / math.prod(extent(ax)))  # marks at a smaller distance, as a fraction of the axes, touch
    where = _positions(scales, points, outcomes.trial, shown, close)
    colours = rung_colours(look, len(outcomes.levels))
    drawn = shown & ~outcomes.failed
    if outcomes.best is not None:
        drawn[outcomes.best] = False
    marks = {}
    for level in np.unique(outcomes.level[drawn]).tolist():
        chosen = drawn & (outcomes.level == level)
        marks[level] = ax.scatter(
            where[chosen, 0], where[chosen, 1], s=np.full(int(chosen.sum()), DOT), color=[colours[level]],
            edgecolors=look.ink, linewidths=0.5, clip_on=False, zorder=3 + level, label=short(outcomes.levels[level]),
            gid=f"level {level}",
        )  # fmt: skip
    failed = shown & outcomes.failed
    if failed.any():
        ax.scatter(
            where[failed, 0], where[failed, 1], s=CROSS, marker="x", color=look.ink, linewidths=1.0,
            clip_on=False, zorder=2.5, label="failed", gid="failed",
        )  # fmt: skip
    if outcomes.best is not None and shown[outcomes.best]:
        _star(ax, look, outcomes, where[outcomes.best], colours)
    return DrawnTrials(outcomes, where, shown, marks, colours)


def _star(ax: Axes, look: Style, outcomes: Outcomes, spot: F64, colours: list[Any]) -> None:
    """The best trial as a star in the colour of its level, which its label names."""
    from matplotlib.patheffects import Normal, withStroke

    assert outcomes.best is not None
    level = int(outcomes.level[outcomes.best])
    ax.scatter(
        [spot[0]], [spot[1]], s=STAR, marker="*", color=[colours[level]], edgecolors=look.ink, linewidths=0.6,
        clip_on=False, zorder=100, label=f"best ({short(outcomes.levels[level])})", gid="best",
        path_effects=[withStroke(linewidth=2.4, foreground=look.background), Normal()],
    )  # fmt: skip


def _positions(
    scales: tuple[Scale, Scale], points: F64, trials: NDArray[np.int64], shown: NDArray[np.bool_], close: float
) -> F64:
    """Positions of the trials in data coordinates, shape (n, 2).

    Trials with equal values of a parameter with few values are spread over the cell of the value, unless all marks are
    apart already, as those of a grid are.
    """
    where = np.column_stack([scale.positions(u) for scale, u in zip(scales, points.T, strict=True)])
    relative = np.column_stack([scale.fractions(v) for scale, v in zip(scales, where.T, strict=True)])
    if any(scale.cells for scale in scales) and _closest(relative[shown]) < 2.5 * close:
        for k, (scale, offset) in enumerate(zip(scales, spread(trials), strict=True)):
            if scale.cells:
                where[:, k] += 0.7 * offset
    return where


def _closest(relative: F64) -> float:
    """Smallest distance between two points; 0 for more than 400 points, which are too close in any case."""
    if len(relative) > 400:
        return 0.0
    apart = np.hypot(*(relative[:, None] - relative[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    return float(apart.min(initial=np.inf))
