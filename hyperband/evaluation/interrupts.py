"""Ctrl-C waits while the state is between two consistent ones; which exceptions in an objective end the search."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import CodeType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back for the short while in which results are entered, or workers started or ended."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals arrive in the main thread only
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def is_from_outside(error: BaseException) -> bool:
    """Whether an exception in the user's code is not its own, but of Ctrl-C or of a handler of another signal.

    Python runs handlers of signals in the middle of whatever the main thread is doing. A handler of SIGTERM that calls
    ``sys.exit`` means the whole process; an objective that does so has failed. An `Exception` is always the code's own,
    so that a handler of SIGALRM can cut one evaluation short.
    """
    if isinstance(error, Exception):
        return False
    if isinstance(error, KeyboardInterrupt):
        return True
    frames = {frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)}
    return not frames.isdisjoint(_handlers())


def _handlers() -> set[CodeType]:
    """The code of all handlers of signals that are written in Python."""
    found = set()
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        while isinstance(handler, partial):
            handler = handler.func
        if not callable(handler):  # the system's own
            continue
        for function in (getattr(handler, "__func__", handler), type(handler).__call__):
            code = getattr(function, "__code__", None)
            if isinstance(code, CodeType):
                found.add(code)
    return found
