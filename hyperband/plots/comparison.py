"""Several results side by side over the same two parameters, with one colour scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperband._common.checks import positive, whole_number
from hyperband.errors import InputError
from hyperband.plots.canvas import apply_colours, new_figure, styled
from hyperband.plots.landscape import (
    colour_bar,
    draw_landscape,
    legend_handles,
    legend_title,
    scales_of,
    surface_colours,
)
from hyperband.plots.legends import GAPS, columns_that_fit
from hyperband.plots.numbers import check_numbers, discards, numbers_of, write_numbers
from hyperband.plots.plotted_result import Outcomes, PlottedResult
from hyperband.plots.style import COLUMN, PAGE
from hyperband.plots.surface import Loss, surface_of

if TYPE_CHECKING:
    from hyperband.plots.picture import Picture


def compare(
    results: Mapping[str, PlottedResult],
    x: str,
    y: str,
    *,
    loss: Loss | None = None,
    numbers: str = "order",
    cmap: Any = None,
    columns: int | None = None,
    width: float = PAGE,
    style: str = "light",
) -> Picture:
    """Landscapes of several results side by side, all with the same heat map and colour scale.

    Parameters
    ----------
    results : mapping of title to SearchResult, all of the same space
    x, y : str, names of two parameters
    loss : callable, optional
        The known ``loss(configuration)``; None fits a forest to the last losses of all results together.
    numbers : {"order", "discarded"}
        As of `Plots.landscape`; trials of a result that drops none have the order of drawing with "discarded" too.
    cmap : colour map of matplotlib or its name, optional
    columns : int, optional
        Landscapes in a row; by default one for each two inches, at most three.
    width : float > 0, of the figure in inches
        Texts keep their size: a narrow figure has fewer landscapes in a row and fewer numbers, all of them legible.
    style : {"light", "dark"}

    Returns
    -------
    Picture
        A figure of matplotlib, by default as wide as a page. ``savefig`` writes it to a file; a notebook shows it.

    Raises
    ------
    InputError
        When there is no result, their spaces or units differ, ``columns`` is too large, or a name is unknown.

    Examples
    --------
    >>> import hyperband as hb
    >>> space = hb.Space({"x": hb.Float(0.0, 1.0), "y": hb.Float(0.0, 1.0)})
    >>> def loss(c, resource=1.0):
    ...     return (c["x"] - 0.3) ** 2 + c["y"] ** 2 + 1 / resource
    >>> found = {"random": hb.minimize(loss, space, hb.RandomSearch(n=5, max_resource=9)),
    ...          "hyperband": hb.minimize(loss, space, hb.Hyperband(9))}
    >>> len(compare(found, "x", "y", loss=loss).axes)  # two landscapes and the colour scale
    3
    """
    if not isinstance(results, Mapping) or not results:
        raise InputError(f"`results` must be a mapping of titles to results, at least one; got {results!r}.")
    every = list(results.values())
    if any(result.space != every[0].space for result in every):
        raise InputError("`results` must be of one space; got results of several. Compare searches of the same space.")
    if len(units := sorted({result.unit for result in every})) > 1:
        raise InputError(f"`results` must have one unit of resource; got {', '.join(units)}. Compare them one by one.")
    check_numbers(numbers)
    n = len(every)
    width = positive(width, "width")
    wide = min(n, 3, max(1, int(width / 2.0))) if columns is None else whole_number(columns, "columns")
    if wide > n:
        raise InputError(f"`columns` must be at most the number of results ({n}); got {columns!r}.")
    scales = scales_of(every[0], x, y)
    levels = np.concatenate([Outcomes.of(result).levels for result in every])
    rows = math.ceil(n / wide)
    with styled(style) as look:
        colours = surface_colours(look, cmap)
        figure = new_figure((width, 0.6 + rows * (width - 0.9) / max(wide, 2 if width > COLUMN else 1)))
        grid = figure.subplots(rows, wide, squeeze=False).ravel().tolist()
        surface = surface_of(every, *scales, loss)
        panels = []
        for k, (ax, (title, result)) in enumerate(zip(grid, results.items(), strict=False)):
            apply_colours(ax, look)
            panels.append(draw_landscape(ax, look, result, scales, surface, colours, levels))
            missing = int((~panels[k].shown).sum())
            ax.set_title(f"{title} ({missing} not shown)" if missing else title, parse_math=False)
            _name_once(ax, below=k + wide < n, left=k % wide > 0)
        for ax in grid[n:]:
            ax.set_axis_off()
        if surface is not None:
            colour_bar(figure, grid, surface, look)
        handles = [handle for ax in grid[:n] for handle in legend_handles(ax, look, surface)]
        counted = ["order" if numbers == "order" or not discards(result) else "discarded" for result in every]
        heading = legend_title(handles, every[0].unit, *dict.fromkeys(counted))
        _legend(figure, handles, grid[n:], heading, 0.9 * 72 * width)
        figure.draw_without_rendering()  # the size of the panels decides where there is room for a number
        for ax, result, trials, kind in zip(grid, every, panels, counted, strict=False):
            write_numbers(ax, look, trials, numbers_of(result, trials.outcomes, kind))
    return figure


def _name_once(ax: Any, *, below: bool, left: bool) -> None:
    """Hide the name of an axis that the panel below, or to the left, has too; its ticks keep their labels."""
    if below:
        ax.set_xlabel("")
    if left:
        ax.set_ylabel("")


def _legend(figure: Any, handles: list[Any], empty: list[Any], title: str | None, width: float) -> None:
    """One legend for all panels with each mark once, in an empty panel where there is one; ``width`` in points."""
    rank = {"failed": 1, "best": 2, "none": 3}
    found = {str(handle.get_label()): handle for handle in handles}
    once = sorted(found.values(), key=lambda h: (rank.get(h.get_gid(), 0), h.get_zorder()))
    if not once:
        return
    if empty:
        legend = empty[-1].legend(handles=once, title=title, loc="center")
    else:
        columns = columns_that_fit([str(handle.get_label()) for handle in once], width)
        legend = figure.legend(handles=once, title=title, loc="outside upper center", ncols=columns, **GAPS)
    legend.get_title().set_parse_math(False)
