"""One network after another in NumPy, float32, optimised: no copies, one flat Adam update."""

from __future__ import annotations

from math import erf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from benchmarks.training.contenders.base import LoopContender, Session
from benchmarks.training.workloads import F32, Layers, Task

_ERF = np.vectorize(erf, otypes=[np.float32])


def activate(kind: str, z: F32) -> tuple[F32, F32]:
    """Value and derivative."""
    if kind == "relu":
        return np.maximum(z, 0.0, out=z), (z > 0).astype(np.float32)
    if kind == "tanh":
        h = np.tanh(z, out=z)
        return h, np.float32(1.0) - h * h
    try:
        from scipy.special import ndtr

        cdf = ndtr(z)
    except ImportError:
        cdf = 0.5 * (1.0 + _ERF(z / np.float32(sqrt(2.0))))
    return z * cdf, cdf + z * np.exp(-0.5 * z * z) * np.float32(0.3989422804)


class _Network:
    def __init__(self, task: Task, member: int) -> None:
        self.settings, layers = task.networks[member], task.initial(member)
        sizes = [part.size for layer in layers for part in layer]
        self.flat: NDArray[np.float32] = np.concatenate([part.ravel() for layer in layers for part in layer])
        self.gradient, self.m, self.v = (np.zeros_like(self.flat) for _ in range(3))
        cuts = np.cumsum(sizes)[:-1]
        shapes = [part.shape for layer in layers for part in layer]

        def views(flat: F32) -> Any:
            parts = [p.reshape(s) for p, s in zip(np.split(flat, cuts), shapes, strict=True)]
            return list(zip(parts[0::2], parts[1::2], strict=True))

        self.layers, self.gradients = views(self.flat), views(self.gradient)
        self.t = 0

    def step(self, x: F32, y: NDArray[np.int64]) -> None:
        inputs, slopes, a = [], [], x
        for w, b in self.layers[:-1]:
            inputs.append(a)
            z = a @ w
            z += b
            a, slope = activate(self.settings.activation, z)
            slopes.append(slope)
        inputs.append(a)
        w, b = self.layers[-1]
        g = a @ w
        g += b
        g -= g.max(axis=1, keepdims=True)
        np.exp(g, out=g)
        g /= g.sum(axis=1, keepdims=True)
        g[np.arange(len(y)), y] -= 1.0
        g /= len(y)
        for layer in range(len(self.layers) - 1, -1, -1):
            dw, db = self.gradients[layer]
            np.matmul(inputs[layer].T, g, out=dw)
            g.sum(axis=0, out=db)
            if layer > 0:
                g = g @ self.layers[layer][0].T
                g *= slopes[layer - 1]
        self._adam()

    def _adam(self) -> None:
        s, g = self.settings, self.gradient
        self.t += 1
        self.m *= s.beta1
        self.m += (1 - s.beta1) * g
        self.v *= s.beta2
        g *= g
        g *= 1 - s.beta2
        self.v += g
        root = np.sqrt(self.v, out=g)
        root *= 1.0 / sqrt(1.0 - s.beta2**self.t)
        root += s.epsilon
        np.divide(self.m, root, out=root)
        root *= s.learning_rate / (1.0 - s.beta1**self.t)
        self.flat -= root


class _Session(Session):
    def __init__(self, task: Task, threads: int) -> None:
        self._task, self._threads, self._pools = task, threads, ThreadpoolController()
        self._networks = [_Network(task, member) for member in range(len(task.networks))]
        self._epoch = 0

    def train(self) -> None:
        with self._pools.limit(limits=self._threads):
            self._train()

    def _train(self) -> None:
        x, y = self._task.x, self._task.y
        for member, network in enumerate(self._networks):
            order, size = self._task.order(member, self._epoch), network.settings.batch_size
            for first in range(0, len(x), size):
                rows = order[first : first + size]
                network.step(x[rows], y[rows])
        self._epoch += 1

    def weights(self, member: int) -> Layers:
        return [(w, b) for w, b in self._networks[member].layers]


class NumpyLoop(LoopContender):
    """A loop over networks."""

    name = "NumPy loop"

    def share(self, task: Task) -> tuple[int, int]:
        return self.fewer(task, 4)

    def start(self, task: Task) -> Session:
        return _Session(task, self.threads)
