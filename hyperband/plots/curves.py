"""Learning curves, one panel a bracket: each trial is a line that ends in a mark where the trial was dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.plots.canvas import apply_colours, canvas, extent, hide_top_and_right, rung_colours, write_in_the_middle
from hyperband.plots.loss_range import LossRange
from hyperband.plots.plotted_result import Outcomes, PlottedResult
from hyperband.plots.style import COLUMN, PAGE, SMALL, TINY, Style
from hyperband.plots.ticks import fixed_ticks, log_axis, short, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes

F64 = NDArray[np.float64]

#: A column of metrics with the loss measured at the resource of a row, where ``loss`` is the smallest up to there.
MEASURED = "current_loss"


def curves(result: PlottedResult, *, ax: Axes | None = None, style: str = "light") -> Axes:
    """Draws ``result.plot.curves``; see `hyperband.plots.Plots.curves`."""
    brackets = np.unique(result.trials["bracket"]).tolist()
    if not brackets:
        raise InputError("Learning curves need at least one evaluation; the result has none.")
    n = len(brackets)
    size = (COLUMN, 2.4) if n == 1 else (min(PAGE, 0.6 + 1.35 * n), 2.3)
    with canvas(ax, style, size) as (ax, look):
        outcomes = Outcomes.of(result)
        losses = measured(result)
        shown = LossRange.of(losses)
        wide = extent(ax)[0] / n  # of one panel, in points
        panels = [ax] if n == 1 else _panels(ax, look, n)
        for k, (panel, bracket) in enumerate(zip(panels, brackets, strict=True)):
            _panel(panel, look, result, losses, outcomes, bracket)
            _axes(panel, outcomes.levels, shown, wide, first=k == 0)
            if n > 1:
                n_trials = len(np.unique(result.trials["trial"][result.trials["bracket"] == bracket]))
                title = f"bracket {bracket}, n = {n_trials}" if wide > 75 else f"{bracket}: {n_trials}"
                panel.set_title(title, fontsize=SMALL, pad=3)
        panels[0].set_ylabel("loss measured there" if MEASURED in result.trials else "loss")
        _label_resource(panels, result.unit)
        if shown is None:
            write_in_the_middle(panels[len(panels) // 2], look, "no finite loss")
        above = 0 if shown is None else int((losses > shown.top).sum() - np.isposinf(losses).sum())
        if above > 0:
            panels[-1].annotate(
                f"{above} larger {'loss' if above == 1 else 'losses'}", (1.0, 1.0), xycoords="axes fraction",
                xytext=(-2, -2), textcoords="offset points", ha="right", va="top", fontsize=TINY, color=look.muted,
            )  # fmt: skip
    return ax


def measured(result: PlottedResult) -> F64:
    """The loss measured at the resource of each evaluation, shape (n_rows,): a curve of them can rise.

    That is the loss itself, unless the search reports the smallest loss up to a resource, as that of networks does.
    Then it is the metric ``current_loss``, and the loss where a row has none.

    Examples
    --------
    >>> import hyperband as hb
    >>> rises = hb.minimize(lambda c, r: r, hb.Space({"x": hb.Float(0.0, 1.0)}), hb.SuccessiveHalving(9, n=9))
    >>> measured(rises)[-2:].tolist()
    [3.0, 9.0]
    """
    loss = np.asarray(result.trials["loss"], dtype=np.float64)
    if MEASURED not in result.trials or (result.space is not None and MEASURED in result.space.names):
        return loss
    now = np.asarray(result.trials[MEASURED], dtype=np.float64)
    return np.where(np.isnan(now), loss, now)


def _panels(ax: Axes, look: Style, n: int) -> list[Axes]:
    """n axes side by side inside the given axes, whose own frame is hidden."""
    ax.set_axis_off()
    gap = (0.06 if extent(ax)[0] / n > 75 else 0.25) / n  # the labels of neighbouring panels must not touch
    wide = (1.0 - gap * (n - 1)) / n
    panels = [ax.inset_axes((k * (wide + gap), 0.0, wide, 1.0)) for k in range(n)]
    for panel in panels:
        apply_colours(panel, look)
    return panels


def _panel(ax: Axes, look: Style, result: PlottedResult, losses: F64, outcomes: Outcomes, bracket: int) -> None:
    """The lines of one bracket; trials that received more resource are drawn on top."""
    hide_top_and_right(ax)
    best = None if outcomes.best is None else int(outcomes.trial[outcomes.best])
    paths: dict[int, list[F64]] = {}
    broken: list[F64] = []  # last finite points of trials that failed later
    never: list[F64] = []  # last points of trials that never had a finite loss
    for trial, xy in _histories(result, losses, bracket):
        finite = xy[np.isfinite(xy[:, 1])]
        if len(finite) < len(xy):
            (broken if len(finite) else never).append((finite if len(finite) else xy)[-1])
        if trial == best:
            _best(ax, look, finite)
        elif len(finite):
            paths.setdefault(int(np.searchsorted(outcomes.levels, xy[-1, 0])), []).append(finite)
    colours = rung_colours(look, len(outcomes.levels))
    for level, lines in paths.items():
        _lines(ax, look, lines, level, colours[level])
    cross: dict[str, Any] = {"s": 16, "marker": "x", "color": look.ink, "linewidths": 0.9, "zorder": 19}
    if broken:
        ax.scatter(*np.array(broken).T, gid="failed", **cross)
    if never:  # their losses have no height: on the lower border
        across = np.array(never)[:, 0]
        ax.scatter(across, 0 * across, transform=ax.get_xaxis_transform(), clip_on=False, gid="failed", **cross)


def _histories(result: PlottedResult, losses: F64, bracket: int) -> Iterator[tuple[int, F64]]:
    """Each trial of a bracket with its resources and losses, float64 of shape (n, 2), resource ascending."""
    table = result.trials
    inside = np.flatnonzero(table["bracket"] == bracket)
    order = inside[np.lexsort((table["rung"][inside], table["trial"][inside]))]
    xy = np.column_stack([table["resource"][order], losses[order]]).astype(np.float64)
    starts = np.flatnonzero(np.diff(table["trial"][order], prepend=-1))
    yield from zip(table["trial"][order[starts]].tolist(), np.split(xy, starts[1:]), strict=True)


def _lines(ax: Axes, look: Style, lines: list[F64], level: int, colour: Any) -> None:
    """The trials whose last evaluation was at one level of resource, each with a mark at its end."""
    from matplotlib.collections import LineCollection

    faded = max(0.35, min(1.0, 12 / len(lines)))
    ax.add_collection(
        LineCollection(lines, colors=[colour], linewidths=0.8, alpha=faded, zorder=3 + level, gid=f"level {level}")
    )
    ends = np.array([line[-1] for line in lines])
    ax.scatter(
        ends[:, 0], ends[:, 1], s=11, color=[colour], edgecolors=look.ink, linewidths=0.4, zorder=4 + level,
        gid=f"end {level}",
    )  # fmt: skip


def _best(ax: Axes, look: Style, xy: F64) -> None:
    """The best trial as a thick line that ends in a star."""
    ax.plot(*xy.T, color=look.background, linewidth=3.0, zorder=20, solid_capstyle="round")
    ax.plot(*xy.T, color=look.ink, linewidth=1.4, zorder=21, gid="best")
    ax.scatter(
        xy[-1:, 0], xy[-1:, 1], s=90, marker="*", color=look.ink, edgecolors=look.background, linewidths=0.7, zorder=22
    )


def _axes(ax: Axes, levels: F64, shown: LossRange | None, wide: float, *, first: bool) -> None:
    """The scales of a panel: resource logarithmic with ticks at rungs, losses the same in all panels.

    ``wide`` is the width of the panel in points, which limits the number of ticks.
    """
    ax.set_xscale("log")
    low, high = float(levels[0]), float(levels[-1])
    ratio = (high / low) ** 0.06 if high > low else 2.0
    ax.set_xlim(low / ratio, high * ratio)
    longest = max(len(short(level)) for level in levels)
    ticks = levels[thinned(levels.tolist(), max(2, int(wide / (4.5 * longest + 7.0))))]
    fixed_ticks(ax.xaxis, ticks, [short(level) for level in ticks])
    if shown is not None:
        bottom, top = shown.low, shown.top
        if shown.log:
            ax.set_yscale("log")
            room = (top / bottom) ** 0.05
            ax.set_ylim(bottom / room, top * room)
            log_axis(ax.yaxis, bottom, top)
        else:
            room = (top - bottom) * 0.05 or abs(top) * 0.05 or 1.0
            ax.set_ylim(bottom - room, top + room)
    else:
        fixed_ticks(ax.yaxis, [])
    if not first:
        ax.tick_params(labelleft=False)


def _label_resource(panels: list[Axes], unit: str) -> None:
    """The unit of resource, once, below the middle of all panels."""
    middle = panels[len(panels) // 2]
    middle.set_xlabel(unit, parse_math=False)
    if len(panels) % 2 == 0:  # between the two panels in the middle
        middle.xaxis.label.set_x(0.0)
