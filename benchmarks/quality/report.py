"""The summary of `search-quality` as plain data, and its tables as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import click
import numpy as np

from benchmarks.quality.outcomes import MARKS, Outcome, grid_of
from benchmarks.quality.statistics import F64, better_of, mean_ranks, quartiles, reached
from benchmarks.quality.tasks import task

REPLICATES = 1000
BASE, QUARTER = "random", 25
#: (a, b): how often a has the smaller regret at the end of the budget
PAIRS = (
    ("Hyperband", "random"), ("ASHA", "random"), ("BOHB", "Hyperband"), ("DEHB", "Hyperband"), ("ASHA + KDE", "ASHA"),
    ("BOHB", "Optuna TPE + HyperbandPruner"), ("BOHB", "SMAC3 multi-fidelity"), ("DEHB", "DEHB package"),
    ("KDE", "Optuna TPE"), ("quasi-random", "random"), ("adaptive", "random"), ("evolution", "random"),
)  # fmt: skip
AXES = {"resource": "resource", "time": "simulated time"}


def number(x: float) -> float | None:
    """Four digits; None for infinity, which JSON does not know."""
    return float(f"{x:.4g}") if math.isfinite(x) else None


def summary(outcomes: Sequence[Outcome], full: int) -> dict[str, Any]:
    """Everything that is reported, as plain data."""
    grid = np.array(grid_of(full))
    marks = [float(mark) for mark in MARKS if mark <= full]
    record: dict[str, Any] = {"full_evaluations": full, "marks": marks, "tasks": {}, "runs": []}
    for name in dict.fromkeys(o.work.task for o in outcomes):
        t = task(name)
        record["tasks"][name] = {
            "min_resource": t.min_resource, "max_resource": t.max_resource, "optimum": number(t.optimum),
            "seconds_per_evaluation": number(t.seconds_per_evaluation),
        }  # fmt: skip
    for workers in sorted({o.work.workers for o in outcomes}):
        mine = [o for o in outcomes if o.work.workers == workers]
        record["runs"].append({"workers": workers, **_run(mine, grid, marks)})
    return record


def _run(outcomes: Sequence[Outcome], grid: F64, marks: Sequence[float]) -> dict[str, Any]:
    contenders: dict[str, Any] = {}
    for o in outcomes:
        c = contenders.setdefault(o.work.contender, {"seeds": len(o.work.seeds), "full": o.work.full, "seconds": 0.0,
                                                     "evaluations": 0.0, "busy": {}, "tasks": {}})  # fmt: skip
        c["busy"][o.work.task] = number(o.busy)
        c["seconds"] = round(c["seconds"] + o.seconds, 2)
        c["evaluations"] = round(c["evaluations"] + o.evaluations, 1)
        c["tasks"][o.work.task] = {
            axis: [[number(x) for x in q] for q in quartiles(_at(o, axis, marks)).T.tolist()] for axis in AXES
        }
    return {
        "contenders": contenders,
        "ranks": {axis: _ranks(outcomes, axis, marks) for axis in AXES},
        "pairs": {axis: _pairs(outcomes, axis) for axis in AXES},
        "sooner": {axis: _sooner(outcomes, axis, grid) for axis in AXES},
    }


def _at(o: Outcome, axis: str, points: Sequence[float]) -> F64:
    """Regrets at points of the grid, (seeds, points) as far as the budget of this contender went."""
    columns = [o.work.grid.index(point) for point in points if point in o.work.grid]
    return o.regrets[axis][:, columns]


def by_task(outcomes: Sequence[Outcome], axis: str, point: float) -> list[dict[str, F64]]:
    """{contender: regrets (seeds, 1)} for each task, of those whose budget went as far as the point."""
    tasks: dict[str, dict[str, F64]] = {}
    for o in outcomes:
        if point in o.work.grid:
            tasks.setdefault(o.work.task, {})[o.work.contender] = _at(o, axis, [point])
    return list(tasks.values())


def _ranks(outcomes: Sequence[Outcome], axis: str, marks: Sequence[float]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for column, mark in enumerate(marks):
        for name, rank in mean_ranks(by_task(outcomes, axis, mark), 0, REPLICATES).items():
            found.setdefault(name, [None] * len(marks))[column] = [number(x) for x in rank]
    return found


def _pairs(outcomes: Sequence[Outcome], axis: str) -> list[Any]:
    """How often one beats another at the largest budget that both had."""
    fulls = {o.work.contender: o.work.full for o in outcomes}
    found = []
    for a, b in PAIRS:
        if a in fulls and b in fulls:
            at = float(min(fulls[a], fulls[b]))
            found.append([a, b, at, *map(number, better_of(by_task(outcomes, axis, at), a, b, 0))])
    return found


def _sooner(outcomes: Sequence[Outcome], axis: str, grid: F64) -> dict[str, dict[str, float | None]]:
    """How many times less random search's final median regret takes, by contender and task; None: never reached."""
    base = {o.work.task: o for o in outcomes if o.work.contender == BASE}
    found: dict[str, dict[str, float | None]] = {}
    for o in outcomes:
        if o.work.task in base and base[o.work.task].work.full == o.work.full:
            target = float(quartiles(base[o.work.task].regrets[axis])[1][-1])
            at = reached(o.regrets[axis], grid, target)
            found.setdefault(o.work.contender, {})[o.work.task] = None if math.isinf(at) else number(grid[-1] / at)
    return found


def show(record: Mapping[str, Any]) -> None:
    """The tables as text."""
    for run in record["runs"]:
        for axis, words in AXES.items():
            if run["workers"] > 1 and axis == "resource":
                continue
            title = f"{run['workers']} simulated worker{'s' * (run['workers'] > 1)}, {words}"
            click.echo(f"\nMean rank over {len(record['tasks'])} tasks (95 % interval), {title} in full evaluations")
            _show_ranks(run, axis, record["marks"])
            _show_sooner(run, axis, list(record["tasks"]), title)
        _show_pairs(run)
    _show_regrets(record)


def _show_ranks(run: Mapping[str, Any], axis: str, marks: Sequence[float]) -> None:
    click.echo(f"{'':<30}{'seeds':>6}{'busy':>6}" + "".join(f"{mark:>20g}" for mark in marks))
    ranks = run["ranks"][axis]
    for name in sorted(ranks, key=lambda n: (ranks[n][-1] is None, (ranks[n][-1] or ranks[n][0] or [0])[0])):
        cells = [" " * 20 if r is None else f"{r[0]:>8.2f} ({r[1]:>4.1f}, {r[2]:>4.1f})" for r in ranks[name]]
        c = run["contenders"][name]
        click.echo(f"{name:<30}{c['seeds']:>6}{np.mean(list(c['busy'].values())):>6.0%}" + "".join(cells))


def _show_sooner(run: Mapping[str, Any], axis: str, tasks: Sequence[str], title: str) -> None:
    sooner = run["sooner"][axis]
    if not sooner:
        return
    click.echo(f"\nHow many times sooner the median reaches random search's last one, {title} (0: not in this budget)")
    click.echo(f"{'':<30}" + "".join(f"{name[-9:]:>10}" for name in tasks) + f"{'>= 4 on':>10}")
    for name, times in sooner.items():
        cells = [times.get(t) or 0.0 for t in tasks]
        quarter = sum(cell >= 4 for cell in cells)
        click.echo(f"{name:<30}" + "".join(f"{cell:>10.1f}" for cell in cells) + f"{quarter:>10}")


def _show_pairs(run: Mapping[str, Any]) -> None:
    click.echo(f"\nHow often the first has the smaller regret, {run['workers']} workers (95 % interval)")
    for axis, words in AXES.items():
        for a, b, at, mean, low, high in run["pairs"][axis]:
            click.echo(f"{a + ' / ' + b:<50}{words:>16} {at:>5g}{mean:>8.2f} ({low:.2f}, {high:.2f})")


def _show_regrets(record: Mapping[str, Any]) -> None:
    run, tasks = record["runs"][0], list(record["tasks"])
    click.echo(f"\nMedian regret at the end of the budget, {run['workers']} workers, resource")
    click.echo(f"{'':<30}" + "".join(f"{name[-9:]:>10}" for name in tasks))
    for name, c in run["contenders"].items():
        last = [c["tasks"][t]["resource"][-1][1] for t in tasks]
        click.echo(f"{name:<30}" + "".join(f"{math.inf if x is None else x:>10.4f}" for x in last))
