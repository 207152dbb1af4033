"""Arrays in host memory that export the protocols of GPU arrays; a backend that stands in for a GPU accepts them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hyperband.engine.backends.base import Backend, EngineSettings, Split
from hyperband.engine.backends.device_array import CPU, DeviceMatrix, device_matrix
from hyperband.testing import lab

ROWS = 53
MATRIX = np.arange(12, dtype=np.float32).reshape(4, 3)


class Interface:
    """Exports an array by ``__cuda_array_interface__``, as Numba and CuPy do, and counts how often it is read."""

    def __init__(self, array: np.ndarray, version: int = 3, **changes: Any) -> None:
        self.array, self.asked = array, 0
        self.exported = {
            "shape": array.shape,
            "typestr": array.dtype.str,
            "data": (array.ctypes.data, False),
            "strides": None if array.flags.c_contiguous else array.strides,
            "version": version,
            **changes,
        }

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        self.asked += 1
        return self.exported


class Exporter:
    """Exports an array by DLPack, as PyTorch and JAX do, and records the streams that it is asked for."""

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
    """A tensor of PyTorch: exports both protocols, in the older versions, and neither while it requires a gradient."""

    def __init__(self, array: np.ndarray, *, grad: bool = False) -> None:
        super().__init__(array)
        self.grad = grad

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if self.grad:
            raise RuntimeError("Can't get __cuda_array_interface__ on Variable that requires grad.")
        return Interface(self.array, 2).exported

    def __dlpack__(self, **more: Any) -> Any:
        if self.grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return super().__dlpack__(**more)


class WatchedDevice:
    """A device that records the streams it waits for; ``owner`` is the device that its memory belongs to."""

    def __init__(self, device: Any, owner: int = 0) -> None:
        self._device, self._owner, self.waited = device, owner, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def whose(self, memory: int) -> int:
        return self._owner

    def wait_for(self, stream: int) -> None:
        self.waited.append(stream)
        self._device.wait_for(stream)


class OnlyInterface(Tensor):
    """A tensor that exports ``__cuda_array_interface__`` but no DLPack."""

    __dlpack_device__ = __dlpack__ = None  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__dlpack"):
            raise AttributeError(name)
        return super().__getattribute__(name)


def as_device_matrix(x: Any) -> DeviceMatrix:
    """NumPy's memory as memory of a device, the host."""
    found = device_matrix(x, kinds=(CPU,))
    assert found is not None
    return found


def splits(inputs: int, loss: str = "cross_entropy") -> tuple[Split, Split]:
    """Training and validation rows with weights."""
    return lab.split(loss, ROWS, inputs, weighted=True), lab.split(loss, 31, inputs, weighted=True, seed=1)


def split_on_device(split: Split) -> Split:
    """A split whose rows are on a device."""
    return replace(split, x=as_device_matrix(split.x))


def trained(
    backend: Backend, train: Split, held: Split, loss: str = "cross_entropy", *, precision: str = "float32", **more: Any
) -> Any:
    """An engine and the ids of its members after nine steps of training."""
    made = backend.engine(train, held, loss, lab.N_OUTPUTS[loss], EngineSettings(threads=1, precision=precision))
    ids = made.add(lab.members(lab.MIXED))
    lab.train(made, ids, 9, **more)
    return made, ids
