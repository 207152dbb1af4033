"""One run in a process of its own: ``python -m benchmarks.accuracy.child FILE`` reads the work and writes the outcome.

Everything is imported and the table is in memory before the clock starts; the predictions of the test rows come after
it has stopped.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from benchmarks.accuracy import contenders, tasks
from benchmarks.accuracy.contenders import Allowance
from benchmarks.accuracy.measures import figures, optimism
from benchmarks.accuracy.runs import DISTURBED, Work
from benchmarks.common.optional import Unavailable


def busy() -> float | None:
    """Processor seconds that the whole machine has worked since it started; None where the system does not say."""
    try:
        ticks = [int(part) for part in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    idle, waiting = ticks[3:5]
    return (sum(ticks) - idle - waiting) / os.sysconf("SC_CLK_TCK")


def own() -> float:
    """Processor seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


def carry_out(work: Work, threads: int) -> dict[str, Any]:
    """Train, predict, compare.

    Raises
    ------
    Unavailable
        When the table or a package is not there.
    """
    fit = contenders.find(work.contender).load()
    task = tasks.load(work.set, work.seed)
    busy_before, own_before, began = busy(), own(), time.monotonic()
    fitted = fit(task, Allowance(work.budget, threads, work.seed, work.unit))
    seconds, used, busy_after = time.monotonic() - began, own() - own_before, busy()
    others = None
    if busy_before is not None and busy_after is not None:
        others = max(busy_after - busy_before - used, 0.0) / seconds
    began, n_classes = time.monotonic(), len(task.classes)
    metrics = figures(task.y_test, fitted.predict(task.x_test), n_classes)
    return {
        "n_train": len(task.y_train),
        "n_test": len(task.y_test),
        "threads": threads,
        "seconds": round(seconds, 3),
        "predict_seconds": round(time.monotonic() - began, 4),
        "own_cores": round(used / seconds, 2),
        "other_cores": None if others is None else round(others, 2),
        "disturbed": others is not None and others > DISTURBED,
        "metrics": metrics,
        "validation": dict(fitted.validation),
        "optimism": optimism(fitted.validation, metrics),
        "about": dict(fitted.about),
    }


def outcome(work: Work, threads: int) -> dict[str, Any]:
    """`carry_out`, or ``skipped`` or ``error`` with the reason."""
    try:
        return carry_out(work, threads)
    except Unavailable as reason:
        return {"skipped": str(reason)}
    except Exception:  # of any library: it is recorded, and the other runs continue
        return {"error": traceback.format_exc()[-1500:]}


def main(file: Path) -> None:
    """Replace the work in the file by its outcome."""
    warnings.filterwarnings("ignore")
    asked = json.loads(file.read_text(encoding="utf-8"))
    found = outcome(Work(**asked["work"]), asked["threads"])
    file.write_text(json.dumps(found, default=_plain), encoding="utf-8")


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's, everything else as text."""
    return value.item() if hasattr(value, "item") else str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
