"""Runs a contract of `hyperband.testing` on every backend that works here (the fixture `backend` of tests/contract)."""

from __future__ import annotations

import pytest

from hyperband.engine.backends.base import Backend
from hyperband.testing.tolerances import FLOAT32, FLOAT64


class OnEveryBackend:
    @pytest.fixture(autouse=True)
    def _each(self, backend: Backend) -> None:
        self.backend = backend
        self.tolerances = FLOAT64 if backend.name == "numpy" else FLOAT32


class OnComparedBackends:
    """All but the reference, which would be compared with itself."""

    @pytest.fixture(autouse=True)
    def _each(self, compared: Backend) -> None:
        self.backend, self.tolerances = compared, FLOAT32
