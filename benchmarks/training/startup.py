"""What happens before the first epoch: importing, the first training, declaring many networks, what Numba compiles."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

import click

from benchmarks.common import records
from benchmarks.common.records import json_option
from hyperband.engine.backends import registry

COMMON = """
import time, sys
began = time.perf_counter()
import hyperband as hb
imported = time.perf_counter() - began
hb.Population, hb.Architecture
with_population = time.perf_counter() - began
import numpy as np
x = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
y = (x[:, 0] > 0).astype(int)
def train(backend):
    from hyperband.engine.backends import registry
    registry.get(backend)
    began = time.perf_counter()
    hb.Population([hb.Architecture(widths=[16])], x, y, epochs=1, backend=backend).train()
    return time.perf_counter() - began
"""
#: what -> a script that prints seconds
SCRIPTS = {
    "import hyperband": "print(imported)",
    "import hyperband; hyperband.Population": "print(with_population)",
    "native: first training less the second": 'a = train("native"); print(a - train("native"))',
    "native: 10,000 networks, from nothing to their first step": """
began = time.perf_counter()
shapes = [hb.Architecture(widths=[8 + i % 64], learning_rate=1e-3 + 1e-7 * i) for i in range(10000)]
population = hb.Population(shapes, x, y, backend="native")
population.train(until=0.25)
assert population.progress().step.min() == 1
print(time.perf_counter() - began)
""",
    "Numba: first training, compiled at another time": """
if "cold" in sys.argv: train("numba")
print(train("numba"))
""",
}


def seconds(script: str, *arguments: str) -> float:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", COMMON + script, *arguments], check=True, capture_output=True, text=True
    )
    return float(done.stdout.split()[-1])


@click.command("startup")
@click.option("--turns", default=7, show_default=True, type=click.IntRange(min=1))
@json_option
def main(turns: int, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    missing = registry.available()
    found: dict[str, list[float]] = {}
    for what, script in SCRIPTS.items():
        reason = next((why for name, why in missing.items() if what.lower().startswith(name) and why), "")
        if reason:
            click.echo(f"{what}: {reason}")
            continue
        seconds(script, "cold")  # fills the file cache and Numba's cache of machine code
        found[what] = [seconds(script) for _ in range(turns)]
        click.echo(f"{what:<60}{1e3 * median(found[what]):>9.1f} ms")
    records.write(json_file, {"seconds": found})
