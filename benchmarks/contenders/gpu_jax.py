"""JAX on a GPU: the epoch of `jax_vmap`, mapped over the networks of a bucket; compiling is not timed."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks.contenders.base import Session, Unavailable
from benchmarks.contenders.buckets import Bucket, buckets
from benchmarks.contenders.gpu_torch import GpuPeer
from benchmarks.contenders.jax_vmap import compiled_epoch
from benchmarks.workloads import Layers, Task


def _jax(device: str) -> tuple[Any, Any]:
    """The library and its device."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # others need the GPU's memory too
    try:
        import jax
    except ImportError:
        raise Unavailable("JAX is not installed") from None
    try:
        return jax, jax.devices("gpu" if device == "cuda" else device)[0]
    except RuntimeError as error:
        raise Unavailable(f"JAX sees no such device: {error}") from None


class _Group:
    def __init__(self, jax: Any, device: Any, task: Task, bucket: Bucket) -> None:
        self.jax, self.device, self.task, self.bucket = jax, device, task, bucket
        layers = jax.device_put(bucket.stacked(task), device)
        zeros = jax.tree.map(jax.numpy.zeros_like, layers)
        self.state = (layers, zeros, zeros, jax.device_put(np.zeros(len(bucket.members), np.float32), device))
        self.rate = jax.device_put(bucket.rates(task), device)
        s = bucket.settings
        self.run = compiled_epoch(jax, s.activation, s.beta1, s.beta2, s.epsilon)
        self.orders: dict[int, tuple[Any, Any]] = {}

    def order(self, epoch: int) -> tuple[Any, Any]:
        """Rows of the whole batches (n, steps, batch) and of the short last one (n, rest) on the device, kept."""
        if epoch not in self.orders:
            order, size = self.bucket.order(self.task, epoch), self.bucket.settings.batch_size
            whole = order.shape[1] // size * size
            parts = order[:, :whole].reshape(len(order), -1, size), order[:, whole:]
            self.orders[epoch] = tuple(self.jax.device_put(part, self.device) for part in parts)
        return self.orders[epoch]


class _Session(Session):
    def __init__(self, task: Task, device: str) -> None:
        self._jax, where = _jax(device)
        self._task = task
        self._x, self._y = self._jax.device_put((task.x, task.y.astype(np.int32)), where)
        self._groups = [_Group(self._jax, where, task, bucket) for bucket in buckets(task)]
        self._epoch = 0
        self.repeat = False

    def train(self) -> None:
        number = 0 if self.repeat else self._epoch
        with self._jax.default_matmul_precision("highest"):  # without it float32 products are made in TF32
            for group in self._groups:
                full, rest = group.order(number)
                group.state = group.run(group.state, self._x, self._y, group.rate, full, rest)
        self._jax.block_until_ready([group.state for group in self._groups])
        self._epoch += 1

    def weights(self, member: int) -> Layers:
        group = next(g for g in self._groups if member in g.bucket.members)
        place = group.bucket.members.index(member)
        layers = [(np.asarray(w)[place], np.asarray(b)[place]) for w, b in group.state[0]]
        return group.bucket.cut(self._task, member, layers)


class GpuJax(GpuPeer):
    """A bucket under vmap, an epoch as one compiled scan over steps."""

    name = "JAX vmap + scan on the GPU"

    def start(self, task: Task) -> Session:
        return _Session(task, self.device)
