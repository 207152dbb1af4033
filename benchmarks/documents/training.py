"""Sections of RESULTS.md on training, from the records of `benchmarks.training`."""

from __future__ import annotations

from statistics import fmean, median, stdev
from typing import Any

from benchmarks.common.records import read
from benchmarks.documents.markdown import digits, table

#: workload in the records -> its title in the tables
WORKLOADS = {
    "A tiny": "A: 256 networks 64-32-32-10, relu, batch 64, 1,797 rows (digits)",
    "B medium": "B: 8 networks 784-128-64-10, relu, batch 128, 6,000 rows",
    "C all different": "C: 32 different networks, 1 to 4 layers of 8 to 256 units, relu, tanh or gelu, "
    "batch 32 to 256, 54 inputs, 6,000 rows",
}


def engine() -> str:
    """A table for each workload and number of threads, and a chart."""
    runs = read("engine-cpu")["runs"]
    parts = []
    for workload, title in WORKLOADS.items():
        for run in runs:
            records = [r for r in run["records"] if r["workload"] == workload]
            parts.append(f"**{title}; {run['threads']} thread{'s' * (run['threads'] > 1)}**")
            head = ["", "network-epochs/s", "GFLOP/s", "% of peak", "times slower"]
            parts.append(table(head, [_contender(r, records[0], run["fma_peak"]) for r in records]))
    one, two = (run["fma_peak"] / 1e9 for run in runs)
    gains = [
        f"{workload[0]} {by_name(runs[1], workload)['hyperband'] / by_name(runs[0], workload)['hyperband']:.2f}x"
        for workload in WORKLOADS
    ]
    parts.append("![percent of the FMA peak, every contender](results/engine-cpu.png)")
    parts.append(
        f"The peak measured in this run was {one:.0f} GFLOP/s on one thread and {two:.0f} on two.\n"
        f"Speed of two threads, relative to one: {', '.join(gains)}."
    )
    return "\n\n".join(parts)


def by_name(run: dict[str, Any], workload: str) -> dict[str, float]:
    """Network-epochs a second by contender, of those that were timed."""
    return {
        r["contender"]: r["network_epochs_per_second"]
        for r in run["records"]
        if r["workload"] == workload and r["status"] == "timed"
    }


def _contender(record: dict[str, Any], first: dict[str, Any], peak: float) -> list[str]:
    name = record["contender"]
    if record["status"] != "timed":
        return [name, record["reason"], "", "", ""]
    replaced = record["replaced_by_tanh"]
    rate = record["network_epochs_per_second"]
    return [
        f"{name} (tanh for gelu in {replaced})" if replaced else name,
        digits(rate, 4),
        digits(record["gflops"], 3),
        f"{100e9 * record['gflops'] / peak:.1f}",
        digits(first["network_epochs_per_second"] / rate, 3),
    ]


def features() -> str:
    """What each feature costs."""
    records = read("features")["records"]
    base = records[0]["gflops"]
    rows = [[r["case"], f"{100 * r['of_peak']:.1f}", f"{r['gflops'] / base:.2f}"] for r in records]
    return table(["four networks 64-64-64-10, relu, adam, batch 64, but", "% of peak", "of the base"], rows)


def same_shape() -> str:
    """Networks of one shape, alone and many."""
    record = read("same-shape")
    head = ["network", "flops a row", "batch", "alone", f"of {record['networks']}", "times"]
    percent = 100e9 / record["peak"]
    rows = [
        [
            r["network"],
            f"{r['flops']:,.0f}",
            str(r["batch"]),
            f"{percent * r['alone']:.1f}",
            f"{percent * r['together']:.1f}",
            f"{r['together'] / r['alone']:.2f}",
        ]
        for r in record["gflops"]
    ]
    return table(head, rows)


def precision_time() -> str:
    """Milliseconds of an epoch in float32 and bf16."""
    rows = []
    for threads, turns in read("precision")["seconds"].items():
        for workload in WORKLOADS:
            exact, half = (median(1e3 * turn[p][workload] for turn in turns) for p in ("float32", "bf16"))
            ratio = median(turn["float32"][workload] / turn["bf16"][workload] for turn in turns)
            rows.append([workload[0], threads, f"{exact:.1f}", f"{half:.1f}", f"{ratio:.2f}"])
    return table(["workload", "threads", "float32", "bf16", "times"], rows)


def precision_errors() -> str:
    """Errors of many seeds in float32 and bf16."""
    rows = []
    for name, errors in read("precision")["errors"].items():
        exact, half = errors["float32"], errors["bf16"]
        gaps = [b - a for a, b in zip(exact, half, strict=True)]
        spread = stdev(gaps) / len(gaps) ** 0.5
        cells = [f"{value:.4f}" for each in (exact, half) for value in (fmean(each), stdev(each))]
        rows.append([name, *cells, f"{fmean(gaps):+.5f} ± {spread:.5f}"])
    return table(["table", "float32", "sd", "bf16", "sd", "bf16 - float32"], rows)


def startup() -> str:
    """Milliseconds before the first epoch."""
    rows = []
    for what, seconds in read("startup")["seconds"].items():
        ms = 1e3 * median(seconds)
        name = f"`{what}`" if what.startswith("import") else what
        rows.append([name, f"{ms:.0f}" if ms >= 5 else f"{ms:.1f}"])
    return table(["", "ms"], rows)


def growth() -> str:
    """Time and memory a network by the number of networks."""
    rows = []
    for r in read("growth")["records"]:
        waves = r.get("memory_limit")
        memory = waves / r["networks"] if waves else r["bytes_per_network"]
        rows.append(
            [
                f"{r['networks']:,}" + (f" in waves of {waves / 1e6:.0f} MB" if waves else ""),
                f"{1e6 * r['seconds_per_network_epoch']:.0f}",
                f"{100 * r['of_peak']:.1f}",
                f"{memory / 1e6:.3f}",
                "" if waves else f"{r['planned_bytes_per_network'] / 1e6:.3f}",
            ]
        )
    head = ["networks", "µs a network-epoch", "% of peak", "MB a network", "planned, with the snapshot of the best"]
    return table(head, rows)
