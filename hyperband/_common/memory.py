"""How much memory is free, and the refusal to take more."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from hyperband.errors import InsufficientMemory

#: Of the free memory, what networks may take; the rest is left to scratch space, results and other programs.
USABLE = 0.8


def usable_bytes() -> int | None:
    """`USABLE` of what is free; None where the system does not say."""
    free = free_bytes()
    return None if free is None else int(free * USABLE)


def free_bytes() -> int | None:
    """Memory that this process can still take without swapping; None where the system does not say.

    The smaller of what the machine has available and what the control group (a container's limit) leaves.

    Examples
    --------
    >>> (free_bytes() or 1) > 0
    True
    """
    known = [n for n in (_machine(), _control_group()) if n is not None]
    return min(known) if known else None


def require(needed: int, what: str, remedy: str) -> None:
    """Raise when ``needed`` bytes are more than there are.

    Parameters
    ----------
    needed : int
    what, remedy : str
        For the message: "12 members", "Train fewer at a time."

    Raises
    ------
    InsufficientMemory
    """
    free = free_bytes()
    if free is not None and needed > free:
        raise InsufficientMemory(
            f"{what} must fit in free memory; needed {needed:,} bytes ({needed / 2**30:.2f} GiB), free {free:,} bytes "
            f"({free / 2**30:.2f} GiB). {remedy}"
        )


def _machine() -> int | None:
    if sys.platform == "win32":
        return _windows()
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:  # macOS says only how much there is
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _windows() -> int | None:
    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong)
            for name in ("total", "free", "pages", "free_pages", "virtual", "free_virtual", "x")
        ]

    status = Status(length=ctypes.sizeof(Status))
    windows = getattr(ctypes, "windll", None)
    if windows is None or not windows.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.free)


def _control_group() -> int | None:
    for root, limit, used, cache in (
        ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            taken = int(Path(root, used).read_text())
            for line in Path(root, "memory.stat").read_text().splitlines():
                name, _, value = line.partition(" ")
                taken -= int(value) if name == cache else 0  # file cache is given back on demand
            return max(0, int(Path(root, limit).read_text()) - taken)
        except (OSError, ValueError):  # no such group, or "max"
            continue
    return None
