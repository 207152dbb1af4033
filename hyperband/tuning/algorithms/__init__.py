"""The algorithms by name: a sampler, which proposes configurations, and a scheduler, which promotes trials."""

from collections.abc import Mapping
from typing import Any

from hyperband.tuning import settings as _settings
from hyperband.tuning.algorithms.asynchronous import ASHA, PASHA, AsyncHyperband
from hyperband.tuning.algorithms.base import Algorithm, AlgorithmBase
from hyperband.tuning.algorithms.full_budget import AdaptiveSearch, GridSearch, RandomSearch
from hyperband.tuning.algorithms.model_based import BOHB, DEHB, PriorBand
from hyperband.tuning.algorithms.pbt import PBT
from hyperband.tuning.algorithms.synchronous import HalvingSequence, Hyperband, SuccessiveHalving

__all__ = [
    "ASHA",
    "AdaptiveSearch",
    "Algorithm",
    "AlgorithmBase",
    "AsyncHyperband",
    "BOHB",
    "DEHB",
    "GridSearch",
    "HalvingSequence",
    "Hyperband",
    "PASHA",
    "PBT",
    "PriorBand",
    "RandomSearch",
    "SuccessiveHalving",
    "from_dict",
]


def from_dict(data: Mapping[str, Any]) -> Algorithm:
    """The algorithm of any registered class that its ``to_dict`` wrote.

    Raises
    ------
    InputError
        When the data is of another kind, class or version, misses a setting, or has one that breaks a rule.

    Examples
    --------
    >>> from_dict(ASHA(27, n=40).to_dict()) == ASHA(27, n=40)
    True
    """
    found: Algorithm = _settings.of_kind(data, "an algorithm", has=("plan", "start"), lacks=("synchronous",))
    return found
