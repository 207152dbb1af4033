"""The loss over two parameters as a heat map, with each trial as a mark in the colour of its last resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.plots.canvas import canvas, colour_map, extent
from hyperband.plots.legends import GAPS, columns_that_fit
from hyperband.plots.marks import DrawnTrials, draw_marks
from hyperband.plots.numbers import NUMBERS, check_numbers, discards, numbers_of, write_numbers
from hyperband.plots.plotted_result import Outcomes, PlottedResult, points_of, space_of
from hyperband.plots.scales import Scale
from hyperband.plots.style import COLUMN, SMALL, Style
from hyperband.plots.surface import Loss, Surface, surface_of
from hyperband.plots.ticks import log_axis, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes

F64 = NDArray[np.float64]


def landscape(
    result: PlottedResult,
    x: str,
    y: str,
    *,
    loss: Loss | None = None,
    numbers: str = "order",
    cmap: Any = None,
    ax: Axes | None = None,
    style: str = "light",
) -> Axes:
    """Draws ``result.plot.landscape``; see `hyperband.plots.Plots.landscape`."""
    scales = scales_of(result, x, y)
    check_numbers(numbers)
    if numbers == "discarded" and not discards(result):
        raise InputError(
            "`numbers='discarded'` needs a plan with several rungs; this one drops no trial. Use numbers='order'."
        )
    with canvas(ax, style, (COLUMN, COLUMN)) as (ax, look):
        colours = surface_colours(look, cmap)
        surface = surface_of([result], *scales, loss)
        trials = draw_landscape(ax, look, result, scales, surface, colours)
        missing = int((~trials.shown).sum())
        if missing:
            ax.set_xlabel(f"{x}\n({missing} trials without both are not shown)", parse_math=False)
        if surface is not None:
            colour_bar(ax.figure, ax, surface, look)
        handles = legend_handles(ax, look, surface)
        if handles:
            wide = extent(ax)[0]  # without the colour bar
            legend = ax.legend(
                handles=handles,
                title=legend_title(handles, result.unit, numbers),
                loc="lower center",
                bbox_to_anchor=(0.5, 1.0),
                ncols=columns_that_fit([str(handle.get_label()) for handle in handles], wide),
                **GAPS,
            )
            legend.get_title().set_parse_math(False)
        ax.figure.figure.draw_without_rendering()  # the size of the axes decides where there is room for a number
        write_numbers(ax, look, trials, numbers_of(result, trials.outcomes, numbers))
    return ax


def scales_of(result: PlottedResult, x: str, y: str) -> tuple[Scale, Scale]:
    """The two parameters as scales; raises `InputError` when a name is unknown or both are the same."""
    space = space_of(result)
    scales = Scale.of(space, x, "`x` of a landscape"), Scale.of(space, y, "`y` of a landscape")
    if x == y:
        raise InputError(f"`x` and `y` of a landscape must be two parameters; got {x!r} twice.")
    return scales


def surface_colours(look: Style, cmap: Any) -> Any:
    """The colour map of a heat map: that of the style, or the reader's, by name or as an object of matplotlib.

    Raises
    ------
    InputError
        When matplotlib has no colour map of this name.
    """
    if cmap is None:
        return colour_map(look.surface)
    from matplotlib import colormaps
    from matplotlib.colors import Colormap

    if isinstance(cmap, Colormap):
        return cmap
    if not isinstance(cmap, str) or cmap not in colormaps:
        raise InputError(f"`cmap` must be a colour map of matplotlib or its name, such as 'viridis'; got {cmap!r}.")
    return colormaps[cmap]


def draw_landscape(
    ax: Axes,
    look: Style,
    result: PlottedResult,
    scales: tuple[Scale, Scale],
    surface: Surface | None,
    colours: Any,
    levels: F64 | None = None,
) -> DrawnTrials:
    """Draw heat map and marks of one result, without numbers and legends.

    Parameters
    ----------
    ax : Axes
    look : Style
    result : SearchResult
    scales : the parameters along x and y
    surface : Surface or None, the heat map
    colours : Colormap, of the heat map
    levels : float64 array, the levels of resource of all results side by side, or None
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
            cmap=colours,
            norm=surface.range.norm(),
            rasterized=True,
            zorder=0,
            gid="heat map",
        )
    outcomes, space = Outcomes.of(result, levels), space_of(result)
    points = points_of(result, outcomes.row)[:, [space.column_of(across.name), space.column_of(up.name)]]
    return draw_marks(ax, look, outcomes, scales, points)


def colour_bar(figure: Any, axes: Any, surface: Surface, look: Style) -> None:
    """Draw the colour scale of the heat map."""
    first = axes[0] if isinstance(axes, list) else axes
    mesh = next(c for c in first.collections if c.get_gid() == "heat map")
    bar = figure.colorbar(mesh, ax=axes, extend="max" if surface.range.beyond else "neither", aspect=30, pad=0.03)
    bar.set_label(surface.label, fontsize=SMALL, parse_math=False)
    bar.outline.set_edgecolor(look.muted)
    bar.outline.set_linewidth(0.6)
    if surface.range.log:
        log_axis(bar.ax.yaxis, surface.range.low, surface.range.top)
    bar.ax.tick_params(which="both", color=look.muted, labelcolor=look.ink, labelsize=SMALL, width=0.6)


def legend_handles(ax: Axes, look: Style, surface: Surface | None) -> list[Any]:
    """Legend entries of the marks that are there: levels of resource, failed trials, the best trial, blank cells."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    drawn: list[Any] = list(ax.collections)
    shown = [c for c in drawn if (c.get_gid() or "").startswith("level ")]
    handles: list[Any] = [  # all of one size: whether a mark has a number is no difference in meaning
        Line2D([], [], linestyle="", marker="o", markersize=5.5, markeredgewidth=0.5, label=str(shown[k].get_label()),
               markerfacecolor=shown[k].get_facecolor()[0], markeredgecolor=look.ink, zorder=shown[k].get_zorder())
        for k in thinned(range(len(shown)))
    ]  # fmt: skip
    for c in drawn:
        if c.get_gid() == "failed":
            handles.append(Line2D([], [], linestyle="", marker="x", markersize=4.5, markeredgewidth=1.0,
                                  markeredgecolor=look.ink, label="failed", gid="failed"))  # fmt: skip
        elif c.get_gid() == "best":
            handles.append(Line2D([], [], linestyle="", marker="*", markersize=9.5, markeredgewidth=0.6, gid="best",
                                  markerfacecolor=c.get_facecolor()[0], markeredgecolor=look.ink,
                                  label=str(c.get_label())))  # fmt: skip
    if surface is not None and np.isnan(surface.values).any():
        handles.append(Patch(facecolor=look.blank, edgecolor=look.muted, linewidth=0.5, label="no loss", gid="none"))
    return handles


def legend_title(handles: list[Any], unit: str, *numbers: str) -> str | None:
    """What the colours and the numbers of the marks say; None where no trial that has them is there.

    ``numbers`` are what the numbers of the panels count; where that is not the same in all, only "discarded" is told
    from the panels whose trials are not dropped.
    """
    if all(handle.get_gid() in ("failed", "none") for handle in handles):
        return None
    counted = NUMBERS[numbers[0]] if len(numbers) == 1 else "numbers: order of discarding (of drawing without rungs)"
    return f"last evaluated at ({unit})\n{counted}"
