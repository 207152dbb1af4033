"""Minimise any function with any of the algorithms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hyperband.driver import Budget, OnEvent, drive
from hyperband.errors import InputError
from hyperband.evaluators.function import FunctionEvaluator
from hyperband.result import SearchResult

if TYPE_CHECKING:
    from hyperband.algorithms import Algorithm
    from hyperband.space import Space


def minimize(
    objective: Callable[..., Any],
    space: Space,
    algorithm: Algorithm,
    *,
    seed: int | None = None,
    workers: int = 1,
    unit: str = "resource",
    budget: Budget | None = None,
    on_event: OnEvent | None = None,
) -> SearchResult:
    """Search ``space`` for the configuration with the smallest loss.

    Parameters
    ----------
    objective : callable
        ``objective(configuration, resource) -> loss``: every call starts from zero; or
        ``objective(configuration, resource, state) -> Evaluation(loss, state=...)``: goes on from ``state`` (None at
        first) until the trial has ``resource`` in all. An exception costs that trial alone: its loss is NaN, and
        ``result.failures`` remembers why.
    space : Space
    algorithm : GridSearch, RandomSearch, AdaptiveSearch, SuccessiveHalving or Hyperband
    seed : int, optional
        Overrules the seed of the algorithm; 0 when neither is given. The same seed tries the same configurations.
    workers : int
        Only 1 so far: the objective is called in this process, one call after another.
    unit : str, of the resource, for people
    budget : Budget, optional
        Limits on seconds, evaluations, resource, and a target loss.
    on_event : callable (run, results), optional
        Called after every evaluation; a true answer stops the search.

    Returns
    -------
    SearchResult
        Also after Ctrl-C: with the best so far, and ``interrupted``.

    Raises
    ------
    InputError
        When ``objective``, ``algorithm`` or ``workers`` cannot be used.

    Examples
    --------
    >>> import hyperband as hb
    >>> space = hb.Space({"x": hb.Float(-1.0, 1.0)})
    >>> result = hb.minimize(lambda c, resource: c["x"] ** 2 + 1 / resource, space, hb.Hyperband(9))
    >>> result.n_evaluations, result.n_configurations
    (22, 17)
    """
    if workers != 1:
        raise InputError(f"`workers` must be 1: only serial evaluation is supported here; got {workers!r}.")
    if not hasattr(algorithm, "start"):
        raise InputError(f"`algorithm` must be an algorithm such as hb.Hyperband(81); got {algorithm!r}.")
    evaluator = FunctionEvaluator(objective, unit)
    run = algorithm.start(space, seed)
    try:
        return drive(run, evaluator, budget, on_event)
    finally:
        evaluator.close()
