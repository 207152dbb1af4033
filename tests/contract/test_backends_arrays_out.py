"""A population whose rows, targets and weights lie on a device: the same curves; predictions and weights as CuPy's."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import host_cuda
from exporters import MATRIX, Exporter, Interface, Tensor, WatchedDevice, as_device_matrix

import hyperband as hb
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Backend, Split
from hyperband.engine.backends.device_array import device_array
from hyperband.engine.backends.gpu_arrays import GpuArrays
from hyperband.errors import BackendUnavailable, InputError
from hyperband.testing import lab

pytestmark = pytest.mark.skipif(bool(registry.available()["native"]), reason="the compiled engine is not built")


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A CuPy whose arrays are NumPy's."""

    class Array(np.ndarray):
        @property
        def data(self) -> Any:
            return SimpleNamespace(ptr=self.ctypes.data)

    used: list[int] = []

    @contextlib.contextmanager
    def current(number: int) -> Iterator[None]:
        used.append(number)
        yield

    cuda = SimpleNamespace(Device=current, used=used, get_current_stream=lambda: SimpleNamespace(ptr=77))
    made = SimpleNamespace(
        float32=np.float32,
        empty=lambda shape, dtype: np.full(shape, np.nan, dtype).view(Array),
        asarray=lambda array: np.array(array).view(Array),
        cuda=cuda,
        ndarray=Array,
    )
    monkeypatch.setitem(sys.modules, "cupy", made)
    return made


@pytest.mark.parametrize("exporter", [Interface, Exporter, Tensor])
def test_a_population_on_a_device(stand_in: Backend, native: Backend, cupy: Any, exporter: Any) -> None:
    """Rows, targets and weights from a device; the same curves, and predictions there."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 5)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    weight = rng.uniform(0.5, 2.0, 120).astype(np.float32)
    made = [
        hb.Population(
            lab.MIXED, put(x), put(y), validation=(put(x[:50]), put(y[:50])), sample_weight=put(weight), epochs=3,
            backend=name, seed=4,
        )
        for put, name in ((exporter, "cuda"), (np.asarray, "native"))
    ]  # fmt: skip
    for population in made:
        population.train()
    found, expected = made
    assert found.loss == expected.loss == "logistic"
    assert np.array_equal(found.progress().loss, expected.progress().loss)
    for one, two in zip(
        found.evaluate(None, exporter(x[:31]), exporter(y[:31])), expected.evaluate(None, x[:31], y[:31])
    ):
        assert np.array_equal(one, two)
    for kind in ("current", "best"):
        wanted = expected.predict(2, x, weights=kind)
        on_gpu, on_host = found.predict(2, exporter(x), weights=kind), found.predict(2, x, weights=kind)
        assert type(on_gpu) is cupy.ndarray and type(on_host) is np.ndarray
        assert on_gpu.dtype == np.float32 and np.array_equal(on_gpu, wanted) and np.array_equal(on_host, wanted)
        for one, two in zip(found.weights(0, weights=kind, array="cupy"), expected.weights(0, weights=kind)):
            for here, other in zip(one, two):
                assert type(here) is cupy.ndarray and np.array_equal(here, other)
    assert set(cupy.cuda.used) == {0}
    assert type(found.weights(0)[0][0]) is np.ndarray
    with pytest.raises(InputError, match="`array` must be"):
        found.weights(0, array="torch")  # type: ignore[arg-type]


def test_memory_that_cupy_hands_out_is_waited_for(cupy: Any) -> None:
    """CuPy reuses memory in the order of its own stream, on which we do not work."""
    device = WatchedDevice(host_cuda(1).devices[0])  # type: ignore[attr-defined]
    GpuArrays([device], "cuda").empty(0, (2, 2))
    assert device.waited == [77]


def test_without_cupy_the_remedy_is_named(stand_in: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    population = hb.Population([Architecture()], Interface(x), np.arange(40) % 2, backend="cuda")
    with pytest.raises(BackendUnavailable, match="pip install cupy-cuda13x"):
        population.predict(0, Interface(x))
    with pytest.raises(BackendUnavailable, match="pip install cupy-cuda13x"):
        population.weights(0, array="cupy")
    assert population.predict(0, x).shape == (40, 1)


def test_targets_of_every_type(stand_in: Backend) -> None:
    arrays = stand_in.arrays  # type: ignore[attr-defined]
    for dtype in (np.bool_, np.int8, np.uint8, np.int32, np.int64, np.float16, np.float32, np.float64):
        y = (np.arange(6) % 2).astype(dtype).reshape(3, 2)
        for exporter in (Interface, Exporter):
            told = device_array(exporter(y), "y")
            assert told is not None
            found = arrays.fetch(told, "y")
            assert found.dtype == dtype and np.array_equal(found, y)
    for y, words in ((MATRIX.T, r"`y` must be C-contiguous.*y\.copy"), (Interface(MATRIX, typestr="?!"), "NumPy has")):
        told = device_array(y if isinstance(y, Interface) else Interface(y), "y")
        assert told is not None
        with pytest.raises(InputError, match=words):
            arrays.fetch(told, "y")
    empty = device_array(Interface(MATRIX[:0]), "y")
    assert empty is not None and arrays.fetch(empty, "y").shape == (0, 3)


def test_predictions_from_pieces_of_a_long_array(native: Backend, stand_in: Backend, cupy: Any) -> None:
    x = np.random.default_rng(0).normal(size=(70_001, 3)).astype(np.float32)
    small = Split(x[:50], (np.arange(50) % 2).astype(np.int32))
    found = []
    for backend in (stand_in, native):
        made = backend.engine(small, None, "logistic", 1)
        ids = made.add(lab.members([Architecture(widths=[5])]))
        lab.train(made, ids, 3)
        found.append(made.predict(int(ids[0]), as_device_matrix(x) if backend is stand_in else x))
    assert np.array_equal(*found)
