"""Every backend at the edges, and its states: see `hyperband.testing.backend_edges` and `backend_state`."""

from __future__ import annotations

import pytest
from every_backend import OnEveryBackend

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import Backend, Member
from hyperband.errors import InsufficientMemory
from hyperband.testing import lab
from hyperband.testing.backend_edges import TANH, EdgeChecks
from hyperband.testing.backend_state import StateChecks


class TestEdges(OnEveryBackend, EdgeChecks):
    pass


class TestStates(OnEveryBackend, StateChecks):
    pass


def test_too_many_members_are_refused_before_anything_is_taken(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backend.name.startswith("cuda"):
        pytest.skip("members lie in a device's memory: test_backends_cuda.py fills one")
    made = lab.engine(backend)
    monkeypatch.setattr("hyperband._common.memory.free_bytes", lambda: 1000)
    with pytest.raises(InsufficientMemory, match=r"needed [\d,]+ bytes .*free 1,000 bytes"):
        made.add([Member(Architecture(widths=[64]), 1, 4)])
    monkeypatch.undo()
    assert made.progress(made.add([Member(TANH, 1, 4)])).step.tolist() == [0]
