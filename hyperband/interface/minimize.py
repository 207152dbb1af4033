"""Minimise any function with any of the algorithms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from hyperband.errors import InputError
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.functions.batched import BatchedEvaluator
from hyperband.evaluation.functions.evaluator import FunctionEvaluator
from hyperband.evaluation.functions.objectives import Kind, kind_of
from hyperband.evaluation.functions.workers import Workers
from hyperband.evaluation.interrupts import uninterrupted
from hyperband.evaluation.loop import OnEvent
from hyperband.evaluation.progress import OnProgress
from hyperband.interface.arguments import check_algorithm, check_control
from hyperband.interface.carry_out import carry_out
from hyperband.interface.result import SearchResult
from hyperband.interface.warn import warn_of_losses, warn_of_plan
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
    workers: int | Workers = 1,
    executor: str | None = None,
    batched: bool | int = False,
    unit: str = "resource",
    budget: Budget | None = None,
    progress: bool | OnProgress = False,
    on_event: OnEvent | None = None,
) -> SearchResult:
    """Search ``space`` for the configuration with the smallest loss.

    Parameters
    ----------
    objective : callable, one of

        - ``objective(configuration, resource) -> loss``: every call starts from zero.
        - ``objective(configuration, resource, state) -> Evaluation(loss, state=...)``: continues from the state that it
          returned for this trial (None at first) until the trial has ``resource`` in all. A function is of this kind if
          its third parameter has no default or is named ``state``.
        - a generator, ``objective(configuration)``, whose k-th ``yield`` is the loss at resource k. It is paused at a
          rung and continues if its trial is promoted. When it ends early its last loss counts at every higher resource,
          at no further cost. The resource must be whole; a generator cannot be copied or saved.
        - with ``batched``: ``objective(columns, resources) -> losses``, or ``objective(columns, resources, states) ->
          Evaluation(losses, state=[...])``; see `hyperband.evaluation.functions.batched.BatchedEvaluator`.

        A loss is a number, or an `Evaluation` to say more. Several numbers (a tuple, a list, an array) are several
        objectives, as many in every evaluation. Whatever it raises, ``sys.exit`` included, fails only its trial: the
        loss is NaN, and ``result.failures`` has the message and the traceback. Ctrl-C, and what the handler of another
        signal raises apart from an `Exception`, end the search.
    space : Space
    algorithm : such as Hyperband or RandomSearch
    seed : int, optional
        Overrules the seed of the algorithm; 0 when neither is given. The same seed tries the same configurations.
    workers : int or Workers
        Evaluations at a time; `Workers` also takes a timeout, retries, and files for states. What a synchronous
        algorithm finds does not depend on it, nor on the order in which evaluations end.
    executor : {"threads", "processes"}, optional
        What the workers are, see `Workers`; None: what ``workers`` says, threads for a number.
    batched : bool or int
        The objective takes a whole rung at once, as columns; a number: so many configurations at most. (An argument and
        no decorator, so that the function stays an ordinary one.) It is called in this thread; of ``workers`` only
        ``retries`` can be set.
    unit : str, of the resource, for people
    budget : Budget, optional
        Limits on seconds, evaluations, resource and cost, a target loss, patience.
    progress : bool or callable
        True: a table on stderr while the search runs; a function is called with a
        `hyperband.evaluation.progress.SearchProgress` several times a second, as far as evaluations in this thread
        allow.
    on_event : callable (run, results), optional
        Called after every evaluation, in this thread; a true answer stops the search.

    Returns
    -------
    SearchResult
        Also after Ctrl-C: with the best so far, and ``interrupted``. No worker process is left. Also when no evaluation
        gave a finite loss: ``best`` is None, and a warning has the first failure with its traceback. A loss that is NaN
        or infinite is data: its trial is never promoted and never the best, ``result.not_finite`` lists such
        evaluations, and one warning in the end counts them.

    Raises
    ------
    InputError
        When an argument cannot be used, alone or with the others; before anything is evaluated.
    ObjectiveError
        When every evaluation failed; its ``result`` has what there is.
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
    check_algorithm(algorithm)
    check_control(budget, progress, on_event)
    pool = workers if isinstance(workers, Workers) else Workers(workers)
    if executor is not None:
        pool = replace(pool, executor=executor)
    evaluator = _evaluator(objective, space, unit, pool, batched)
    try:
        run = algorithm.start(space, seed)
        _check(run, evaluator)
        _check_copies(run, objective)
        warn_of_plan(algorithm)
        result = carry_out(run, evaluator, budget, progress=progress, on_event=on_event)
    finally:
        with uninterrupted():
            evaluator.close()
    warn_of_losses(result)
    return result


def _evaluator(
    objective: Callable[..., Any], space: Space, unit: str, workers: Workers, batched: bool | int
) -> FunctionEvaluator | BatchedEvaluator:
    if batched is False:
        return FunctionEvaluator(objective, unit, workers)
    plain = Workers(retries=workers.retries)
    if workers != plain:
        given = {field.name: getattr(workers, field.name) for field in fields(workers)}
        others = [f"{name}={value!r}" for name, value in given.items() if value != getattr(plain, name)]
        raise InputError(
            "`workers` must leave all but `retries` at its default when `batched`: one call takes a whole rung; got "
            f"Workers({', '.join(others)})."
        )
    return BatchedEvaluator(objective, space, unit, None if batched is True else batched, workers.retries)


def _check_copies(run: Run, objective: Callable[..., Any]) -> None:
    """Refuse a generator where trials start as copies: now, and not after the first ranking, when much is paid."""
    if any(bracket.copies for bracket in run.plan.brackets) and kind_of(objective) is Kind.YIELDS:
        raise InputError(
            "`objective` must not be a generator when trials start as copies of others (hb.PBT): generators cannot be "
            "copied. Write objective(configuration, resource, state) -> Evaluation(loss, state=...)."
        )


def _check(run: Run, evaluator: FunctionEvaluator | BatchedEvaluator) -> None:
    """Refuse a plan that the objective cannot serve."""
    if isinstance(evaluator, FunctionEvaluator):
        for bracket in run.plan.brackets:
            for rung in bracket.rungs:
                evaluator.check_resource(rung.r)
    if evaluator.capacity is None and run.plan.endless:
        raise InputError(
            "`batched` must be a number of configurations when the algorithm has no end; got True. "
            "Pass for instance batched=64."
        )
