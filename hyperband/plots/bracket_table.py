"""The bracket table as a diagram: one block a rung, with its number of configurations and their resource."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hyperband.errors import InputError
from hyperband.plots.canvas import canvas, ink_on, rung_colours
from hyperband.plots.style import COLUMN, SMALL, TINY
from hyperband.plots.ticks import fixed_ticks, short
from hyperband.tuning.plans import Bracket, Plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hyperband.plots.style import Style

#: Width and height of a block, as fractions of a column and a row.
_WIDE, _HIGH = 0.78, 0.7


def brackets(plan: Plan, *, unit: str = "resource", ax: Axes | None = None, style: str = "light") -> Axes:
    """The brackets of a plan as a diagram: a row a bracket, a column a level of resource, a block a rung.

    A block shows how many configurations are evaluated at its rung, and the resource that each has received by then.
    The right axis shows the resource that a bracket spends when promoted trials resume where they were paused.

    Parameters
    ----------
    plan : Plan, such as ``hb.Hyperband(81).plan()``
    unit : str, name of the unit of resource
    ax, style : see `Plots`

    Raises
    ------
    InputError
        When ``plan`` is no plan, or the style is unknown.

    Examples
    --------
    >>> import hyperband as hb
    >>> axes = brackets(hb.Hyperband(9).plan(), unit="epochs")
    >>> [text.get_text() for text in axes.texts][:3]
    ['9', '× 1', '3']
    """
    if not isinstance(plan, Plan):
        raise InputError(f"`plan` must be a plan, such as hb.Hyperband(81).plan(); got {plan!r}.")
    levels = sorted({Fraction(rung.r) for bracket in plan.brackets for rung in bracket.rungs})
    rows, columns = len(plan.brackets), len(levels)
    size = (max(COLUMN * 0.75, min(7.0, 0.95 + 0.52 * columns)), 0.62 + 0.36 * rows)
    with canvas(ax, style, size) as (ax, look):
        colours = rung_colours(look, columns)
        for row, bracket in enumerate(plan.brackets):
            _row(ax, look, bracket, row, [levels.index(Fraction(rung.r)) for rung in bracket.rungs], colours)
        ax.set_xlim(-0.55, columns - 0.45)
        ax.set_ylim(rows - 0.5, -0.5)
        fixed_ticks(ax.xaxis, range(columns), [short(float(level)) for level in levels])
        fixed_ticks(ax.yaxis, range(rows), [f"bracket {k}\ns = {b.s}" for k, b in enumerate(plan.brackets)])
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
        ax.set_xlabel(unit, parse_math=False)
        right = ax.secondary_yaxis("right")
        fixed_ticks(right.yaxis, range(rows), [short(float(bracket.cost)) for bracket in plan.brackets])
        right.tick_params(length=0, labelcolor=look.muted, labelsize=SMALL)
        right.spines[:].set_visible(False)
        right.set_ylabel("spent", color=look.muted)
        ax.set_title(
            f"{_count(plan.n_configurations, 'configuration')}, {_count(plan.n_evaluations, 'evaluation')}, "
            f"{short(float(plan.cost))} {unit}",
            fontsize=SMALL,
            parse_math=False,
        )
    return ax


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _row(ax: Axes, look: Style, bracket: Bracket, row: int, columns: list[int], colours: list[str]) -> None:
    """The blocks of one bracket with their numbers, and an arrow from each rung to the next."""
    from matplotlib.patches import FancyBboxPatch

    for k, (rung, column) in enumerate(zip(bracket.rungs, columns, strict=True)):
        corner = (column - _WIDE / 2, row - _HIGH / 2)
        block = FancyBboxPatch(
            corner, _WIDE, _HIGH, boxstyle="round,pad=0,rounding_size=0.1", mutation_aspect=1.0,
            facecolor=colours[column], edgecolor=look.ink, linewidth=0.5, gid=f"rung {row} {k}",
        )  # fmt: skip
        ax.add_patch(block)
        ink = ink_on(colours[column])
        ax.text(column, row - 0.09, str(rung.n), ha="center", va="center", fontsize=SMALL, fontweight="bold", color=ink)
        ax.text(column, row + 0.17, f"× {short(float(rung.r))}", ha="center", va="center", fontsize=TINY, color=ink)
        if k:
            ax.annotate(
                "", (column - _WIDE / 2, row), (columns[k - 1] + _WIDE / 2, row),
                arrowprops={"arrowstyle": "-|>", "color": look.muted, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0,
                            "mutation_scale": 5},
            )  # fmt: skip
