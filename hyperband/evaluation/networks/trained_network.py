"""The weights of one network, taken out of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """Architecture and weights of a network.

    Parameters
    ----------
    architecture : Architecture
    weights : as in `hyperband.engine.parameters.Layers`
    dataset : int, number of the view and fold of the table that it was trained on, see `networks.datasets`
    """

    architecture: Architecture
    weights: Sequence[tuple[NDArray[Any], ...]]
    dataset: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the weights."""
        return sum(array.nbytes for layer in self.weights for array in layer)
