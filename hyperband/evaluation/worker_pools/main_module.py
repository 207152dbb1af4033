"""The main module of this process, as a worker process would look for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def has_main_file() -> bool:
    """Whether a worker process can import the main module: it is none that was typed in or came through a pipe."""
    main = sys.modules["__main__"]  # not every main module has a file and a specification
    file = getattr(main, "__file__", None)  # "<stdin>" of a script that is piped into Python
    return (file is not None and os.path.exists(file)) or getattr(main, "__spec__", None) is not None


@contextmanager
def importable_main() -> Iterator[None]:
    """While a process is started: it imports the main module by its file, and must not look for one that is absent."""
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    if file is None or has_main_file():
        yield
        return
    del main.__file__
    try:
        yield
    finally:
        main.__file__ = file
