"""Repetitions that take turns, so that other work of the machine affects every contender alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

#: Pause before each measurement in seconds: idle threads of BLAS and OpenMP spin for a while and occupy a processor.
REST = 0.25


def take_turns(work: Mapping[Key, Callable[[], object]], repetitions: int) -> dict[Key, list[float]]:
    """Seconds of each repetition of each piece of work, after one unmeasured turn."""
    seconds: dict[Key, list[float]] = {name: [] for name in work}
    for turn in range(repetitions + 1):
        for name, call in work.items():
            time.sleep(REST)
            began = time.perf_counter()
            call()
            if turn > 0:
                seconds[name].append(time.perf_counter() - began)
    return seconds
