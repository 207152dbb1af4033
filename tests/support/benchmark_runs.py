"""A benchmark run as its users run it: ``python -m benchmarks``, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """``python -m benchmarks ARGUMENTS`` in the checkout; ``options`` are those of `subprocess.run`."""
    called = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(called, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False, **options)


def measure(folder: Path, *arguments: str) -> dict[str, Any]:
    """What a benchmark writes with ``--json``, and what it prints as "output"; it must end well."""
    file = folder / "found.json"
    done = command(*arguments, "--json", str(file))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {**found, "output": done.stdout}
