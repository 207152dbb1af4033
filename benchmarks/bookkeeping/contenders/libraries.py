"""Schedulers of other libraries, without their back-ends; all of them stop trials, none promotes."""

from __future__ import annotations

import datetime
import logging
from typing import Any

from benchmarks.bookkeeping.contenders.base import ETA, RESOURCES, Contender, Losses, R
from benchmarks.common.optional import needed


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
        """Evaluate one trial until it is stopped; returns its number of results."""
        raise NotImplementedError


class OptunaPruner(Stopping):
    """`optuna.pruners.HyperbandPruner` with random configurations, study in memory."""

    name = "Optuna HyperbandPruner"

    def __init__(self, losses: Losses) -> None:
        super().__init__(losses)
        optuna = needed("optuna", "optuna")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._pruned = optuna.trial.TrialState.PRUNED
        pruner = optuna.pruners.HyperbandPruner(1, R, ETA)
        self._study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), pruner=pruner)

    def trial(self, number: int, curve: list[float]) -> int:
        """See `Stopping`."""
        trial = self._study.ask()
        trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)
        trial.suggest_int("width", 8, 256, log=True)
        for rung, (resource, loss) in enumerate(zip(RESOURCES, curve, strict=True), 1):
            trial.report(loss, resource)
            if rung < len(RESOURCES) and trial.should_prune():
                self._study.tell(trial, state=self._pruned)
                return rung
        self._study.tell(trial, curve[-1])
        return len(RESOURCES)


class RayAsha(Stopping):
    """`ray.tune.schedulers.AsyncHyperBandScheduler`, the scheduler object without configurations or cluster."""

    name = "Ray Tune ASHA object"

    def __init__(self, losses: Losses) -> None:
        super().__init__(losses)
        schedulers = needed("ray.tune.schedulers", "ray[tune]")
        self._scheduler = schedulers.AsyncHyperBandScheduler(
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
    """The attributes of a trial that the scheduler reads."""

    def __init__(self, trial_id: str) -> None:
        self.trial_id, self.status, self.config = trial_id, "RUNNING", {}


class SyneAsha(Stopping):
    """Syne Tune's `ASHA`, the scheduler object without a back-end."""

    name = "Syne Tune ASHA object"

    def __init__(self, losses: Losses) -> None:
        super().__init__(losses)
        logging.disable(logging.CRITICAL)
        axes, baselines = (needed(f"syne_tune.{m}", "syne-tune") for m in ("config_space", "optimizer.baselines"))
        space = {"learning_rate": axes.loguniform(1e-4, 1e-1), "width": axes.lograndint(8, 256)}
        self._make = needed("syne_tune.backend.trial_status", "syne-tune").Trial
        self._now = datetime.datetime.now()
        self._scheduler = baselines.ASHA(
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
