"""What every search task offers: a space, a range of resource, and losses of configurations at any resource."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hyperband as hb

F64 = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]


class SearchTask(ABC):
    """Something to search, whose evaluations take no time.

    Attributes
    ----------
    name : str, unique
    space : hyperband.Space
    min_resource, max_resource : int
    optimum : float, the smallest noise-free loss at ``max_resource`` that is known
    seconds_per_evaluation : float
        Simulated seconds of a full evaluation of a typical configuration: the unit in which simulated time is reported.
    """

    name: str
    space: hb.Space
    min_resource: int
    max_resource: int
    optimum: float
    seconds_per_evaluation: float

    @abstractmethod
    def evaluate(self, columns: Columns, resources: F64) -> tuple[F64, F64]:
        """Losses, and cumulative simulated seconds from nothing to ``resources``; shape (n,) each.

        The same configuration at the same resource always has the same loss: noise is keyed by the configuration.
        """

    def true_losses(self, columns: Columns) -> F64:
        """Noise-free losses at ``max_resource``, shape (n,)."""
        n = len(next(iter(columns.values())))
        return self.evaluate(columns, np.full(n, float(self.max_resource)))[0]

    def curve(self, configuration: Mapping[str, Any], resources: Sequence[float]) -> tuple[F64, F64]:
        """`evaluate` of one configuration at several resources."""
        columns = {name: np.full(len(resources), configuration[name]) for name in self.space.names}
        return self.evaluate(columns, np.asarray(resources, dtype=np.float64))

    def columns_of(self, configurations: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
        """Configurations as columns, in the order of the space."""
        return {name: np.array([c[name] for c in configurations]) for name in self.space.names}
