"""Several results side by side over the same two parameters, on one scale of colours: the classic comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperband.errors import InputError
from hyperband.plots.canvas import dress, dressed, new_figure
from hyperband.plots.landscape import colour_bar, draw_landscape, legend_handles, scales_of
from hyperband.plots.style import PAGE
from hyperband.plots.surface import Loss, surface_of
from hyperband.plots.trials import Outcomes, Searched

if TYPE_CHECKING:
    from hyperband.plots.picture import Picture


def compare(
    results: Mapping[str, Searched],
    x: str,
    y: str,
    *,
    loss: Loss | None = None,
    columns: int | None = None,
    style: str = "light",
) -> Picture:
    """Landscapes of several results side by side, on one heat map with one scale of colours.

    Parameters
    ----------
    results : mapping of title to SearchResult, all of the same space
    x, y : str, names of two parameters
    loss : callable, optional
        ``loss(configuration)``; None: a forest fitted to the last losses of all results together.
    columns : int, optional
        Landscapes in a row; at most three when not given.
    style : {"light", "dark"}

    Returns
    -------
    Picture
        A figure of matplotlib, as wide as a page. ``savefig`` writes it; a notebook shows it.

    Raises
    ------
    InputError
        When there is no result, the spaces differ, or a name is unknown.

    Examples
    --------
    >>> import hyperband as hb
    >>> space = hb.Space({"x": hb.Float(0.0, 1.0), "y": hb.Float(0.0, 1.0)})
    >>> def loss(c, resource=1.0):
    ...     return (c["x"] - 0.3) ** 2 + c["y"] ** 2 + 1 / resource
    >>> found = {"random": hb.minimize(loss, space, hb.RandomSearch(n=5, max_resource=9)),
    ...          "hyperband": hb.minimize(loss, space, hb.Hyperband(9))}
    >>> len(compare(found, "x", "y", loss=loss).axes)  # two landscapes and the scale of colours
    3
    """
    if not isinstance(results, Mapping) or not results:
        raise InputError(f"`results` must be a mapping of titles to results, at least one; got {results!r}.")
    every = list(results.values())
    if any(result.space != every[0].space for result in every):
        raise InputError("`results` must be of one space; got several. Compare searches of the same space.")
    n = len(every)
    wide = min(n, 3) if columns is None else columns
    if not 1 <= wide <= n:
        raise InputError(f"`columns` must be from 1 to the number of results ({n}); got {columns!r}.")
    scales = scales_of(every[0], x, y)
    levels = np.concatenate([Outcomes.of(result).levels for result in every])
    rows = math.ceil(n / wide)
    with dressed(style) as look:
        figure = new_figure((PAGE, 0.4 + rows * (PAGE - 0.9) / max(wide, 2)))
        grid = figure.subplots(rows, wide, squeeze=False).ravel().tolist()
        surface = surface_of(every, *scales, loss)
        for k, (ax, (title, result)) in enumerate(zip(grid, results.items(), strict=False)):
            dress(ax, look)
            missing = draw_landscape(ax, look, result, scales, surface, levels)
            ax.set_title(f"{title} ({missing} not shown)" if missing else title, parse_math=False)
            if k + wide < n:  # another one below has the same axis
                ax.tick_params(labelbottom=False)
                ax.set_xlabel("")
            if k % wide:
                ax.tick_params(labelleft=False)
                ax.set_ylabel("")
        for ax in grid[n:]:
            ax.set_axis_off()
        if surface is not None:
            colour_bar(figure, grid, surface, look)
        handles = [handle for ax in grid[:n] for handle in legend_handles(ax, look, surface)]
        _legend(figure, handles, grid[n:], f"last evaluated at ({every[0].unit})")
    return figure


def _legend(figure: Any, handles: list[Any], empty: list[Any], title: str) -> None:
    """One for all: each mark once, in an empty place where there is one."""
    rank = {"failed": 1, "best": 2, "none": 3}
    found = {str(handle.get_label()): handle for handle in handles}
    once = sorted(found.values(), key=lambda h: (rank.get(h.get_gid(), 0), h.get_zorder()))
    if empty:
        empty[-1].legend(handles=once, title=title, loc="center")
    elif once:
        figure.legend(handles=once, title=title, loc="outside upper center", ncols=min(9, len(once)))
