"""Where networks are trained, and with what: backend, threads, precision, memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hyperband.engine.backends.base import PRECISIONS
from hyperband.engine.backends.threads import thread_count
from hyperband.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """Where and how `hyperband.search` computes. No result depends on it, except on ``precision`` and the backend.

    Parameters
    ----------
    backend : {"auto", "cuda", "cuda:0", "cuda:1", ..., "native", "numba", "numpy"}
    threads : int from 1 to 1024, or None
        None: ``HYPERBAND_THREADS``, else every processor.
    precision : {"float32", "tf32", "bf16"}
        "bf16" rounds the factors of matrix products in training to 8 bits, for speed on processors with AMX or
        AVX512_BF16 and on GPUs; "tf32" to 11 bits, on GPUs. Weights stay float32. Learning curves differ from those in
        float32, and between devices and instruction sets.
    memory_limit : int >= 1 or None
        Bytes that networks may take; None: 80 % of what is free. More networks than fit train in waves.
    device_memory : int >= 1 or None
        Bytes of each GPU that data and networks may take; None: 80 % of what is free there.

    Raises
    ------
    InputError
        When a value breaks one of these rules. Whether the backend can be used here, the search says.

    Examples
    --------
    >>> Compute(threads=2).precision
    'float32'
    """

    backend: str = "auto"
    threads: int | None = None
    precision: str = "float32"
    memory_limit: int | None = None
    device_memory: int | None = None

    def __post_init__(self) -> None:
        if self.threads is not None:
            thread_count(self.threads)
        if self.precision not in PRECISIONS:
            raise InputError(f"`precision` must be one of {', '.join(PRECISIONS)}; got {self.precision!r}.")
        for name in ("memory_limit", "device_memory"):
            _check_bytes(getattr(self, name), name)


def _check_bytes(value: Any, name: str) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if value is not None and not (whole and value >= 1):
        raise InputError(f"`{name}` must be a whole number of bytes, at least 1, or None; got {value!r}.")
