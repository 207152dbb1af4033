"""How functions are compiled: the options, and a cache that also works in a read-only installation.

Numba renews a cached function when its own file changes, but not when a function that it calls does. The entry points
therefore close over `STAMP`, a number made from all sources of this package: closure values are part of the cache key.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba

#: Contraction gives fused multiply-adds; nothing here may reorder a sum or assume that numbers are finite.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}


def vector_width() -> int:
    """Floats in the vectors that the tiles of `tiles` are made of."""
    features = llvmlite.binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 16
    return 8 if features.get("avx2") or features.get("neon") else 4


#: Floats in a vector; rows in memory are a multiple of it.
WIDTH = vector_width()


def _stamp() -> int:
    total = zlib.crc32(f"{numba.__version__} {WIDTH}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        total = zlib.crc32(path.read_bytes(), total)
    return total


STAMP = _stamp()


def jit(function: Callable[..., Any]) -> Any:
    """Compile; the caller's cache holds the result."""
    return numba.njit(**_OPTIONS)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile into the caller: a call that passes arrays takes as long as a few small tiles."""
    return numba.njit(inline="always", **_OPTIONS)(function)


def entry(function: Callable[..., Any]) -> Any:
    """Compile and keep the machine code on disk; where no folder is writable, compile in every process."""
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # "no locator available"
        return jit(function)
