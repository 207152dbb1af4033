"""Promotion: each scheduler is frozen settings with a plan; `brackets` and `asynchronous` carry plans out."""

from collections.abc import Mapping
from typing import Any

from hyperband.tuning import settings as _settings
from hyperband.tuning.schedulers.asha import ASHAScheduler, AsyncHyperbandScheduler
from hyperband.tuning.schedulers.base import Scheduler
from hyperband.tuning.schedulers.evolution import EvolutionScheduler
from hyperband.tuning.schedulers.full import FullScheduler
from hyperband.tuning.schedulers.halving_sequence import HalvingSequenceScheduler
from hyperband.tuning.schedulers.hyperband import HyperbandScheduler
from hyperband.tuning.schedulers.pasha import PASHAScheduler
from hyperband.tuning.schedulers.pbt import PopulationScheduler
from hyperband.tuning.schedulers.successive_halving import SuccessiveHalvingScheduler

__all__ = [
    "ASHAScheduler",
    "AsyncHyperbandScheduler",
    "EvolutionScheduler",
    "FullScheduler",
    "HalvingSequenceScheduler",
    "HyperbandScheduler",
    "PASHAScheduler",
    "PopulationScheduler",
    "SuccessiveHalvingScheduler",
    "from_dict",
]


def from_dict(data: Mapping[str, Any]) -> Scheduler:
    """The scheduler of any registered class that ``to_dict`` wrote; errors as `hyperband.tuning.algorithms.from_dict`.

    Examples
    --------
    >>> from_dict(FullScheduler(10, 81).to_dict()).plan().cost
    810
    """
    found: Scheduler = _settings.of_kind(data, "a scheduler", has=("plan", "start", "synchronous"))
    return found
