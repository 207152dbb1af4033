"""Three populations on fixed data: A tiny networks, B medium ones, C all different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.philox import RowOrder, initial_weights
from hyperband.engine.parameters import initial_bound

F32 = NDArray[np.float32]
Layers = list[tuple[F32, F32]]


def flops_per_row(network: Architecture, n_inputs: int, n_outputs: int) -> float:
    """Useful flops of a row: 2 in x out a layer, forward, for dX (not of the first layer), for dW."""
    products = [a * b for a, b in pairwise((n_inputs, *network.widths, n_outputs))]
    return 2.0 * (3 * sum(products) - products[0])


@dataclass(frozen=True)
class Task:
    """Networks and the rows to train them on, with everything that decides their curves.

    Parameters
    ----------
    name : str
    x, y : float32 array (n_rows, n_inputs), int array (n_rows,) of classes
    n_classes : int
    networks : list of Architecture, all with adam at a constant rate, no decay, no dropout
    """

    name: str
    x: F32
    y: NDArray[np.int64]
    n_classes: int
    networks: Sequence[Architecture]
    _orders: dict[tuple[int, int], NDArray[np.int64]] = field(default_factory=dict, repr=False, compare=False)

    def dims(self, member: int) -> tuple[int, ...]:
        """Inputs, hidden widths, classes."""
        return self.x.shape[1], *self.networks[member].widths, self.n_classes

    def flops(self, member: int) -> float:
        """Useful flops of one epoch."""
        return flops_per_row(self.networks[member], self.x.shape[1], self.n_classes) * len(self.x)

    def initial(self, member: int) -> Layers:
        """The weights that the engine starts from; the seed of a member is its number."""
        network, dims = self.networks[member], self.dims(member)
        layers = []
        for layer, (a, b) in enumerate(pairwise(dims)):
            bound = initial_bound(network, layer, a, b)
            layers.append((initial_weights(member, layer, a, b, bound), np.zeros(b, np.float32)))
        return layers

    def order(self, member: int, epoch: int) -> NDArray[np.int64]:
        """The order of the rows in an epoch, cached so that contenders are not timed computing it."""
        if (member, epoch) not in self._orders:
            n = len(self.x)
            self._orders[member, epoch] = RowOrder.of(member, n, epoch)(np.arange(n))
        return self._orders[member, epoch]

    def part(self, members: int, rows: int | None = None) -> Task:
        """The first members, on the first rows."""
        rows = len(self.x) if rows is None else rows
        return replace(self, x=self.x[:rows], y=self.y[:rows], networks=self.networks[:members], _orders={})

    def with_activations(self, known: Sequence[str], instead: str) -> Task:
        """The task with ``instead`` for every activation that is not in ``known``."""
        networks = [n if n.activation in known else replace(n, activation=instead) for n in self.networks]
        return replace(self, networks=networks, _orders={})


def digits(members: int) -> Task:
    """A: 64-32-32-10, relu, batches of 64, on the 1,797 digits of scikit-learn."""
    from sklearn.datasets import load_digits

    data = load_digits()
    x = np.ascontiguousarray(data.data / 16.0, np.float32)
    network = Architecture(widths=[32, 32], activation="relu", optimizer="adam", learning_rate=1e-3, batch_size=64)
    return Task("A tiny", x, data.target.astype(np.int64), 10, [network] * members)


def pictures(members: int, rows: int) -> Task:
    """B: 784-128-64-10, relu, batches of 128, on mixtures of Gaussians in 784 dimensions."""
    rng = np.random.default_rng(0)
    centres, kind = rng.standard_normal((30, 40)).astype(np.float32), rng.integers(0, 30, rows)
    basis = rng.standard_normal((40, 784)).astype(np.float32) / 6.3
    x = (centres[kind] + 0.7 * rng.standard_normal((rows, 40), np.float32)) @ basis
    x += 0.3 * rng.standard_normal((rows, 784), np.float32)
    network = Architecture(widths=[128, 64], activation="relu", optimizer="adam", learning_rate=1e-3, batch_size=128)
    return Task("B medium", x.astype(np.float32), (kind % 10).astype(np.int64), 10, [network] * members)


def mixture(members: int, rows: int) -> Task:
    """C: 54 inputs, one to four hidden layers of 8 to 256 units, log-uniform, three activations, batches 32 to 256."""
    rng = np.random.default_rng(123)
    networks = []
    for _ in range(members):
        widths = np.exp(rng.uniform(np.log(8), np.log(256), int(rng.integers(1, 5)))).round().astype(int).tolist()
        networks.append(
            Architecture(
                widths=widths,
                activation=("relu", "tanh", "gelu")[int(rng.integers(3))],
                optimizer="adam",
                learning_rate=float(np.exp(rng.uniform(np.log(1e-4), np.log(1e-2)))),
                batch_size=int(2 ** rng.integers(5, 9)),
            )
        )
    x = np.zeros((rows, 54), np.float32)
    x[:, :10] = rng.standard_normal((rows, 10))
    x[np.arange(rows), 10 + rng.integers(0, 44, rows)] = 1.0
    teacher, head = rng.standard_normal((54, 24)), rng.standard_normal((24, 7))
    y = (np.tanh(x @ teacher) @ head + 0.5 * rng.standard_normal((rows, 7))).argmax(1)
    return Task("C all different", x, y.astype(np.int64), 7, networks)
