"""Arrays of other libraries on the devices of one backend: admitted, brought to the host, handed out."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.backends.device_array import DeviceArray, DeviceMatrix, in_order, to_host
from hyperband.engine.backends.device_errors import asked
from hyperband.errors import BackendUnavailable, DataError, InputError

#: Bytes that are looked at at a time for the number that is not finite.
_PIECE = 1 << 26


class GpuArrays:
    """`hyperband.engine.backends.device_array.ReadsArrays` on these devices.

    Parameters
    ----------
    devices : sequence of `hyperband._core.Device`
    name : str, the backend's
    """

    def __init__(self, devices: Sequence[Any], name: str) -> None:
        self.devices, self._name = list(devices), name

    def admit(self, x: DeviceMatrix, name: str) -> DeviceMatrix:
        number = self._number(x.pointer, name)
        if len(self.devices) > 1:
            raise InputError(
                f"`{name}` lies on GPU {number}, but backend {self._name!r} works on {len(self.devices)} GPUs, and "
                f"each needs the rows. Use backend='cuda:{number}', or {to_host(name, 'b')}."
            )
        device = self.devices[0]
        own = device.facts()["number"]
        if number != own:
            raise InputError(
                f"`{name}` lies on GPU {number}, but backend {self._name!r} works on GPU {own}. "
                f"Use backend='cuda:{number}', or {to_host(name, 'b')}."
            )
        if not asked(partial(_ready, device, x)):
            raise DataError(self._not_finite(x, name))
        return replace(x, stream=None)

    def fetch(self, array: DeviceArray, name: str) -> NDArray[Any]:
        number = self._number(array.pointer, name) if 0 not in array.shape else 0
        try:
            dtype = np.dtype(array.dtype)
        except TypeError:
            raise InputError(f"`{name}` must be of a type that NumPy has; got {array.dtype}. Convert it.") from None
        in_order(array, name)
        if 0 in array.shape:
            return np.zeros(array.shape, dtype)
        device = next((d for d in self.devices if d.facts()["number"] == number), None)
        if device is None:  # whose default stream would be waited for?
            raise InputError(
                f"`{name}` lies on GPU {number}, where backend {self._name!r} does not work. {to_host(name)}."
            )
        if array.stream is not None:
            asked(partial(device.wait_for, array.stream))
        size = math.prod(array.shape) * dtype.itemsize
        copied: NDArray[Any] = asked(partial(device.download, array.pointer, size))
        return copied.view(dtype).reshape(array.shape)

    def empty(self, device: int, shape: tuple[int, ...]) -> Any:
        """A float32 CuPy array on the device at this address in the list, ready to be written to."""
        with self._at(device) as cupy:
            made = cupy.empty(shape, cupy.float32)
            # Its memory may be that of an array on which CuPy still works: it keeps order on its own stream alone.
            asked(partial(self.devices[device].wait_for, cupy.cuda.get_current_stream().ptr))
        return made

    def put(self, device: int, arrays: Sequence[NDArray[Any]]) -> list[Any]:
        """CuPy arrays with these numbers on the device at this address in the list."""
        with self._at(device) as cupy:
            return [cupy.asarray(array) for array in arrays]

    @contextlib.contextmanager
    def _at(self, device: int) -> Iterator[Any]:
        try:
            import cupy
        except ImportError as error:
            raise BackendUnavailable(
                f"Arrays on a GPU are handed out as CuPy's, but it cannot be imported: {error}. Install it with "
                "`pip install cupy-cuda13x` (cupy-cuda12x for CUDA 12), or ask for NumPy's: give X on the host, or "
                "array='numpy'."
            ) from error
        with cupy.cuda.Device(self.devices[device].facts()["number"]):
            yield cupy

    def _number(self, pointer: int, name: str) -> int:
        number: int = asked(partial(self.devices[0].whose, pointer))
        if number < 0:
            raise InputError(
                f"`{name}` must lie in a GPU's memory, as it says it does; its address {pointer:#x} is not there. "
                f"{to_host(name)}."
            )
        return number

    def _not_finite(self, x: DeviceMatrix, name: str) -> str:
        rows, columns = x.shape
        step = max(1, _PIECE // (4 * columns))
        for first in range(0, rows, step):
            n = min(step, rows - first)
            address = x.pointer + 4 * columns * first
            piece = asked(partial(self.devices[0].download, address, 4 * columns * n)).view(np.float32)
            bad = np.flatnonzero(~np.isfinite(piece))
            if bad.size:
                row, column = divmod(int(bad[0]), columns)
                where = (first + row, column)
                return f"`{name}` must be finite (in float32); got {piece[bad[0]]} at {where}. Impute or drop it."
        return f"`{name}` must be finite (in float32); got NaN or infinity. Impute or drop it."


def _ready(device: Any, x: DeviceMatrix) -> bool:
    """Waits until the numbers are there; whether they are finite."""
    if x.stream is not None:
        device.wait_for(x.stream)
    finite: bool = device.all_finite(x.pointer, x.shape[0] * x.shape[1])
    return finite
