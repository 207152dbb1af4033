"""One network after another in Python's own lists and floats."""

from __future__ import annotations

from math import erf, exp, pi, sqrt, tanh

import numpy as np

from benchmarks.training.contenders.base import Contender, Session
from benchmarks.training.workloads import Layers, Task

Vector = list[float]


def _activate(kind: str, z: float) -> tuple[float, float]:
    if kind == "relu":
        return (z, 1.0) if z > 0 else (0.0, 0.0)
    if kind == "tanh":
        h = tanh(z)
        return h, 1.0 - h * h
    cdf = 0.5 * (1.0 + erf(z / sqrt(2.0)))
    return z * cdf, cdf + z * exp(-0.5 * z * z) / sqrt(2.0 * pi)


class _Network:
    def __init__(self, task: Task, member: int) -> None:
        self.settings = task.networks[member]
        # Rows of a weight matrix are those of one output, so that every product is a sum over zip.
        self.w = [[[float(v) for v in column] for column in w.T] for w, _ in task.initial(member)]
        self.b = [[float(v) for v in b] for _, b in task.initial(member)]
        self.m = [[[0.0] * (len(row) + 1) for row in w] for w in self.w]
        self.v = [[[0.0] * (len(row) + 1) for row in w] for w in self.w]
        self.t = 0

    def step(self, x: list[Vector], y: list[int]) -> None:
        # The last entry of each row of gradients is that of the bias.
        gradient = [[[0.0] * (len(row) + 1) for row in w] for w in self.w]
        for row, label in zip(x, y, strict=True):
            self._row(row, label, 1.0 / len(x), gradient)
        self._adam(gradient)

    def _row(self, row: Vector, label: int, scale: float, gradient: list[list[Vector]]) -> None:
        inputs, slopes, a = [], [], row
        last = len(self.w) - 1
        for layer, (w, b) in enumerate(zip(self.w, self.b, strict=True)):
            inputs.append(a)
            z = [bias + sum(p * q for p, q in zip(weights, a, strict=True)) for weights, bias in zip(w, b, strict=True)]
            if layer < last:
                pairs = [_activate(self.settings.activation, value) for value in z]
                a, slope = [h for h, _ in pairs], [d for _, d in pairs]
                slopes.append(slope)
        top = max(z)
        e = [exp(value - top) for value in z]
        total = sum(e)
        g = [value / total * scale for value in e]
        g[label] -= scale
        for layer in range(last, -1, -1):
            w, a = self.w[layer], inputs[layer]
            for j, gj in enumerate(g):
                target = gradient[layer][j]
                for k, value in enumerate(a):
                    target[k] += value * gj
                target[-1] += gj
            if layer > 0:
                slope = slopes[layer - 1]
                g = [slope[k] * sum(w[j][k] * gj for j, gj in enumerate(g)) for k in range(len(a))]

    def _adam(self, gradient: list[list[Vector]]) -> None:
        s = self.settings
        self.t += 1
        rate, scale = s.learning_rate / (1 - s.beta1**self.t), 1 / sqrt(1 - s.beta2**self.t)
        for layer, rows in enumerate(gradient):
            for j, row in enumerate(rows):
                m, v, w = self.m[layer][j], self.v[layer][j], self.w[layer][j]
                for k, g in enumerate(row):
                    m[k] = s.beta1 * m[k] + (1 - s.beta1) * g
                    v[k] = s.beta2 * v[k] + (1 - s.beta2) * g * g
                    step = rate * m[k] / (sqrt(v[k]) * scale + s.epsilon)
                    if k < len(w):
                        w[k] -= step
                    else:
                        self.b[layer][j] -= step


class _Session(Session):
    def __init__(self, task: Task) -> None:
        self._task = task
        self._networks = [_Network(task, member) for member in range(len(task.networks))]
        self._x, self._y = task.x.tolist(), task.y.tolist()
        self._epoch = 0

    def train(self) -> None:
        for member, network in enumerate(self._networks):
            order, size = self._task.order(member, self._epoch), network.settings.batch_size
            for first in range(0, len(order), size):
                rows = order[first : first + size].tolist()
                network.step([self._x[i] for i in rows], [self._y[i] for i in rows])
        self._epoch += 1

    def weights(self, member: int) -> Layers:
        network = self._networks[member]
        pairs = zip(network.w, network.b, strict=True)
        return [(np.array(w, np.float32).T, np.array(b, np.float32)) for w, b in pairs]


class PurePython(Contender):
    """A loop over networks, rows and weights."""

    name = "pure Python loop"
    activations = ("relu", "tanh", "gelu")

    def share(self, task: Task) -> tuple[int, int]:
        return 1, min(len(task.x), task.networks[0].batch_size)

    def start(self, task: Task) -> Session:
        return _Session(task)
