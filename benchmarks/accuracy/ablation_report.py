"""Tables of the ablation, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.accuracy import ingredients, runs
from benchmarks.accuracy.contenders import VARIANT
from benchmarks.accuracy.measures import ranked, regret
from benchmarks.accuracy.ranks import mean_of
from benchmarks.accuracy.report import value
from benchmarks.accuracy.runs import Record
from benchmarks.accuracy.tasks import TABLES
from benchmarks.documents.markdown import table

NOTHING = "No run is recorded yet: `python -m benchmarks ablation` measures."
#: variant -> (set, seed) -> the run that counts
Found = dict[str, dict[tuple[str, int], Record]]


def by_variant(records: Sequence[Record], budget: float, unit: str) -> Found:
    """Runs that count at a budget, in the order of `ingredients.variants`; variants of the past come last."""
    found: Found = {name: {} for name in ingredients.variants()}
    for work, record in runs.counting(records).items():
        if (work.budget, work.unit) == (budget, unit) and work.contender.startswith(VARIANT):
            found.setdefault(work.contender.removeprefix(VARIANT), {})[work.set, work.seed] = record
    return {name: by for name, by in found.items() if by}


def text(records: Sequence[Record]) -> str:
    """A table for each budget; a sentence when there is nothing."""
    kinds = sorted({(w.budget, w.unit) for w in runs.counting(records) if w.contender.startswith(VARIANT)})
    parts = [
        f"**{budget:,g} {'network-epochs' if unit == 'epochs' else 's'}**\n\n"
        + variant_table(by_variant(records, budget, unit))
        for budget, unit in kinds
    ]
    return "\n\n".join(parts) if parts else NOTHING


def variant_table(found: Found) -> str:
    """Mean test metric of every variant on every set, and how much worse it is than its base.

    The base of "everything minus ..." is everything, that of "plain plus ..." is plain; the difference is relative,
    paired by set and seed, with a 95 % interval by the bootstrap.
    """
    sets = [name for name in TABLES if any(name == s for by in found.values() for s, _ in by)]
    rows = []
    for name, by in found.items():
        base = ingredients.EVERYTHING if name.startswith(ingredients.EVERYTHING) else ingredients.PLAIN
        change = "" if name == base else relative_change(by, found.get(base, {}))
        rows.append([name, *(_mean(by, s) for s in sets), change, str(len(by))])
    return table(["", *sets, "wrong answers or RMSE, against its base", "runs"], rows)


def _mean(by: Mapping[tuple[str, int], Record], name: str) -> str:
    metrics = [record["metrics"] for (s, _), record in by.items() if s == name]
    if not metrics:
        return ""
    metric = ranked(metrics[0])
    return value(float(np.mean([found[metric] for found in metrics])), metric)


def relative_change(by: Mapping[tuple[str, int], Record], base: Mapping[tuple[str, int], Record]) -> str:
    """Mean of regret / regret of the base - 1 over sets and seeds that both have, as text."""
    pairs = [(regret(by[key]["metrics"]), regret(base[key]["metrics"])) for key in by if key in base]
    changes = [100.0 * (mine / theirs - 1.0) for mine, theirs in pairs if theirs > 0]
    if not changes:
        return ""
    found = mean_of(changes)
    return f"{found.mean:+.1f} % ({found.low:+.1f}, {found.high:+.1f})"
