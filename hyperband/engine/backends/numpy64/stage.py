"""What comes before the first layer: components of embedded numbers, then the scale of each input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture
from hyperband.engine.parameters import Layers, kinds

A = NDArray[np.float64]


#: kinds of parameters that a first layer has like any other
_OF_EVERY_LAYER = ("weights", "bias", "alpha")


def behind(architecture: Architecture, layers: Layers) -> Layers:
    """The layers without what the first one has besides: that comes before it, see `Stage`."""
    first = zip(kinds(architecture, 0), layers[0], strict=True)
    return [tuple(array for kind, array in first if kind.name in _OF_EVERY_LAYER), *layers[1:]]


@dataclass(frozen=True, slots=True)
class Stage:
    """The parameters of a network's first layer, by their names."""

    embedding: str
    arrays: dict[str, A]

    @classmethod
    def of(cls, architecture: Architecture, first: tuple[NDArray[Any], ...]) -> Stage:
        names = [kind.name for kind in kinds(architecture, 0)]
        return cls(architecture.number_embedding, dict(zip(names, first, strict=True)))

    def inputs(self, x: A) -> A:
        """What the first layer multiplies by its weights, shape (n_rows, first layer's inputs)."""
        rows = self._embedded(x)
        return rows * self.arrays["scale"] if "scale" in self.arrays else rows

    def gradients(self, x: A, by_inputs: A) -> Iterator[A]:
        """Of the parameters that `behind` leaves out, in the order of the table, from those by `inputs`."""
        if "scale" in self.arrays:
            yield (self._embedded(x) * by_inputs).sum(axis=0)
            by_inputs = by_inputs * self.arrays["scale"]
        if self.embedding == "none":
            return
        angle, numbers = self._angle(x), self._numbers(x)
        back = by_inputs[:, x.shape[1] :].reshape(len(x), numbers.shape[1], self._n_components())
        if self.embedding == "pbld":
            by_cosine = np.einsum("bnj,njf->bnf", back, self.arrays["mixing"])
        else:
            by_cosine = back * self.arrays["amplitude"]
        by_angle = -by_cosine * np.sin(angle)
        yield 2.0 * np.pi * np.einsum("bnf,bn->nf", by_angle, numbers)
        yield by_angle.sum(axis=0)
        if self.embedding == "pbld":
            yield np.einsum("bnj,bnf->njf", back, np.cos(angle))
            yield back.sum(axis=0)
        else:
            yield (back * np.cos(angle)).sum(axis=0)

    def _n_components(self) -> int:
        return int(self.arrays["shift" if self.embedding == "pbld" else "amplitude"].shape[1])

    def _numbers(self, x: A) -> A:
        return x[:, : len(self.arrays["frequency"])]

    def _angle(self, x: A) -> A:
        return 2.0 * np.pi * self._numbers(x)[:, :, None] * self.arrays["frequency"] + self.arrays["phase"]

    def _embedded(self, x: A) -> A:
        if self.embedding == "none":
            return x
        waves = np.cos(self._angle(x))
        if self.embedding == "pbld":
            components = np.einsum("bnf,njf->bnj", waves, self.arrays["mixing"]) + self.arrays["shift"]
        else:
            components = self.arrays["amplitude"] * waves
        return np.concatenate([x, components.reshape(len(x), components.shape[1] * components.shape[2])], axis=1)
