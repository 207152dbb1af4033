"""Bookkeeping of a million trials in rungs: time and memory per result as their number grows, beside other libraries.

The objective does nothing: its losses lie in memory before the clock starts. Contenders that promote by ASHA's rule
must hand out the same jobs in the same order, which is checked before anything is timed.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.bookkeeping.contenders import ALL, Contender, Heaps, Losses
from benchmarks.common import machine, records
from benchmarks.common.machine import resident
from benchmarks.common.optional import Unavailable
from benchmarks.common.records import json_option

#: Results at which time and memory are read.
MARKS = (1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
PACKAGES = ("optuna", "ray", "syne-tune")


class WrongAnswer(Exception):
    """A contender handed out other jobs than its rule says."""


def check(kind: type[Contender], results: int, reference: type[Heaps] = Heaps) -> None:
    """Compare the jobs of a contender that promotes with those of plain Python.

    Raises
    ------
    WrongAnswer
        When a job differs.
    """
    losses = Losses(results + kind.batch)
    logs = []
    plain = reference(losses)
    plain.batch = kind.batch
    for contender in (plain, kind(losses)):
        contender.log = []
        contender.advance(results)
        logs.append(contender.log)
    for number, (expected, found) in enumerate(zip(*logs, strict=False)):
        if tuple(expected) != tuple(found):
            raise WrongAnswer(f"{kind.name}: job {number} is (trial, rung) {found}; plain Python says {expected}.")
    if len(logs[0]) != len(logs[1]):
        raise WrongAnswer(f"{kind.name}: {len(logs[1])} jobs; plain Python gives {len(logs[0])}.")


def measure(name: str, marks: Sequence[int], limit: float) -> dict[str, Any]:
    """Seconds per result between marks, and bytes per result at the last mark reached; in a process of its own.

    Seconds are processor seconds: every contender has one thread, and other work of the machine matters less.

    A contender stops where it would exceed ``limit`` seconds before the next mark, if its cost per result grew as it
    did between the two marks before.
    """
    losses = Losses(marks[-1] + 10_000)
    try:
        ALL[name](losses).advance(100)  # imports and first-use costs are not those of a result
        contender = ALL[name](losses)
    except Unavailable as reason:
        return {"contender": name, "missing": str(reason)}
    record: dict[str, Any] = {"contender": name, "rule": contender.rule, "batch": contender.batch, "windows": []}
    _tidy()
    gc.freeze()  # keeps the losses out of garbage collections
    before, began, told, rate, growth = resident(), time.process_time(), 0, 0.0, 1.0
    for mark in marks:
        if time.process_time() - began + rate * growth * (mark - told) > limit:
            break
        start = time.process_time()
        contender.advance(mark)
        seconds = time.process_time() - start
        rate, last = seconds / (contender.results - told), rate
        growth = max(1.0, rate / last) if last else 1.0
        record["windows"].append([contender.results, rate])
        told = contender.results
    _tidy()
    after = resident()
    record["results"] = told
    record["seconds"] = time.process_time() - began
    record["bytes_per_result"] = None if before is None or after is None else (after - before) / told
    return record


def _tidy() -> None:
    """Return free memory to the system, so that the resident memory is what is in use."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _apart(name: str, marks: Sequence[int], limit: float) -> dict[str, Any]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (name, marks, limit))


@click.command("rungs")
@click.option(
    "--most",
    type=click.IntRange(1000),
    default=1_500_000,
    show_default=True,
    help="Results; ASHA has about 1.5 for a trial.",
)
@click.option("--limit", default=60.0, show_default=True, help="Seconds that a contender may take.")
@click.option("--contenders", help="Names, separated by commas; all when not given.")
@click.option("--checked", type=click.IntRange(1), default=20_000, show_default=True, help="Results of the check.")
@json_option
def main(most: int, limit: float, contenders: str | None, checked: int, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    names = list(ALL) if contenders is None else [name.strip() for name in contenders.split(",")]
    for name in names:
        if name not in ALL:
            raise click.BadParameter(f"unknown contender {name!r}; known: {', '.join(ALL)}")
    marks = (*(mark for mark in MARKS if mark < most), most)
    for name in (name for name in names if ALL[name].rule == "promotion"):
        try:
            check(ALL[name], min(checked, 3000) if "sorting" in name else checked)
        except Unavailable:
            pass
        except WrongAnswer as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"{'microseconds a result, up to':<42}" + "".join(f"{mark:>11,}" for mark in marks)
               + f"{'results/s':>12}{'bytes':>8}")  # fmt: skip
    found = []
    for name in names:
        record = _apart(name, marks, limit)
        found.append(record)
        show(record, len(marks))
    versions = {name: version for name in PACKAGES if (version := machine.installed(name))}
    records.write(json_file, {"versions": versions, "marks": marks, "records": found})


def show(record: dict[str, Any], columns: int) -> None:
    """Print a row of the table; cells after the time limit stay empty."""
    if "missing" in record:
        click.echo(f"{record['contender']}: left out, {record['missing']}")
        return
    cells = [f"{1e6 * seconds:>11.2f}" for _, seconds in record["windows"]]
    cells += [" " * 11] * (columns - len(cells))
    size = record["bytes_per_result"]
    name = record["contender"] + (" (stops)" if record["rule"] == "stopping" else "")
    click.echo(f"{name:<42}" + "".join(cells) + f"{record['results'] / record['seconds']:>12,.0f}"
               + ("" if size is None else f"{size:>8.0f}"))  # fmt: skip
