"""Table of ingredients that the engine does not have, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.accuracy.ranks import mean_of
from benchmarks.accuracy.runs import Record
from benchmarks.accuracy.tasks import TABLES
from benchmarks.documents.markdown import table

NOTHING = "No run is recorded yet: `python -m benchmarks left-out` measures."
#: What all others are compared with.
BASE = "one network"


def text(records: Sequence[Record]) -> str:
    """For each variant how much larger its share of wrong answers (or RMSE) is than the base's, by set and overall.

    Each variant has the better of its weight decays on a set, by the mean over seeds.
    """
    if not records:
        return NOTHING
    found: dict[tuple[str, str], dict[float, dict[int, float]]] = {}
    for r in records:
        found.setdefault((r["variant"], r["set"]), {}).setdefault(r["weight_decay"], {})[r["seed"]] = r["regret"]
    best = {key: min(by.values(), key=lambda seeds: float(np.mean(list(seeds.values())))) for key, by in found.items()}
    sets = [name for name in TABLES if (BASE, name) in best]
    rows = []
    for variant in dict.fromkeys(record["variant"] for record in records):
        changes = {
            name: [100.0 * (value / best[BASE, name][seed] - 1.0) for seed, value in best[variant, name].items()
                   if best[BASE, name].get(seed)]
            for name in sets if (variant, name) in best
        }  # fmt: skip
        changes = {name: values for name, values in changes.items() if values}
        if not changes:
            continue
        if variant == BASE:
            means = {name: np.mean(list(best[BASE, name].values())) for name in sets}
            rows.append([BASE, *(f"{means[name]:,.4g}" for name in sets), ""])
            continue
        overall = mean_of([float(np.mean(values)) for values in changes.values()])
        cells = [f"{np.mean(changes[name]):+.1f} %" if name in changes else "" for name in sets]
        rows.append([variant, *cells, f"{overall.mean:+.1f} % ({overall.low:+.1f}, {overall.high:+.1f})"])
    return table(["", *sets, "mean over sets"], rows)
