"""Sections of README.md: the figures that are worth the first page."""

from __future__ import annotations

from statistics import median

from benchmarks.accuracy import report, runs
from benchmarks.accuracy.contenders import ALL as CONTENDERS
from benchmarks.common.records import read
from benchmarks.documents.markdown import digits, table
from benchmarks.documents.searches import ranks, run_of
from benchmarks.documents.training import by_name

#: column of the table of speeds -> contender
SPEEDS = {
    "PyTorch, batched and compiled": "PyTorch bmm + compile",
    "JAX vmap": "JAX vmap + scan",
    "PyTorch loop": "PyTorch loop",
    "NumPy loop": "NumPy loop",
    "scikit-learn": "scikit-learn MLPClassifier",
    "pure Python": "pure Python loop",
}
#: row of that table -> workload
WORKLOADS = {"256 networks 64-32-32-10": "A tiny", "32 networks, all different": "C all different"}
#: column of the table of ranks -> contender
SEARCHES = {
    "ASHA + KDE": "ASHA + KDE",
    "BOHB": "BOHB",
    "Optuna TPE": "Optuna TPE",
    "DEHB": "DEHB",
    "ASHA": "ASHA",
    "Optuna TPE + Hyperband pruner": "Optuna TPE + HyperbandPruner",
    "Hyperband": "Hyperband",
    "DEHB package": "DEHB package",
    "random": "random",
}


def scores() -> str:
    """Test metric on real tables after a minute, and mean ranks, of those who ran on at least half of the tables."""
    found = report.cells(runs.read(runs.FILE), 60.0)
    if not found:
        return report.NOTHING
    ranked = report.ranks_of(found)
    names = [name for name in ranked if 2 * len(ranked[name].by_set) >= len(found)]
    means = [f"{ranked[name].mean.mean:.1f}" for name in names]
    rows = [["mean rank", *means]]
    for s, by in found.items():
        is_error = "rmse" in next(iter(by.values()))[0]["metrics"]
        cells = [report.mean_metric(by[name]) if name in by else "" for name in names]
        rows.append([f"{s} (RMSE)" if is_error else s, *cells])
    return table(["", *(CONTENDERS[name].title for name in names)], rows)


def speeds() -> str:
    """How many times as long others take."""
    (run,) = (run for run in read("engine-cpu")["runs"] if run["threads"] == 1)
    rows = []
    for title, workload in WORKLOADS.items():
        rates = by_name(run, workload)
        times = [digits(rates["hyperband"] / rates[name], 3) if name in rates else "cannot" for name in SPEEDS.values()]
        rows.append([title, *times])
    return table(["", *SPEEDS], rows)


def searches() -> str:
    """Mean ranks of searches."""
    record, found, run = read("search-quality"), ranks(1, "resource"), run_of(1)
    seeds = sorted({run["contenders"][name]["seeds"] for name in SEARCHES.values()})
    cells = [f"{found[name][-1][0]:.1f}" for name in SEARCHES.values()]
    words = (
        f"Mean rank of search algorithms on {len(record['tasks'])} tasks without training (the LCBench surrogate, "
        f"Hartmann's functions,\ncounting ones), {seeds[0]} to {seeds[-1]} seeds. {len(found)} contenders each spend "
        f"the resource of {record['full_evaluations']} full evaluations; a\nsmaller rank is better:"
    )
    return f"{words}\n\n{table(list(SEARCHES), [cells])}"


def bookkeeping() -> str:
    """Results a second through ASHA, and a whole search."""
    by = {r["contender"]: r for r in read("rungs-ours")["records"]}
    batches, single = by["hyperband in batches"], by["hyperband one by one"]
    rates = [digits(r["results"] / r["seconds"], 2) for r in (batches, single)]
    last = read("search")["records"][-1]
    return (
        f"A million trials in ASHA's rungs: {rates[0]} results a second in batches of {batches['batch']:,}, {rates[1]} "
        f"one at a time,\n{batches['bytes_per_result']:.0f} bytes a result.\n\n"
        f"A whole Hyperband up to {last['max_resource']} epochs on digits, {last['evaluations']} evaluations of "
        f"{last['networks']} networks, takes {median(last['seconds']):.1f} s on\n{last['threads']} processors, which "
        f"are {100 * last['busy']:.0f} % busy."
    )
