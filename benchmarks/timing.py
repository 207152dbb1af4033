"""Repetitions that take turns, so that whatever else the machine does hits every contender alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def take_turns(work: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, list[float]]:
    """Seconds of each repetition of each piece of work, after one unmeasured turn."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(repetitions + 1):
        for name, call in work.items():
            began = time.perf_counter()
            call()
            if turn > 0:
                seconds[name].append(time.perf_counter() - began)
    return seconds
