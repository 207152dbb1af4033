"""Where polars can be called: its threads do not survive a fork, and a call would wait for them for ever.

They start with the first call that needs them. A process that is forked before that has its own; one that is forked
later can neither read nor transform tables. The threads of the compiled engine live for one call each, so that it works
in any process.
"""

from __future__ import annotations

import os
import threading

import polars as pl

from hyperband.errors import HyperbandError

#: Seconds for a first call that takes milliseconds.
_PATIENCE = 10.0

#: The process in which polars has answered, if it has, in this one or in one that this was forked from.
_answered_in: int | None = None


def check_polars_threads() -> None:
    """Check, before a call of polars, that it can be answered.

    Raises
    ------
    HyperbandError
        In a process that was forked after the threads of polars had started.
    """
    global _answered_in
    if _answered_in == os.getpid():
        return
    # Where this package has not called polars yet, somebody else may have, before the fork: only a call can tell.
    if _answered_in is not None or not _answers():
        raise HyperbandError(
            "Tables must be used where the threads of polars are; this process was forked after they had started, and "
            "a fork does not copy threads. Start processes by multiprocessing.get_context('spawn') or 'forkserver', or "
            "fork before the first use of a table. Models predict NumPy arrays of numbers here too."
        )
    _answered_in = os.getpid()


def _answers() -> bool:
    answered = threading.Event()

    def call() -> None:
        pl.DataFrame({"column": [1.0, None]}).select(pl.all().fill_null(0.0))  # as polars does in parallel
        answered.set()

    threading.Thread(target=call, daemon=True).start()
    return answered.wait(_PATIENCE)
