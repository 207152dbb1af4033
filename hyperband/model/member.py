"""One network of a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture
from hyperband.engine.parameters import embedded_numbers, shapes, shapes_of
from hyperband.errors import InputError

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MemberNetwork:
    """A trained network, and its part in the ensemble.

    Parameters
    ----------
    weight : float > 0
        Of its predictions in the mean; those of all members are divided by their sum.
    view : int >= 0, position of its preprocessing in ``Model.preprocessings``
    architecture : Architecture
    weights : sequence of (weights, bias), one per layer, see `hyperband.engine.parameters`
        float32, shapes (n_in, n_out) and (n_out,); the rows of the first follow the preprocessing's ``feature_names``.

    Raises
    ------
    InputError
        When the weight or the view breaks its rule.
    """

    weight: float
    view: int
    architecture: Architecture
    weights: Sequence[tuple[F32, ...]]

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise InputError(f"`weight` of a member must be a finite number above 0; got {self.weight!r}.")
        if isinstance(self.view, bool) or not isinstance(self.view, int) or self.view < 0:
            raise InputError(f"`view` of a member must be a whole number of at least 0; got {self.view!r}.")
        layers = tuple(
            tuple(np.ascontiguousarray(array, dtype=np.float32) for array in layer) for layer in self.weights
        )
        object.__setattr__(self, "weights", layers)

    def check(self, n_features: int, n_outputs: int) -> None:
        """Refuse weights that do not have the shapes of the architecture."""
        numbers = embedded_numbers(self.architecture, self.weights)
        if numbers is not None and numbers > n_features:
            raise InputError(f"`weights` must embed at most the {n_features} features; they embed {numbers}.")
        expected: Any = shapes(self.architecture, n_features, n_outputs, numbers)
        found = shapes_of(self.weights)
        if found != expected:
            raise InputError(f"`weights` must have the shapes of the architecture, {expected}; got {found}.")
