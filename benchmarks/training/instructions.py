"""Instructions of a fixed short training, kernel by kernel, under callgrind: a measure of speed without noise.

Fixed populations train under valgrind with AVX2 code. Instructions are added up by function and compared with
``instructions.json``. A change that moves them updates that file (``--update``) and explains why. Counts belong to one
compiler; those of another one are shown, but not compared.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import click

from benchmarks.common import machine
from benchmarks.common.paths import ROOT

FILE = Path(__file__).with_name("instructions.json")
#: Tolerated growth of a kernel, and the smallest growth, as a share of all instructions, that counts.
TOLERANCE, SMALLEST = 0.03, 0.005


def train() -> None:
    """The fixed work: every activation, loss, optimiser, with and without dropout, clipping, weights, short batches."""
    import numpy as np

    from hyperband.engine.architecture import ACTIVATIONS, Architecture
    from hyperband.engine.backends import registry
    from hyperband.engine.backends.base import EngineSettings, Member, Split
    from hyperband.engine.losses import LOSSES, parse

    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 50)).astype(np.float32)
    native = registry.get("native")
    common = {"widths": [64, 40], "batch_size": 64}
    for loss in LOSSES:
        outputs = {"cross_entropy": 10, "logistic": 1}.get(loss, 3)
        regression = parse(loss).regression
        y = rng.normal(size=(300, 3)).astype(np.float32) if regression else rng.integers(0, max(2, outputs), 300)
        split = Split(x, y if regression else y.astype(np.int32))
        engine = native.engine(split, split, loss, outputs, EngineSettings(threads=1))
        networks = [Architecture(**common, activation=a) for a in ACTIVATIONS] if loss == "cross_entropy" else []
        networks += [
            Architecture(**common, activation="tanh", dropout=0.2),
            Architecture(**common, optimizer="adamw", weight_decay=0.1),
            Architecture(**common, optimizer="sgd", momentum=0.9),
            Architecture(**common, optimizer="rmsprop", clip_norm=1.0),
        ]
        networks += [
            Architecture(widths=[12, 5], batch_size=20, dropout=0.01 * (i + 1)) for i in range(16)
        ]  # side by side
        ids = engine.add([Member(n, i, 20) for i, n in enumerate(networks)])
        engine.train(ids, np.full(len(ids), 10), seconds=3600.0)  # in one slice, so that no count depends on the clock


def count() -> dict[str, int]:
    """Instructions by function of the extension module, templates of one name together."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        subprocess.run(
            ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}", sys.executable, "-c",
             "from benchmarks.training.instructions import train; train()"],
            check=True,
            cwd=ROOT,
            env=os.environ | {"HYPERBAND_ISA": "avx2", "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        listing = subprocess.run(
            ["callgrind_annotate", "--threshold=100", "--show-percs=no", str(out)],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    total: Counter[str] = Counter()
    for line in listing.splitlines():
        found = re.match(r"\s*([\d,]+)\s+[^:]*:(.*?)\s+\[\S*_core\.\S*\]$", line)
        if found:
            total[kernel_of(found.group(2))] += int(found.group(1).replace(",", ""))
    return dict(total.most_common())


def kernel_of(symbol: str) -> str:
    """A short name: no namespaces, no arguments; register tiles, and what is made for each activation, as one."""
    name = re.sub(r"hyperband::(cpu::)?(avx2::)?|\(anonymous namespace\)::", "", symbol)
    name = re.sub(r"(?<=[>\w])\(.*", "", re.sub(r"^(void|double|float|bool) ", "", name))
    return re.sub(r"^(tile|outer_tile|sum_panels|gemm|outer_product)<.*", r"\1", name)


def compare(now: dict[str, int], before: dict[str, int]) -> list[str]:
    """Kernels that need more instructions than the tolerance allows, as lines of text."""
    total = sum(before.values())
    worse = []
    for name in {**before, **now}:
        old, new = before.get(name, 0), now.get(name, 0)
        if new - old > TOLERANCE * old and new - old > SMALLEST * total:
            worse.append(f"{name}: {new:,} instructions, {old:,} before")
    if sum(now.values()) > (1 + TOLERANCE) * total:
        worse.append(f"all: {sum(now.values()):,} instructions, {total:,} before")
    return worse


@click.command("instructions")
@click.option("--update", is_flag=True, help="Write what was counted to the committed file.")
def main(update: bool) -> None:
    """See `benchmarks.__main__`."""
    if not shutil.which("valgrind"):
        raise click.ClickException("valgrind must be installed to count instructions; it was not found.")
    from hyperband._common import build_info

    compiler = str(build_info.details().get("compiler", "unknown"))
    now = count()
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {"compiler": None, "counts": {}}
    before = known["counts"]
    click.echo(f"{'kernel':<44}{'instructions':>14}{'before':>14}")
    for name, new in now.items():
        if new > SMALLEST * sum(now.values()) / 5:
            click.echo(f"{name[:43]:<44}{new:>14,}{before.get(name, 0):>14,}")
    click.echo(f"{'all':<44}{sum(now.values()):>14,}{sum(before.values()):>14,}")
    if update:
        record = {"compiler": compiler, "commit": machine.commit(), "counts": now}
        FILE.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    elif known["compiler"] != compiler:
        click.echo(f"not compared: these are instructions of {compiler}, the committed ones of {known['compiler']}")
    elif worse := compare(now, before):
        raise click.ClickException("kernels need more instructions than before:\n  " + "\n  ".join(worse))
