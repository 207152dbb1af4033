"""Every contract test runs on every backend that works here, and the run says which ones those were."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest

from hyperband.backends import registry
from hyperband.backends.base import Backend

BACKENDS = ("numpy", "numba", "native")

#: turns skips into failures: HYPERBAND_REQUIRE=native,numba
_REQUIRED = {name.strip() for name in os.environ.get("HYPERBAND_REQUIRE", "").split(",") if name.strip()}
_ran: Counter[str] = Counter()
_skipped: dict[str, str] = {}


def _backend(name: str) -> Backend:
    reason = registry.available()[name]
    if reason:
        _skipped[name] = reason
        if name in _REQUIRED:
            pytest.fail(f"HYPERBAND_REQUIRE names {name}. {reason}")
        pytest.skip(reason)
    _ran[name] += 1
    return registry.get(name)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn."""
    return _backend(request.param)


@pytest.fixture(params=[name for name in BACKENDS if name != "numpy"])
def compared(request: pytest.FixtureRequest) -> Backend:
    """Each backend that is compared with the float64 reference."""
    return _backend(request.param)


@pytest.fixture
def native() -> Backend:
    return _backend("native")


@pytest.fixture(scope="session")
def reference() -> Backend:
    return registry.get("numpy")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _ran or _skipped:
        terminalreporter.section("backends under contract")
    for name, count in sorted(_ran.items()):
        terminalreporter.line(f"{name}: {count} tests ran")
    for name, reason in sorted(_skipped.items()):
        terminalreporter.line(f"{name}: DID NOT RUN. {reason}")
