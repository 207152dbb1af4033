"""How much memory is free, and the error when something needs more."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from hyperband.errors import InsufficientMemory

#: Fraction of the free memory that networks may use; the rest is for scratch space, results and other programs.
USABLE = 0.8


def usable_bytes() -> int | None:
    """Bytes that networks may use: `USABLE` of the free memory; None where the system does not report it.

    Examples
    --------
    >>> (usable_bytes() or 1) > 0
    True
    """
    free = free_bytes()
    return None if free is None else int(free * USABLE)


def free_bytes() -> int | None:
    """Bytes that this process can still allocate without swapping; None where the system does not report it.

    The smallest of the machine's available memory, what is left of the control group's limit (a container's), and of
    the address space that the process may have (``ulimit -v``).

    Examples
    --------
    >>> (free_bytes() or 1) > 0
    True
    """
    known = [n for n in (_machine(), _control_group(), _address_space()) if n is not None]
    return min(known) if known else None


def require(needed: int, what: str, remedy: str) -> None:
    """Raise an error when ``needed`` bytes are more than are free.

    Parameters
    ----------
    needed : int, bytes
    what, remedy : str
        Subject and last sentence of the error, such as "12 members" and "Train fewer at a time."

    Raises
    ------
    InsufficientMemory
        It names the needed and the free bytes.

    Examples
    --------
    >>> require(1, "12 members", "Train fewer at a time.")
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
    try:  # macOS reports only the installed memory
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
    windows = getattr(ctypes, "windll", None)  # `ctypes` has it on Windows only
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
                taken -= int(value) if name == cache else 0  # the system frees file cache on demand
            return max(0, int(Path(root, limit).read_text()) - taken)
        except (OSError, ValueError):  # no such group, or no limit ("max")
            continue
    return None


def _address_space() -> int | None:
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return None
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        return max(0, limit - taken)
    except (ImportError, OSError, ValueError, AttributeError):  # not on this system
        return None
