"""The C++ engine on GPUs: one block of threads trains one network, to the bits of the CPU's engine."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband import _core
from hyperband._common import memory
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import checks
from hyperband.engine.backends.base import DEFAULT_SETTINGS, F32, F64, I64, PRECISIONS, Backend, EngineSettings, Split
from hyperband.engine.backends.compiled import CompiledEngine, Records, Rows, Triple, forward
from hyperband.engine.backends.device_errors import asked as _asked
from hyperband.engine.backends.gpu_arrays import GpuArrays
from hyperband.engine.backends.state import State
from hyperband.errors import BackendUnavailable, InputError

THREADS = "HYPERBAND_CUDA_THREADS"

#: About what a step costs beside its products, in floating-point operations: see step_cost in csrc/cuda/training.cpp.
_STEP = 1e5

#: Share of the host's free memory that waiting networks may take.
_PAGED = 0.5


class CudaEngine(CompiledEngine):
    """`hyperband.engine.backends.base.Engine` on one GPU or several: each holds the data and some of the members."""

    _core: _Shards

    def capacity(self) -> int | None:
        """Bytes of networks on all devices, and of those that wait in the host's memory."""
        free = memory.free_bytes()
        return None if free is None else self._core.capacity() + int(_PAGED * free)

    def to_device(self, member: int, arrays: Sequence[NDArray[Any]]) -> list[Any]:
        """CuPy arrays with these numbers on the member's device."""
        return self._core.to_device(self._listed(np.array([member]))[0], arrays)


class _Shards:
    """The methods of `hyperband._core.CudaEngine` over one engine per device.

    A member stays on its device: nothing crosses between devices. Each device works in a thread of its own.
    """

    def __init__(self, engines: Sequence[Any], shape: tuple[int, int], n_outputs: int, arrays: GpuArrays) -> None:
        self._engines, self._arrays = list(engines), arrays
        (self._n_rows, self._n_inputs), self._n_outputs = shape, n_outputs
        self._pool = ThreadPoolExecutor(len(engines), "hyperband-gpu") if len(engines) > 1 else None
        self._locations: dict[int, tuple[int, int]] = {}  # id -> device, id there
        self._costs: dict[int, float] = {}
        self._loads = [0.0] * len(engines)
        self._next = 0

    def capacity(self) -> int:
        return sum(engine.capacity() for engine in self._engines)

    def add(self, records: Records, seeds: Sequence[int], total_steps: Sequence[int]) -> list[int]:
        costs = self._costs_of(records)
        assigned: dict[int, list[int]] = {}
        loads = list(self._loads)
        for index in sorted(range(len(records)), key=lambda i: -costs[i]):
            device = min(range(len(loads)), key=loads.__getitem__)
            loads[device] += costs[index]
            assigned.setdefault(device, []).append(index)
        parts = {device: sorted(indices) for device, indices in assigned.items()}
        made: dict[int, list[int]] = {}

        def work(device: int) -> None:
            listed = parts[device]
            made[device] = self._engines[device].add(
                records[listed], [seeds[i] for i in listed], [total_steps[i] for i in listed]
            )

        try:
            self._each(parts, work)
        except BaseException:
            for device, local in made.items():  # all of them or none
                for identity in local:
                    self._engines[device].release(identity)
            raise
        ids = list(range(self._next, self._next + len(records)))
        self._next += len(records)
        self._loads = loads
        for device, indices in parts.items():
            for index, local_id in zip(indices, made[device], strict=True):
                self._locations[ids[index]] = (device, local_id)
                self._costs[ids[index]] = costs[index]
        return ids

    def train(
        self, ids: Sequence[int], until: Sequence[int], rows: int, inputs: int, evaluate: bool, seconds: float
    ) -> list[bool]:
        arrived = [False] * len(ids)

        def work(device: int) -> None:
            indices = parts[device]
            local = [self._locations[ids[i]][1] for i in indices]
            found = self._engines[device].train(local, [until[i] for i in indices], rows, inputs, evaluate, seconds)
            for index, there in zip(indices, found, strict=True):
                arrived[index] = there

        parts = self._parts(ids)
        self._each(parts, work)
        return arrived

    def progress(self, ids: Sequence[int]) -> tuple[I64, F64]:
        counters, scores = np.zeros((len(ids), 4), np.int64), np.zeros((len(ids), 5))
        for device, indices in self._parts(ids).items():
            counters[indices], scores[indices] = self._engines[device].progress(
                [self._locations[ids[i]][1] for i in indices]
            )
        return counters, scores

    def evaluate(self, ids: Sequence[int], x: Rows, y: NDArray[Any], weight: F32 | None, best: bool) -> tuple[F64, F64]:
        loss, error = np.zeros(len(ids)), np.zeros(len(ids))

        def work(device: int) -> None:
            indices = parts[device]
            local = [self._locations[ids[i]][1] for i in indices]
            loss[indices], error[indices] = self._engines[device].evaluate(local, x, y, weight, best)

        parts = self._parts(ids)
        self._each(parts, work)
        return loss, error

    def predict(self, member: int, x: F32, best: bool) -> F32:
        device, local = self._locations[member]
        return _asked(lambda: self._engines[device].predict(local, x, best))

    def predict_on_device(self, member: int, x: tuple[int, int, int], n_outputs: int, best: bool) -> Any:
        """The outputs of rows on the member's device, as a CuPy array there."""
        device, local = self._locations[member]
        out = self._arrays.empty(device, (x[1], n_outputs))
        _asked(lambda: self._engines[device].predict_on_device(local, x, best, out.data.ptr))
        return out

    def to_device(self, member: int, arrays: Sequence[NDArray[Any]]) -> list[Any]:
        return self._arrays.put(self._locations[member][0], arrays)

    def forget_best(self, member: int) -> None:
        device, local = self._locations[member]
        self._engines[device].forget_best(local)

    def release(self, member: int) -> None:
        device, local = self._locations.pop(member)
        self._loads[device] -= self._costs.pop(member)
        self._engines[device].release(local)

    def export_state(self, member: int) -> State:
        device, local = self._locations[member]
        return _asked(lambda: self._engines[device].export_state(local))

    def import_state(self, member: int, state: Mapping[str, NDArray[Any]]) -> None:
        device, local = self._locations[member]
        _asked(lambda: self._engines[device].import_state(local, state))

    def bytes_per_member(self, records: Records) -> I64:
        sizes: I64 = self._engines[0].bytes_per_member(records)
        return sizes

    def _costs_of(self, records: Records) -> list[float]:
        """About the floating-point operations of an epoch of each network."""
        rows = np.arange(len(records))
        units = np.column_stack([np.full(len(records), self._n_inputs), records["widths"], np.zeros(len(records))])
        units[rows, records["n_hidden"] + 1] = self._n_outputs
        weights = (units[:, :-1] * units[:, 1:]).sum(axis=1)
        costs: list[float] = (6.0 * weights * self._n_rows + _STEP * self._n_rows / records["batch_size"]).tolist()
        return costs

    def _parts(self, ids: Sequence[int]) -> dict[int, list[int]]:
        """Positions in ``ids`` by device."""
        parts: dict[int, list[int]] = {}
        for index, member in enumerate(ids):
            parts.setdefault(self._locations[member][0], []).append(index)
        return parts

    def _each(self, devices: Mapping[int, Any], work: Callable[[int], None]) -> None:
        """``work(device)`` for each, at once; the first error once all are done."""
        if self._pool is None or len(devices) == 1:
            for device in devices:
                _asked(partial(work, device))
            return
        running = [self._pool.submit(work, device) for device in devices]
        errors = [future.exception() for future in running]
        for error in errors:
            if error is not None:
                _asked(partial(_raise, error))


class CudaBackend:
    """Makes engines on these devices.

    Parameters
    ----------
    devices : sequence of `hyperband._core.Device`, at least one
    name : str
    """

    def __init__(self, devices: Sequence[Any], name: str = "cuda") -> None:
        self.name = name
        self.devices = list(devices)
        self.arrays = GpuArrays(devices, name)

    def engine(
        self,
        train: Split,
        validation: Split | None,
        loss: str,
        n_outputs: int,
        settings: EngineSettings = DEFAULT_SETTINGS,
    ) -> CudaEngine:
        number = PRECISIONS.index(checks.check_precision(settings.precision))
        limit = checks.check_bytes(settings.device_memory, "device_memory")

        def make(
            x: Rows, y: NDArray[Any], weight: F32 | None, validation: Triple | None, loss: tuple[int, float],
            outputs: int, numbers: int,
        ) -> _Shards:  # fmt: skip
            given = x, y, weight, validation, loss, outputs, numbers, number
            engines = [_asked(partial(_core.CudaEngine, *given, device, limit or 0)) for device in self.devices]
            n_rows, n_inputs = x[1:] if isinstance(x, tuple) else x.shape
            return _Shards(engines, (n_rows, n_inputs), outputs, self.arrays)

        engine = CudaEngine(train, validation, loss, n_outputs, make, self.arrays)
        engine.means = ("cuda", settings.precision)
        return engine

    def forward(self, architecture: Architecture, weights: Sequence[tuple[F32, ...]], x: F32) -> F32:
        """On the CPU: it has the outputs, to the same bits, before the weights would be on a device."""
        return forward(architecture, weights, x)

    def describe(self) -> dict[str, str]:
        facts = [device.facts() for device in self.devices]
        return {
            "arithmetic": "float32, on request tf32 or bf16 products",
            "devices": ", ".join(
                f"{f['name']} (compute capability {f['capability']}, {f['total_bytes'] / 2**30:.0f} GiB)" for f in facts
            ),
            "CUDA": _core.gpus()[2],
        }


def backend(name: str = "cuda") -> Backend:
    """The backend "cuda" on every GPU that this process sees, or "cuda:N" on the one of that number.

    Raises
    ------
    BackendUnavailable
        When this build has no CUDA code, the driver is absent or too old, or there is no such GPU.
    """
    count, reason, build = _core.gpus()
    if not build:
        raise BackendUnavailable(
            f"Backend {name!r} cannot be used: {reason}. Build the package with HYPERBAND_CUDA=ON and nvcc "
            "12.8 or newer, or choose native, numba or numpy."
        )
    if count == 0:
        raise BackendUnavailable(f"Backend {name!r} cannot be used: {reason}. Choose native, numba or numpy.")
    number = re.fullmatch(r"cuda:(\d+)", name)
    wanted = range(count) if number is None else [int(number[1])]
    if wanted[-1] >= count:
        raise BackendUnavailable(
            f"Backend {name!r} cannot be used: the GPUs that this process sees are numbered 0 to {count - 1}."
        )
    threads = block_threads()
    return CudaBackend([_asked(partial(_core.gpu, n, threads)) for n in wanted], name)


def block_threads() -> int:
    """Most threads of a block, from ``HYPERBAND_CUDA_THREADS`` or 256; for tuning: no bit depends on it."""
    text = os.environ.get(THREADS, "").strip() or "256"
    if text not in ("64", "128", "256"):
        raise InputError(f"The environment variable {THREADS} must be 64, 128 or 256; got {text!r}.")
    return int(text)


def _raise(error: BaseException) -> None:
    raise error
