"""What this machine's processor has, by the operating system's word and not by the package's."""

from __future__ import annotations

import platform
from pathlib import Path

NEEDED = {
    "portable": set[str](),
    "avx2": {"avx2", "fma"},
    "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"},
    "neon": {"asimd"},
}


def has(isa: str) -> bool:
    """Whether the processor has this instruction set."""
    if isa == "neon" and platform.machine().lower() in ("arm64", "aarch64"):
        return True  # macOS has no /proc
    path = Path("/proc/cpuinfo")
    return NEEDED[isa] <= (set(path.read_text(encoding="utf-8").split()) if path.exists() else set())
