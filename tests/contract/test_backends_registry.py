"""Names, the meaning of "auto", environment variables, thread counts."""

from __future__ import annotations

import pytest

from hyperband.backends import registry
from hyperband.backends.threads import processors, thread_count
from hyperband.errors import BackendUnavailable, InputError


def test_every_name_has_a_reason_or_works() -> None:
    found = registry.available()
    assert list(found) == ["native", "numba", "numpy", "cuda"]
    assert found["numpy"] == ""
    for name, reason in found.items():
        if reason:
            with pytest.raises(BackendUnavailable) as error:
                registry.get(name)
            assert str(error.value) == reason
        else:
            assert registry.get(name).name == name


def test_auto_is_the_fastest_that_works_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPERBAND_BACKEND", raising=False)
    working = [name for name, reason in registry.available().items() if not reason]
    choice = registry.choose("auto")
    assert choice.name == working[0] == registry.get().name
    assert choice.name in choice.reason


def test_auto_goes_down_the_list_and_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPERBAND_BACKEND", raising=False)
    monkeypatch.setitem(registry._MODULES, "native", "hyperband.backends.nothing_here")
    monkeypatch.setitem(registry._MODULES, "numba", "hyperband.backends.nothing_here_either")
    monkeypatch.setattr(registry, "_loaded", {})
    choice = registry.choose("auto")
    assert choice.name == "numpy"
    assert "nothing_here" in choice.reason and "C++20" in choice.reason and "pip install numba" in choice.reason


def test_the_environment_overrides_auto_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERBAND_BACKEND", "numpy")
    assert registry.get("auto").name == "numpy"
    assert "HYPERBAND_BACKEND" in registry.choose("auto").reason
    monkeypatch.setenv("HYPERBAND_BACKEND", "cuda")
    with pytest.raises(BackendUnavailable, match="HYPERBAND_CUDA=ON"):
        registry.get("auto")
    assert registry.get("numpy").name == "numpy"
    monkeypatch.setenv("HYPERBAND_BACKEND", "abacus")
    with pytest.raises(InputError, match=r"HYPERBAND_BACKEND.*abacus"):
        registry.get("auto")


def test_cuda_is_not_replaced_by_the_cpu() -> None:
    with pytest.raises(BackendUnavailable, match="HYPERBAND_CUDA=ON"):
        registry.get("cuda")


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="native, numba, numpy"):
        registry.get("tpu")


def test_threads_come_from_the_argument_then_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPERBAND_THREADS", raising=False)
    assert thread_count() == processors() >= 1
    monkeypatch.setenv("HYPERBAND_THREADS", "3")
    assert (thread_count(), thread_count(2)) == (3, 2)
    for bad in ("0", "many", "-1", "2.5"):
        monkeypatch.setenv("HYPERBAND_THREADS", bad)
        with pytest.raises(InputError, match="HYPERBAND_THREADS"):
            thread_count()
    for wrong in (0, -1, 1.5, True, "x"):
        with pytest.raises(InputError, match="threads"):
            thread_count(wrong)  # type: ignore[arg-type]
