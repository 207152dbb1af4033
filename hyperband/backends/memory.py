"""How much memory is free, and a clear refusal before it runs out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hyperband.errors import InsufficientMemory


def free_bytes() -> int | None:
    """Memory that this process may still take, or None where the system does not say.

    On Linux the smaller of the kernel's MemAvailable and what the control group (a container's limit) leaves.
    """
    if sys.platform == "linux":
        figures = [n for n in (_meminfo(), _control_group()) if n is not None]
        return min(figures) if figures else None
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def require(needed: int, what: str) -> None:
    """Raise `InsufficientMemory` when ``needed`` bytes are more than there are.

    Parameters
    ----------
    needed : int
        Bytes.
    what : str
        For the message: "12 members".
    """
    free = free_bytes()
    if free is not None and needed > free:
        raise InsufficientMemory(
            f"{what} need {needed} bytes ({needed / 2**30:.2f} GiB); {free} bytes ({free / 2**30:.2f} GiB) are free. "
            "Train fewer or smaller networks at a time."
        )


def _meminfo() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def _control_group() -> int | None:
    root = Path("/sys/fs/cgroup")
    for limit, usage, stat, cache in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
    ):
        try:
            ceiling, used = int((root / limit).read_text()), int((root / usage).read_text())
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
        return max(0, ceiling - used + _stat(root / stat, cache))
    return None


def _stat(path: Path, name: str) -> int:
    """Cached file pages count as used, but the kernel gives them up when asked."""
    try:
        for line in path.read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    except (OSError, ValueError):
        pass
    return 0
