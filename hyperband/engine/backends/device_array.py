"""Arrays that lie on a GPU, whichever library made them: what they say of themselves, in the two protocols there are.

``__dlpack__`` (https://dmlc.github.io/dlpack/latest/) and ``__cuda_array_interface__``
(https://numba.readthedocs.io/en/stable/cuda/cuda_array_interface.html). Nothing is copied here, and no GPU is asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import DataError, InputError

#: DLPack's device types: the host's memory, a GPU's, and the kind that both see.
CPU, CUDA, MANAGED = 1, 2, 13
GPUS = (CUDA, MANAGED)

#: What CUDA calls its default stream, with which others keep order.
DEFAULT_STREAM = 1

#: DLPack's type codes that NumPy has too.
_CODES = {0: "int", 1: "uint", 2: "float", 5: "complex", 6: "bool"}
_BFLOAT = 4


@dataclass(frozen=True, slots=True, eq=False)
class DeviceArray:
    """An array where another library keeps it.

    Parameters
    ----------
    shape : tuple of int
    dtype : str, NumPy's name of it; also of types that NumPy does not have, such as bfloat16
    pointer : int, address of the first number
    contiguous : bool, whether the numbers lie in C's order with nothing between
    device : int or None
        Number of the GPU; None where the protocol does not say.
    stream : int or None
        The array is there when what was put on this stream is done; None: it is there.
    owner : object that keeps the memory
    """

    shape: tuple[int, ...]
    dtype: str
    pointer: int
    contiguous: bool
    device: int | None
    stream: int | None
    owner: Any


@dataclass(frozen=True, slots=True, eq=False)
class DeviceMatrix:
    """Rows on which networks on a GPU train and are evaluated where they lie.

    Parameters
    ----------
    shape : (n_rows, n_columns), both at least 1
    pointer : int, address of the first of n_rows * n_columns float32 numbers in C's order
    device, stream, owner : see `DeviceArray`
    """

    shape: tuple[int, int]
    pointer: int
    device: int | None
    stream: int | None
    owner: Any

    @property
    def address(self) -> tuple[int, int, int]:
        """As an engine of ``hyperband._core`` takes it."""
        return self.pointer, *self.shape


class ReadsArrays(Protocol):
    """What a backend does with arrays on its devices."""

    def admit(self, x: DeviceMatrix, name: str) -> DeviceMatrix:
        """``x`` once its stream is done; refused when it lies elsewhere (InputError) or is not finite (DataError)."""

    def fetch(self, array: DeviceArray, name: str) -> NDArray[Any]:
        """A copy on the host."""


@runtime_checkable
class OnDevices(Protocol):
    """A backend that reads arrays on a device, beside all that `hyperband.engine.backends.base.Backend` asks for."""

    arrays: ReadsArrays


@runtime_checkable
class HandsOut(Protocol):
    """An engine that hands arrays out on the device where a member is."""

    def to_device(self, member: int, arrays: Sequence[NDArray[Any]]) -> list[Any]:
        """CuPy arrays with these numbers."""


def on_device(x: Any, kinds: Sequence[int] = GPUS) -> bool:
    """Whether ``x`` is an array in memory of such a kind, by its own words.

    Examples
    --------
    >>> on_device(np.zeros((2, 2))), on_device([[1.0]])
    (False, False)
    >>> on_device(np.zeros((2, 2)), kinds=(CPU,))
    True
    """
    return isinstance(x, DeviceMatrix) or _memory(x, kinds) is not None


def reader(backend: object, name: str) -> ReadsArrays:
    """The backend's way to read arrays on a GPU; InputError when it has none."""
    if isinstance(backend, OnDevices):
        return backend.arrays
    what = f", but backend {getattr(backend, 'name', 'chosen here')!r} computes on the host" if backend else ""
    raise InputError(f"`{name}` lies on a GPU{what}. Use backend='cuda', or {to_host(name, 'b')}.")


def refuse(where: str, **arguments: Any) -> None:
    """For those who work on the host: no argument may lie on a GPU."""
    for name, value in arguments.items():
        for each in value if isinstance(value, tuple) else (value,):
            if on_device(each):
                raise InputError(f"`{name}` lies on a GPU, but {where}. {to_host(name)}.")


def to_host(name: str, first: str = "B") -> str:
    """The remedy where an array must lie on the host; ``first`` is its first letter."""
    return f"{first}ring it to the host: {_plain(name)}.get() / {_plain(name)}.cpu()"


def in_order(array: DeviceArray, name: str) -> None:
    """Refuse strides that are not C's."""
    if not array.contiguous:
        plain = _plain(name)
        raise InputError(
            f"`{name}` must be C-contiguous on the GPU; got other strides. Copy it there: {plain}.copy(), or in "
            f"PyTorch {plain}.contiguous()."
        )


def device_array(x: Any, name: str = "X", kinds: Sequence[int] = GPUS) -> DeviceArray | None:
    """What an array on a GPU says of itself, or None when ``x`` is none.

    Parameters
    ----------
    x : object
        One with ``__dlpack__`` (PyTorch, JAX, CuPy) or ``__cuda_array_interface__`` (Numba, CuPy). Where it has both,
        the one that tells its stream: the interface from version 3 on, else DLPack.
    name : str, as errors call it
    kinds : sequence of int, DLPack's device types that count as a GPU

    Raises
    ------
    InputError
        When it does not hand out its memory.
    """
    memory = _memory(x, kinds)
    if memory is None:
        return None
    try:
        interface = getattr(x, "__cuda_array_interface__", None) if CPU not in kinds else None
        told = isinstance(interface, dict) and int(interface["version"]) >= 3
        if hasattr(x, "__dlpack__") and not told:
            return _by_dlpack(x, memory[0])
        if not isinstance(interface, dict):
            raise TypeError("neither __dlpack__ nor a __cuda_array_interface__")
        return _by_interface(interface, x, memory[1])
    except InputError:
        raise
    except Exception as error:  # PyTorch: RuntimeError, BufferError; others have their own
        told_why = str(error).rstrip(". ")
        remedy = f"Use {_plain(name)}.detach()" if "grad" in told_why else to_host(name)
        raise InputError(f"`{name}` must hand out its memory; got the answer: {told_why}. {remedy}.") from error


def device_matrix(x: Any, name: str = "X", kinds: Sequence[int] = GPUS) -> DeviceMatrix | None:
    """A table on a GPU, or None when ``x`` is not on one; see `device_array`.

    Raises
    ------
    InputError, DataError
        When it is not float32, not in C's order, not a matrix, or empty.

    Examples
    --------
    >>> device_matrix(np.zeros((3, 2), np.float32), kinds=(CPU,)).shape
    (3, 2)
    """
    if isinstance(x, DeviceMatrix):
        return x
    array = device_array(x, name, kinds)
    if array is None:
        return None
    if len(array.shape) != 2 or 0 in array.shape:
        raise DataError(
            f"`{name}` must have the shape (n_rows, n_columns) with at least one of each; got {array.shape}."
            + (
                f" Use {_plain(name)}.reshape(-1, 1) for a single column."
                if len(array.shape) == 1 and array.shape[0]
                else ""
            )
        )
    if array.dtype != "float32":
        raise InputError(
            f"`{name}` must be float32; got {array.dtype}. Convert it there: {_plain(name)}.astype('float32'), or in "
            f"PyTorch {_plain(name)}.float()."
        )
    in_order(array, name)
    if array.pointer % 4:
        raise InputError(f"`{name}` must begin at a multiple of 4 bytes; got the address {array.pointer:#x}. Copy it.")
    return DeviceMatrix((array.shape[0], array.shape[1]), array.pointer, array.device, array.stream, array.owner)


def _plain(name: str) -> str:
    """As an expression: of "validation X" the X."""
    return name.rpartition(" ")[2]


def _memory(x: Any, kinds: Sequence[int]) -> tuple[int, int | None] | None:
    """(kind of memory, number of the device or None); None when it is none of ``kinds``."""
    if isinstance(x, (np.ndarray, list, tuple)) and CPU not in kinds:
        return None
    try:
        if hasattr(x, "__dlpack_device__"):
            kind, number = x.__dlpack_device__()
            return (int(kind), int(number)) if int(kind) in kinds else None
    except Exception:  # memory of a kind that the protocol has no number for
        return None
    try:
        there = CUDA in kinds and hasattr(x, "__cuda_array_interface__")
    except Exception:  # it is on a GPU, but does not hand out its memory: see device_array
        there = True
    return (CUDA, None) if there else None


def _by_dlpack(x: Any, kind: int) -> DeviceArray:
    from hyperband import _core  # not in a pure build, which has no GPU either

    stream = None if kind == CPU else DEFAULT_STREAM
    try:
        capsule = x.__dlpack__(stream=stream, max_version=(1, 0))
    except TypeError:  # of a library that is older than versions
        capsule = x.__dlpack__(stream=stream)
    owner, pointer, shape, strides, (code, bits, lanes), (_, number) = _core.dlpack(capsule)
    dtype = "bool" if code == 6 else f"{_CODES.get(code, 'bfloat' if code == _BFLOAT else f'type {code}, ')}{bits}"
    if lanes != 1:
        dtype += f" in vectors of {lanes}"
    return DeviceArray(shape, dtype, pointer, _contiguous(shape, strides, 1), number, stream, owner)


def _by_interface(interface: dict[str, Any], x: Any, number: int | None) -> DeviceArray:
    shape = tuple(int(n) for n in interface["shape"])
    pointer, _ = interface["data"]
    if interface.get("mask") is not None:
        raise ValueError("an array with a mask")
    # Before version 3 nothing is said of a stream: the default one, with which most others keep order, it must be then.
    stream = interface.get("stream") if int(interface["version"]) >= 3 else DEFAULT_STREAM
    if stream == 0:
        raise ValueError("stream 0, which the protocol forbids: it may be either default stream.")
    try:
        dtype, size = np.dtype(interface["typestr"]).name, np.dtype(interface["typestr"]).itemsize
        if not np.dtype(interface["typestr"]).isnative:
            dtype += " of the other byte order"
    except TypeError:
        dtype, size = str(interface["typestr"]), 1
    contiguous = _contiguous(shape, interface.get("strides"), size)
    return DeviceArray(shape, dtype, int(pointer or 0), contiguous, number, stream, x)


def _contiguous(shape: Sequence[int], strides: Sequence[int] | None, size: int) -> bool:
    """Whether these strides, in units of which a number takes ``size``, are C's."""
    if strides is None or math.prod(shape) == 0:
        return True
    step = size
    for n, stride in zip(reversed(shape), reversed(strides)):
        if n != 1 and stride != step:
            return False
        step *= n
    return True
