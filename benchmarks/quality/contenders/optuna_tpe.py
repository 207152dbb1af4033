"""Optuna: TPE with every evaluation at full resource, and TPE with HyperbandPruner."""

from __future__ import annotations

from typing import Any

import hyperband as hb
from benchmarks.common.optional import needed
from benchmarks.quality.contenders.base import ETA
from benchmarks.quality.tasks.base import SearchTask
from benchmarks.quality.virtual_clock import Asked


class Optuna:
    """A study driven by ask and tell; a trial that is not pruned continues at once on its worker.

    Parameters
    ----------
    pruned : bool
        With HyperbandPruner, to which each trial reports at every resource where a bracket of it decides.
    """

    def __init__(self, task: SearchTask, seed: int, pruned: bool) -> None:
        optuna = needed("optuna", "optuna")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        pruner: Any = optuna.pruners.NopPruner()
        self._steps = [task.max_resource]
        if pruned:
            pruner = optuna.pruners.HyperbandPruner(task.min_resource, task.max_resource, ETA)
            r = task.min_resource
            self._steps = [task.max_resource]
            while r < task.max_resource:
                self._steps.append(r)
                r *= ETA
            self._steps.sort()
        self._study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), pruner=pruner)
        self._pruned, self._task = optuna.trial.TrialState.PRUNED, task
        self._next: list[Asked] = []

    def ask(self) -> Asked | None:
        """See `Searcher`."""
        if self._next:
            return self._next.pop()
        trial = self._study.ask()
        configuration = {name: _suggest(trial, name, p) for name, p in self._task.space.parameters.items()}
        return Asked(trial.number, configuration, self._steps[0], (trial, 0))

    def tell(self, asked: Asked, loss: float) -> None:
        """See `Searcher`."""
        trial, step = asked.token
        trial.report(loss, int(asked.resource))
        if step == len(self._steps) - 1:
            self._study.tell(trial, loss)
        elif trial.should_prune():
            self._study.tell(trial, state=self._pruned)
        else:
            self._next.append(Asked(asked.trial, asked.configuration, self._steps[step + 1], (trial, step + 1)))


def _suggest(trial: Any, name: str, parameter: Any) -> Any:
    if isinstance(parameter, hb.Choice):
        return trial.suggest_categorical(name, list(parameter.options))
    suggest = trial.suggest_int if isinstance(parameter, hb.Int) else trial.suggest_float
    return suggest(name, parameter.low, parameter.high, log=parameter.log)
