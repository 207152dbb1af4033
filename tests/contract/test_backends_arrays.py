"""Arrays of other libraries on a GPU: read where they lie, in the order of their streams, handed out there.

A host that stands in for a GPU takes NumPy's memory as its own; fakes speak the protocols. The libraries themselves
need a GPU: see the end.
"""

from __future__ import annotations

import gc
import os
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import host_cuda
from exporters import (
    MATRIX,
    ROWS,
    Exporter,
    Interface,
    Tensor,
    WatchedDevice,
    as_device_matrix,
    split_on_device,
    splits,
    trained,
)
from required import REQUIRED

import hyperband as hb
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Backend, Split
from hyperband.engine.backends.device_array import device_matrix
from hyperband.engine.backends.gpu_arrays import GpuArrays
from hyperband.errors import DataError, InputError
from hyperband.testing import lab

pytestmark = pytest.mark.skipif(bool(registry.available()["native"]), reason="the compiled engine is not built")


@pytest.fixture
def host() -> Backend:
    return host_cuda(1)


@pytest.mark.parametrize("inputs", [1, 3, 8, 9, 12, 34])
@pytest.mark.parametrize("loss", ["cross_entropy", "logistic", "mse"])
def test_rows_on_the_device_give_the_same_bits(native: Backend, host: Backend, loss: str, inputs: int) -> None:
    train, held = splits(inputs, loss)
    expected, same = trained(native, train, held, loss)
    made, ids = trained(host, split_on_device(train), split_on_device(held), loss)
    assert lab.digests(made, ids) == lab.digests(expected, same)
    other = lab.split(loss, 70, inputs, seed=5)
    for found, wanted in zip(made.evaluate(ids, split_on_device(other)), expected.evaluate(same, other)):
        assert np.array_equal(found, wanted)


@pytest.mark.parametrize("size_class", [0, 1, 2, 3])
def test_rows_on_the_device_in_every_size_class(native: Backend, size_class: int) -> None:
    """Also with some of the columns, and watched for races."""
    train, held = splits(9)
    expected, same = trained(native, train, held, inputs=6, rows=40)
    backend = host_cuda(1, size_class=size_class, watched=True, order="shuffled")
    made, ids = trained(backend, split_on_device(train), split_on_device(held), inputs=6, rows=40)
    assert lab.digests(made, ids) == lab.digests(expected, same)


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
@pytest.mark.parametrize("inputs", [8, 9])
def test_rows_on_the_device_for_tensor_cores(host: Backend, precision: str, inputs: int) -> None:
    train, held = splits(inputs)
    expected, same = trained(host, train, held, precision=precision)
    made, ids = trained(host, split_on_device(train), split_on_device(held), precision=precision)
    assert lab.digests(made, ids) == lab.digests(expected, same)


@pytest.mark.parametrize("offset", [1, 2, 3])
def test_rows_that_begin_between_multiples_of_16_bytes(native: Backend, host: Backend, offset: int) -> None:
    train, held = splits(8)
    memory = np.zeros(ROWS * 8 + 8, np.float32)
    first = -memory.ctypes.data // 4 % 4 + offset
    x = memory[first : first + ROWS * 8].reshape(ROWS, 8)
    x[...] = train.x
    assert x.ctypes.data % 16 == 4 * offset
    made, ids = trained(host, replace(train, x=as_device_matrix(x)), held)
    expected, same = trained(native, train, held)
    assert lab.digests(made, ids) == lab.digests(expected, same)


def test_only_one_of_two_splits_on_the_device(native: Backend, host: Backend) -> None:
    train, held = splits(9)
    expected, same = trained(native, train, held)
    for pair in ((split_on_device(train), held), (train, split_on_device(held))):
        made, ids = trained(host, *pair)
        assert lab.digests(made, ids) == lab.digests(expected, same)


def test_nothing_is_copied(native: Backend, host: Backend) -> None:
    """What changes before training begins is seen; a copy would not show it. And the device's memory is not taken."""
    train, held = splits(9)
    x = train.x.copy()
    made = host.engine(replace(train, x=as_device_matrix(x)), split_on_device(held), "cross_entropy", 4)
    x[...] = x[::-1].copy()
    ids = made.add(lab.members(lab.MIXED))
    lab.train(made, ids, 9)
    expected, same = trained(native, replace(train, x=np.ascontiguousarray(train.x[::-1])), held)
    assert lab.digests(made, ids) == lab.digests(expected, same)
    large = np.zeros((100_000, 30), np.float32)
    split = Split(as_device_matrix(large), np.arange(100_000, dtype=np.int32) % 4)
    assert host_cuda(1, total_bytes=2 << 20).engine(split, None, "cross_entropy", 4).capacity() is not None


class _Owned(np.ndarray):
    """NumPy's own cannot be referred to weakly through their views."""


def test_the_owner_lives_as_long_as_the_engine(stand_in: Backend) -> None:
    rng = np.random.default_rng(0)
    owner = Interface(rng.normal(size=(40, 3)).astype(np.float32))
    held = Interface(rng.normal(size=(20, 3)).astype(np.float32))
    alive = [weakref.ref(owner), weakref.ref(held)]
    y = np.arange(40) % 2
    population = hb.Population([Architecture(widths=[4])], owner, y, validation=(held, y[:20]), backend="cuda")
    del owner, held
    gc.collect()
    assert all(ref() is not None for ref in alive)
    population.train()
    del population
    gc.collect()
    assert all(ref() is None for ref in alive)


@pytest.mark.parametrize("versions", [True, False])
def test_a_capsule_is_used_once_and_given_back(versions: bool) -> None:
    array = np.zeros((4, 3), np.float32).view(_Owned)
    alive = weakref.ref(array)
    exporter = Exporter(array, versions=versions)
    found = device_matrix(exporter)
    assert found is not None and found.pointer == array.ctypes.data and found.shape == (4, 3) and found.device == 0
    del array, exporter
    gc.collect()
    assert alive() is not None
    del found
    gc.collect()
    assert alive() is None


def test_a_used_capsule_is_refused() -> None:
    from hyperband import _core

    capsule = np.zeros(3).__dlpack__()
    owner, pointer, *_ = _core.dlpack(capsule)
    assert owner is not None and pointer
    for wrong in (capsule, object()):
        with pytest.raises(ValueError, match="capsule"):
            _core.dlpack(wrong)


# ---- streams -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "said", "stream"),
    [
        (3, {}, None),
        (3, {"stream": None}, None),
        (3, {"stream": 1}, 1),
        (3, {"stream": 2}, 2),
        (3, {"stream": 0x7F00}, 0x7F00),
        (2, {}, 1),
        (0, {}, 1),
    ],
)
def test_the_stream_of_an_interface(version: int, said: dict[str, Any], stream: int | None) -> None:
    x = np.zeros((4, 3), np.float32)
    found = device_matrix(Interface(x, version, **said))
    assert found is not None and found.stream == stream and found.device is None
    device = WatchedDevice(host_cuda(1).devices[0])  # type: ignore[attr-defined]
    arrays = GpuArrays([device], "cuda")
    admitted = arrays.admit(found, "X")
    assert device.waited == ([] if stream is None else [stream])
    arrays.admit(admitted, "X")
    assert len(device.waited) <= 1  # a stream may be gone by then


def test_the_stream_of_dlpack() -> None:
    for library in (Exporter, Tensor):
        exporter = library(np.zeros((4, 3), np.float32))
        found = device_matrix(exporter)
        assert found is not None and found.stream == 1 and exporter.streams == [1]


def test_stream_0_is_refused() -> None:
    with pytest.raises(InputError, match="stream 0"):
        device_matrix(Interface(np.zeros((4, 3), np.float32), stream=0))


# ---- a real GPU: the libraries themselves ------------------------------------------------------------------------

_SPIN = r"""extern "C" __global__ void spin(long long cycles) {
    const long long begin = clock64();
    while (clock64() - begin < cycles) {}
}"""


def _library(name: str) -> Any:
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # else JAX takes most of the GPU for itself
    return __import__(name) if name in REQUIRED else pytest.importorskip(name)


def _put(name: str, x: np.ndarray) -> Any:
    library = _library(name)
    if name == "cupy":
        return library.asarray(x)
    if name == "torch":
        return library.from_numpy(x).cuda()
    return library.device_put(x, library.devices("gpu")[0])


@pytest.fixture
def one_gpu(cuda: Backend) -> Backend:
    return registry.get("cuda:0")


@pytest.mark.device
@pytest.mark.parametrize("inputs", [8, 9])
@pytest.mark.parametrize("library", ["cupy", "torch", "jax"])
def test_a_gpu_reads_the_arrays_of(native: Backend, one_gpu: Backend, library: str, inputs: int) -> None:
    train, held = splits(inputs)
    expected, same = trained(native, train, held)
    given = [replace(s, x=device_matrix(_put(library, s.x))) for s in (train, held)]
    made, ids = trained(one_gpu, *given)
    assert lab.digests(made, ids) == lab.digests(expected, same)


@pytest.mark.device
@pytest.mark.parametrize("library", ["cupy", "torch", "jax"])
def test_a_population_of_arrays_of(native: Backend, one_gpu: Backend, library: str) -> None:
    cupy = pytest.importorskip("cupy")
    x = np.random.default_rng(0).normal(size=(5000, 7)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int32)
    given = _put(library, x), _put(library, y)
    population = hb.Population(lab.MIXED, *given, validation=given, epochs=1, backend="cuda:0")
    expected = hb.Population(lab.MIXED, x, y, validation=(x, y), epochs=1, backend="native")
    for each in (population, expected):
        each.train()
    assert np.array_equal(population.progress().loss, expected.progress().loss)
    found = population.predict(2, given[0])
    assert isinstance(found, cupy.ndarray) and found.device.id == 0
    assert np.array_equal(cupy.asnumpy(found), expected.predict(2, x))
    assert all(isinstance(a, cupy.ndarray) for layer in population.weights(0, array="cupy") for a in layer)
    x[3, 3] = np.nan
    with pytest.raises(DataError, match=r"nan at \(3, 3\)"):
        population.predict(2, _put(library, x))


@pytest.mark.device
def test_a_gpu_waits_for_cupys_stream(native: Backend, one_gpu: Backend) -> None:
    cupy = pytest.importorskip("cupy")
    train, held = splits(9)
    source, spin = cupy.asarray(train.x), cupy.RawKernel(_SPIN, "spin")
    x = cupy.zeros_like(source)
    cupy.cuda.Device().synchronize()
    with cupy.cuda.Stream(non_blocking=True):
        spin((1,), (1,), (np.int64(500_000_000),))
        x[...] = source
        made, ids = trained(one_gpu, replace(train, x=device_matrix(x)), held)
    expected, same = trained(native, train, held)
    assert lab.digests(made, ids) == lab.digests(expected, same)


@pytest.mark.device
def test_a_gpu_waits_for_pytorchs_stream(native: Backend, one_gpu: Backend) -> None:
    torch = pytest.importorskip("torch")
    train, held = splits(9)
    source = torch.from_numpy(train.x).cuda()
    x = torch.zeros_like(source)
    torch.cuda.synchronize()
    with torch.cuda.stream(torch.cuda.Stream()):
        torch.cuda._sleep(500_000_000)
        x.copy_(source)
        made, ids = trained(one_gpu, replace(train, x=device_matrix(x)), held)
    expected, same = trained(native, train, held)
    assert lab.digests(made, ids) == lab.digests(expected, same)
    x.requires_grad_()
    with pytest.raises(InputError, match="detach"):
        device_matrix(x)


@pytest.mark.device
def test_an_address_of_the_host_is_no_address_of_a_gpu(one_gpu: Backend) -> None:
    with pytest.raises(InputError, match="its address 0x"):
        one_gpu.engine(Split(as_device_matrix(MATRIX), np.array([0, 1, 0, 1], np.int32)), None, "logistic", 1)
