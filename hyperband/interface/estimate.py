"""What a search of a table would run, and about how long it would take here: without running it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

from hyperband.engine.backends import registry
from hyperband.engine.network_space import to_architecture
from hyperband.errors import InputError
from hyperband.evaluation.networks.speed import measured_speed
from hyperband.evaluation.networks.time_plan import following
from hyperband.interface.planned_search import typical_work
from hyperband.interface.search import Settings, planned
from hyperband.tables import PreparedTable
from hyperband.tuning.algorithms import HalvingSequence
from hyperband.tuning.plans import Plan

#: A speed is measured as for a search of so many seconds.
_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class SearchEstimate:
    """A plan with its time.

    Parameters
    ----------
    plan : Plan
    speed : float, epochs of networks that are trained in a second by all threads, on average over the space
    seconds : float, of training; what the table takes to be prepared, and the choice of the ensemble, are not in it
    """

    plan: Plan
    speed: float
    seconds: float


def estimate(table: PreparedTable, settings: Settings) -> SearchEstimate:
    """The plan of a search with these settings, and its time by the first steps of a typical network.

    With a time limit, and without an algorithm, the brackets are those of a search that goes as planned: a real one
    decides on each when the one before has ended.

    Examples
    --------
    >>> from hyperband.tables import prepare_table
    >>> found = estimate(prepare_table("sklearn:wine", target="target"), Settings(time_limit=10))
    >>> found.plan.max_resource > 1 and found.seconds > 0
    True
    """
    search = planned(table, settings, time.monotonic())
    algorithm = search.algorithm
    if isinstance(algorithm, HalvingSequence) and math.isfinite(search.epochs):
        left = search.epochs - float(algorithm.plan().cost)
        algorithm = replace(algorithm, brackets=(*algorithm.brackets, *following(left, int(algorithm.max_resource))))
    plan = algorithm.plan()
    usual = to_architecture(search.space.defaults())
    work = measured_speed(table, registry.get(settings.compute.backend), settings.compute, usual, _LIMIT)
    if not math.isfinite(work):
        raise InputError("No step was done in the time of a measurement: this table is too large to estimate so.")
    speed = work / typical_work(table, search.space, settings.key)
    return SearchEstimate(plan, speed, float(plan.cost) / speed)
