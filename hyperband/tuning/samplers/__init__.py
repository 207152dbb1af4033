"""Who is tried: samplers propose configurations, and know nothing of schedules or networks."""

from hyperband.tuning.samplers.adaptive import AdaptiveSampler
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
]
