"""Tables of the test metric by set and contender, of ranks, and of the optimism of validation, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.accuracy import runs
from benchmarks.accuracy.contenders import ALL as CONTENDERS
from benchmarks.accuracy.contenders import OURS
from benchmarks.accuracy.measures import ranked, regret
from benchmarks.accuracy.ranks import Interval, Rank, mean_of, ranks
from benchmarks.accuracy.runs import Record
from benchmarks.accuracy.tasks import TABLES
from benchmarks.documents.markdown import table

NOTHING = "No run is recorded yet: `python -m benchmarks accuracy` measures."
#: Times the budget, above which the report says who took longer.
LATE = 1.1
#: set -> contender -> its runs, one a seed
Cells = dict[str, dict[str, list[Record]]]


def cells(records: Sequence[Record], budget: float) -> Cells:
    """Runs that count at a budget, of contenders and sets that are known, in the order of the tables."""
    found: Cells = {name: {contender: [] for contender in CONTENDERS} for name in TABLES}
    for work, record in runs.counting(records).items():
        if work.budget == budget and work.unit == "seconds" and work.contender in CONTENDERS and work.set in TABLES:
            found[work.set][work.contender].append(record)
    return {s: kept for s, by in found.items() if (kept := {name: each for name, each in by.items() if each})}


def budgets(records: Sequence[Record]) -> list[float]:
    """Budgets at which contenders of the table were measured, in seconds."""
    counted = runs.counting(records)
    return sorted({w.budget for w in counted if w.unit == "seconds" and w.contender in CONTENDERS and w.set in TABLES})


def text(records: Sequence[Record]) -> str:
    """Everything that is reported, one part a budget; a sentence when there is nothing."""
    parts = [part(cells(records, budget), budget) for budget in budgets(records)]
    return "\n\n".join(parts) if parts else NOTHING


def part(found: Cells, budget: float) -> str:
    """Tables of one budget."""
    names = [name for name in CONTENDERS if any(name in by for by in found.values())]
    blocks = [f"**{budget:g} s**", metric_table(found, names), rank_table(found)]
    if validated := optimism_table(found, names):
        blocks.append(validated)
    return "\n\n".join([*blocks, origin(found)])


def metric_table(found: Cells, names: Sequence[str]) -> str:
    """Mean test metric with its interval; the best of a set in bold; "*": a run was disturbed."""
    rows = []
    for name, by in found.items():
        best = min(_mean_regret(each) for each in by.values())
        metric = ranked(next(iter(by.values()))[0]["metrics"])
        rows.append([name, metric, *(_cell(by[n], metric, best) if n in by else "" for n in names)])
    return table(["set", "test", *(CONTENDERS[name].title for name in names)], rows)


def _mean_regret(each: Sequence[Record]) -> float:
    return float(np.mean([regret(record["metrics"]) for record in each]))


def _cell(each: Sequence[Record], metric: str, best: float) -> str:
    mean = mean_of([record["metrics"][metric] for record in each])
    shown = interval(mean, lambda x: value(x, metric), len(each))
    if _mean_regret(each) == best:
        shown = f"**{shown}**"
    return shown + (" *" if any(record.get("disturbed") for record in each) else "")


def value(x: float, metric: str) -> str:
    """Four decimals of an accuracy, four digits of an RMSE.

    Examples
    --------
    >>> value(0.91234, "accuracy"), value(42841.2, "rmse"), value(3.3349, "rmse")
    ('0.9123', '42,841', '3.335')
    """
    if metric == "accuracy":
        return f"{x:.4f}"
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.4g}"


def interval(found: Interval, shown: Any, n: int) -> str:
    """A mean, with its interval where there are several seeds."""
    mean, low, high = (shown(x) for x in (found.mean, found.low, found.high))
    return mean if n == 1 else f"{mean} ({low}, {high})"


def mean_metric(each: Sequence[Record]) -> str:
    """Mean test metric of runs on one set."""
    metric = ranked(each[0]["metrics"])
    return value(float(np.mean([record["metrics"][metric] for record in each])), metric)


def ranks_of(found: Cells) -> dict[str, Rank]:
    """Of every contender, over the sets on which it had company; the best mean first."""
    regrets = {s: {n: [regret(r["metrics"]) for r in each] for n, each in by.items()} for s, by in found.items()}
    return ranks({s: by for s, by in regrets.items() if len(by) > 1})


def rank_table(found: Cells) -> str:
    """Mean rank with its interval over sets and seeds, and on how many sets the rank is worse than 3."""
    rows = []
    for name, rank in ranks_of(found).items():
        counts = [len(by[name]) for by in found.values() if name in by]
        seeds = str(counts[0]) if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"
        mean = f"{rank.mean.mean:.2f} ({rank.mean.low:.2f}, {rank.mean.high:.2f})"
        rows.append([CONTENDERS[name].title, mean, str(len(rank.by_set)), seeds, str(rank.worse_than_third)])
    return table(["", "mean rank", "sets", "seeds", "sets with a rank worse than 3"], rows)


def optimism_table(found: Cells, names: Sequence[str]) -> str:
    """How much better the compared metric was on the validation rows than on the test rows, in percent of the latter.

    An empty text when nobody said what it saw on its validation rows.
    """
    rows = []
    for s, by in found.items():
        gaps = {n: [_gap(r) for r in by.get(n, []) if ranked(r["metrics"]) in r["optimism"]] for n in names}
        if any(gaps.values()):
            rows.append([s, *(f"{100 * np.mean(gaps[n]):+.1f} %" if gaps[n] else "" for n in names)])
    if not rows:
        return ""
    shown = [i for i, _ in enumerate(names, 1) if any(row[i] for row in rows)]
    head = ["optimism", *(CONTENDERS[names[i - 1]].title for i in shown)]
    return table(head, [[row[0], *(row[i] for i in shown)] for row in rows])


def _gap(record: Record) -> float:
    """Wrong answers, or RMSE, that the validation rows hid, relative to those on the test rows."""
    wrong = regret(record["metrics"])
    return float(record["optimism"][ranked(record["metrics"])] / wrong) if wrong else 0.0


def origin(found: Cells) -> str:
    """Machines, sources and commits of the runs, in sentences."""
    records = [record for by in found.values() for each in by.values() for record in each]
    machines = sorted({record["machine"] for record in records})
    others = sorted({record["source"].partition(":")[0] for record in records} - {"measured here"})
    commits = sorted({record["commit"] for by in found.values() for record in by.get(OURS, [])})
    lines = [f"Machine{'s' * (len(machines) > 1)}: {', '.join(machines)}."]
    if commits:
        lines.append(f"Commit{'s' * (len(commits) > 1)} of ours: {', '.join(commits)}.")
    if others:
        count = sum(record["source"] != "measured here" for record in records)
        lines.append(f"{count} of {len(records)} runs were taken in from {', '.join(others)}.")
    if late := sorted({CONTENDERS[r["contender"]].title for r in records if r["seconds"] > LATE * r["budget"]}):
        lines.append(f"More than {LATE:g} times the budget was taken at least once by {', '.join(late)}.")
    if disturbed := sum(bool(record.get("disturbed")) for record in records):
        limit = runs.DISTURBED
        lines.append(f"*: other processes used more than {limit:g} cores in {disturbed} of {len(records)} runs.")
    return " ".join(lines)
