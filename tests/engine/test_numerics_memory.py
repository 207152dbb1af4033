"""How much memory is free, and the refusal."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hyperband._common import memory
from hyperband.errors import InsufficientMemory


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_free_memory_is_below_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    total = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    free = memory.free_bytes()
    assert free is not None and 0 < free <= total
    monkeypatch.setattr(memory, "_control_group", lambda: 12345)
    assert memory.free_bytes() == 12345, "a container's limit counts when it is tighter"


def test_the_refusal_says_needed_and_free_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: 100)
    memory.require(100, "2 members", "Fewer.")
    with pytest.raises(InsufficientMemory, match=r"2 members must.*needed 101 bytes .*free 100 bytes .*Fewer\."):
        memory.require(101, "2 members", "Fewer.")
    assert issubclass(InsufficientMemory, MemoryError)


def test_unknown_free_memory_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: None)
    memory.require(2**62, "members", "Fewer.")
