"""Sections of RESULTS.md on searches and their bookkeeping, from the records of the other benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from benchmarks.common.records import read
from benchmarks.documents.markdown import table
from benchmarks.search.datasets import TABLES, score

#: published accuracy where it is a range over preprocessings; otherwise the record's `floor` is shown
FLOORS = {"adult": "0.832 to 0.843"}
#: Full evaluations' worth of resource at which mean ranks are shown.
MARKS = (10.0, 25.0, 100.0)


def datasets() -> str:
    """Test scores on real tables."""
    rows = []
    for r in read("datasets")["records"]:
        metric, ours = score(r["hyperband"])
        floor = FLOORS.get(r["table"]) or ("" if r["floor"] is None else f"{r['floor']:.3f}")
        name = {"r2": "R²"}.get(metric, metric)
        seconds = f"{r['hyperband']['seconds']:.0f}"
        rows.append([r["table"], name, f"**{ours:.4f}**", f"{r['default_mlp']['score']:.4f}", floor, seconds])
    assert [row[0] for row in rows] == list(TABLES)
    head = ["table", "test score", "hyperband", "default MLP, same preprocessing", "published floor", "seconds"]
    return table(head, rows)


def digits_search() -> str:
    """A whole Hyperband on digits."""
    rows = [
        [
            str(r["max_resource"]),
            str(r["threads"]),
            str(r["networks"]),
            str(r["evaluations"]),
            f"{median(r['seconds']):.3f}",
            f"{100 * r['busy']:.0f} %",
        ]
        for r in read("search")["records"]
    ]
    return table(["R", "threads", "networks", "evaluations", "seconds", "busy"], rows)


def peers() -> str:
    """The same search by other libraries."""
    record = read("search-peers")
    seconds = {name: median(taken) for name, taken in record["seconds"].items()}
    rows = []
    for name, taken in seconds.items():
        o = record["outcomes"][name]
        times = digits_1(taken / seconds["hyperband, 2 threads"])
        label = f"{name}, one bracket" if name.startswith("scikit-learn") else name
        rows.append([label, f"{taken:.3f}", times, str(o["networks"]), f"{o['epochs']:.0f}", f"{o['accuracy']:.3f}"])
    return table(["", "seconds", "times", "networks", "epochs", "accuracy"], rows)


def digits_1(x: float) -> str:
    """One decimal, none for 1."""
    return "1" if x == 1 else f"{x:.1f}"


def run_of(workers: int) -> dict[str, Any]:
    """What `search-quality` found with so many simulated workers."""
    found: dict[str, Any] = next(r for r in read("search-quality")["runs"] if r["workers"] == workers)
    return found


def ranks(workers: int, axis: str) -> dict[str, list[Any]]:
    """Mean rank and interval at each of `MARKS` by contender, best at the end of the budget first; None: not run."""
    marks = read("search-quality")["marks"]
    found = {name: [each[marks.index(m)] for m in MARKS] for name, each in run_of(workers)["ranks"][axis].items()}
    ended = {name: each for name, each in found.items() if each[-1] is not None}
    return dict(sorted(ended.items(), key=lambda item: item[1][-1][0]))


def interval(found: Sequence[float], decimals: int) -> str:
    """A mean with its interval."""
    mean, low, high = (f"{x:.{decimals}f}" for x in found)
    return f"{mean} ({low}, {high})"


def quality() -> str:
    """Mean ranks with one worker, and the one contender that ran for less than the whole budget."""
    run, found = run_of(1), ranks(1, "resource")
    rows = []
    for name, each in found.items():
        times = run["sooner"]["resource"][name].values()
        quarter = sum(t is not None and t >= 4 for t in times)
        rows.append([name, str(run["contenders"][name]["seeds"]), *(interval(r, 1) for r in each), str(quarter)])
    head = ["", "seeds", *(f"{mark:g}" for mark in MARKS), "a quarter"]
    smac = "SMAC3 multi-fidelity"
    seeds, full = (run["contenders"][smac][key] for key in ("seeds", "full"))
    at = read("search-quality")["marks"].index(float(full))
    theirs, ours = (interval(run["ranks"]["resource"][name][at], 1) for name in (smac, "BOHB"))
    return (
        table(head, rows)
        + f"\n\nSMAC3's multi-fidelity facade takes ten seconds a run, so it has {seeds} seeds and {full} "
        f"full evaluations only.\nIts mean rank there is {theirs}; BOHB's is {ours}."
    )


def pairs() -> str:
    """How often one contender beats another."""
    rows = []
    for a, b, at, *found in run_of(1)["pairs"]["resource"]:
        rows.append([a, b, f"{at:g}", interval(found, 2)])
    return table(["this one", "has the smaller regret than", "after", "how often"], rows)


def quality_workers() -> str:
    """Mean ranks with eight workers, in simulated time."""
    run = run_of(8)
    rows = []
    for name, (_, middle, last) in ranks(8, "time").items():
        busy = fmean(run["contenders"][name]["busy"].values())
        rows.append([name, f"{100 * busy:.0f} %", interval(middle, 1), interval(last, 1)])
    return table(["", "workers busy", "25", "100"], rows)


def rungs(name: str) -> str:
    """Microseconds and bytes a result."""
    record = read(name)
    marks = record["marks"]
    rows = []
    for r in record["records"]:
        cells = [f"{1e6 * seconds:.2f}" for _, seconds in r["windows"]]
        cells += [""] * (len(marks) - len(cells))
        label = r["contender"] + (" *" if r["rule"] == "stopping" else "")
        rows.append([label, *cells, f"{r['results'] / r['seconds']:,.0f}", f"{r['bytes_per_result']:.0f}"])
    return table(["", *(f"{mark:,}" for mark in marks), "results/s", "bytes a result"], rows)
