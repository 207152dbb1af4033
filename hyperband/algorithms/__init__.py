"""The algorithms by name: each joins a sampler (who is tried) with a scheduler (who goes on)."""

from hyperband.algorithms.asynchronous import ASHA, PASHA, AsyncHyperband
from hyperband.algorithms.base import Algorithm
from hyperband.algorithms.full import AdaptiveSearch, GridSearch, RandomSearch
from hyperband.algorithms.halving import Hyperband, SuccessiveHalving
from hyperband.algorithms.learning import BOHB, DEHB, PriorBand
from hyperband.algorithms.population import PBT

__all__ = [
    "ASHA",
    "AdaptiveSearch",
    "Algorithm",
    "AsyncHyperband",
    "BOHB",
    "DEHB",
    "GridSearch",
    "Hyperband",
    "PASHA",
    "PBT",
    "PriorBand",
    "RandomSearch",
    "SuccessiveHalving",
]
