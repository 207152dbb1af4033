"""What "auto" says of a backend that is many times slower than the compiled one."""

from __future__ import annotations

import warnings

import pytest

from hyperband._common import build_info
from hyperband.engine.backends import registry
from hyperband.errors import BackendUnavailable


@pytest.fixture
def only(monkeypatch):
    """Makes all backends but some unavailable, and the package one that was built in some way."""

    def make(*names, kind):
        load = registry._load

        def some(name):
            if name not in names:
                raise BackendUnavailable(f"no {name}")
            return load(name)

        details = {"kind": kind, "reason": "compiling the C++ engine failed"}
        monkeypatch.delenv(registry.VARIABLE, raising=False)
        monkeypatch.setattr(registry, "_load", some)
        monkeypatch.setattr(registry, "_warned", set())
        monkeypatch.setattr(build_info, "kind", lambda: kind)
        monkeypatch.setattr(build_info, "details", lambda: details)

    return make


def test_numpy_alone_is_told_once(only):
    only("numpy", kind="pure")
    with pytest.warns(
        UserWarning, match=r"with numpy, a hundred times slower.*without HYPERBAND_PURE.*pip install numba"
    ):
        assert registry.get().name == "numpy"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry.get("auto")
        registry.get("numpy")


def test_numba_is_told_where_compiling_failed(only):
    pytest.importorskip("numba")
    only("numba", "numpy", kind="fallback")
    with pytest.warns(UserWarning, match=r"with numba.*compiling the C\+\+ engine failed.*C\+\+20 compiler"):
        assert registry.get().name == "numba"


def test_what_was_asked_for_is_not_told(only, monkeypatch):
    only("numba", "numpy", kind="pure")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if not registry._unavailable("numba"):
            registry.get("auto")  # a pure package was asked for
        registry.get("numpy")
        monkeypatch.setenv(registry.VARIABLE, "numpy")
        registry.get("auto")
