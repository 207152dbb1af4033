"""The worker pool that an objective gets, and what the objective must offer for it."""

from __future__ import annotations

import pickle
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
from hyperband.evaluation.worker_pools.main_module import has_main_file
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
    """How to make an `ObjectiveRunner`, pickled for another process.

    What pickle only names, and a worker could not find, is pickled with its code: functions inside of others, and those
    that were typed into a notebook or came through a pipe.
    """
    try:
        recipe = pickle.dumps(make)
        if has_main_file() or b"__main__" not in recipe:
            return recipe
    except Exception:  # whatever the user's objects do when they are pickled
        pass
    try:
        return _with_code(make)
    except Exception as error:
        raise InputError(
            f"`objective` must be picklable for executor='processes'; got {objective!r}: {error}. Make what it needs "
            "inside of it, or use executor='threads'."
        ) from None


def _with_code(thing: object) -> bytes:
    """A pickle, for `pickle.loads`, that holds the code of functions of the main module and of those without a name."""
    try:
        from cloudpickle import dumps
    except ImportError:  # scikit-learn needs joblib, which has a copy
        from joblib.externals.cloudpickle import dumps
    pickled: bytes = dumps(thing)
    return pickled
