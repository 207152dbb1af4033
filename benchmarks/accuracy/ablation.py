"""Ours alone, with everything, everything minus each ingredient, plain, and plain plus each ingredient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import click
import numpy as np

from benchmarks.accuracy import ingredients, runs
from benchmarks.accuracy.benchmark import child_on_a_quiet_machine, named, numbers, stamp, there
from benchmarks.accuracy.contenders import VARIANT
from benchmarks.accuracy.measure import Session
from benchmarks.accuracy.measures import ranked, regret
from benchmarks.accuracy.ranks import mean_of
from benchmarks.accuracy.report import value
from benchmarks.accuracy.runs import Record
from benchmarks.accuracy.tasks import SMALL, TABLES
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


@click.command("ablation")
@click.option("--sets", help="Names separated by commas, or all; default: all but the small ones of scikit-learn.")
@click.option("--variants", help="Names separated by commas; all when not given.")
@click.option("--seeds", default="0", show_default=True, callback=numbers, help="Separated by commas.")
@click.option("--budget", type=click.FloatRange(1.0), default=1000.0, show_default=True)
@click.option("--unit", type=click.Choice(["epochs", "seconds"]), default="epochs", show_default=True,
              help="Of the budget; epochs of all networks together are the same on any machine.")  # fmt: skip
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True)
@click.option("--deadline", type=float, default=float("inf"), help="Start no run that would end later, in seconds.")
@click.option("--any-commit", is_flag=True, help="Do not repeat runs of other commits.")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), default=runs.ABLATION_FILE)
@click.option("--report", "only_report", is_flag=True, help="Measure nothing, print the table.")
def main(sets: str | None, variants: str | None, seeds: list[int], budget: float, unit: str, threads: int,
         deadline: float, any_commit: bool, file: Path, only_report: bool) -> None:  # fmt: skip
    """See `benchmarks.__main__`."""
    known = list(ingredients.variants())
    names = named(variants, known, known, "variant")
    chosen, _ = there(named(sets, list(TABLES), [name for name in TABLES if name not in SMALL], "set"), [])
    if not only_report:
        todo = [runs.Work(s, VARIANT + name, seed, budget, unit) for seed in seeds for s in chosen for name in names]
        quiet = 20.0 if unit == "seconds" else 0.0
        session = Session(file, stamp(), deadline, any_commit)
        session.carry_out(todo, partial(child_on_a_quiet_machine, threads=threads, longest=quiet))
    click.echo(text(runs.read(file)))
