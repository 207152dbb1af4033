"""Parallel coordinates: one axis a parameter, one line a trial, coloured by the rank of its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.plots.canvas import canvas, colour_map
from hyperband.plots.plotted_result import Outcomes, PlottedResult, at_resource, points_of, space_of
from hyperband.plots.scales import Scale
from hyperband.plots.style import COLUMN, PAGE, SMALL, TINY, Style
from hyperband.plots.ticks import log_ticks, short
from hyperband.space import Choice

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Height at which a line passes the axis of an inactive parameter; the axes reach from 0 to 1.
INACTIVE = -0.14


def parallel(result: PlottedResult, *, ax: Axes | None = None, style: str = "light") -> Axes:
    """Draws ``result.plot.parallel``; see `hyperband.plots.Plots.parallel`."""
    space, outcomes = space_of(result), Outcomes.of(result)
    if not len(outcomes.trial):
        raise InputError("Parallel coordinates need at least one evaluation; the result has none.")
    points = points_of(result, outcomes.row)
    scales = [Scale(name, parameter) for name, parameter in space.parameters.items()]
    wide = min(PAGE, max(COLUMN, 0.8 + 0.72 * len(scales)))
    with canvas(ax, style, (wide, 2.5)) as (ax, look):
        _lines(ax, look, outcomes, _heights(scales, points))
        inactive = [bool(np.isnan(column).any()) for column in points.T]
        for k, scale in enumerate(scales):
            _axis(ax, look, k, scale, inactive[k])
        ax.set_xlim(-0.25, len(scales) - 0.75 + 0.35)
        ax.set_ylim(INACTIVE - 0.06 if any(inactive) else -0.04, 1.04)
        ax.spines[:].set_visible(False)
        ax.set_yticks([])
        _names(ax, [scale.name for scale in scales])
        _bar(ax, look, outcomes, result.unit)
    return ax


def _heights(scales: list[Scale], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heights of the lines on the axes, shape (n_trials, n_parameters): points of [0, 1], or middles of cells."""
    heights = points.copy()
    for column, scale in zip(heights.T, scales, strict=True):
        active = ~np.isnan(column)
        if scale.cells:
            column[active] = scale.parameter.canonical(column[active])
    return np.where(np.isnan(heights), INACTIVE, heights)


def _ranks(outcomes: Outcomes) -> NDArray[np.float64]:
    """Ranks of the last losses, from 0 for the smallest to 1 for the largest; NaN for failed trials; ties are equal."""
    ranks = np.full(len(outcomes.loss), np.nan)
    finite = outcomes.loss[~outcomes.failed]
    if len(finite):
        order = np.searchsorted(np.unique(finite), finite)
        ranks[~outcomes.failed] = order / max(1, order.max())
    return ranks


def _lines(ax: Axes, look: Style, outcomes: Outcomes, heights: NDArray[np.float64]) -> None:
    """The trials as lines, better ones on top, failed ones dotted, the best one thick."""
    from matplotlib.collections import LineCollection

    across = np.arange(heights.shape[1], dtype=np.float64)
    if heights.shape[1] == 1:  # a single axis: short strokes
        across, heights = np.array([-0.1, 0.1]), np.repeat(heights, 2, axis=1)
    paths = np.stack([np.broadcast_to(across, heights.shape), heights], axis=2)
    ranks = _ranks(outcomes)
    order = np.argsort(-ranks, kind="stable")
    order = order[~np.isnan(ranks[order])]  # failed trials are drawn separately, below
    faded = max(0.3, min(0.9, 40 / max(1, len(order))))
    ax.add_collection(
        LineCollection(list(paths[np.isnan(ranks)]), colors=look.muted, linewidths=0.5, linestyles=":", zorder=1,
                       gid="failed")
    )  # fmt: skip
    if not len(order):
        return
    lines = LineCollection(
        list(paths[order]), cmap=colour_map(look.ranks), linewidths=1.4 - 0.8 * ranks[order],
        alpha=faded + (0.95 - faded) * (1 - ranks[order]) ** 4, zorder=2, gid="trials",
    )  # fmt: skip
    lines.set_array(ranks[order])
    lines.set_clim(0.0, 1.0)
    ax.add_collection(lines)
    if outcomes.best is not None:
        best = paths[outcomes.best]
        ax.plot(*best.T, color=look.background, linewidth=3.6, zorder=4, solid_joinstyle="round")
        ax.plot(*best.T, color=look.ink, linewidth=1.8, zorder=5, gid="best", solid_joinstyle="round")


def _axis(ax: Axes, look: Style, x: int, scale: Scale, inactive: bool) -> None:
    """A vertical axis with its values beside it, and the mark of inactive parameters below it where there are any."""
    ax.plot([x, x], [0, 1], color=look.muted, linewidth=0.8, zorder=6, solid_capstyle="butt")
    for height, label in [*_marks(scale), *([(INACTIVE, "inactive")] if inactive else [])]:
        ax.plot([x - 0.03, x + 0.03], [height, height], color=look.muted, linewidth=0.7, zorder=6)
        ax.text(
            x + 0.06, height, label, va="center", ha="left", fontsize=TINY, color=look.ink, zorder=7,
            parse_math=False, bbox={"facecolor": look.background, "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        )  # fmt: skip


def _marks(scale: Scale) -> list[tuple[float, str]]:
    """Heights and labels of the ticks of one axis, the ends first."""
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
        if all(abs(u - other) > 0.08 for other, _ in marks):  # no tick so close to an earlier one that the labels touch
            marks.append((u, short(value)))
    return marks


def _clipped(text: str) -> str:
    return text if len(text) <= 14 else text[:13] + "…"


def _names(ax: Axes, names: list[str]) -> None:
    """Names below the axes, one word a line, or slanted where there are many."""
    from textwrap import fill

    crowded = len(names) > 8
    ax.set_xticks(range(len(names)), [n if crowded else fill(n, 12) for n in names], parse_math=False)
    ax.tick_params(axis="x", length=0)
    if crowded:
        ax.tick_params(axis="x", rotation=35)
        for label in ax.get_xticklabels():
            label.set_horizontalalignment("right")
            label.set_rotation_mode("anchor")


def _bar(ax: Axes, look: Style, outcomes: Outcomes, unit: str) -> None:
    """The colour scale, which says at which resource the losses were measured."""
    if outcomes.failed.all():
        return
    (lines,) = (c for c in ax.collections if c.get_gid() == "trials")
    bar = ax.figure.colorbar(lines, ax=ax, aspect=30, pad=0.02)
    if bar.solids is not None:
        bar.solids.set_alpha(1.0)
    bar.set_ticks([0.0, 1.0], labels=["best", "worst"])
    bar.ax.invert_yaxis()
    where = at_resource(outcomes.resource[~outcomes.failed], unit)
    bar.set_label(f"rank of the last loss\n({where})", fontsize=SMALL, labelpad=-10, parse_math=False)
    bar.outline.set_edgecolor(look.muted)
    bar.outline.set_linewidth(0.6)
    bar.ax.tick_params(color=look.muted, labelcolor=look.ink, labelsize=SMALL, length=0)
