"""Who is tried: samplers propose configurations, and know nothing of resources or networks."""

from hyperband.samplers.adaptive import AdaptiveSampler
from hyperband.samplers.grid import GridSampler
from hyperband.samplers.random import RandomSampler

__all__ = ["AdaptiveSampler", "GridSampler", "RandomSampler"]
