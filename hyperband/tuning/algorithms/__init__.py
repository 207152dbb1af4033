"""The algorithms by name: each joins a sampler (who is tried) with a scheduler (who goes on)."""

from hyperband.tuning.algorithms.asynchronous import ASHA, PASHA, AsyncHyperband
from hyperband.tuning.algorithms.base import Algorithm, AlgorithmBase
from hyperband.tuning.algorithms.full_budget import AdaptiveSearch, GridSearch, RandomSearch
from hyperband.tuning.algorithms.model_based import BOHB, DEHB, PriorBand
from hyperband.tuning.algorithms.pbt import PBT
from hyperband.tuning.algorithms.synchronous import Hyperband, SuccessiveHalving

__all__ = [
    "ASHA",
    "AdaptiveSearch",
    "Algorithm",
    "AlgorithmBase",
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
