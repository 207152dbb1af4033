"""Where a network's parameters are: offsets into one flat array per kind of state.

Parameters, moments and the best snapshot share one layout, which follows from `hyperband.engine.parameters`. A backend
that computes with vectors asks for rows that are a multiple of its vector; the padding holds zeros and stays zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture
from hyperband.engine.parameters import Layers, Parameter, parameters


@dataclass(frozen=True, slots=True)
class Layout:
    """Offsets of one network.

    Parameters
    ----------
    dims : tuple of int, (n_inputs, *widths, n_outputs), of the data's columns
    strides : tuple of int, row length in memory of each layer's outputs, at least their number
    offsets, rows : tuples of int, of each of ``parameters``: where it begins, and the length of its rows in memory
    size : int, numbers in one flat array
    parameters : tuple of Parameter
    """

    dims: tuple[int, ...]
    strides: tuple[int, ...]
    offsets: tuple[int, ...]
    rows: tuple[int, ...]
    size: int
    parameters: tuple[Parameter, ...] = field(compare=False, repr=False)

    @classmethod
    def of(
        cls, architecture: Architecture, n_inputs: int, n_outputs: int, stride: Callable[[int], int] = lambda n: n,
        numbers: int | None = None,
    ) -> Layout:  # fmt: skip
        dims = (n_inputs, *architecture.widths, n_outputs)
        listed = parameters(architecture, n_inputs, n_outputs, numbers)
        rows = tuple(stride(math.prod(_in_memory(parameter)[1:])) for parameter in listed)
        offsets, size = [], 0
        for parameter, row in zip(listed, rows, strict=True):
            offsets.append(size)
            size += _in_memory(parameter)[0] * row
        return cls(dims, tuple(map(stride, dims[1:])), tuple(offsets), rows, size, listed)

    def views(self, numbers: NDArray[Any]) -> list[NDArray[Any]]:
        """The parameters in a flat array, without padding; writing to them writes to it."""
        found = []
        for parameter, begin, row in zip(self.parameters, self.offsets, self.rows, strict=True):
            n, last = _in_memory(parameter)
            found.append(numbers[begin : begin + n * row].reshape(n, row)[:, :last].reshape(parameter.shape))
        return found

    def layers(self, numbers: NDArray[Any]) -> Layers:
        """The same views, layer by layer."""
        layers: list[list[NDArray[Any]]] = [[] for _ in self.strides]
        for parameter, view in zip(self.parameters, self.views(numbers), strict=True):
            layers[parameter.layer].append(view)
        return [tuple(layer) for layer in layers]

    def zeros(self, dtype: Any) -> NDArray[Any]:
        return np.zeros(self.size, dtype)


def _in_memory(parameter: Parameter) -> tuple[int, int]:
    """Rows in memory, and numbers in each of them."""
    if parameter.kind.packed:
        return 1, math.prod(parameter.shape)
    return parameter.shape[0], parameter.shape[1]


def has_first_moment(architecture: Architecture) -> bool:
    """Whether the optimiser keeps ``m``."""
    return architecture.optimizer in ("adam", "adamw") or architecture.momentum > 0.0


def has_second_moment(architecture: Architecture) -> bool:
    """Whether the optimiser keeps ``v``."""
    return architecture.optimizer != "sgd"


def has_average(architecture: Architecture) -> bool:
    """Whether there is a moving average of the parameters."""
    return architecture.weight_average > 0.0
