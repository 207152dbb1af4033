"""Which workers an objective gets, and what it must offer for that."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from hyperband.errors import InputError
from hyperband.evaluation.functions.objective_runner import Place
from hyperband.evaluation.functions.objectives import Kind
from hyperband.evaluation.functions.state_files import Saved
from hyperband.evaluation.workers.base import Crew
from hyperband.evaluation.workers.config import Workers
from hyperband.evaluation.workers.inline import Here
from hyperband.evaluation.workers.threads import Threads


def saved_states(workers: Workers, kind: Kind) -> Saved | None:
    """Where states are written, if anywhere."""
    if workers.state_dir is None:
        return None
    if kind is not Kind.CONTINUES:
        raise InputError(
            "`state_dir` must be None unless the objective hands over a state: objective(configuration, resource, "
            f"state) -> Evaluation(loss, state=...); got an objective of {kind.value}."
        )
    return Saved(workers.state_dir)


def crew_of(objective: Callable[..., Any], kind: Kind, workers: Workers, saved: Saved | None) -> Crew:
    """A crew without workers yet; each of its objects is a `Place`."""
    make = partial(Place, objective, kind, saved)
    if workers.executor == "processes":
        recipe = _recipe(objective, make)
        from hyperband.evaluation.workers.processes import Processes  # it loads multiprocessing: only when used

        return Processes(recipe)
    return Here(make()) if workers.n == 1 and workers.timeout is None else Threads(make())


def _recipe(objective: Callable[..., Any], make: Callable[[], Place]) -> bytes:
    """The way to make a place, for another process."""
    remedy = "Define it at the top level of a module, or use executor='threads'."
    try:
        recipe = pickle.dumps(make)
    except Exception as error:  # whatever the user's objects do when they are pickled
        raise InputError(
            f"`objective` must be picklable for executor='processes'; got {objective!r}: {error}. {remedy}"
        ) from None
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)  # "<stdin>" of a script that is piped into Python
    interactive = (file is None or not os.path.exists(file)) and getattr(main, "__spec__", None) is None
    if interactive and b"__main__" in recipe:
        raise InputError(
            "`objective` must be in a file for executor='processes': worker processes cannot see what was typed into "
            f"an interactive session or came through a pipe; got {objective!r}. {remedy}"
        )
    return recipe
