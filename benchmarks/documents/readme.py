"""Sections of README.md: the figures that are worth the first page."""

from __future__ import annotations

from statistics import median

from benchmarks.common.records import read
from benchmarks.documents.markdown import digits, table
from benchmarks.documents.searches import ranks, run_of
from benchmarks.documents.training import by_name
from benchmarks.search.datasets import score

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
    """Test scores beside a default network."""
    found = read("datasets")["records"]
    named = [(r["table"], *score(r["hyperband"]), r["default_mlp"]["score"]) for r in found]
    head = ["", *(name + (" (R²)" if metric == "r2" else "") for name, metric, _, _ in named)]
    ours, theirs = ([f"{row[column]:.3f}" for row in named] for column in (2, 3))
    return table(head, [["hyperband", *ours], ["default MLP", *theirs]])


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
