"""Schedulers of other libraries, without their back-ends; all of them stop trials and never promote."""

from __future__ import annotations

import datetime
import logging
from typing import Any

from benchmarks.rung_contenders.base import ETA, RESOURCES, Contender, Losses, R, Unavailable


class Stopping(Contender):
    """Trials one after another, each until it is stopped; every report at a rung is a result."""

    rule = "stopping"

    def __init__(self, losses: Losses) -> None:
        super().__init__(losses)
        self._next = 0

    def advance(self, until: int) -> None:
        """See `Contender`."""
        while self.results < until:
            curve = [rung[self._next] for rung in self.losses.lists]
            self.results += self.trial(self._next, curve)
            self._next += 1

    def trial(self, number: int, curve: list[float]) -> int:
        """Carry one trial through; returns the results that it had."""
        raise NotImplementedError


class OptunaPruner(Stopping):
    """`optuna.pruners.HyperbandPruner` with random configurations, study in memory."""

    name = "Optuna HyperbandPruner"

    def __init__(self, losses: Losses) -> None:
        super().__init__(losses)
        try:
            import optuna
        except ImportError:
            raise Unavailable("not installed: pip install optuna") from None
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._pruned = optuna.trial.TrialState.PRUNED
        pruner = optuna.pruners.HyperbandPruner(1, R, ETA)
        self._study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), pruner=pruner)

    def trial(self, number: int, curve: list[float]) -> int:
        """See `Stopping`."""
        trial = self._study.ask()
        trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)
        trial.suggest_int("width", 8, 256, log=True)
        for place, (resource, loss) in enumerate(zip(RESOURCES, curve, strict=True), 1):
            trial.report(loss, resource)
            if place < len(RESOURCES) and trial.should_prune():
                self._study.tell(trial, state=self._pruned)
                return place
        self._study.tell(trial, curve[-1])
        return len(RESOURCES)


class RayAsha(Stopping):
    """`ray.tune.schedulers.AsyncHyperBandScheduler`, the object alone: no configurations, no cluster."""

    name = "Ray Tune ASHA object"

    def __init__(self, losses: Losses) -> None:
        super().__init__(losses)
        try:
            from ray.tune.schedulers import AsyncHyperBandScheduler
        except ImportError:
            raise Unavailable('not installed: pip install "ray[tune]"') from None
        self._scheduler = AsyncHyperBandScheduler(
            time_attr="training_iteration", metric="loss", mode="min", max_t=R, grace_period=1, reduction_factor=ETA
        )

    def trial(self, number: int, curve: list[float]) -> int:
        """See `Stopping`."""
        trial: Any = _RayTrial(str(number))
        self._scheduler.on_trial_add(None, trial)
        result: dict[str, Any] = {}
        told = 0
        for resource, loss in zip(RESOURCES, curve, strict=True):
            result, told = {"training_iteration": resource, "loss": loss}, told + 1
            if self._scheduler.on_trial_result(None, trial, result) == "STOP":
                break
        self._scheduler.on_trial_complete(None, trial, result)
        return told


class _RayTrial:
    """What the scheduler wants to see of a trial."""

    def __init__(self, trial_id: str) -> None:
        self.trial_id, self.status, self.config = trial_id, "RUNNING", {}


class SyneAsha(Stopping):
    """Syne Tune's `ASHA`, the object alone."""

    name = "Syne Tune ASHA object"

    def __init__(self, losses: Losses) -> None:
        super().__init__(losses)
        try:
            logging.disable(logging.CRITICAL)
            from syne_tune.backend.trial_status import Trial
            from syne_tune.config_space import lograndint, loguniform
            from syne_tune.optimizer.baselines import ASHA
        except ImportError:
            raise Unavailable("not installed: pip install syne-tune") from None
        space = {"learning_rate": loguniform(1e-4, 1e-1), "width": lograndint(8, 256)}
        self._make, self._now = Trial, datetime.datetime.now()
        self._scheduler = ASHA(
            space, metric="loss", do_minimize=True, time_attr="epoch", max_t=R, grace_period=1, reduction_factor=ETA,
            random_seed=0,
        )  # fmt: skip

    def trial(self, number: int, curve: list[float]) -> int:
        """See `Stopping`."""
        trial = self._make(number, self._scheduler.suggest().config, self._now)
        self._scheduler.on_trial_add(trial)
        result: dict[str, Any] = {}
        for done, (resource, loss) in enumerate(zip(RESOURCES, curve, strict=True), 1):
            result = {"epoch": resource, "loss": loss}
            if self._scheduler.on_trial_result(trial, result) != "CONTINUE":
                self._scheduler.on_trial_remove(trial)
                return done
        self._scheduler.on_trial_complete(trial, result)
        return len(RESOURCES)
