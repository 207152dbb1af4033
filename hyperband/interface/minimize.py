"""Minimise any function with any of the algorithms."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hyperband.errors import InputError
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.functions.batched import BatchedEvaluator
from hyperband.evaluation.functions.evaluator import FunctionEvaluator
from hyperband.evaluation.functions.objectives import Kind, kind_of
from hyperband.evaluation.interrupts import uninterrupted
from hyperband.evaluation.loop import OnEvent
from hyperband.evaluation.workers.config import Workers
from hyperband.interface.carry_out import carry_out
from hyperband.interface.result import SearchResult
from hyperband.tuning.algorithms import Algorithm

if TYPE_CHECKING:
    from hyperband.space import Space
    from hyperband.tuning.run.run import Run


def minimize(
    objective: Callable[..., Any],
    space: Space,
    algorithm: Algorithm,
    *,
    seed: int | None = None,
    workers: int = 1,
    executor: str = "threads",
    timeout: float | None = None,
    retries: int = 0,
    state_dir: str | os.PathLike[str] | None = None,
    batched: bool | int = False,
    unit: str = "resource",
    budget: Budget | None = None,
    on_event: OnEvent | None = None,
) -> SearchResult:
    """Search ``space`` for the configuration with the smallest loss.

    Parameters
    ----------
    objective : callable, one of

        - ``objective(configuration, resource) -> loss``: every call starts from zero.
        - ``objective(configuration, resource, state) -> Evaluation(loss, state=...)``: goes on from the state that it
          returned for this trial (None at first) until the trial has ``resource`` in all. A third parameter without a
          default, or one named ``state``, makes it this kind.
        - a generator, ``objective(configuration)``, whose k-th ``yield`` is the loss at resource k. It is paused at a
          rung, and goes on if its trial is promoted. One that ends early keeps its last loss at every higher resource,
          for which nothing more is called or paid. The resource must be whole; a generator cannot be copied or saved.
        - with ``batched``: ``objective(columns, resources) -> losses``, or ``objective(columns, resources, states) ->
          Evaluation(losses, state=[...])``; see `hyperband.evaluation.functions.batched.BatchedEvaluator`.

        A loss is a number, or an `Evaluation` to say more. Several numbers (a tuple, a list, an array) are several
        objectives, as many in every evaluation. An exception costs that trial alone: its loss is NaN, and
        ``result.failures`` remembers the message and the traceback.
    space : Space
    algorithm : such as Hyperband or RandomSearch
    seed : int, optional
        Overrules the seed of the algorithm; 0 when neither is given. The same seed tries the same configurations.
    workers : int
        Evaluations at a time. What a synchronous algorithm finds does not depend on it, nor on who is ready first.
    executor : {"threads", "processes"}
        "threads" suit objectives that wait or compute outside of Python (NumPy, PyTorch, a simulator); with one worker
        and no timeout the objective is called in the caller's own thread. "processes" are spawned, once each, and give
        every worker its own interpreter: ``objective`` must be at the top level of a module, and a script must call
        ``minimize`` under ``if __name__ == "__main__":``. A process that dies costs what it was working on; a state
        stays in the process that has it, and its trial goes on there.
    timeout : float, optional
        Seconds for one evaluation. A process that takes longer is killed with all that it has started; a thread cannot
        be: it is abandoned, another takes its place, and its late answer is ignored.
    retries : int
        How often an evaluation that raised, took too long or lost its worker is tried again. What a failed call has
        left of a state is not trusted: the trial goes on from ``state_dir``, or starts again from zero (``state`` is
        None), which costs its whole resource.
    state_dir : path, optional
        States are also pickled there after every evaluation, one file a trial until the trial is dropped, so that they
        outlive their worker. Without it the states that a dead process had are lost: their trials need a retry or fail.
    batched : bool or int
        The objective takes a whole rung at once, as columns; a number: so many configurations at most. (An argument and
        no decorator, so that the function stays an ordinary one.) Called in this thread, without ``workers``,
        ``timeout`` and ``state_dir``.
    unit : str, of the resource, for people
    budget : Budget, optional
        Limits on seconds, evaluations, resource and cost, a target loss, patience.
    on_event : callable (run, results), optional
        Called after every evaluation, in this thread; a true answer stops the search.

    Returns
    -------
    SearchResult
        Also after Ctrl-C: with the best so far, and ``interrupted``. No process is left then.

    Raises
    ------
    InputError
        When an argument cannot be used, alone or with the others; before anything is evaluated.
    HyperbandError
        When worker processes do not start.

    Examples
    --------
    >>> import hyperband as hb
    >>> space = hb.Space({"x": hb.Float(-1.0, 1.0)})
    >>> result = hb.minimize(lambda c, resource: c["x"] ** 2 + 1 / resource, space, hb.Hyperband(9))
    >>> result.n_evaluations, result.n_configurations
    (22, 17)

    A training loop as a generator, four trials at a time:

    >>> def train(configuration):
    ...     weight = 1.0
    ...     while True:
    ...         weight *= 1 - configuration["x"] ** 2 / 2
    ...         yield weight
    >>> result = hb.minimize(train, space, hb.Hyperband(9), workers=4, budget=hb.Budget(seconds=60))
    >>> result.cost, result.stopped
    (69.0, 'finished')

    A whole rung at once:

    >>> hb.minimize(lambda columns, r: columns["x"] ** 2 + 1 / r, space, hb.Hyperband(9), batched=True).n_evaluations
    22
    """
    if isinstance(algorithm, type) or not isinstance(algorithm, Algorithm):
        raise InputError(f"`algorithm` must be an algorithm such as hb.Hyperband(81); got {algorithm!r}.")
    if budget is not None and not isinstance(budget, Budget):
        raise InputError(f"`budget` must be a Budget such as Budget(seconds=60), or None; got {budget!r}.")
    if on_event is not None and not callable(on_event):
        raise InputError(f"`on_event` must be a function of (run, results), or None; got {on_event!r}.")
    settings = Workers(workers, executor, timeout, retries, state_dir)
    evaluator: FunctionEvaluator | BatchedEvaluator
    if batched is False:
        evaluator = FunctionEvaluator(objective, unit, settings)
    else:
        evaluator = _batched(objective, space, unit, batched, settings)
    try:
        run = algorithm.start(space, seed)
        _check(run, evaluator)
        _check_copies(run, objective)
        return carry_out(run, evaluator, budget, on_event)
    finally:
        with uninterrupted():
            evaluator.close()


def _batched(
    objective: Callable[..., Any], space: Space, unit: str, batched: bool | int, settings: Workers
) -> BatchedEvaluator:
    if settings != Workers(retries=settings.retries):
        raise InputError(
            "`workers`, `executor`, `timeout` and `state_dir` must be left out when `batched`: one call takes a whole "
            f"rung; got {', '.join(_given(settings))}."
        )
    return BatchedEvaluator(objective, space, unit, None if batched is True else batched, settings.retries)


def _given(settings: Workers) -> list[str]:
    """What differs from one worker in this thread, as the caller wrote it."""
    plain = Workers()
    parts = {"workers": "n", "executor": "executor", "timeout": "timeout", "state_dir": "state_dir"}
    values = {said: getattr(settings, name) for said, name in parts.items()}
    return [f"{said}={value!r}" for said, value in values.items() if value != getattr(plain, parts[said])]


def _check_copies(run: Run, objective: Callable[..., Any]) -> None:
    """Refuse a generator where trials start as copies: not after the first ranking, when much is paid already."""
    if any(bracket.copies for bracket in getattr(run.plan, "brackets", ())) and kind_of(objective) is Kind.YIELDS:
        raise InputError(
            "`objective` must not be a generator when trials start as copies of others (hb.PBT): generators cannot be "
            "copied. Write objective(configuration, resource, state) -> Evaluation(loss, state=...)."
        )


def _check(run: Run, evaluator: FunctionEvaluator | BatchedEvaluator) -> None:
    """Refuse what the run would ask of the objective in vain."""
    if isinstance(evaluator, FunctionEvaluator):
        for bracket in getattr(run.plan, "brackets", ()):
            for rung in bracket.rungs:
                evaluator.check_resource(rung.r)
    if evaluator.capacity is None and getattr(run.plan, "endless", False):
        raise InputError(
            "`batched` must be a number of configurations when the algorithm has no end; got True. "
            "Pass for instance batched=64."
        )
