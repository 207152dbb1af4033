"""Several results side by side over the same two parameters, with one colour scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperband._common.checks import whole_number
from hyperband.errors import InputError
from hyperband.plots.canvas import apply_colours, new_figure, styled
from hyperband.plots.landscape import colour_bar, draw_landscape, legend_handles, scales_of
from hyperband.plots.plotted_result import Outcomes, PlottedResult
from hyperband.plots.style import PAGE
from hyperband.plots.surface import Loss, surface_of

if TYPE_CHECKING:
    from hyperband.plots.picture import Picture


def compare(
    results: Mapping[str, PlottedResult],
    x: str,
    y: str,
    *,
    loss: Loss | None = None,
    columns: int | None = None,
    style: str = "light",
) -> Picture:
    """Landscapes of several results side by side, all with the same heat map and colour scale.

    Parameters
    ----------
    results : mapping of title to SearchResult, all of the same space
    x, y : str, names of two parameters
    loss : callable, optional
        The known ``loss(configuration)``; None fits a forest to the last losses of all results together.
    columns : int, optional
        Landscapes in a row; by default at most three.
    style : {"light", "dark"}

    Returns
    -------
    Picture
        A figure of matplotlib, as wide as a page. ``savefig`` writes it to a file; a notebook shows it.

    Raises
    ------
    InputError
        When there is no result, the spaces differ, ``columns`` is too large, or a name is unknown.

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
    n = len(every)
    wide = min(n, 3) if columns is None else whole_number(columns, "columns")
    if wide > n:
        raise InputError(f"`columns` must be at most the number of results ({n}); got {columns!r}.")
    scales = scales_of(every[0], x, y)
    levels = np.concatenate([Outcomes.of(result).levels for result in every])
    rows = math.ceil(n / wide)
    with styled(style) as look:
        figure = new_figure((PAGE, 0.4 + rows * (PAGE - 0.9) / max(wide, 2)))
        grid = figure.subplots(rows, wide, squeeze=False).ravel().tolist()
        surface = surface_of(every, *scales, loss)
        for k, (ax, (title, result)) in enumerate(zip(grid, results.items(), strict=False)):
            apply_colours(ax, look)
            missing = draw_landscape(ax, look, result, scales, surface, levels)
            ax.set_title(f"{title} ({missing} not shown)" if missing else title, parse_math=False)
            _hide_shared_labels(ax, below=k + wide < n, left=k % wide > 0)
        for ax in grid[n:]:
            ax.set_axis_off()
        if surface is not None:
            colour_bar(figure, grid, surface, look)
        handles = [handle for ax in grid[:n] for handle in legend_handles(ax, look, surface)]
        _legend(figure, handles, grid[n:], f"last evaluated at ({every[0].unit})")
    return figure


def _hide_shared_labels(ax: Any, *, below: bool, left: bool) -> None:
    """Hide the labels of an axis that the panel below, or to the left, has too."""
    if below:
        ax.tick_params(labelbottom=False)
        ax.set_xlabel("")
    if left:
        ax.tick_params(labelleft=False)
        ax.set_ylabel("")


def _legend(figure: Any, handles: list[Any], empty: list[Any], title: str) -> None:
    """One legend for all panels with each mark once, in an empty panel where there is one."""
    rank = {"failed": 1, "best": 2, "none": 3}
    found = {str(handle.get_label()): handle for handle in handles}
    once = sorted(found.values(), key=lambda h: (rank.get(h.get_gid(), 0), h.get_zorder()))
    if empty:
        empty[-1].legend(handles=once, title=title, loc="center")
    elif once:
        figure.legend(handles=once, title=title, loc="outside upper center", ncols=min(9, len(once)))
