"""Where a network's numbers live: offsets into one flat array per kind of state.

Weights, moments and the best snapshot share one layout: per layer the weight matrix, row-major, then the bias. A
backend that works in vectors asks for rows that are a multiple of its vector; the padding holds zeros and stays zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture

#: [(weights (n_in, n_out), bias (n_out,)), ...], the first layer first
Layers = list[tuple[NDArray[Any], NDArray[Any]]]


@dataclass(frozen=True, slots=True)
class Layout:
    """Offsets of one network.

    Parameters
    ----------
    dims : tuple of int, (n_inputs, *widths, n_outputs)
    strides : tuple of int, row length in memory of each layer's matrix and bias, >= its outputs
    weights, biases : tuple of int, offset of each layer's matrix and bias
    size : int, numbers in one array
    """

    dims: tuple[int, ...]
    strides: tuple[int, ...]
    weights: tuple[int, ...]
    biases: tuple[int, ...]
    size: int

    @classmethod
    def of(
        cls, architecture: Architecture, n_inputs: int, n_outputs: int, stride: Callable[[int], int] = lambda n: n
    ) -> Layout:
        dims = (n_inputs, *architecture.widths, n_outputs)
        strides = tuple(stride(n) for n in dims[1:])
        weights, biases, size = [], [], 0
        for n_in, row in zip(dims[:-1], strides, strict=True):
            weights.append(size)
            biases.append(size + n_in * row)
            size += (n_in + 1) * row
        return cls(dims, strides, tuple(weights), tuple(biases), size)

    def layers(self, numbers: NDArray[Any]) -> Layers:
        """Views of the true (unpadded) weights and biases in a flat array; writing to them writes to it."""
        views: Layers = []
        for layer, row in enumerate(self.strides):
            n_in, n_out = self.dims[layer], self.dims[layer + 1]
            begin, bias = self.weights[layer], self.biases[layer]
            matrix = numbers[begin : begin + n_in * row].reshape(n_in, row)
            views.append((matrix[:, :n_out], numbers[bias : bias + n_out]))
        return views

    def zeros(self, dtype: Any) -> NDArray[Any]:
        return np.zeros(self.size, dtype)


def has_first_moment(architecture: Architecture) -> bool:
    """Whether the optimiser keeps ``m``."""
    return architecture.optimizer in ("adam", "adamw") or architecture.momentum > 0.0


def has_second_moment(architecture: Architecture) -> bool:
    """Whether the optimiser keeps ``v``."""
    return architecture.optimizer != "sgd"
