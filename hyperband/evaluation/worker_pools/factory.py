"""The worker pool that an objective gets, and what the objective must offer for it."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from hyperband.errors import InputError
from hyperband.evaluation.functions.objective_runner import ObjectiveRunner
from hyperband.evaluation.functions.objectives import Kind
from hyperband.evaluation.functions.state_files import StateFiles
from hyperband.evaluation.functions.workers import Workers
from hyperband.evaluation.worker_pools.base import WorkerPool
from hyperband.evaluation.worker_pools.inline import InlinePool
from hyperband.evaluation.worker_pools.threads import ThreadPool


def state_files_for(workers: Workers, kind: Kind) -> StateFiles | None:
    """The files to which states are written, if any; `InputError` for objectives without a state."""
    if workers.state_dir is None:
        return None
    if kind is not Kind.CONTINUES:
        raise InputError(
            "`state_dir` must be None unless the objective returns a state: objective(configuration, resource, "
            f"state) -> Evaluation(loss, state=...); got an objective of {kind.value}."
        )
    return StateFiles(workers.state_dir)


def make_pool(objective: Callable[..., Any], kind: Kind, workers: Workers, files: StateFiles | None) -> WorkerPool:
    """A pool without workers yet; each object that they call is an `ObjectiveRunner`."""
    make = partial(ObjectiveRunner, objective, kind, files)
    if workers.executor == "processes":
        recipe = _recipe(objective, make)
        from hyperband.evaluation.worker_pools.processes import ProcessPool  # it loads multiprocessing: only when used

        return ProcessPool(recipe)
    return InlinePool(make()) if workers.n == 1 and workers.timeout is None else ThreadPool(make())


def _recipe(objective: Callable[..., Any], make: Callable[[], ObjectiveRunner]) -> bytes:
    """How to make an `ObjectiveRunner`, pickled for another process."""
    remedy = "Define it at the top level of a module, or use executor='threads'."
    try:
        recipe = pickle.dumps(make)
    except Exception as error:  # whatever the user's objects do when they are pickled
        raise InputError(
            f"`objective` must be picklable for executor='processes'; got {objective!r}: {error}. {remedy}"
        ) from None
    main = sys.modules["__main__"]  # not every main module has a file and a specification
    file = getattr(main, "__file__", None)  # "<stdin>" of a script that is piped into Python
    interactive = (file is None or not os.path.exists(file)) and getattr(main, "__spec__", None) is None
    if interactive and b"__main__" in recipe:
        raise InputError(
            "`objective` must be in a file for executor='processes': worker processes cannot see what was typed into "
            f"an interactive session or came through a pipe; got {objective!r}. {remedy}"
        )
    return recipe
