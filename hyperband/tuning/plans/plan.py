"""What a search will do: rungs, brackets and the whole plan, with their exact sums."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hyperband._common.checks import Exact, as_float, plain
from hyperband._common.counted import counted
from hyperband._common.html import html_table


@dataclass(frozen=True, slots=True)
class Rung:
    """``n`` configurations that each reach the cumulative resource ``r`` (int when it is whole).

    ``new`` of them begin in this rung instead of being promoted to it; in the first rung of a bracket all do, and
    ``new`` is not read.
    """

    n: int
    r: Exact
    new: int = 0


@dataclass(frozen=True, slots=True)
class Bracket:
    """One run of successive halving, or what takes its place: rungs, least resource first.

    Parameters
    ----------
    s : int, the number of halvings meant
    rungs : tuple of Rung
    copies : bool
        Trials that begin in a later rung start as copies of others, with what those have (population-based training);
        else from zero.
    """

    s: int
    rungs: tuple[Rung, ...]
    copies: bool = False

    @property
    def n_configurations(self) -> int:
        """Configurations that begin in this bracket."""
        return self.rungs[0].n + sum(rung.new for rung in self.rungs[1:])

    @property
    def n_evaluations(self) -> int:
        """Losses that this bracket asks for."""
        return sum(rung.n for rung in self.rungs)

    @property
    def cost(self) -> Exact:
        """Resource spent when a promoted trial continues from where it was paused."""
        total = Fraction()
        for below, rung in zip((Rung(0, 0), *self.rungs[:-1]), self.rungs, strict=True):
            fresh = 0 if self.copies else rung.new
            total += (rung.n - fresh) * Fraction(rung.r - below.r) + fresh * Fraction(rung.r)
        return plain(total)

    @property
    def cost_restart(self) -> Exact:
        """Resource spent when every rung starts again from zero."""
        return plain(sum((Fraction(rung.n * rung.r) for rung in self.rungs), Fraction()))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a search will do, to the unit: brackets in order, bracket 0 being the one with the most rungs.

    ``str(plan)`` is the table for people: a line per bracket, a column per resource.

    Parameters
    ----------
    brackets : tuple of Bracket
    exact : bool
        False where the evaluations depend on the order of arrival (asynchronous algorithms): at least this will run.
    endless : bool
        The brackets are repeated until a budget is spent; the table is of one repetition.

    Examples
    --------
    >>> from hyperband.tuning.plans import hyperband_plan
    >>> plan = hyperband_plan(9, 3)
    >>> [[(rung.n, rung.r) for rung in bracket.rungs] for bracket in plan.brackets]
    [[(9, 1), (3, 3), (1, 9)], [(5, 3), (1, 9)], [(3, 9)]]
    >>> plan.n_configurations, plan.n_evaluations, plan.cost, plan.cost_restart
    (17, 22, 69, 78)
    """

    brackets: tuple[Bracket, ...]
    exact: bool = True
    endless: bool = False

    @property
    def n_configurations(self) -> int:
        """Configurations tried, over all brackets."""
        return sum(bracket.n_configurations for bracket in self.brackets)

    @property
    def n_evaluations(self) -> int:
        """Losses asked for, over all brackets and rungs."""
        return sum(bracket.n_evaluations for bracket in self.brackets)

    @property
    def cost(self) -> Exact:
        """Resource spent when promoted trials continue from where they were paused."""
        return plain(sum((Fraction(bracket.cost) for bracket in self.brackets), Fraction()))

    @property
    def cost_restart(self) -> Exact:
        """Resource spent when every rung starts again from zero."""
        return plain(sum((Fraction(bracket.cost_restart) for bracket in self.brackets), Fraction()))

    @property
    def max_resource(self) -> Exact:
        """Resource of the highest rung; every bracket ends there but some of a sequence."""
        return max(bracket.rungs[-1].r for bracket in self.brackets)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; ``new`` of a rung where trials begin in it, ``copies`` of a bracket where they do."""
        brackets = [
            {
                "bracket": k,
                "s": bracket.s,
                "rungs": [
                    {"n": rung.n, "r": as_float(rung.r), **({"new": rung.new} if rung.new else {})}
                    for rung in bracket.rungs
                ],
                **({"copies": True} if bracket.copies else {}),
            }
            for k, bracket in enumerate(self.brackets)
        ]
        return {
            "brackets": brackets,
            "n_configurations": self.n_configurations,
            "n_evaluations": self.n_evaluations,
            "cost": as_float(self.cost),
            "cost_restart": as_float(self.cost_restart),
            "exact": self.exact,
            "endless": self.endless,
        }

    def __str__(self) -> str:
        return _table(self)

    def _repr_html_(self) -> str:
        names, *rows = _cells(self)
        return html_table(names, rows, title=f"{_title(self)}; configurations at resource")


#: Characters of a line, as a terminal has them.
WIDTH = 80
_LEGEND = (
    "s: times that a bracket discards trials; cost: resource in all, where promoted",
    "trials continue; restarted: what it would be if every rung began at zero.",
)


def _cells(plan: Plan) -> list[list[str]]:
    """Bracket, s, configurations at each resource, evaluations, cost: names, a row a bracket, sums."""
    resources = sorted({rung.r for bracket in plan.brackets for rung in bracket.rungs})
    rows = [["bracket", "s", *(_show(r) for r in resources), "evaluations", "cost", "restarted"]]
    for k, bracket in enumerate(plan.brackets):
        at = {rung.r: str(rung.n) for rung in bracket.rungs}
        costs = [_show(bracket.cost), _show(bracket.cost_restart)]
        rows.append([str(k), str(bracket.s), *(at.get(r, "") for r in resources), str(bracket.n_evaluations), *costs])
    sums = [str(sum(g.n for b in plan.brackets for g in b.rungs if g.r == r)) for r in resources]
    rows.append(["total", "", *sums, str(plan.n_evaluations), _show(plan.cost), _show(plan.cost_restart)])
    return rows


def _title(plan: Plan) -> str:
    return (
        f"{counted(len(plan.brackets), 'bracket')}, {counted(plan.n_configurations, 'configuration')}, "
        f"{'' if plan.exact else 'at least '}{counted(plan.n_evaluations, 'evaluation')}"
        f"{', again and again until a budget is spent' if plan.endless else ''}"
    )


def _table(plan: Plan) -> str:
    """Lines of equal columns, of at most `WIDTH` characters: resources that do not fit go into a further table."""
    rows = _cells(plan)
    widths = [max(len(row[j]) for row in rows) + 2 for j in range(len(rows[0]))]
    first, last = 2, len(widths) - 3  # columns of resources
    blocks: list[list[int]] = [[]]
    for j in range(first, last):
        if blocks[-1] and sum(widths[i] for i in (0, 1, *blocks[-1], j)) - 2 > WIDTH:
            blocks.append([])
        blocks[-1].append(j)
    sums = list(range(last, len(widths)))
    if sum(widths[i] for i in (0, 1, *blocks[-1], *sums)) - 2 > WIDTH:
        blocks.append([])
    blocks[-1] += sums
    lines = [_title(plan)]
    for columns in ([0, 1, *block] for block in blocks):
        block = ["".join(row[j].rjust(widths[j]) for j in columns)[2:] for row in rows]
        head = " " * (widths[0] + widths[1]) + "configurations at resource" if columns[2] < last else ""
        rule = "-" * len(block[0])
        lines += ["", *([head] if head else []), block[0], rule, *block[1:-1], rule, block[-1]]
    return "\n".join([*lines, "", *_LEGEND])


def _show(value: Exact) -> str:
    return str(value) if value.denominator == 1 else f"{float(value):.4g}"
