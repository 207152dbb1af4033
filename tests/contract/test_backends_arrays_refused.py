"""Arrays on a GPU that are refused: by rule, value and remedy, as arrays on the host are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import host_cuda
from exporters import MATRIX, Exporter, Interface, OnlyInterface, Tensor, WatchedDevice, as_device_matrix

import hyperband as hb
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Backend, Split
from hyperband.engine.backends.device_array import device_array, device_matrix, on_device
from hyperband.engine.backends.gpu_arrays import GpuArrays
from hyperband.errors import DataError, InputError
from hyperband.testing import lab

pytestmark = pytest.mark.skipif(bool(registry.available()["native"]), reason="the compiled engine is not built")


def test_what_is_not_on_a_device() -> None:
    for x in (np.zeros((2, 2)), [[1.0]], 3, None, "x", np.float32(1), object()):
        assert not on_device(x) and device_matrix(x) is None and device_array(x) is None


@pytest.mark.parametrize("exporter", [Interface, Exporter, Tensor])
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
def test_what_is_no_such_matrix(exporter: Any, x: np.ndarray, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        device_matrix(exporter(x))


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
    for x in (Tensor(MATRIX, grad=True), OnlyInterface(MATRIX, grad=True)):
        with pytest.raises(InputError, match=r"`X` must hand out its memory; .*grad.*Use X\.detach\(\)"):
            device_matrix(x)


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
            stand_in.engine(Split(as_device_matrix(x), y.astype(np.int32)), None, "logistic", 1)


@pytest.mark.parametrize("name", ["native", "numba", "numpy"])
@pytest.mark.parametrize("exporter", [Interface, Exporter])
def test_backends_on_the_host_refuse(name: str, exporter: Any) -> None:
    if registry.available()[name]:
        pytest.skip(registry.available()[name])
    x, y = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32), np.arange(40) % 2
    shapes = [Architecture()]
    with pytest.raises(InputError, match=rf"`X` lies on a GPU.*{name}.*backend='cuda'.*X\.get\(\) / X\.cpu\(\)"):
        hb.Population(shapes, exporter(x), y, backend=name)
    with pytest.raises(InputError, match="`y` lies on a GPU"):
        hb.Population(shapes, x, exporter(y), backend=name)
    with pytest.raises(InputError, match=r"`validation X` lies on a GPU.* X\.get\(\)"):
        hb.Population(shapes, x, y, validation=(exporter(x), y), backend=name)
    population = hb.Population(shapes, x, y, backend=name)
    with pytest.raises(InputError, match="`X` lies on a GPU"):
        population.predict(0, exporter(x))
    with pytest.raises(InputError, match="`X` lies on a GPU"):
        population.evaluate(None, exporter(x), y)
    with pytest.raises(InputError, match="array='cupy'.*backend='cuda'"):
        population.weights(0, array="cupy")
    with pytest.raises(InputError, match="lies on a GPU"):
        registry.get(name).engine(Split(as_device_matrix(x), y.astype(np.int32)), None, "logistic", 1)


def test_a_search_prepares_tables_on_the_host() -> None:
    x, y = np.zeros((40, 3), np.float32), np.arange(40) % 2
    for given in ((Interface(x), y), (x, Interface(y))):
        with pytest.raises(InputError, match=r"lies on a GPU, but search prepares tables on the host.*\.get\(\)"):
            hb.search(*given)
    with pytest.raises(InputError, match="`validation` lies on a GPU"):
        hb.search(x, y, validation=(Interface(x), y))


def test_rows_on_another_device() -> None:
    device = WatchedDevice(host_cuda(1).devices[0], owner=3)  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"`X` lies on GPU 3, but backend 'cuda:0' works on GPU 0.*backend='cuda:3'"):
        GpuArrays([device], "cuda:0").admit(as_device_matrix(MATRIX), "X")
    with pytest.raises(InputError, match=r"works on 2 GPUs, and each needs the rows.*backend='cuda:3'"):
        GpuArrays([device, device], "cuda").admit(as_device_matrix(MATRIX), "X")
    nowhere = WatchedDevice(host_cuda(1).devices[0], owner=-1)  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="its address 0x"):
        GpuArrays([nowhere], "cuda").admit(as_device_matrix(MATRIX), "X")
    assert not device.waited


def test_other_numbers_of_columns(stand_in: Backend) -> None:
    x, y = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32), np.arange(40) % 2
    population = hb.Population([Architecture()], Interface(x), y, backend="cuda")
    for given in (x[:, :2].copy(), Interface(x[:, :2].copy())):
        with pytest.raises(DataError, match="must have 3 columns like the training data; got 2"):
            population.predict(0, given)
    made = stand_in.engine(Split(as_device_matrix(x), y.astype(np.int32)), None, "logistic", 1)
    ids = made.add(lab.members(lab.MIXED[:1]))
    with pytest.raises(InputError, match="must have 3 columns"):
        made.evaluate(ids, Split(as_device_matrix(x[:, :2].copy()), y.astype(np.int32)))
