"""The loss over two parameters as a heat map, with each trial as a mark in the colour of its last resource."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.plots.canvas import canvas, colour_map, extent, ink_on, rung_colours
from hyperband.plots.plotted_result import Outcomes, PlottedResult, complete, points_of, space_of
from hyperband.plots.scales import Scale, spread
from hyperband.plots.style import COLUMN, SMALL, Style
from hyperband.plots.surface import Loss, Surface, surface_of
from hyperband.plots.ticks import log_axis, short, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes

F64 = NDArray[np.float64]

#: Font size of a number in points; areas of marks with and without a number in square points.
NUMBER, BIG, DOT = 4.6, 62, 14
#: Numbered marks cover at most this fraction of the axes; trials that received the most resource have numbers first.
SHARE = 0.1


def landscape(
    result: PlottedResult, x: str, y: str, *, loss: Loss | None = None, ax: Axes | None = None, style: str = "light"
) -> Axes:
    """Draws ``result.plot.landscape``; see `hyperband.plots.Plots.landscape`."""
    scales = scales_of(result, x, y)
    with canvas(ax, style, (COLUMN, COLUMN)) as (ax, look):
        surface = surface_of([result], *scales, loss)
        missing = draw_landscape(ax, look, result, scales, surface)
        if missing:
            ax.set_xlabel(f"{x}\n({missing} trials without {x} or {y} are not shown)", parse_math=False)
        if surface is not None:
            colour_bar(ax.figure, ax, surface, look)
        handles = legend_handles(ax, look, surface)
        ax.legend(
            handles=handles,
            title=f"last evaluated at ({result.unit})" if result.best is not None else None,
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=min(8, len(handles)),
            handlelength=1.2,
            handletextpad=0.3,
            columnspacing=0.8,
            borderaxespad=0.2,
        )
    return ax


def scales_of(result: PlottedResult, x: str, y: str) -> tuple[Scale, Scale]:
    """The two parameters as scales; raises `InputError` when a name is unknown or both are the same."""
    space = space_of(result)
    scales = Scale.of(space, x, "`x` of a landscape"), Scale.of(space, y, "`y` of a landscape")
    if x == y:
        raise InputError(f"`x` and `y` of a landscape must be two parameters; got {x!r} twice.")
    return scales


def draw_landscape(
    ax: Axes,
    look: Style,
    result: PlottedResult,
    scales: tuple[Scale, Scale],
    surface: Surface | None,
    levels: F64 | None = None,
) -> int:
    """Draw heat map, marks and numbers of one result, without legends.

    Parameters
    ----------
    ax : Axes
    look : Style
    result : SearchResult
    scales : the parameters along x and y
    surface : Surface or None, the heat map
    levels : float64 array, the levels of resource of all results side by side, or None

    Returns
    -------
    int
        How many trials are not shown, because one of the two parameters was inactive.
    """
    across, up = scales
    across.set_up(ax, "x")
    up.set_up(ax, "y")
    if surface is not None:
        ax.set_facecolor(look.blank)
        # Rasterised also in a PDF: viewers would show the borders of ten thousand cells as lines.
        ax.pcolormesh(
            across.edges()[0],
            up.edges()[0],
            surface.values,
            cmap=colour_map(look.surface),
            norm=surface.range.norm(),
            rasterized=True,
            zorder=0,
            gid="heat map",
        )
    outcomes, space = Outcomes.of(result, levels), space_of(result)
    points = points_of(result, outcomes.row)[:, [space.column_of(across.name), space.column_of(up.name)]]
    _points(ax, look, outcomes, scales, points)
    return int(len(points) - complete(points).sum())


def colour_bar(figure: Any, axes: Any, surface: Surface, look: Style) -> None:
    """Draw the colour scale of the heat map."""
    first = axes[0] if isinstance(axes, list) else axes
    mesh = next(c for c in first.collections if c.get_gid() == "heat map")
    bar = figure.colorbar(mesh, ax=axes, extend="max" if surface.range.beyond else "neither", aspect=30, pad=0.03)
    bar.set_label(surface.label, fontsize=SMALL)
    bar.outline.set_edgecolor(look.muted)
    bar.outline.set_linewidth(0.6)
    if surface.range.log:
        log_axis(bar.ax.yaxis, surface.range.low, surface.range.top)
    bar.ax.tick_params(which="both", color=look.muted, labelcolor=look.ink, labelsize=SMALL, width=0.6)


def legend_handles(ax: Axes, look: Style, surface: Surface | None) -> list[Any]:
    """Legend entries: one mark a level of resource, failed trials, the best trial, and cells without a loss."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    shown: list[Any] = [c for c in ax.collections if (c.get_gid() or "").startswith("level ")]
    handles: list[Any] = [  # all of one size: whether a mark has a number is no difference in meaning
        Line2D([], [], linestyle="", marker="o", markersize=5.5, markeredgewidth=0.5, label=str(shown[k].get_label()),
               markerfacecolor=shown[k].get_facecolor()[0], markeredgecolor=look.ink, zorder=shown[k].get_zorder())
        for k in thinned(range(len(shown)))
    ]  # fmt: skip
    handles += [c for c in ax.collections if c.get_gid() in ("failed", "best")]
    if surface is not None and np.isnan(surface.values).any():
        handles.append(Patch(facecolor=look.blank, edgecolor=look.muted, linewidth=0.5, label="no loss", gid="none"))
    return handles


def _points(ax: Axes, look: Style, outcomes: Outcomes, scales: tuple[Scale, Scale], points: F64) -> None:
    """The trials as marks, with their numbers where there is room."""
    shown = complete(points)
    side = math.sqrt(math.prod(extent(ax)))
    # At a smaller distance, as a fraction of the axes, marks hide each other's numbers.
    close = 0.75 * math.sqrt(BIG) / side
    where, relative = _positions(scales, points, outcomes.trial, shown, close)
    colours, order = rung_colours(look, len(outcomes.levels)), 3 + outcomes.level
    numbered = _numbered(outcomes, shown, int(SHARE * side**2 / BIG))
    for level in np.unique(outcomes.level[shown & ~outcomes.failed]).tolist():
        chosen = shown & ~outcomes.failed & (outcomes.level == level)
        size = BIG if numbered[chosen].any() else DOT
        ax.scatter(
            where[chosen, 0], where[chosen, 1], s=size, color=[colours[level]], edgecolors=look.ink, linewidths=0.5,
            clip_on=False, zorder=3 + level, label=short(outcomes.levels[level]), gid=f"level {level}",
        )  # fmt: skip
        for i in np.flatnonzero(chosen & numbered).tolist():
            if not _covered(i, relative, order, shown & ~outcomes.failed, close):
                _number(ax, where[i], outcomes.trial[i], {"color": ink_on(colours[level]), "zorder": 3 + level})
    failed = shown & outcomes.failed
    if failed.any():
        ax.scatter(
            where[failed, 0], where[failed, 1], s=18, marker="x", color=look.ink, linewidths=1.0,
            clip_on=False, zorder=2.5, label="failed", gid="failed",
        )  # fmt: skip
    if outcomes.best is not None and shown[outcomes.best]:
        kept = int(shown[: outcomes.best].sum())
        _star(ax, look, kept, where[shown], relative[shown], str(outcomes.trial[outcomes.best]))


def _positions(
    scales: tuple[Scale, Scale], points: F64, trials: NDArray[np.int64], shown: NDArray[np.bool_], close: float
) -> tuple[F64, F64]:
    """Positions of the trials in data coordinates and as fractions of the axes, shape (n, 2) each.

    Trials with equal values of a parameter with few values are spread over the cell of the value, unless all marks are
    apart already, as those of a grid are.
    """
    where = np.column_stack([scale.positions(u) for scale, u in zip(scales, points.T, strict=True)])
    relative = np.column_stack([scale.fractions(v) for scale, v in zip(scales, where.T, strict=True)])
    if any(scale.cells for scale in scales) and _closest(relative[shown]) < close:
        for k, (scale, offset) in enumerate(zip(scales, spread(trials), strict=True)):
            if scale.cells:
                where[:, k] += 0.7 * offset
                relative[:, k] = scale.fractions(where[:, k])
    return where, relative


def _closest(relative: F64) -> float:
    """Smallest distance between two points; 0 for more than 400 points, which are too close in any case."""
    if len(relative) > 400:
        return 0.0
    apart = np.hypot(*(relative[:, None] - relative[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    return float(apart.min(initial=np.inf))


def _numbered(outcomes: Outcomes, shown: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Which trials get their numbers: whole levels, the highest first, while there is room.

    The best trial is left out: its number stands beside the star.
    """
    numbered = np.zeros(len(outcomes.trial), dtype=np.bool_)
    for level in range(len(outcomes.levels) - 1, -1, -1):
        more = numbered | (shown & ~outcomes.failed & (outcomes.level == level))
        if more.sum() > most:
            break
        numbered = more
    if outcomes.best is not None:
        numbered[outcomes.best] = False
    return numbered


def _covered(i: int, relative: F64, order: NDArray[np.int64], drawn: NDArray[np.bool_], close: float) -> bool:
    """Whether a mark that is drawn later hides the number of trial i."""
    later = drawn & ((order > order[i]) | ((order == order[i]) & (np.arange(len(order)) > i)))
    return bool((np.hypot(*(relative[later] - relative[i]).T) < close).any())


def _number(ax: Axes, spot: F64, trial: int, how: dict[str, Any]) -> None:
    ax.annotate(
        str(trial), (spot[0], spot[1]), ha="center", va="center_baseline", fontsize=NUMBER, annotation_clip=False, **how
    )


def _star(ax: Axes, look: Style, best: int, where: F64, relative: F64, text: str) -> None:
    """The best trial as a star, with its number beside it in the direction that is farthest from other marks."""
    from matplotlib.patheffects import withStroke

    spot = (where[best, 0], where[best, 1])
    ax.scatter(
        [spot[0]], [spot[1]], s=150, marker="*", color=look.ink, edgecolors=look.background, linewidths=0.8,
        clip_on=False, zorder=100, label="best", gid="best",
    )  # fmt: skip
    others = np.delete(relative, best, axis=0)
    corners = np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)])
    spots = relative[best] + corners * (0.07, 0.04)
    room = [np.hypot(*(others - candidate).T).min(initial=1.0) for candidate in spots]
    inside = ((spots > 0.02) & (spots < 0.98)).all(axis=1)
    right, up = corners[int(np.argmax(np.where(inside, room, -1.0)))].tolist()
    ax.annotate(
        text, spot, xytext=(7 * right, 6 * up), textcoords="offset points", ha="left" if right > 0 else "right",
        va="center", fontsize=SMALL, fontweight="bold", color=look.ink, zorder=100, annotation_clip=False,
        path_effects=[withStroke(linewidth=2, foreground=look.background)],
    )  # fmt: skip
