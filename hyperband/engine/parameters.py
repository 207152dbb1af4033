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

Axis = Literal["inputs", "outputs", "numbers", "components", "waves"]
Initial = Literal["uniform", "zeros", "ones", "normal"]
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
    def bias_rate(self) -> float: ...
    @property
    def first_layer_rate(self) -> float: ...
    @property
    def input_scaling(self) -> bool: ...
    @property
    def scale_rate(self) -> float: ...
    @property
    def number_embedding(self) -> str: ...
    @property
    def embedding_size(self) -> int: ...
    @property
    def embedding_frequencies(self) -> int: ...
    @property
    def embedding_rate(self) -> float: ...
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


def first_layer_if_scaled(network: Network) -> range:
    """The first layer of a network with ``input_scaling``."""
    return range(int(network.input_scaling))


def first_layer_if_embedded(network: Network) -> range:
    """The first layer of a network that embeds numbers."""
    return range(int(network.number_embedding != "none"))


def first_layer_if_pbld(network: Network) -> range:
    return range(int(network.number_embedding == "pbld"))


def first_layer_if_cosine(network: Network) -> range:
    return range(int(network.number_embedding == "cosine"))


def no_factor(network: Network, layer: int) -> float:
    """The learning rate as it is."""
    return 1.0


@dataclass(frozen=True, slots=True)
class ParameterKind:
    """A row of the table.

    Parameters
    ----------
    name : str; with the number of the layer it names an array: ``weights.0``
    axes : tuple of str, one entry per dimension: "inputs" and "outputs" of the layer; "numbers" that are embedded, with
        their "components" and "waves", see `Ends`. In memory, arrays over numbers have no padding between rows.
    initial : {"uniform", "zeros", "ones", "normal"}
        uniform on [-bound, bound), see `uniform_bound`; normal with the deviation ``frequency_scale``
    rate_factor : callable from the architecture and the layer to what multiplies the learning rate, a float > 0
    decay : bool, whether weight decay acts on it
    moments : tuple of {"m", "v"}, those it has where the optimiser keeps them
    layers : callable from the architecture to the layers that have it
    stream : int, sets its random numbers apart from those of the layer's other parameters
    not_with : tuple of str, backends and precisions that cannot train networks with it; their engines reject them
    """

    name: str
    axes: tuple[Axis, ...]
    initial: Initial
    rate_factor: Callable[[Network, int], float] = no_factor
    decay: bool = False
    moments: tuple[str, ...] = ("m", "v")
    layers: Callable[[Network], range] = every_layer
    stream: int = 0
    not_with: tuple[str, ...] = ()

    @property
    def packed(self) -> bool:
        """Whether it is a vector in memory."""
        return len(self.axes) == 1 or self.axes[0] == "numbers"


def _embedding(
    name: str, axes: tuple[Axis, ...], initial: Initial, layers: Callable[[Network], range], stream: int = 0
) -> ParameterKind:
    return ParameterKind(
        name, axes, initial, lambda a, _: a.embedding_rate, layers=layers, stream=stream, not_with=("tf32", "bf16")
    )


#: A layer computes ``z = (x * scale) @ weights + bias``, then ``z + alpha * (act(z) - z)``; x of the first one holds
#: the components of embedded numbers, too.
#: In memory a layer's parameters follow one another in this order.
TABLE = (
    ParameterKind(
        "weights", ("inputs", "outputs"), "uniform", lambda a, layer: 1.0 if layer else a.first_layer_rate, decay=True
    ),
    ParameterKind("bias", ("outputs",), "zeros", lambda a, _: a.bias_rate),
    ParameterKind("alpha", ("outputs",), "ones", lambda a, _: 0.1, layers=hidden_layers_if_parametric),
    ParameterKind(
        "scale", ("inputs",), "ones", lambda a, _: a.scale_rate, layers=first_layer_if_scaled, not_with=("tf32", "bf16")
    ),
    _embedding("frequency", ("numbers", "waves"), "normal", first_layer_if_embedded, 1),
    _embedding("phase", ("numbers", "waves"), "uniform", first_layer_if_embedded, 2),
    _embedding("mixing", ("numbers", "components", "waves"), "uniform", first_layer_if_pbld, 3),
    _embedding("shift", ("numbers", "components"), "uniform", first_layer_if_pbld, 4),
    _embedding("amplitude", ("numbers", "components"), "ones", first_layer_if_cosine),
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One array of one network: a row of the table at a layer."""

    kind: ParameterKind
    layer: int
    shape: Shape
    over_inputs: bool = False  #: along its first axis are the columns of the data, of which a network may see some

    @property
    def name(self) -> str:
        """Of the array in states and model files."""
        return f"{self.kind.name}.{self.layer}"


@dataclass(frozen=True, slots=True)
class Ends:
    """What a network lies between: columns, of which the first ``numbers`` are numbers (None: all), and outputs.

    Examples
    --------
    >>> from hyperband.engine.architecture import Architecture
    >>> Ends(10, 1, numbers=2).width(Architecture(number_embedding="cosine", embedding_size=4))
    16
    """

    n_inputs: int
    n_outputs: int
    numbers: int | None = None

    def width(self, network: Network) -> int:
        """Inputs of the first layer: the columns, then the components of each number."""
        return self.n_inputs + self._size(network, "numbers") * self._size(network, "components")

    def shape(self, network: Network, kind: ParameterKind, ends: tuple[int, int]) -> Shape:
        """Of a parameter of a layer with these numbers of inputs and outputs."""
        of_layer = {"inputs": ends[0], "outputs": ends[1]}
        return tuple(of_layer[axis] if axis in of_layer else self._size(network, axis) for axis in kind.axes)

    def _size(self, network: Network, axis: str) -> int:
        if network.number_embedding == "none":
            return 0
        if axis == "numbers":
            return self.n_inputs if self.numbers is None else self.numbers
        of_pbld = axis == "waves" and network.number_embedding == "pbld"
        return network.embedding_frequencies if of_pbld else network.embedding_size - 1


def _layers(network: Network, ends: Ends) -> Iterator[tuple[int, int]]:
    """Inputs and outputs of each layer."""
    return pairwise((ends.width(network), *network.widths, ends.n_outputs))


@lru_cache(maxsize=4096)
def parameters(network: Network, n_inputs: int, n_outputs: int, numbers: int | None = None) -> tuple[Parameter, ...]:
    """All parameters of a network between these `Ends`, layer by layer.

    Examples
    --------
    >>> from hyperband.engine.architecture import Architecture
    >>> [(p.name, p.shape) for p in parameters(Architecture(widths=[8]), 4, 3)]
    [('weights.0', (4, 8)), ('bias.0', (8,)), ('weights.1', (8, 3)), ('bias.1', (3,))]
    """
    ends, embedded = Ends(n_inputs, n_outputs, numbers), network.number_embedding != "none"
    return tuple(
        Parameter(
            kind, layer, ends.shape(network, kind, sizes), layer == 0 and kind.axes[0] == "inputs" and not embedded
        )
        for layer, sizes in enumerate(_layers(network, ends))
        for kind in kinds(network, layer)
    )


def kinds(network: Network, layer: int) -> tuple[ParameterKind, ...]:
    """The rows of the table that this layer has."""
    return tuple(kind for kind in TABLE if layer in kind.layers(network))


def n_parameters(network: Network, n_inputs: int, n_outputs: int, numbers: int | None = None) -> int:
    """Numbers that the network learns."""
    total, ends = 0, Ends(n_inputs, n_outputs, numbers)
    for layer, sizes in enumerate(_layers(network, ends)):
        for kind in TABLE:  # without a `Parameter` each: a search asks this of every network that it tries
            if layer in kind.layers(network):
                total += math.prod(ends.shape(network, kind, sizes))
    return total


def shapes(network: Network, n_inputs: int, n_outputs: int, numbers: int | None = None) -> list[tuple[Shape, ...]]:
    """Shapes of `Layers`."""
    found: list[list[Shape]] = [[] for _ in every_layer(network)]
    for parameter in parameters(network, n_inputs, n_outputs, numbers):
        found[parameter.layer].append(parameter.shape)
    return [tuple(layer) for layer in found]


def shapes_of(layers: Sequence[tuple[NDArray[Any], ...]]) -> list[tuple[Shape, ...]]:
    """Likewise of arrays."""
    return [tuple(array.shape for array in layer) for layer in layers]


def embedded_numbers(network: Network, layers: Sequence[tuple[NDArray[Any], ...]]) -> int | None:
    """How many columns a network embeds that is given by its arrays; None where it embeds none."""
    for kind, array in zip(kinds(network, 0), layers[0] if layers else (), strict=False):
        if kind.axes[0] == "numbers" and array.ndim:
            return int(array.shape[0])
    return None


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

    Only its first ``seen`` columns took part; the weights of the others become 0, so that they have no influence. A
    network that embeds numbers knows columns by their places: it is never trained so.
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


def uniform_bound(network: Network, parameter: Parameter) -> np.float32:
    """Largest magnitude of a parameter's initial numbers, where these are uniform."""
    if parameter.kind.name == "phase":
        return np.float32(math.pi)
    if parameter.kind.axes[0] == "numbers":
        return np.float32(math.sqrt(1.0 / network.embedding_frequencies))
    return initial_bound(network, parameter.layer, *parameter.shape)


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
