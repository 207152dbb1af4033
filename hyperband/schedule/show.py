"""A plan as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperband.schedule.numbers import Exact

if TYPE_CHECKING:
    from hyperband.schedule.plan import Plan


def table(plan: Plan) -> str:
    """Lines of equal columns: bracket, s, configurations at each resource, evaluations, cost."""
    resources = sorted({rung.r for bracket in plan.brackets for rung in bracket.rungs})
    rows = [["bracket", "s", *(_show(r) for r in resources), "evaluations", "cost", "restarted"]]
    for k, bracket in enumerate(plan.brackets):
        at = {rung.r: str(rung.n) for rung in bracket.rungs}
        costs = [_show(bracket.cost), _show(bracket.cost_restart)]
        rows.append([str(k), str(bracket.s), *(at.get(r, "") for r in resources), str(bracket.n_evaluations), *costs])
    sums = [str(sum(g.n for b in plan.brackets for g in b.rungs if g.r == r)) for r in resources]
    rows.append(["total", "", *sums, str(plan.n_evaluations), _show(plan.cost), _show(plan.cost_restart)])
    widths = [max(len(row[j]) for row in rows) for j in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    title = (
        f"{_count(len(plan.brackets), 'bracket')}, {_count(plan.n_configurations, 'configuration')}, "
        f"{'' if plan.exact else 'at least '}{_count(plan.n_evaluations, 'evaluation')}"
        f"{', again and again until a budget is spent' if plan.endless else ''}"
    )
    head = " " * (widths[0] + 2 + widths[1] + 2) + "configurations at resource"
    rule = "-" * len(lines[0])
    return "\n".join([title, "", head, lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def _show(value: Exact) -> str:
    return str(value) if value.denominator == 1 else f"{float(value):.4g}"
