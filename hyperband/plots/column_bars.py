"""Importances as bars; those of the columns of a table, for one model."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.plots.canvas import apply_colours, canvas, hide_top_and_right
from hyperband.plots.style import COLUMN, SMALL, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

F64 = NDArray[np.float64]

#: Height of a bar with its gap in inches, and of what is above and below the bars of columns.
ROW, _AROUND = 0.24, 0.95
#: At most so many columns are drawn, the most important ones.
MOST = 20


class ShuffledColumns(Protocol):
    """The attributes of a `hyperband.model.ColumnImportance` that pictures read."""

    @property
    def names(self) -> tuple[str, ...]:
        """Columns, most important first."""

    @property
    def mean(self) -> F64:
        """How much worse the figure gets when each is shuffled, shape (n_columns,)."""

    @property
    def low(self) -> F64:
        """Lower ends of the intervals, NaN where there is none."""

    @property
    def high(self) -> F64:
        """Upper ends."""

    @property
    def figure(self) -> str:
        """What gets worse: "loss" or the name of a metric."""

    @property
    def value(self) -> float:
        """The figure before any column is shuffled."""

    @property
    def n_rows(self) -> int:
        """Rows that were predicted."""


def column_importance(found: ShuffledColumns, *, ax: Axes | None = None, style: str = "light") -> Axes:
    """How much worse a model predicts without what each column says, as bars with intervals.

    Parameters
    ----------
    found : ColumnImportance, from `hyperband.Model.importance`; the 20 most important columns are drawn
    ax, style : see `Plots`

    Raises
    ------
    InputError
        When ``found`` is something else, or the style is unknown.

    Examples
    --------
    >>> from hyperband.model import ColumnImportance
    >>> numbers = np.array([0.2, 0.0])
    >>> found = ColumnImportance(("age", "colour"), numbers, numbers - 0.1, numbers + 0.1, "loss", 0.5, 100, 5)
    >>> column_importance(found).get_xlabel().splitlines()[0]
    'loss: how much worse when a column'
    """
    if not hasattr(found, "names") or not hasattr(found, "figure"):
        raise InputError(f"`found` must be what `Model.importance` returns; got {found!r}.")
    with canvas(ax, style, (COLUMN, column_height(found))) as (ax, look):
        draw_columns(ax, look, found)
    return ax


def column_height(found: ShuffledColumns) -> float:
    """Height of the picture in inches."""
    return _AROUND + ROW * max(1, min(MOST, len(found.names)))


def draw_columns(ax: Axes, look: Style, found: ShuffledColumns) -> None:
    """The bars of the most important columns on given axes."""
    bars(ax, look, found.names[:MOST], found.mean[:MOST], found.low[:MOST], found.high[:MOST])
    said = f"{found.figure}: how much worse when a column is shuffled (mean, 95 % interval)"
    ax.set_xlabel(fill(said, 36), fontsize=SMALL, parse_math=False)
    n = len(found.names)
    title = f"{found.figure} {found.value:.3g} on {found.n_rows} rows"
    ax.set_title(f"{title}\n({MOST} of {n} columns)" if n > MOST else title, fontsize=SMALL, parse_math=False)


def bars(ax: Axes, look: Style, names: Sequence[str], mean: F64, low: F64, high: F64) -> None:
    """Horizontal bars, the first at the top, with a line from low to high where these are numbers."""
    n = len(names)
    rows = np.arange(n)
    ax.barh(rows, mean, height=0.62, color=look.series[0], gid="importance")
    known = np.isfinite(low) & np.isfinite(high)
    if known.any():
        ends = np.maximum(0.0, np.array([mean - low, high - mean])[:, known])
        ax.errorbar(mean[known], rows[known], xerr=ends, fmt="none", ecolor=look.ink, elinewidth=0.8, capsize=2)
    ax.axvline(0.0, color=look.muted, linewidth=0.6)
    ax.set_yticks(rows, [shortened(name) for name in names], parse_math=False)
    ax.set_ylim(max(n, 1) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    hide_top_and_right(ax)
    ax.spines["left"].set_visible(False)


def shortened(name: str) -> str:
    """A name of at most 18 letters.

    Examples
    --------
    >>> shortened("a name that would take half of the picture")
    'a name that would…'
    """
    return name if len(name) <= 18 else name[:17] + "…"


def stacked(ax: Axes, look: Style, heights: tuple[float, float]) -> tuple[Axes, Axes]:
    """Two axes above one another inside the given axes, with as much room for texts around each as it has bars."""
    whole = sum(heights)
    upper, lower = ((height - _AROUND) / (whole - _AROUND) for height in heights)
    panels = ax.inset_axes((0.0, 1.0 - upper, 1.0, upper)), ax.inset_axes((0.0, 0.0, 1.0, lower))
    for panel in panels:
        apply_colours(panel, look)
    return panels
