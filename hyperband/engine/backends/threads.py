"""How many threads to use: the argument, else the environment, else the processors that this process may use."""

from __future__ import annotations

import os

from hyperband.errors import InputError

VARIABLE = "HYPERBAND_THREADS"


def thread_count(threads: int | None = None) -> int:
    """Number of threads, >= 1.

    Parameters
    ----------
    threads : int or None
        None: ``HYPERBAND_THREADS``, and where that is unset or empty the processors of this process's affinity.

    Raises
    ------
    InputError
        When the number is not whole or not from 1 to 1024.
    """
    if threads is not None:
        return _checked(threads, "`threads`")
    text = os.environ.get(VARIABLE, "").strip()
    return _checked(text, f"The environment variable {VARIABLE}") if text else processors()


def processors() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13 and later
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _checked(value: object, name: str) -> int:
    try:
        count = int(value)  # type: ignore[call-overload]
        exact = isinstance(value, str) or (count == value and not isinstance(value, bool))
    except (TypeError, ValueError):
        count, exact = 0, False
    if not exact or not 1 <= count <= 1024:
        raise InputError(f"{name} must be a whole number from 1 to 1024; got {value!r}.")
    return int(count)
