"""What a search without an algorithm runs: brackets of successive halving that use up the time, or suit the table."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hyperband.engine.backends.base import Backend
from hyperband.engine.network_space import to_architecture
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.speed import measured_speed, work_of_epoch
from hyperband.evaluation.networks.time_plan import (
    ETA,
    FIRST_CAUTION,
    FIRST_PART,
    TimePlanner,
    brackets,
    largest_resource,
    next_bracket,
)
from hyperband.space import Choice, Space
from hyperband.tables import PreparedTable
from hyperband.tuning.algorithms import Algorithm, HalvingSequence
from hyperband.tuning.run.run import Run
from hyperband.tuning.samplers.kde import KDESampler
from hyperband.tuning.samplers.random import RandomSampler
from hyperband.tuning.samplers.warm import WarmStartSampler

#: Work of a search without a time limit, in multiplications (`work_of_epoch`): about half a minute on two processors.
WORK = 1e12

#: Network-epochs of such a search: at least, however large the table is, and at most, however small.
LEAST, MOST = 60.0, 4000.0

#: Configurations drawn to learn what one costs on average.
SAMPLE = 64

#: The part of a time limit, and seconds, left for what follows the search: choosing the ensemble, figures.
END_PART, END_SECONDS = 0.04, 0.3

#: The part of a time limit that training the ensemble again on all rows may take, and the weight that must be trained
#: in it: else the time is better spent on the search.
REFIT_PART, REFIT_WEIGHT = 0.2, 0.5
#: How much longer than in the search a network takes then: the last ones leave threads without work.
REFIT_CAUTION = 1.25


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """What runs.

    Parameters
    ----------
    algorithm, space, budget : its settings
    extend : TimePlanner or None, who adds brackets while it goes on
    typical : float, work of an epoch on average
    preparation : float, seconds that a view of a fold takes to prepare
    epochs : float, passes of typical networks over the rows that the time limit allows; NaN without one
    """

    algorithm: Algorithm
    space: Space
    budget: Budget
    extend: TimePlanner | None = None
    typical: float = math.nan
    preparation: float = 0.0
    epochs: float = math.nan

    def leave_time(self, seconds: float, work: Callable[[], Sequence[tuple[float, float]]]) -> None:
        """Leave time to train the trials of the ensemble again, as many as a part of the time allows.

        Parameters
        ----------
        seconds : float, of the whole search
        work : callable, see `refit_work`: of the ensemble as it is then
        """

        def reserve(pace: float) -> float:
            spent, trained = 0.0, 0.0
            for weight, of_trial in work():
                needed = REFIT_CAUTION * pace * of_trial / self.typical + self.preparation
                if spent + needed > REFIT_PART * seconds:
                    break
                spent, trained = spent + needed, trained + weight
            return spent if trained >= REFIT_WEIGHT else 0.0

        if self.extend is not None:
            self.extend.reserve = reserve

    def speed(self, run: Run, seconds: float) -> float:
        """Work a second in so many seconds of a run; NaN where nothing was done, or it is not known how much."""
        return self.typical * float(run.spent) / seconds if run.spent else math.nan

    @property
    def executed(self) -> Algorithm:
        """The algorithm with every bracket that was added."""
        if self.extend is None or not isinstance(self.algorithm, HalvingSequence):
            return self.algorithm
        brackets = (*self.algorithm.brackets, *self.extend.added)
        return replace(self.algorithm, max_resource=max(top for *_, top in brackets), brackets=brackets)


def planned_search(
    table: PreparedTable,
    space: Space,
    backend: Backend,
    compute: Compute,
    budget: Budget,
    started: float,
    seed: int,
) -> PlannedSearch:
    """The default search: for the time of the budget where it has one, else for a work that suits the table."""
    sampler = WarmStartSampler(KDESampler(), start_with=first_configurations(table, space))
    began = time.monotonic()
    typical = typical_work(table, space, seed)
    # That has prepared the first fold in every view but the default one, which was there.
    a_view = (time.monotonic() - began) / max(1, len(table.views) - 1)
    preparation = a_view * (table.n_folds - 1) * len(table.views)
    if budget.seconds is None:
        epochs = min(MOST, max(LEAST, WORK / typical))
        top = largest_resource(epochs)
        return PlannedSearch(HalvingSequence(top, ETA, brackets=brackets(epochs, top), sampler=sampler), space, budget)
    usual = to_architecture(space.defaults())
    speed = measured_speed(table, backend, compute, usual, budget.seconds)
    deadline = started + (1.0 - END_PART) * budget.seconds - END_SECONDS
    now = time.monotonic()
    epochs = max(1.0, FIRST_CAUTION * (deadline - now - preparation) * speed / typical) if math.isfinite(speed) else 1.0
    top = largest_resource(epochs)
    first = next_bracket(FIRST_PART * epochs, top) or (1, top, top)
    return PlannedSearch(
        HalvingSequence(top, ETA, brackets=[first], sampler=sampler),
        space,
        replace(budget, seconds=max(1e-3, deadline - now)),
        TimePlanner(deadline, top, now),
        typical,
        a_view,
        epochs,
    )


def first_configurations(table: PreparedTable, space: Space) -> list[dict[str, object]]:
    """The default configuration, in each view of the table that the space has."""
    usual, views = dict(space.defaults()), space.parameters.get("view")
    if "view" not in usual or not isinstance(views, Choice):
        return [usual]
    return [{**usual, "view": view} for view in table.views if view in views.options]


def typical_work(table: PreparedTable, space: Space, seed: int) -> float:
    """Of one epoch of a configuration of the space, on all folds; the mean of a sample."""
    points = RandomSampler().start(space, seed).propose(range(SAMPLE))
    works = []
    for configuration in space.decode(points):
        data = table.dataset(str(configuration.get("view", table.views[0])))
        n_rows, n_inputs = data.x_train.shape
        works.append(work_of_epoch(to_architecture(configuration), n_rows, n_inputs, data.n_outputs, data.n_numbers))
    return float(np.mean(works)) * table.n_folds
