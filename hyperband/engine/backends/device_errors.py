"""What a device could not do, in the package's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hyperband import _core
from hyperband.errors import BackendUnavailable, InsufficientMemory

_T = TypeVar("_T")


def asked(call: Callable[[], _T]) -> _T:
    """What the device answers."""
    try:
        return call()
    except _core.DeviceFull as error:
        raise InsufficientMemory(f"The GPU's memory must hold data and networks: {error}") from error
    except _core.DeviceError as error:
        raise BackendUnavailable(f"Backend 'cuda' cannot continue: {error}") from error
