"""Every contract test runs on every backend that works here; the run's summary says which ones those were."""

from __future__ import annotations

import pytest

from hyperband.backends import registry
from hyperband.backends.base import Backend

BACKENDS = ("numpy", "numba", "native")


def _backend(name: str) -> Backend:
    """The backend, or a skip that says why; ``HYPERBAND_REQUIRE`` (tests/conftest.py) makes its absence a failure."""
    reason = registry.available()[name]
    if reason:
        pytest.skip(reason)
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
