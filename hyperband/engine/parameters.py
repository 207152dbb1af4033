"""The table of what a network learns: name, shape, initial values, learning-rate factor, decay, optimiser state.

Everything that handles a network's arrays without doing arithmetic on them derives from `TABLE`: offsets in memory,
exported states, model files, checks, and the number of parameters. csrc/core/layout.hpp holds the same table for the
compiled engines; a test compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, pairwise
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Axis = Literal["inputs", "outputs"]
Initial = Literal["uniform", "zeros", "ones"]
Shape = tuple[int, ...]
#: One tuple a layer, the first layer first, with its parameters in the order of `TABLE`: (weights, bias, ...).
Layers = list[tuple[NDArray[Any], ...]]


class Network(Protocol):
    """What the table reads of an `Architecture`."""

    def __hash__(self) -> int: ...
    @property
    def widths(self) -> Sequence[int]: ...
    @property
    def activation(self) -> str: ...
    @property
    def init(self) -> str: ...
    @property
    def zero_output(self) -> bool: ...
    @property
    def parametric_activation(self) -> bool: ...


def every_layer(network: Network) -> range:
    """The hidden layers and the output layer."""
    return range(len(network.widths) + 1)


def hidden_layers_if_parametric(network: Network) -> range:
    """The layers whose activation has a learned weight for each unit."""
    return range(len(network.widths) if network.parametric_activation else 0)


@dataclass(frozen=True, slots=True)
class ParameterKind:
    """A row of the table.

    Parameters
    ----------
    name : str; with the number of the layer it names an array: ``weights.0``
    axes : tuple of {"inputs", "outputs"}, of the layer, one entry per dimension
    initial : {"uniform", "zeros", "ones"}; uniform on [-bound, bound), see `initial_bound`
    rate_factor : float > 0, multiplies the learning rate
    decay : bool, whether weight decay acts on it
    moments : tuple of {"m", "v"}, those it has where the optimiser keeps them
    layers : callable from the architecture to the layers that have it
    not_with : tuple of str, backends and precisions that cannot train networks with it; their engines reject them
    """

    name: str
    axes: tuple[Axis, ...]
    initial: Initial
    rate_factor: float = 1.0
    decay: bool = False
    moments: tuple[str, ...] = ("m", "v")
    layers: Callable[[Network], range] = every_layer
    not_with: tuple[str, ...] = ()


#: A layer computes ``z = x @ weights + bias``, its activation is ``z + alpha * (act(z) - z)``.
#: In memory a layer's parameters follow one another in this order.
TABLE = (
    ParameterKind("weights", ("inputs", "outputs"), "uniform", decay=True),
    ParameterKind("bias", ("outputs",), "zeros"),
    ParameterKind("alpha", ("outputs",), "ones", rate_factor=0.1, layers=hidden_layers_if_parametric),
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One array of one network: a row of the table at a layer."""

    kind: ParameterKind
    layer: int
    shape: Shape

    @property
    def name(self) -> str:
        """Of the array in states and model files."""
        return f"{self.kind.name}.{self.layer}"

    @property
    def over_inputs(self) -> bool:
        """Whether its first axis runs over the columns of the data, of which a network may see only the first ones."""
        return self.layer == 0 and self.kind.axes[0] == "inputs"


@lru_cache(maxsize=4096)
def parameters(network: Network, n_inputs: int, n_outputs: int) -> tuple[Parameter, ...]:
    """All parameters of a network between ``n_inputs`` columns and ``n_outputs`` outputs, layer by layer.

    Examples
    --------
    >>> from hyperband.engine.architecture import Architecture
    >>> [(p.name, p.shape) for p in parameters(Architecture(widths=[8]), 4, 3)]
    [('weights.0', (4, 8)), ('bias.0', (8,)), ('weights.1', (8, 3)), ('bias.1', (3,))]
    """
    return tuple(
        Parameter(kind, layer, tuple(n_in if axis == "inputs" else n_out for axis in kind.axes))
        for layer, (n_in, n_out) in enumerate(pairwise((n_inputs, *network.widths, n_outputs)))
        for kind in kinds(network, layer)
    )


def kinds(network: Network, layer: int) -> tuple[ParameterKind, ...]:
    """The rows of the table that this layer has."""
    return tuple(kind for kind in TABLE if layer in kind.layers(network))


def n_parameters(network: Network, n_inputs: int, n_outputs: int) -> int:
    """Numbers that the network learns."""
    total = 0
    for layer, (n_in, n_out) in enumerate(pairwise((n_inputs, *network.widths, n_outputs))):
        for kind in TABLE:  # without a `Parameter` each: a search asks this of every network that it tries
            if layer in kind.layers(network):
                total += math.prod([n_in if axis == "inputs" else n_out for axis in kind.axes])
    return total


def shapes(network: Network, n_inputs: int, n_outputs: int) -> list[tuple[Shape, ...]]:
    """Shapes of `Layers`."""
    found: list[list[Shape]] = [[] for _ in every_layer(network)]
    for parameter in parameters(network, n_inputs, n_outputs):
        found[parameter.layer].append(parameter.shape)
    return [tuple(layer) for layer in found]


def shapes_of(layers: Sequence[tuple[NDArray[Any], ...]]) -> list[tuple[Shape, ...]]:
    """Likewise of arrays."""
    return [tuple(array.shape for array in layer) for layer in layers]


def output_width(network: Network, layers: Sequence[tuple[NDArray[Any], ...]]) -> int:
    """Outputs of a network given by its arrays; 0 where they are not those of a network."""
    last = len(layers) - 1
    for kind, array in zip(kinds(network, last), layers[last], strict=False):
        if kind.axes[-1] == "outputs" and array.ndim == len(kind.axes):
            return int(array.shape[-1])
    return 0


def named(network: Network, layers: Sequence[tuple[NDArray[Any], ...]]) -> dict[str, NDArray[Any]]:
    """The arrays by their names.

    Examples
    --------
    >>> from hyperband.engine.architecture import Architecture
    >>> list(named(Architecture(widths=[]), [(np.zeros((4, 3)), np.zeros(3))]))
    ['weights.0', 'bias.0']
    """
    return {
        f"{kind.name}.{number}": array
        for number, layer in enumerate(layers)
        for kind, array in zip(kinds(network, number), layer, strict=True)
    }


def layered(arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> list[tuple[NDArray[np.float32], ...]]:
    """The inverse of `named`: float32 copies of the arrays whose names begin with ``prefix``, other names ignored."""
    return list(_layered(arrays, prefix))


def _layered(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Iterator[tuple[NDArray[np.float32], ...]]:
    for number in count():
        names = [f"{prefix}{kind.name}.{number}" for kind in TABLE]
        layer = tuple(np.array(arrays[name], np.float32, order="C") for name in names if name in arrays)
        if not layer:
            return
        yield layer


def in_original_order(
    network: Network, layers: Sequence[tuple[NDArray[Any], ...]], columns: NDArray[np.int64], seen: int
) -> list[tuple[NDArray[Any], ...]]:
    """The arrays of a network that was trained on ``x[:, columns]``, for ``x``.

    Only its first ``seen`` columns took part; the weights of the others become 0, so that they have no influence.
    """
    first = []
    for kind, array in zip(kinds(network, 0), layers[0], strict=True):
        if kind.axes[0] == "inputs":
            restored = np.empty_like(array)
            restored[columns] = array
            if kind.initial == "uniform":
                restored[columns[seen:]] = 0.0
            array = restored
        first.append(array)
    return [tuple(first), *layers[1:]]


def initial_bound(network: Network, layer: int, n_in: int, n_out: int) -> np.float32:
    """Largest magnitude of the initial weights of ``layer``; the last one is the output layer."""
    if layer == len(network.widths) and network.zero_output:
        return np.float32(0.0)
    activation = network.activation if layer < len(network.widths) else "identity"
    rule = _AUTO[activation] if network.init == "auto" else network.init
    if rule == "he":
        square = 6.0 / ((1.0001 if activation == "leaky_relu" else 1.0) * n_in)
    elif rule == "glorot":
        square = 6.0 / (n_in + n_out)
    else:
        square = 3.0 / n_in
    return np.float32(math.sqrt(square))


_AUTO = {
    "identity": "lecun", "relu": "he", "leaky_relu": "he", "gelu": "he", "silu": "he", "tanh": "glorot",
    "sigmoid": "glorot", "step": "lecun", "selu": "lecun", "mish": "he",
}  # fmt: skip
