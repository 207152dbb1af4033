"""Test metric of every contender on every table after the same time; `benchmarks.accuracy.child` has the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.accuracy import figure, peers_file, report, runs
from benchmarks.accuracy.contenders import ALL as CONTENDERS
from benchmarks.accuracy.measure import Session, in_child, wait_until_quiet
from benchmarks.accuracy.runs import Record, Work
from benchmarks.accuracy.tasks import SMALL, TABLES, missing
from benchmarks.common import machine

#: Where the figure stands that the document shows.
FIGURE = runs.FILE.with_suffix(".png")


def named(text: str | None, known: Sequence[str], default: Sequence[str], what: str) -> list[str]:
    """Names separated by commas, "all", or the default.

    Raises
    ------
    click.BadParameter
        When one is not known.
    """
    if text is None or text == "all":
        return list(default if text is None else known)
    chosen = [part.strip() for part in text.split(",")]
    for name in chosen:
        if name not in known:
            raise click.BadParameter(f"unknown {what} {name!r}; known: {', '.join(known)}")
    return chosen


def numbers(context: click.Context, parameter: click.Parameter, text: str) -> list[int]:
    """Whole numbers separated by commas; the callback of ``--seeds``."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"must be whole numbers separated by commas; got {text!r}") from None


def there(sets: Sequence[str], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Sets and contenders that can be measured here; the reason for each other one is printed."""
    for name in sets:
        if reason := missing(name):
            click.echo(f"{name}: left out, {reason}")
    for name in names:
        if reason := CONTENDERS[name].missing():
            click.echo(f"{name}: left out, {reason}")
    return [name for name in sets if not missing(name)], [name for name in names if not CONTENDERS[name].missing()]


def stamp() -> dict[str, Any]:
    """What every line of a session says of where it was measured."""
    return {
        "commit": machine.commit(),
        "machine": machine.processor(),
        "source": "measured here",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def child_on_a_quiet_machine(work: Work, threads: int, longest: float) -> dict[str, Any]:
    """The outcome of a run, begun when other processes leave the machine alone."""
    wait_until_quiet(longest)
    return in_child(work, threads)


def write_documents(records: Sequence[Record]) -> None:
    """The figure, and RESULTS.md with its tables."""
    from benchmarks.documents.command import write

    figure.draw(records, FIGURE)
    write("benchmarks/RESULTS.md")


@click.command("accuracy")
@click.option("--sets", help="Names separated by commas, or all; default: the real ones that have files.")
@click.option("--contenders", help="Names separated by commas; all when not given.")
@click.option("--seeds", default="0", show_default=True, callback=numbers, help="Separated by commas.")
@click.option("--budget", type=click.FloatRange(1.0), default=60.0, show_default=True, help="Seconds a run.")
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True)
@click.option("--deadline", type=float, default=float("inf"), help="Start no run that would end later, in seconds.")
@click.option("--any-commit", is_flag=True, help="Do not repeat runs of other commits, nor those taken in.")
@click.option("--quiet", type=float, default=20.0, show_default=True, help="Wait so long for a quiet machine at most.")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), default=runs.FILE, help="Where runs are kept.")
@click.option("--import-peers", type=click.Path(path_type=Path, exists=True), help="Take in runs of another harness.")
@click.option("--report", "only_report", is_flag=True, help="Measure nothing; print tables, write RESULTS.md.")
def main(sets: str | None, contenders: str | None, seeds: list[int], budget: float, threads: int, deadline: float,
         any_commit: bool, quiet: float, file: Path, import_peers: Path | None, only_report: bool) -> None:  # fmt: skip
    """See `benchmarks.__main__`."""
    chosen = named(sets, list(TABLES), [name for name in TABLES if name not in SMALL], "set")
    names = named(contenders, list(CONTENDERS), list(CONTENDERS), "contender")
    if import_peers is not None:
        new, known = peers_file.take_in(import_peers, file)
        click.echo(f"{import_peers.name}: {new} runs are new, {known} were there already")
    elif not only_report:
        chosen, names = there(chosen, names)
        todo = [Work(s, name, seed, budget) for seed in seeds for s in chosen for name in names]
        session = Session(file, stamp(), deadline, any_commit)
        session.carry_out(todo, partial(child_on_a_quiet_machine, threads=threads, longest=quiet))
    click.echo(report.text(runs.read(file)))
    if only_report and file == runs.FILE:
        write_documents(runs.read(file))
