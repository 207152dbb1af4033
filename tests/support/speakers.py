"""Arrays that say they lie on a GPU but lie in the host's memory, which a device on the host takes as its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hyperband.engine.backends.base import Backend, Split
from hyperband.engine.backends.device_array import CPU, DeviceMatrix, device_matrix
from hyperband.testing import lab

ROWS = 53
MATRIX = np.arange(12, dtype=np.float32).reshape(4, 3)


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


class OnlyInterface(Tensor):
    """The same without DLPack."""

    __dlpack_device__ = __dlpack__ = None  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__dlpack"):
            raise AttributeError(name)
        return super().__getattribute__(name)


def there(x: Any) -> DeviceMatrix:
    """NumPy's memory as that of a device: the host's."""
    found = device_matrix(x, kinds=(CPU,))
    assert found is not None
    return found


def splits(inputs: int, loss: str = "cross_entropy") -> tuple[Split, Split]:
    return lab.split(loss, ROWS, inputs, weighted=True), lab.split(loss, 31, inputs, weighted=True, seed=1)


def moved(split: Split) -> Split:
    return replace(split, x=there(split.x))


def trained(
    backend: Backend, train: Split, held: Split, loss: str = "cross_entropy", *, precision: str = "float32", **more: Any
) -> Any:
    """An engine and the ids of its members, nine steps old."""
    made = backend.engine(train, held, loss, lab.N_OUTPUTS[loss], threads=1, precision=precision)
    ids = made.add(lab.members(lab.MIXED))
    lab.train(made, ids, 9, **more)
    return made, ids
