"""How quickly a search improves: the incumbent's loss, or its regret, over the cost spent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.plots.canvas import canvas, hide_top_and_right, write_in_the_middle
from hyperband.plots.loss_range import LossRange
from hyperband.plots.plotted_result import PlottedResult
from hyperband.plots.style import COLUMN, DASHES, MARKS
from hyperband.plots.ticks import log_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hyperband.plots.style import Style

F64 = NDArray[np.float64]

#: What the horizontal axis may count.
ALONG = ("cost", "evaluations")


@dataclass(frozen=True, slots=True)
class IncumbentCurve:
    """The incumbent's loss over the cost of one search.

    Parameters
    ----------
    spent : float64 array, shape (n_evaluations,)
        Cost, or number of evaluations, up to and including each evaluation.
    loss : float64 array, shape (n_evaluations,)
        Smallest loss so far; NaN before the first finite loss.
    """

    spent: F64
    loss: F64


def incumbent_curve(result: PlottedResult, *, x: str = "cost", at_full: bool = False) -> IncumbentCurve:
    """The incumbent's loss after each evaluation, in the order in which results were told.

    Parameters
    ----------
    result : SearchResult
    x : {"cost", "evaluations"}
    at_full : bool
        Count only losses at the highest resource reached, where losses at different resources are not comparable.

    Raises
    ------
    InputError
        When ``x`` is unknown, or is "cost" and all costs are 0.

    Examples
    --------
    >>> import hyperband as hb
    >>> space = hb.Space({"x": hb.Float(0.0, 1.0)})
    >>> result = hb.minimize(lambda c, resource: c["x"], space, hb.RandomSearch(n=3, max_resource=2))
    >>> incumbent_curve(result).spent.tolist()
    [2.0, 4.0, 6.0]
    """
    if x not in ALONG:
        raise InputError(f"`x` must be one of {', '.join(ALONG)}; got {x!r}.")
    rows = np.arange(len(result.trials["loss"])) if result.order is None else result.order
    loss, resource = (np.asarray(result.trials[name])[rows] for name in ("loss", "resource"))
    counts = np.isfinite(loss)
    if at_full:
        counts &= resource == resource.max(initial=-math.inf)
    best = np.minimum.accumulate(np.where(counts, loss, math.inf))
    if x == "evaluations":
        spent = np.arange(1.0, len(rows) + 1)
    else:
        spent = np.cumsum(np.nan_to_num(np.asarray(result.trials["cost"], dtype=np.float64)[rows]))
        if counts.any() and not spent[-1] > 0:
            raise InputError("`x='cost'` needs results with a cost; all costs are 0. Use x='evaluations'.")
    return IncumbentCurve(spent, np.where(np.isfinite(best), best, math.nan))


def regret(
    results: Mapping[str, PlottedResult],
    optimum: float | None = None,
    *,
    x: str = "cost",
    at_full: bool = False,
    log: bool | None = None,
    log_x: bool = False,
    ax: Axes | None = None,
    style: str = "light",
) -> Axes:
    """The incumbents' losses of several searches over their costs, on one pair of axes.

    Parameters
    ----------
    results : mapping of name to SearchResult
    optimum : float, optional
        The smallest possible loss. With it, the picture shows the regret: loss minus optimum.
    x, at_full : see `incumbent_curve`
    log : bool, optional
        Whether the vertical axis is logarithmic. By default that of the regret is, and that of losses that are all
        positive. A regret of 0 lies on the lower border, below a gap.
    log_x : bool, whether the horizontal axis is logarithmic too: most improvements are early
    ax, style : see `Plots`

    Raises
    ------
    InputError
        When there is no result, ``optimum`` is no finite number or larger than a loss, ``x`` or ``style`` is unknown,
        or ``log=True`` and no loss is positive.

    Examples
    --------
    >>> import hyperband as hb
    >>> space = hb.Space({"x": hb.Float(0.0, 1.0)})
    >>> found = {str(n): hb.minimize(lambda c, resource: c["x"], space, hb.RandomSearch(n=n)) for n in (3, 9)}
    >>> regret(found, optimum=0.0).get_ylabel()
    'regret'
    """
    if not isinstance(results, Mapping) or not results:
        raise InputError(f"`results` must be a mapping of names to results, at least one; got {results!r}.")
    found = {name: incumbent_curve(result, x=x, at_full=at_full) for name, result in results.items()}
    least = _check_optimum(optimum, found)
    unit = next(iter(results.values())).unit
    with canvas(ax, style, (COLUMN, 2.4)) as (ax, look):
        hide_top_and_right(ax)
        for k, (name, curve) in enumerate(found.items()):
            # The first on top: the dashes of the others leave gaps through which it could not be seen below them.
            _draw_curve(ax, look, curve, least, k, label=name, zorder=4 - k / len(found))
        values = np.concatenate([curve.loss - least for curve in found.values()])
        _scale(ax, values, True if log is None and optimum is not None else log)
        if not np.isfinite(values).any():
            write_in_the_middle(ax, look, "no finite loss")
            ax.set_yticks([])
        _scale_x(ax, np.concatenate([curve.spent for curve in found.values()]), log_x)
        ax.set_xlabel("evaluations" if x == "evaluations" else f"spent ({unit})", parse_math=False)
        kind = " at the full resource" if at_full else ""
        ax.set_ylabel(f"{'smallest loss' if optimum is None else 'regret'}{kind}")
        if len(found) > 1:
            legend = ax.legend(loc="best")
            for text in legend.get_texts():
                text.set_parse_math(False)
    return ax


def _draw_curve(ax: Axes, look: Style, curve: IncumbentCurve, least: float, k: int, **options: Any) -> None:
    """One search as steps, with a mark where it ended; ``k`` chooses colour, dashes and mark."""
    ax.step(
        curve.spent, curve.loss - least, where="post", color=look.series[k % len(look.series)],
        linestyle=DASHES[k % len(DASHES)], linewidth=1.4, marker=MARKS[k % len(MARKS)],
        markevery=[len(curve.spent) - 1] if len(curve.spent) else [], markersize=4.5,
        markeredgecolor=look.background, markeredgewidth=0.6, **options,
    )  # fmt: skip


def _check_optimum(optimum: float | None, found: Mapping[str, IncumbentCurve]) -> float:
    """The optimum, or 0 without one; raises `InputError` when it is none."""
    if optimum is None:
        return 0.0
    if isinstance(optimum, bool) or not isinstance(optimum, int | float) or not math.isfinite(optimum):
        raise InputError(f"`optimum` must be a finite number, or None; got {optimum!r}.")
    smallest = min((float(np.nanmin(curve.loss, initial=math.inf)) for curve in found.values()), default=math.inf)
    if smallest < optimum:
        raise InputError(f"`optimum` must not be larger than a loss that was found ({smallest:g}); got {optimum!r}.")
    return float(optimum)


def _scale(ax: Axes, values: F64, log: bool | None) -> None:
    """Set a linear axis without diverged losses, or a logarithmic one with zeros at the lower border.

    ``log`` is None where the values decide: a logarithmic axis shows only positive ones.
    """
    finite = values[np.isfinite(values)]
    positive = finite[finite > 0]
    if log and len(finite) and not len(positive):
        if (finite < 0).any():
            raise InputError(f"`log=True` needs positive losses; the largest is {finite.max():g}. Give the `optimum`.")
        return  # regrets of 0 alone: there is nothing that an axis could show
    if len(positive) and (log or (log is None and len(positive) == len(finite))):
        ax.set_yscale("log", nonpositive="clip")
        shown = LossRange.of(np.log10(positive))
        assert shown is not None
        low, high = 10.0**shown.low, 10.0**shown.top
        room = max((high / low) ** 0.06, 1.02)
        low = low / room**3 if (finite <= 0).any() else low / room
        ax.set_ylim(low, high * room)
        log_axis(ax.yaxis, low, high * room)
        return
    shown = LossRange.of(values)
    if shown is not None and shown.low < shown.top:
        room = 0.06 * (shown.top - shown.low)
        ax.set_ylim(shown.low - room, shown.top + room)


def _scale_x(ax: Axes, spent: F64, log: bool) -> None:
    """Set the horizontal axis; a logarithmic one begins at the first evaluation, a linear one at 0."""
    positive = spent[spent > 0]
    if not log or not len(positive):
        ax.set_xlim(left=0.0)
        return
    low, high = float(positive.min()), float(positive.max())
    room = max((high / low) ** 0.03, 1.08)
    ax.set_xscale("log", nonpositive="clip")
    ax.set_xlim(low / room, high * room)
    log_axis(ax.xaxis, low, high * room)
