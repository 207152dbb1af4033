"""Ctrl-C and SIGTERM during a search: the first stops it, the next gets an explanation, the third ends the command."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_WORDS = b"The results are being written; once more ends the command without them.\n"


class Stops:
    """How often somebody wanted a command to stop."""

    def __init__(self) -> None:
        self._count = 0

    def hand_over(self) -> None:
        """From here on the results are put together and written: the first stop gets an explanation."""
        self._count = max(self._count, 1)

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """The handler of Ctrl-C."""
        self._count += 1
        if self._count != 2:
            raise KeyboardInterrupt
        with suppress(OSError):
            os.write(2, _WORDS)  # whatever Python was writing there, this cannot be in its middle


@contextmanager
def counted_stops() -> Iterator[Stops]:
    """Answer Ctrl-C and SIGTERM by their number within a block; outside the main thread they stay as they are.

    SIGTERM comes as Ctrl-C, whoever holds that back at the moment: a search that `timeout`, a queue or a container ends
    hands over what it has. Signals that are ignored stay ignored.
    """
    stops = Stops()
    if threading.current_thread() is not threading.main_thread():
        yield stops
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {signal.SIGINT: stops.interrupt, signal.SIGTERM: lambda *_: signal.raise_signal(signal.SIGINT)}
    for number, handler in handlers.items():
        if before[number] != signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield stops
    finally:
        for number, earlier in before.items():
            if earlier is not None:  # else it is no handler of Python's
                signal.signal(number, earlier)
