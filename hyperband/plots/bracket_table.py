"""The bracket table as a diagram: one block a rung, with its number of trials and the resource that each adds."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hyperband._common.counted import counted
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

    A block shows how many trials are evaluated at its rung, and below it the resource that each of them adds to what it
    has received already: the products of a row add up to what its bracket spends, at the right, when promoted trials
    continue from where they were paused. A trial that starts again from zero at every rung spends the whole resource of
    the column instead; the line above the diagram has the sums of both. Where trials begin in a rung that others are
    promoted to, a second line shows how many do, with all the resource that they need.

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
    >>> [text.get_text() for text in axes.texts if text.get_text()][:6]
    ['9', '× 1', '3', '× +2', '1', '× +6']
    """
    if not isinstance(plan, Plan):
        raise InputError(f"`plan` must be a plan, such as hb.Hyperband(81).plan(); got {plan!r}.")
    levels = sorted({Fraction(rung.r) for bracket in plan.brackets for rung in bracket.rungs})
    rows, columns = len(plan.brackets), len(levels)
    size = (max(COLUMN * 0.75, min(7.0, 0.95 + 0.52 * columns)), 0.86 + 0.36 * rows)
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
        ax.set_title(_sums(plan, unit), fontsize=SMALL, parse_math=False)
    return ax


def _sums(plan: Plan, unit: str) -> str:
    """The totals of a plan: what it spends, and where that differs what it would spend without continuing."""
    counts = f"{counted(plan.n_configurations, 'configuration')}, {counted(plan.n_evaluations, 'evaluation')}"
    if plan.cost == plan.cost_restart:
        return f"{counts}, {short(float(plan.cost))} {unit}"
    return (
        f"{counts}\n{short(float(plan.cost))} {unit}: promoted trials continue\n"
        f"({short(float(plan.cost_restart))} if they started again from zero)"
    )


def _added(bracket: Bracket) -> list[list[tuple[int, str]]]:
    """For each rung how many trials add which resource; their products add up to the cost of the bracket.

    Examples
    --------
    >>> import hyperband as hb
    >>> _added(hb.Hyperband(9).plan().brackets[0])
    [[(9, '1')], [(3, '+2')], [(1, '+6')]]
    """
    found = []
    for k, rung in enumerate(bracket.rungs):
        below = Fraction(bracket.rungs[k - 1].r) if k else Fraction()
        fresh = 0 if bracket.copies or not k else rung.new
        more = "+" if k else ""
        lines = [(rung.n - fresh, f"{more}{short(float(rung.r - below))}"), (fresh, short(float(rung.r)))]
        found.append([(n, resource) for n, resource in lines if n])
    return found


def _row(ax: Axes, look: Style, bracket: Bracket, row: int, columns: list[int], colours: list[str]) -> None:
    """The blocks of one bracket with their numbers, and an arrow from each rung to the next."""
    from matplotlib.patches import FancyBboxPatch

    added = _added(bracket)
    for k, (rung, column) in enumerate(zip(bracket.rungs, columns, strict=True)):
        corner = (column - _WIDE / 2, row - _HIGH / 2)
        block = FancyBboxPatch(
            corner, _WIDE, _HIGH, boxstyle="round,pad=0,rounding_size=0.1", mutation_aspect=1.0,
            facecolor=colours[column], edgecolor=look.ink, linewidth=0.5, gid=f"rung {row} {k}",
        )  # fmt: skip
        ax.add_patch(block)
        ink = ink_on(colours[column])
        lines = [f"× {added[k][0][1]}"] if len(added[k]) == 1 else [f"{n} × {resource}" for n, resource in added[k]]
        top = 0.09 if len(lines) == 1 else 0.18
        ax.text(column, row - top, str(rung.n), ha="center", va="center", fontsize=SMALL, fontweight="bold", color=ink)
        for j, line in enumerate(lines):
            ax.text(column, row + 0.26 - top + 0.2 * j, line, ha="center", va="center", fontsize=TINY, color=ink)
        if k:
            ax.annotate(
                "", (column - _WIDE / 2, row), (columns[k - 1] + _WIDE / 2, row),
                arrowprops={"arrowstyle": "-|>", "color": look.muted, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0,
                            "mutation_scale": 5},
            )  # fmt: skip
