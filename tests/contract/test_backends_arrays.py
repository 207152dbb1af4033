"""Arrays of other libraries on a GPU: read where they lie, in the order of their streams, refused with a remedy.

A host that stands in for a GPU takes NumPy's memory as its own; fakes speak the protocols. The libraries themselves
need a GPU: see the end.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import weakref
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import lab
import numpy as np
import pytest
from conftest import host_cuda
from required import REQUIRED

import hyperband as hb
from hyperband.architecture import Architecture
from hyperband.backends import registry
from hyperband.backends.base import Backend, Split
from hyperband.backends.device_array import CPU, DeviceMatrix, device_array, device_matrix, on_device
from hyperband.backends.gpu_arrays import GpuArrays
from hyperband.errors import BackendUnavailable, DataError, InputError

pytestmark = pytest.mark.skipif(bool(registry.available()["native"]), reason="the compiled engine is not built")

ROWS = 53
SHAPES = lab.MIXED


class Interface:
    """Speaks ``__cuda_array_interface__`` of an array's memory, as Numba and CuPy do."""

    def __init__(self, array: np.ndarray, version: int = 3, **said: Any) -> None:
        self.array, self.asked = array, 0
        self.said = {
            "shape": array.shape,
            "typestr": array.dtype.str,
            "data": (array.ctypes.data, False),
            "strides": None if array.flags.c_contiguous else array.strides,
            "version": version,
            **said,
        }

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        self.asked += 1
        return self.said


class Exporter:
    """Speaks DLPack, as PyTorch and JAX do, and notes the stream that it is asked for."""

    def __init__(self, array: np.ndarray, *, versions: bool = True) -> None:
        self.array, self.versions, self.streams = array, versions, []

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, *, stream: Any = None, **more: Any) -> Any:
        if more and not self.versions:
            raise TypeError("unexpected keyword argument 'max_version'")
        self.streams.append(stream)
        return self.array.__dlpack__(**more)


class Tensor(Exporter):
    """PyTorch's: both protocols, of the older interface, and none while a gradient is asked for."""

    def __init__(self, array: np.ndarray, *, grad: bool = False) -> None:
        super().__init__(array)
        self.grad = grad

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if self.grad:
            raise RuntimeError("Can't get __cuda_array_interface__ on Variable that requires grad.")
        return Interface(self.array, 2).said

    def __dlpack__(self, **more: Any) -> Any:
        if self.grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return super().__dlpack__(**more)


class Watched:
    """A device that notes which streams it waits for; its memory may be another one's."""

    def __init__(self, device: Any, owner: int = 0) -> None:
        self._device, self._owner, self.waited = device, owner, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def whose(self, memory: int) -> int:
        return self._owner

    def wait_for(self, stream: int) -> None:
        self.waited.append(stream)
        self._device.wait_for(stream)


def there(x: Any) -> DeviceMatrix:
    """NumPy's memory as that of a device: the host's."""
    found = device_matrix(x, kinds=(CPU,))
    assert found is not None
    return found


def splits(inputs: int, loss: str = "cross_entropy") -> tuple[Split, Split]:
    return lab.split(loss, ROWS, inputs, weighted=True), lab.split(loss, 31, inputs, weighted=True, seed=1)


def moved(split: Split) -> Split:
    return replace(split, x=there(split.x))


def trained(backend: Backend, train: Split, held: Split | None, loss: str = "cross_entropy", **more: Any) -> Any:
    made = backend.engine(train, held, loss, lab.N_OUTPUTS[loss], threads=1)
    ids = made.add(lab.members(SHAPES))
    lab.train(made, ids, 9, **more)
    return made, ids


@pytest.fixture
def host() -> Backend:
    return host_cuda(1)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Backend:
    """What backend="cuda" is during the test: one device on the host."""
    made = host_cuda(1)
    monkeypatch.setitem(registry._loaded, "cuda", made)
    return made


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


# ---- where they lie ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inputs", [1, 3, 8, 9, 12, 34])
@pytest.mark.parametrize("loss", ["cross_entropy", "logistic", "mse"])
def test_rows_in_place_give_the_same_bits(native: Backend, host: Backend, loss: str, inputs: int) -> None:
    train, held = splits(inputs, loss)
    expected, same = trained(native, train, held, loss)
    made, ids = trained(host, moved(train), moved(held), loss)
    assert lab.digests(made, ids) == lab.digests(expected, same)
    other = lab.split(loss, 70, inputs, seed=5)
    for found, wanted in zip(made.evaluate(ids, moved(other)), expected.evaluate(same, other)):
        assert np.array_equal(found, wanted)


@pytest.mark.parametrize("size_class", [0, 1, 2, 3])
def test_rows_in_place_in_every_size_class(native: Backend, size_class: int) -> None:
    """Also with some of the columns, and watched for races."""
    train, held = splits(9)
    expected, same = trained(native, train, held, inputs=6, rows=40)
    backend = host_cuda(1, size_class=size_class, watched=True, order="shuffled")
    made, ids = trained(backend, moved(train), moved(held), inputs=6, rows=40)
    assert lab.digests(made, ids) == lab.digests(expected, same)


@pytest.mark.parametrize("offset", [1, 2, 3])
def test_rows_that_begin_between_multiples_of_16_bytes(native: Backend, host: Backend, offset: int) -> None:
    train, held = splits(8)
    memory = np.zeros(ROWS * 8 + 8, np.float32)
    first = -memory.ctypes.data // 4 % 4 + offset
    x = memory[first : first + ROWS * 8].reshape(ROWS, 8)
    x[...] = train.x
    assert x.ctypes.data % 16 == 4 * offset
    made, ids = trained(host, replace(train, x=there(x)), held)
    expected, same = trained(native, train, held)
    assert lab.digests(made, ids) == lab.digests(expected, same)


def test_only_one_of_two_splits_on_the_device(native: Backend, host: Backend) -> None:
    train, held = splits(9)
    expected, same = trained(native, train, held)
    for pair in ((moved(train), held), (train, moved(held))):
        made, ids = trained(host, *pair)
        assert lab.digests(made, ids) == lab.digests(expected, same)


def test_nothing_is_copied(native: Backend, host: Backend) -> None:
    """What changes before training begins is seen; a copy would not show it. And the device's memory is not taken."""
    train, held = splits(9)
    x = train.x.copy()
    made = host.engine(replace(train, x=there(x)), moved(held), "cross_entropy", 4)
    x[...] = x[::-1].copy()
    ids = made.add(lab.members(SHAPES))
    lab.train(made, ids, 9)
    expected, same = trained(native, replace(train, x=np.ascontiguousarray(train.x[::-1])), held)
    assert lab.digests(made, ids) == lab.digests(expected, same)
    large = np.zeros((100_000, 30), np.float32)
    split = Split(there(large), np.arange(100_000, dtype=np.int32) % 4)
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
    device = Watched(host_cuda(1)._devices[0])  # type: ignore[attr-defined]
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


# ---- what is refused ---------------------------------------------------------------------------------------------


def test_what_is_not_on_a_device() -> None:
    for x in (np.zeros((2, 2)), [[1.0]], 3, None, "x", np.float32(1), object()):
        assert not on_device(x) and device_matrix(x) is None and device_array(x) is None


MATRIX = np.arange(12, dtype=np.float32).reshape(4, 3)


@pytest.mark.parametrize("speaker", [Interface, Exporter, Tensor])
@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (MATRIX.astype(np.float64), InputError, r"`X` must be float32; got float64\. .*X\.astype\('float32'\)"),
        (MATRIX.astype(np.int64), InputError, "must be float32; got int64"),
        (MATRIX.T, InputError, r"C-contiguous.*X\.copy\(\).*X\.contiguous\(\)"),
        (MATRIX[:, :2], InputError, "C-contiguous"),
        (MATRIX[::2], InputError, "C-contiguous"),
        (MATRIX[0], DataError, r"got \(3,\)\. Use X\.reshape"),
        (MATRIX[None], DataError, r"got \(1, 4, 3\)"),
        (MATRIX[:0], DataError, r"at least one of each; got \(0, 3\)"),
        (MATRIX[:, :0], DataError, r"got \(4, 0\)"),
    ],
)
def test_what_is_no_such_matrix(speaker: Any, x: np.ndarray, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        device_matrix(speaker(x))


def test_strides_of_single_rows_and_columns_do_not_matter() -> None:
    for x in (MATRIX[:1, :], MATRIX[:, :1].copy()[::1], MATRIX[2:3]):
        assert device_matrix(Interface(x, strides=(999, 4) if len(x) == 1 else x.strides)) is not None


def test_what_interfaces_may_say_wrongly() -> None:
    for said, words in (
        ({"mask": object()}, "mask"),
        ({"typestr": ">f4"}, "other byte order"),
        ({"typestr": "bfloat16?"}, "bfloat16"),
        ({"data": (MATRIX.ctypes.data + 1, False)}, "multiple of 4 bytes"),
    ):
        with pytest.raises(InputError, match=words):
            device_matrix(Interface(MATRIX, **said))


def test_tensors_with_gradients_are_to_be_detached() -> None:
    for x in (Tensor(MATRIX, grad=True), _OnlyInterface(MATRIX, grad=True)):
        with pytest.raises(InputError, match=r"`X` must hand out its memory; .*grad.*Use X\.detach\(\)"):
            device_matrix(x)


class _OnlyInterface(Tensor):
    __dlpack_device__ = __dlpack__ = None  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__dlpack"):
            raise AttributeError(name)
        return super().__getattribute__(name)


def test_numbers_that_are_not_finite(stand_in: Backend) -> None:
    """They are found on the device, and named as those of NumPy's arrays are."""
    y = np.arange(40) % 2
    for value in (np.nan, np.inf, -np.inf):
        x = np.zeros((40, 3), np.float32)
        x[17, 2] = value
        messages = []
        for given in (x, Interface(x)):
            with pytest.raises(DataError, match=r"at \(17, 2\)") as raised:
                hb.Population([Architecture()], given, y, backend="cuda")
            messages.append(str(raised.value))
        assert messages[0] == messages[1]
        with pytest.raises(InputError, match=r"`train.x` must be finite"):
            stand_in.engine(Split(there(x), y.astype(np.int32)), None, "logistic", 1)


@pytest.mark.parametrize("name", ["native", "numba", "numpy"])
@pytest.mark.parametrize("speaker", [Interface, Exporter])
def test_backends_on_the_host_refuse(name: str, speaker: Any) -> None:
    if registry.available()[name]:
        pytest.skip(registry.available()[name])
    x, y = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32), np.arange(40) % 2
    shapes = [Architecture()]
    with pytest.raises(InputError, match=rf"`X` lies on a GPU.*{name}.*backend='cuda'.*X\.get\(\) / X\.cpu\(\)"):
        hb.Population(shapes, speaker(x), y, backend=name)
    with pytest.raises(InputError, match="`y` lies on a GPU"):
        hb.Population(shapes, x, speaker(y), backend=name)
    with pytest.raises(InputError, match=r"`validation X` lies on a GPU.* X\.get\(\)"):
        hb.Population(shapes, x, y, validation=(speaker(x), y), backend=name)
    population = hb.Population(shapes, x, y, backend=name)
    with pytest.raises(InputError, match="`X` lies on a GPU"):
        population.predict(0, speaker(x))
    with pytest.raises(InputError, match="`X` lies on a GPU"):
        population.evaluate(None, speaker(x), y)
    with pytest.raises(InputError, match="array='cupy'.*backend='cuda'"):
        population.weights(0, array="cupy")
    with pytest.raises(InputError, match="lies on a GPU"):
        registry.get(name).engine(Split(there(x), y.astype(np.int32)), None, "logistic", 1)


def test_a_search_prepares_tables_on_the_host() -> None:
    x, y = np.zeros((40, 3), np.float32), np.arange(40) % 2
    for given in ((Interface(x), y), (x, Interface(y))):
        with pytest.raises(InputError, match=r"lies on a GPU, but search prepares tables on the host.*\.get\(\)"):
            hb.search(*given)
    with pytest.raises(InputError, match="`validation` lies on a GPU"):
        hb.search(x, y, validation=(Interface(x), y))


def test_rows_on_another_device() -> None:
    device = Watched(host_cuda(1)._devices[0], owner=3)  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"`X` lies on GPU 3, but backend 'cuda:0' works on GPU 0.*backend='cuda:3'"):
        GpuArrays([device], "cuda:0").admit(there(MATRIX), "X")
    with pytest.raises(InputError, match=r"works on 2 GPUs, and each needs the rows.*backend='cuda:3'"):
        GpuArrays([device, device], "cuda").admit(there(MATRIX), "X")
    nowhere = Watched(host_cuda(1)._devices[0], owner=-1)  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="its address 0x"):
        GpuArrays([nowhere], "cuda").admit(there(MATRIX), "X")
    assert not device.waited


def test_other_numbers_of_columns(stand_in: Backend) -> None:
    x, y = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32), np.arange(40) % 2
    population = hb.Population([Architecture()], Interface(x), y, backend="cuda")
    for given in (x[:, :2].copy(), Interface(x[:, :2].copy())):
        with pytest.raises(DataError, match="must have 3 columns like the training data; got 2"):
            population.predict(0, given)
    made = stand_in.engine(Split(there(x), y.astype(np.int32)), None, "logistic", 1)
    ids = made.add(lab.members(SHAPES[:1]))
    with pytest.raises(InputError, match="must have 3 columns"):
        made.evaluate(ids, Split(there(x[:, :2].copy()), y.astype(np.int32)))


# ---- populations -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("speaker", [Interface, Exporter, Tensor])
def test_a_population_on_a_device(stand_in: Backend, native: Backend, cupy: Any, speaker: Any) -> None:
    """Rows, targets and weights from a device; the same curves, and predictions there."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 5)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    weight = rng.uniform(0.5, 2.0, 120).astype(np.float32)
    made = [
        hb.Population(
            SHAPES, put(x), put(y), validation=(put(x[:50]), put(y[:50])), sample_weight=put(weight), epochs=3,
            backend=name, seed=4,
        )
        for put, name in ((speaker, "cuda"), (np.asarray, "native"))
    ]  # fmt: skip
    for population in made:
        population.train()
    found, expected = made
    assert found.loss == expected.loss == "logistic"
    assert np.array_equal(found.progress().loss, expected.progress().loss)
    for one, two in zip(
        found.evaluate(None, speaker(x[:31]), speaker(y[:31])), expected.evaluate(None, x[:31], y[:31])
    ):
        assert np.array_equal(one, two)
    for kind in ("current", "best"):
        wanted = expected.predict(2, x, weights=kind)
        on_gpu, on_host = found.predict(2, speaker(x), weights=kind), found.predict(2, x, weights=kind)
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
    device = Watched(host_cuda(1)._devices[0])  # type: ignore[attr-defined]
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
        for speaker in (Interface, Exporter):
            told = device_array(speaker(y), "y")
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


def test_predictions_from_pieces_of_a_long_array(native: Backend, host: Backend, cupy: Any) -> None:
    x = np.random.default_rng(0).normal(size=(70_001, 3)).astype(np.float32)
    small = Split(x[:50], (np.arange(50) % 2).astype(np.int32))
    found = []
    for backend in (host, native):
        made = backend.engine(small, None, "logistic", 1)
        ids = made.add(lab.members([Architecture(widths=[5])]))
        lab.train(made, ids, 3)
        found.append(made.predict(int(ids[0]), there(x) if backend is host else x))
    assert np.array_equal(*found)


# ---- a real GPU: the libraries themselves ------------------------------------------------------------------------

_SPIN = r"""extern "C" __global__ void spin(long long cycles) {
    const long long begin = clock64();
    while (clock64() - begin < cycles) {}
}"""


def _library(name: str) -> Any:
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
    there = [replace(s, x=device_matrix(_put(library, s.x))) for s in (train, held)]
    made, ids = trained(one_gpu, *there)
    assert lab.digests(made, ids) == lab.digests(expected, same)


@pytest.mark.device
@pytest.mark.parametrize("library", ["cupy", "torch", "jax"])
def test_a_population_of_arrays_of(native: Backend, one_gpu: Backend, library: str) -> None:
    cupy = pytest.importorskip("cupy")
    x = np.random.default_rng(0).normal(size=(5000, 7)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int32)
    given = _put(library, x), _put(library, y)
    population = hb.Population(SHAPES, *given, validation=given, epochs=1, backend="cuda:0")
    expected = hb.Population(SHAPES, x, y, validation=(x, y), epochs=1, backend="native")
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
        one_gpu.engine(Split(there(MATRIX), np.array([0, 1, 0, 1], np.int32)), None, "logistic", 1)
