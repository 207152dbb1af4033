"""Sampling: samplers propose configurations, independently of schedules and networks."""

from collections.abc import Mapping
from typing import Any

from hyperband.tuning import settings as _settings
from hyperband.tuning.samplers.adaptive import AdaptiveSampler
from hyperband.tuning.samplers.base import Sampler
from hyperband.tuning.samplers.evolution import EvolutionSampler
from hyperband.tuning.samplers.grid import GridSampler
from hyperband.tuning.samplers.iterable import IterableSampler
from hyperband.tuning.samplers.kde import KDESampler
from hyperband.tuning.samplers.prior import PriorSampler
from hyperband.tuning.samplers.priorband import PriorBandSampler
from hyperband.tuning.samplers.quasirandom import QuasiRandomSampler
from hyperband.tuning.samplers.random import RandomSampler
from hyperband.tuning.samplers.warm import WarmStartSampler

__all__ = [
    "AdaptiveSampler",
    "EvolutionSampler",
    "GridSampler",
    "IterableSampler",
    "KDESampler",
    "PriorBandSampler",
    "PriorSampler",
    "QuasiRandomSampler",
    "RandomSampler",
    "WarmStartSampler",
    "from_dict",
]


def from_dict(data: Mapping[str, Any]) -> Sampler:
    """The sampler of any registered class that ``to_dict`` wrote; errors as `hyperband.tuning.algorithms.from_dict`.

    Examples
    --------
    >>> from_dict(KDESampler(top_fraction=0.2).to_dict()).top_fraction
    0.2
    """
    found: Sampler = _settings.of_kind(data, "a sampler", has=("start",), lacks=("plan",))
    return found
