"""Ours alone, with everything, everything minus each ingredient, plain, and plain plus each ingredient."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from benchmarks.accuracy import ablation_report, ingredients, runs
from benchmarks.accuracy.benchmark import child_on_a_quiet_machine, named, numbers, stamp, there
from benchmarks.accuracy.contenders import VARIANT
from benchmarks.accuracy.measure import Session
from benchmarks.accuracy.tasks import SMALL, TABLES


@click.command("ablation")
@click.option("--sets", help="Names separated by commas, or all; default: the real ones that have files.")
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
    click.echo(ablation_report.text(runs.read(file)))
