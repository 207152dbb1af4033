"""Names, the meaning of "auto", environment variables, thread counts."""

from __future__ import annotations

import pytest

from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Backend
from hyperband.engine.backends.threads import processors, thread_count
from hyperband.errors import BackendUnavailable, InputError


def test_every_name_has_a_reason_or_works() -> None:
    found = registry.available()
    assert list(found) == ["cuda", "native", "numba", "numpy"]
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
    monkeypatch.setitem(registry._MODULES, "cuda", "hyperband.engine.backends.no_device")
    monkeypatch.setitem(registry._MODULES, "native", "hyperband.engine.backends.nothing_here")
    monkeypatch.setitem(registry._MODULES, "numba", "hyperband.engine.backends.nothing_here_either")
    monkeypatch.setattr(registry, "made", {})
    choice = registry.choose("auto")
    assert choice.name == "numpy"
    for words in ("no_device", "HYPERBAND_CUDA=ON", "nothing_here", "C++20", "pip install numba"):
        assert words in choice.reason


def test_the_environment_overrides_auto_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERBAND_BACKEND", "numpy")
    assert registry.get("auto").name == "numpy"
    assert "HYPERBAND_BACKEND" in registry.choose("auto").reason
    assert registry.get("numpy").name == "numpy"
    monkeypatch.setenv("HYPERBAND_BACKEND", "abacus")
    with pytest.raises(InputError, match=r"HYPERBAND_BACKEND.*abacus"):
        registry.get("auto")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:1"])
@pytest.mark.parametrize(
    ("gpus", "words"),
    [
        ((0, "this build has no CUDA code", ""), "HYPERBAND_CUDA=ON"),
        ((0, "there is no NVIDIA driver on this machine", "13.0"), "no NVIDIA driver"),
        (
            (0, "the NVIDIA driver is for CUDA 11.4, this build needs 13.0: update the driver", "13.0"),
            "update the driver",
        ),
    ],
)
def test_cuda_is_not_replaced_by_the_cpu(
    native: Backend, monkeypatch: pytest.MonkeyPatch, name: str, gpus: tuple[int, str, str], words: str
) -> None:
    monkeypatch.setattr("hyperband._core.gpus", lambda: gpus)
    monkeypatch.setattr(registry, "made", {})
    with pytest.raises(BackendUnavailable, match=words) as error:
        registry.get(name)
    assert repr(name) in str(error.value)
    monkeypatch.setenv("HYPERBAND_BACKEND", name)
    with pytest.raises(BackendUnavailable, match=words):
        registry.get("auto")
    monkeypatch.delenv("HYPERBAND_BACKEND")
    choice = registry.choose("auto")
    assert choice.name == "native" and words in choice.reason


def test_gpus_by_number(native: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    from hyperband import _core

    opened: list[int] = []
    monkeypatch.setattr("hyperband._core.gpus", lambda: (2, "", "13.0, architectures 80 90"))
    monkeypatch.setattr(
        "hyperband._core.gpu", lambda number, threads: opened.append(number) or _core.host_device(threads)
    )
    monkeypatch.setattr(registry, "made", {})
    monkeypatch.delenv("HYPERBAND_BACKEND", raising=False)
    assert registry.choose("auto").name == "cuda" and opened == [0, 1]
    one = registry.get("cuda:1")
    assert opened == [0, 1, 1] and one is registry.get("cuda:1")
    assert (one.name, registry.get("cuda").name) == ("cuda:1", "cuda")
    assert registry.get("cuda").describe()["devices"].count("host") == 2
    with pytest.raises(BackendUnavailable, match="numbered 0 to 1"):
        registry.get("cuda:2")
    monkeypatch.setenv("HYPERBAND_CUDA_THREADS", "100")
    monkeypatch.setattr(registry, "made", {})
    with pytest.raises(InputError, match="HYPERBAND_CUDA_THREADS must be 64, 128 or 256; got '100'"):
        registry.get("cuda")
    for wrong in ("cuda:", "cuda:x", "cuda:-1", "cuda:1,2", "gpu"):
        with pytest.raises(InputError, match="cuda:N"):
            registry.get(wrong)


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
