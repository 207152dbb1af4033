"""Who is tried: samplers propose configurations, and know nothing of schedules or networks."""

from hyperband.samplers.adaptive import AdaptiveSampler
from hyperband.samplers.evolution import EvolutionSampler
from hyperband.samplers.grid import GridSampler
from hyperband.samplers.iterable import IterableSampler
from hyperband.samplers.kde import KDESampler
from hyperband.samplers.prior import PriorSampler
from hyperband.samplers.priorband import PriorBandSampler
from hyperband.samplers.quasirandom import QuasiRandomSampler
from hyperband.samplers.random import RandomSampler
from hyperband.samplers.warm import WarmStartSampler

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
