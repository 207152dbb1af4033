"""Buckets of networks whose products can be batched: of one shape, some of them padded with zeros.

A unit without weights outputs 0 (relu, tanh and gelu of 0 are 0) and gets no gradient, so Adam leaves its weights at 0.
The padded network computes what the network computes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.workloads import F32, Layers, Task
from hyperband.engine.architecture import Architecture


@dataclass(frozen=True)
class Bucket:
    """Members of a task with padded hidden widths; ``settings`` holds what they share, without learning rates."""

    members: tuple[int, ...]
    widths: tuple[int, ...]
    settings: Architecture

    def rates(self, task: Task) -> F32:
        """Learning rates, shape (n_members,)."""
        return np.array([task.networks[m].learning_rate for m in self.members], np.float32)

    def stacked(self, task: Task) -> list[tuple[F32, F32]]:
        """Initial weights (n_members, n_in, n_out) and biases (n_members, n_out), layer by layer."""
        dims = (task.x.shape[1], *self.widths, task.n_classes)
        n = len(self.members)
        layers = [(np.zeros((n, a, b), np.float32), np.zeros((n, b), np.float32)) for a, b in pairwise(dims)]
        for index, member in enumerate(self.members):
            for (weights, biases), (w, b) in zip(layers, task.initial(member), strict=True):
                weights[index, : w.shape[0], : w.shape[1]] = w
                biases[index, : b.shape[0]] = b
        return layers

    def cut(self, task: Task, member: int, layers: Layers) -> Layers:
        """The member's own part of padded weights (n_in, n_out) and biases (n_out,)."""
        dims = task.dims(member)
        return [(w[:a, :b], bias[:b]) for (w, bias), (a, b) in zip(layers, pairwise(dims), strict=True)]

    def order(self, task: Task, epoch: int) -> NDArray[np.int32]:
        """Orders of the rows, shape (n_members, n_rows)."""
        return np.stack([task.order(m, epoch) for m in self.members]).astype(np.int32)


def buckets(task: Task) -> list[Bucket]:
    """Buckets by depth, activation, batch size and width; the widths are exact where all networks have one shape.

    Otherwise every hidden layer gets the power of two at or above the network's widest layer, at least 8. A power of
    two for each layer would waste less, but hardly any two of ten thousand networks would share a bucket.
    """
    exact = len({n.widths for n in task.networks}) == 1
    groups: dict[tuple[tuple[int, ...], Architecture], list[int]] = {}
    for member, n in enumerate(task.networks):
        widest = max(n.widths, default=0)
        padded = n.widths if exact else (max(8, 1 << (widest - 1).bit_length()),) * len(n.widths)
        groups.setdefault((tuple(padded), replace(n, widths=[], learning_rate=1.0)), []).append(member)
    return [Bucket(tuple(members), widths, settings) for (widths, settings), members in groups.items()]


def share(task: Task, networks: int, rows: int) -> Task:
    """About ``networks`` networks on the first rows: the first ones where all have one shape, else whole buckets.

    Every k-th bucket is taken in the order of their cost, so that the share has the same mixture of cheap and
    expensive buckets as the whole task.
    """
    if len(task.networks) <= networks:
        return task.part(len(task.networks), rows)
    found = buckets(task)
    if len(found) == 1:
        return task.part(networks, rows)
    found.sort(key=lambda b: (len(b.widths), b.widths, b.settings.batch_size, b.settings.activation))
    every = max(1, round(len(task.networks) / networks))
    chosen = [m for bucket in found[every // 2 :: every] for m in bucket.members]
    return replace(task.part(len(task.networks), rows), networks=[task.networks[m] for m in chosen], _orders={})
