"""A virtual clock: simulated workers that drive a search over evaluations which take no time.

The same loop drives every contender: it evaluates, counts the resource, and raises an error when a contender breaks
a rule. A promoted configuration pays only for the additional resource, also where a library would train it anew: with
checkpoints its user could do the same.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from benchmarks.quality.tasks.base import F64, SearchTask


class WrongAnswer(Exception):
    """A contender broke a rule, so that its result must not count."""


class Asked(NamedTuple):
    """An evaluation that a searcher asks for: the loss of a trial's configuration at a resource."""

    trial: int
    configuration: Mapping[str, Any]
    resource: float
    token: Any = None  #: any object of the searcher, returned with the loss


class Searcher(Protocol):
    """A contender at work on one task with one seed."""

    def ask(self) -> Asked | None:
        """The next evaluation; None: it waits for results, or has ended."""

    def tell(self, asked: Asked, loss: float) -> None:
        """A loss that it asked for."""


@dataclass
class Trace:
    """What happened, one entry a result in the order of simulated time, and the evaluations for the check.

    ``regret``: see `Incumbent`. ``spent``: resource of all results so far. ``seconds``: simulated, when it came.
    ``worked``: simulated seconds of all workers together.
    """

    spent: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    regret: list[float] = field(default_factory=list)
    trials: list[int] = field(default_factory=list)
    resources: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    configurations: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    worked: float = 0.0

    def at(self, axis: str, points: Sequence[float]) -> F64:
        """Regret when so much was spent ("spent") or so many seconds had passed ("seconds"); inf before any result."""
        last = np.searchsorted(getattr(self, axis), np.asarray(points) * (1 + 1e-12), side="right")
        return np.concatenate([[math.inf], self.regret])[last]


class Incumbent:
    """The trial with the smallest loss among those evaluated at the largest resource so far.

    Its regret is its noise-free loss at full resource less the optimum. Once a trial was evaluated at full resource
    and without noise, this is the best value that the search saw there; earlier it is what a user would get who
    stopped now. The rule is the same for every contender, whatever a library calls its incumbent.
    """

    def __init__(self) -> None:
        self.resource = self.loss = -math.inf
        self.trial = -1

    def see(self, trial: int, resource: float, loss: float) -> bool:
        """Whether this result makes its trial the incumbent."""
        new = resource > self.resource or (resource == self.resource and loss < self.loss)
        if new:
            self.trial, self.resource, self.loss = trial, resource, loss
        return new


class Curves:
    """Losses and seconds of trials, computed for several resources at once since one costs as much."""

    def __init__(self, task: SearchTask, levels: Sequence[float]) -> None:
        self._task, self._levels = task, sorted({*levels, task.max_resource})
        self._known: dict[int, dict[float, tuple[float, float]]] = {}

    def get(self, trial: int, configuration: Mapping[str, Any], resource: float) -> tuple[float, float]:
        """Loss and cumulative seconds of a trial."""
        known = self._known.setdefault(trial, {})
        if resource not in known:
            wanted = [resource, *(level for level in self._levels if level > resource)]
            pairs = zip(*self._task.curve(configuration, wanted), strict=True)
            known.update((r, (float(loss), float(seconds))) for r, (loss, seconds) in zip(wanted, pairs, strict=True))
        return known[resource]


def simulate(searcher: Searcher, task: SearchTask, budget: float, workers: int, levels: Sequence[float] = ()) -> Trace:
    """Let a searcher spend a budget of resource on simulated workers.

    Parameters
    ----------
    budget : float, resource in all; a job that would exceed it is not started, and ends the search
    levels : resources that will be asked for, as far as known; evaluating them together is faster

    Raises
    ------
    WrongAnswer
        When a resource lies outside the task's range.
    """
    trace, curves, incumbent = Trace(), Curves(task, levels), Incumbent()
    running: list[tuple[float, int, Asked, float, float]] = []
    has: dict[int, float] = {}  # what each trial was given so far
    now, given, spent, number, regret, ended = 0.0, 0.0, 0.0, 0, math.inf, False
    while True:
        while not ended and len(running) < workers and (asked := searcher.ask()) is not None:
            _check_resource(asked, task)
            before = has.get(asked.trial, 0.0)
            more = max(0.0, asked.resource - before)
            if given + more > budget * (1 + 1e-12):
                ended = True
                break
            trace.configurations.setdefault(asked.trial, asked.configuration)
            loss, until = curves.get(asked.trial, asked.configuration, asked.resource)
            since = curves.get(asked.trial, asked.configuration, before)[1] if before else 0.0
            given, has[asked.trial] = given + more, max(before, asked.resource)
            number += 1
            trace.worked += max(0.0, until - since)
            heapq.heappush(running, (now + max(0.0, until - since), number, asked, loss, more))
        if not running:
            return trace
        now, _, asked, loss, more = heapq.heappop(running)
        searcher.tell(asked, loss)
        spent += more
        if incumbent.see(asked.trial, asked.resource, loss):
            regret = _regret(task, asked, curves)
        for column, value in (("spent", spent), ("seconds", now), ("regret", regret), ("trials", asked.trial),
                              ("resources", asked.resource), ("losses", loss)):  # fmt: skip
            getattr(trace, column).append(value)


def check(trace: Trace, task: SearchTask, budget: float) -> None:
    """Recompute a result from its evaluations alone.

    Raises
    ------
    WrongAnswer
        When a configuration lies outside the space, a loss is not the task's, the budget was exceeded, or the last
        regret is not that of the best trial at the largest resource.
    """
    if not trace.trials:
        raise WrongAnswer("It evaluated nothing.")
    numbers = {trial: row for row, trial in enumerate(trace.configurations)}
    rows = np.array([numbers[trial] for trial in trace.trials])
    columns = task.columns_of(list(trace.configurations.values()))
    try:
        for name, parameter in task.space.parameters.items():
            parameter.encode(columns[name].tolist())
    except ValueError as error:
        raise WrongAnswer(f"A configuration lies outside the space: {name}: {error}") from None
    resources, losses = np.array(trace.resources), np.array(trace.losses)
    again = task.evaluate({name: values[rows] for name, values in columns.items()}, resources)[0]
    if not np.allclose(losses, again, rtol=0, atol=1e-5):
        raise WrongAnswer("A loss that it was told is not the task's.")
    most = np.zeros(len(numbers))
    np.maximum.at(most, rows, resources)
    if most.sum() > budget * (1 + 1e-9) or not math.isclose(most.sum(), trace.spent[-1], rel_tol=1e-9):
        raise WrongAnswer(f"It spent {most.sum()} of a budget of {budget}, and the clock counted {trace.spent[-1]}.")
    top = np.flatnonzero(resources == resources.max())
    best = top[losses[top] == losses[top].min()]
    regrets = task.true_losses({name: values[rows[best]] for name, values in columns.items()}) - task.optimum
    if not np.isclose(regrets, trace.regret[-1], rtol=0, atol=1e-5).any():
        raise WrongAnswer(f"Its last regret is {trace.regret[-1]}, not that of its best trial, {regrets}.")


def _check_resource(asked: Asked, task: SearchTask) -> None:
    if not task.min_resource <= asked.resource <= task.max_resource or asked.resource != int(asked.resource):
        raise WrongAnswer(
            f"It asked for a resource of {asked.resource}, which is not a whole number from {task.min_resource} to "
            f"{task.max_resource}."
        )


def _regret(task: SearchTask, asked: Asked, curves: Curves) -> float:
    if type(task).true_losses is SearchTask.true_losses:
        loss = curves.get(asked.trial, asked.configuration, task.max_resource)[0]
    else:
        loss = float(task.true_losses(task.columns_of([asked.configuration]))[0])
    return loss - task.optimum
