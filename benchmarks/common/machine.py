"""Where and on what a measurement was made: machine, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.common.paths import ROOT

PACKAGES = ("numpy", "numba", "scikit-learn", "torch", "jax", "optuna", "ConfigSpace")


def describe() -> dict[str, Any]:
    """Machine, versions and commit, as plain data."""
    from hyperband._common import build_info
    from hyperband.interface.show_config import show_config

    config = show_config()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "processor": processor(),
        "processors": cores(),
        "memory_bytes": memory(),
        "load": list(os.getloadavg()),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "engine": dict(config.engine),
        "build": {key: str(value) for key, value in build_info.details().items()},
        "packages": {name: found for name in PACKAGES if (found := installed(name))},
    }


def commit() -> str:
    """Hash of the commit that is checked out, with "+" where files were changed since; "unknown" outside a checkout.

    Results do not count as changed files: a benchmark that appends to them measures the same commit all the time.
    """
    results = (":(exclude)benchmarks/results", ":(exclude)benchmarks/RESULTS.md")

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True).stdout

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", *results).strip()
        return git("rev-parse", "--short=10", "HEAD").strip() + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def processor() -> str:
    """Name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def memory() -> int | None:
    """Bytes of memory, None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def cores() -> list[int]:
    """Processors that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def installed(package: str) -> str | None:
    """Version of a package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def resident() -> int | None:
    """Bytes of this process in memory, None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
