"""Every contract test runs on every backend that works here; the run's summary says which ones those were."""

from __future__ import annotations

import pytest
from required import REQUIRED

from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Backend

#: "cuda-host" is the text of the GPU's blocks on a host that stands in for one: two devices, so that members are dealt.
BACKENDS = ("numpy", "numba", "native", "cuda-host")
if "cuda" in REQUIRED or not registry.available()["cuda"]:  # else the run's summary says once why it is not there
    BACKENDS += ("cuda",)


def _backend(name: str) -> Backend:
    """The backend, or a skip that says why; ``HYPERBAND_REQUIRE`` (tests/conftest.py) makes its absence a failure."""
    reason = registry.available()["native" if name == "cuda-host" else name]
    if reason:
        pytest.skip(reason)
    return host_cuda() if name == "cuda-host" else registry.get(name)


def host_cuda(count: int = 2, **options: object) -> Backend:
    """The CUDA backend on stand-ins for GPUs; options of `hyperband._core.host_device`."""
    from hyperband import _core
    from hyperband.engine.backends.cuda import CudaBackend

    return CudaBackend([_core.host_device(**options) for _ in range(count)], "cuda-host")


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


@pytest.fixture
def cuda() -> Backend:
    """The real device."""
    return _backend("cuda")


@pytest.fixture(scope="session")
def reference() -> Backend:
    return registry.get("numpy")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Backend:
    """What backend="cuda" is during the test: one device on the host."""
    made = host_cuda(1)
    monkeypatch.setitem(registry.made, "cuda", made)
    return made
