"""Regret of every scheduler and sampler, and of other libraries, on tasks without training.

A virtual clock (`benchmarks.quality.virtual_clock`) drives every contender, and a result is checked before it counts.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.common import machine, records
from benchmarks.common.optional import Unavailable
from benchmarks.common.records import json_option
from benchmarks.quality import figure, report
from benchmarks.quality.contenders import ALL as CONTENDERS
from benchmarks.quality.contenders import levels
from benchmarks.quality.outcomes import FULL, MARKS, Outcome, Work, grid_of
from benchmarks.quality.statistics import F64
from benchmarks.quality.tasks import ALL as TASKS
from benchmarks.quality.tasks import task
from benchmarks.quality.virtual_clock import check, simulate

PACKAGES = ("optuna", "smac", "DEHB", "ConfigSpace", "onnxruntime")
QUICK_TASKS = ("lcbench-3945", "lcbench-34539", "hartmann-3", "counting-ones-8")
QUICK_SLOW = ("SMAC3 multi-fidelity", "Optuna TPE + HyperbandPruner")


def carry_out(work: Work) -> Outcome:
    """Run all seeds, each checked before it counts."""
    outcome, began = Outcome(work), time.process_time()
    axes: dict[str, list[F64]] = {"resource": [], "time": []}
    try:
        chosen, contender = task(work.task), CONTENDERS[work.contender]
        budget, points = float(work.full * chosen.max_resource), np.array(work.grid)
        for seed in work.seeds:
            searcher = contender.start(chosen, seed, work.full)
            trace = simulate(searcher, chosen, budget, work.workers, levels(chosen))
            check(trace, chosen, budget)
            axes["resource"].append(trace.at("spent", points * chosen.max_resource))
            axes["time"].append(trace.at("seconds", points * chosen.seconds_per_evaluation / work.workers))
            outcome.evaluations += len(trace.trials) / len(work.seeds)
            outcome.busy += trace.worked / trace.seconds[-1] / work.workers / len(work.seeds)
    except Unavailable as reason:
        outcome.missing = str(reason)
    except Exception as error:  # of any library: it is reported, and the others continue
        outcome.wrong = f"{type(error).__name__}: {error}"
    outcome.regrets = {axis: np.array(rows) for axis, rows in axes.items() if rows}
    outcome.seconds = time.process_time() - began
    return outcome


def works(names: Sequence[str], tasks: Sequence[str], workers: Sequence[int], seeds: int, full: int) -> Iterator[Work]:
    """All pieces of work, slow contenders first so that no processor waits for one at the end."""
    for name in sorted(names, key=lambda n: CONTENDERS[n].seeds):
        c, least = CONTENDERS[name], min(full, CONTENDERS[name].full)
        for w in (w for w in workers if w <= c.workers):
            for chosen in tasks:
                yield Work(name, chosen, w, tuple(range(min(seeds, c.seeds))), least, grid_of(least))


def measure(todo: Sequence[Work], processes: int) -> list[Outcome]:
    """Outcomes in the order of ``todo``."""
    done: dict[Work, Outcome] = {}
    began = time.perf_counter()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # one process a processor; libraries must not add threads
        os.environ.setdefault(name, "1")
    with ProcessPoolExecutor(processes) as pool:
        for n, future in enumerate(as_completed([pool.submit(carry_out, work) for work in todo]), 1):
            outcome = future.result()
            done[outcome.work] = outcome
            if sys.stderr.isatty() or n % max(1, len(todo) // 10) == 0:
                end = "\r" if sys.stderr.isatty() else "\n"
                click.echo(f"{n} of {len(todo)} after {time.perf_counter() - began:.0f} s{end}", nl=False, err=True)
    return [done[work] for work in todo]


def _named(text: str | None, known: Sequence[str], what: str) -> list[str]:
    chosen = list(known) if text is None else [part.strip() for part in text.split(",")]
    for name in chosen:
        if name not in known:
            raise click.BadParameter(f"unknown {what} {name!r}; known: {', '.join(known)}")
    return chosen


@click.command("search-quality")
@click.option("--seeds", type=click.IntRange(1), default=20, show_default=True)
@click.option("--tasks", help="Names, separated by commas; all when not given.")
@click.option("--contenders", help="Names, separated by commas; all when not given.")
@click.option("--workers", default="1,8", show_default=True, help="Numbers of simulated workers.")
@click.option(
    "--full", type=click.IntRange(MARKS[0]), default=FULL, show_default=True, help="Budget in full evaluations."
)
@click.option("--quick", is_flag=True, help="Two seeds, four tasks, a fifth of the budget; no slow library.")
@click.option("--processes", type=click.IntRange(1), default=2, show_default=True)
@json_option
@click.option("--figure", "figure_file", type=click.Path(path_type=Path, dir_okay=False), help="PNG; needs matplotlib.")
def main(seeds: int, tasks: str | None, contenders: str | None, workers: str, full: int, quick: bool, processes: int,
         json_file: Path | None, figure_file: Path | None) -> None:  # fmt: skip
    """See `benchmarks.__main__`."""
    names = _named(contenders, list(CONTENDERS), "contender")
    chosen = _named(tasks, list(TASKS), "task")
    counts = [int(part) for part in workers.split(",")]
    if quick:
        seeds, full = min(seeds, 2), min(full, 20)
        chosen = [name for name in chosen if tasks is not None or name in QUICK_TASKS]
        names = [name for name in names if contenders is not None or name not in QUICK_SLOW]
    began = time.perf_counter()
    outcomes = measure(list(works(names, _there(chosen), counts, seeds, full)), processes)
    good = _good(outcomes)
    record: dict[str, Any] = {
        "versions": {name: found for name in PACKAGES if (found := machine.installed(name))},
        "seconds": round(time.perf_counter() - began),
        **report.summary(good, full),
    }
    report.show(record)
    records.write(json_file, record, indent=None)
    if figure_file is not None:
        figure.draw(good, figure_file)
    if wrong := sorted({f"{o.work.contender} on {o.work.task}: {o.wrong}" for o in outcomes if o.wrong}):
        raise click.ClickException("These went wrong and do not count:\n" + "\n".join(wrong))


def _there(names: Sequence[str]) -> list[str]:
    there = []
    for name in names:
        try:
            task(name)
            there.append(name)
        except Unavailable as reason:
            click.echo(f"{name}: left out, {reason}")
    return there


def _good(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Outcomes of contenders that ran without an error on all tasks; the others are printed."""
    for text in dict.fromkeys(f"{o.work.contender}: left out, {o.missing}" for o in outcomes if o.missing):
        click.echo(text)
    bad = {(o.work.contender, o.work.workers) for o in outcomes if o.missing or o.wrong}
    for o in outcomes:
        if o.wrong:
            click.echo(f"{o.work.contender}: does not count, on {o.work.task} with {o.work.workers} workers {o.wrong}")
    return [o for o in outcomes if (o.work.contender, o.work.workers) not in bad]
