"""Parallel coordinates: an axis a parameter, a line a trial, coloured by the rank of its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.plots.canvas import canvas, colour_map
from hyperband.plots.scales import Scale
from hyperband.plots.style import COLUMN, PAGE, SMALL, TINY, Style
from hyperband.plots.ticks import log_ticks, short
from hyperband.plots.trials import Outcomes, Searched, points_of, space_of
from hyperband.space import Choice

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Where a line passes an axis whose parameter is switched off.
OFF = -0.14


def parallel(result: Searched, *, ax: Axes | None = None, style: str = "light") -> Axes:
    """The picture behind ``result.plot.parallel``; see `hyperband.plots.Plots.parallel`."""
    space, outcomes = space_of(result), Outcomes.of(result)
    if not len(outcomes.trial):
        raise InputError("Parallel coordinates need at least one evaluation; the result has none.")
    points = points_of(result, outcomes.row)
    scales = [Scale(name, parameter) for name, parameter in space.parameters.items()]
    wide = min(PAGE, max(COLUMN, 0.8 + 0.72 * len(scales)))
    with canvas(ax, style, (wide, 2.5)) as (ax, look):
        _lines(ax, look, outcomes, _heights(scales, points))
        off = bool(np.isnan(points).any())
        for place, scale in enumerate(scales):
            _axis(ax, look, place, scale, off and bool(np.isnan(points[:, place]).any()))
        ax.set_xlim(-0.25, len(scales) - 0.75 + 0.35)
        ax.set_ylim(OFF - 0.06 if off else -0.04, 1.04)
        ax.spines[:].set_visible(False)
        ax.set_yticks([])
        _names(ax, [scale.name for scale in scales])
        _bar(ax, look, outcomes)
    return ax


def _heights(scales: list[Scale], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heights of the lines on the axes; those of one option or whole number lie side by side in its cell."""
    heights = points.copy()
    for place, scale in enumerate(scales):
        here = ~np.isnan(points[:, place])
        if scale.cells:
            heights[here, place] = scale.parameter.canonical(points[here, place])
    return np.where(np.isnan(heights), OFF, heights)


def _ranks(outcomes: Outcomes) -> NDArray[np.float64]:
    """0 for the smallest last loss, 1 for the largest; NaN for failed ones; equal losses are equal."""
    ranks = np.full(len(outcomes.loss), np.nan)
    told = outcomes.loss[~outcomes.failed]
    if len(told):
        order = np.searchsorted(np.unique(told), told)
        ranks[~outcomes.failed] = order / max(1, order.max())
    return ranks


def _lines(ax: Axes, look: Style, outcomes: Outcomes, heights: NDArray[np.float64]) -> None:
    from matplotlib.collections import LineCollection

    across = np.arange(heights.shape[1], dtype=np.float64)
    if heights.shape[1] == 1:  # a single axis: short strokes
        across, heights = np.array([-0.1, 0.1]), np.repeat(heights, 2, axis=1)
    paths = np.stack([np.broadcast_to(across, heights.shape), heights], axis=2)
    ranks = _ranks(outcomes)
    order = np.argsort(-ranks, kind="stable")  # NaN last in argsort: drawn by itself, first
    order = order[~np.isnan(ranks[order])]
    faded = max(0.3, min(0.9, 40 / max(1, len(order))))
    ax.add_collection(
        LineCollection(list(paths[np.isnan(ranks)]), colors=look.muted, linewidths=0.5, linestyles=":", zorder=1,
                       gid="failed")
    )  # fmt: skip
    if not len(order):
        return
    lines = LineCollection(
        list(paths[order]), cmap=colour_map(look.ramp[::-1]), linewidths=1.4 - 0.8 * ranks[order],
        alpha=faded + (0.95 - faded) * (1 - ranks[order]) ** 4, zorder=2, gid="trials",
    )  # fmt: skip
    lines.set_array(ranks[order])
    lines.set_clim(0.0, 1.0)
    ax.add_collection(lines)
    if outcomes.best is not None:
        best = paths[outcomes.best]
        ax.plot(*best.T, color=look.background, linewidth=3.6, zorder=4, solid_joinstyle="round")
        ax.plot(*best.T, color=look.ink, linewidth=1.8, zorder=5, gid="best", solid_joinstyle="round")


def _axis(ax: Axes, look: Style, place: int, scale: Scale, off: bool) -> None:
    """A vertical axis with its values beside it."""
    ax.plot([place, place], [0, 1], color=look.muted, linewidth=0.8, zorder=6, solid_capstyle="butt")
    for height, label in [*_marks(scale), *([(OFF, "inactive")] if off else [])]:
        ax.plot([place - 0.03, place + 0.03], [height, height], color=look.muted, linewidth=0.7, zorder=6)
        ax.text(
            place + 0.06, height, label, va="center", ha="left", fontsize=TINY, color=look.ink, zorder=7,
            parse_math=False, bbox={"facecolor": look.background, "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        )  # fmt: skip


def _marks(scale: Scale) -> list[tuple[float, str]]:
    """Heights and labels of the ticks of one axis."""
    p = scale.parameter
    if isinstance(p, Choice):
        step = -(-len(p.options) // 10)
        return [(float(p.encode([o])[0]), _clipped(str(o))) for o in p.options[::step]]
    low, high = p.values(np.array([0.0, 1.0]))
    whole = isinstance(low, int)
    inner = log_ticks(low, high, 5) if scale.log else [(low + high) // 2 if whole else (low + high) / 2]
    inner = [v for v in inner if low < v < high and (not whole or v == int(v))]
    marks: list[tuple[float, str]] = []
    for value, u in zip([low, high, *inner], p.encode([low, high, *inner]).tolist(), strict=True):
        if all(abs(u - other) > 0.08 for other, _ in marks):  # the ends come first
            marks.append((u, short(value)))
    return marks


def _clipped(text: str) -> str:
    return text if len(text) <= 14 else text[:13] + "…"


def _names(ax: Axes, names: list[str]) -> None:
    """Names under the axes, words below one another; slanted where there are many."""
    from textwrap import fill

    crowded = len(names) > 8
    ax.set_xticks(range(len(names)), [n if crowded else fill(n, 12) for n in names], parse_math=False)
    ax.tick_params(axis="x", length=0)
    if crowded:
        ax.tick_params(axis="x", rotation=35)
        for label in ax.get_xticklabels():
            label.set_horizontalalignment("right")
            label.set_rotation_mode("anchor")


def _bar(ax: Axes, look: Style, outcomes: Outcomes) -> None:
    """What the colours mean."""
    if outcomes.failed.all():
        return
    (lines,) = (c for c in ax.collections if c.get_gid() == "trials")
    bar = ax.figure.colorbar(lines, ax=ax, aspect=30, pad=0.02)
    if bar.solids is not None:
        bar.solids.set_alpha(1.0)
    bar.set_ticks([0.0, 1.0], labels=["best", "worst"])
    bar.ax.invert_yaxis()
    bar.set_label("rank of the last loss", fontsize=SMALL, labelpad=-10)
    bar.outline.set_edgecolor(look.muted)
    bar.outline.set_linewidth(0.6)
    bar.ax.tick_params(color=look.muted, labelcolor=look.ink, labelsize=SMALL, length=0)
