"""JAX on a GPU: the epoch of `jax_vmap`, mapped over the networks of a bucket; compiling is not timed."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks.common.optional import Unavailable, needed
from benchmarks.gpu.contenders.base import GpuPeer
from benchmarks.gpu.contenders.buckets import Bucket, buckets
from benchmarks.training.contenders.base import GroupedSession, Session
from benchmarks.training.contenders.jax_vmap import compiled_epoch
from benchmarks.training.workloads import Layers, Task


def _jax(device: str) -> tuple[Any, Any]:
    """The library and its device."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # other contenders need memory of the GPU too
    jax = needed("jax", "jax")
    try:
        return jax, jax.devices("gpu" if device == "cuda" else device)[0]
    except RuntimeError as error:
        raise Unavailable(f"JAX sees no such device: {error}") from None


class _Group:
    def __init__(self, jax: Any, device: Any, task: Task, bucket: Bucket, data: tuple[Any, Any]) -> None:
        self.jax, self.device, self.task, self.bucket = jax, device, task, bucket
        self.members, (self.x, self.y) = bucket.members, data
        layers = jax.device_put(bucket.stacked(task), device)
        zeros = jax.tree.map(jax.numpy.zeros_like, layers)
        self.state = (layers, zeros, zeros, jax.device_put(np.zeros(len(bucket.members), np.float32), device))
        self.rate = jax.device_put(bucket.rates(task), device)
        s = bucket.settings
        self.run = compiled_epoch(jax, s.activation, s.beta1, s.beta2, s.epsilon)
        self.orders: dict[int, tuple[Any, Any]] = {}

    def order(self, epoch: int) -> tuple[Any, Any]:
        """Rows of the whole batches (n, steps, batch) and of the short last one (n, rest) on the device, cached."""
        if epoch not in self.orders:
            order, size = self.bucket.order(self.task, epoch), self.bucket.settings.batch_size
            whole = order.shape[1] // size * size
            parts = order[:, :whole].reshape(len(order), -1, size), order[:, whole:]
            self.orders[epoch] = tuple(self.jax.device_put(part, self.device) for part in parts)
        return self.orders[epoch]

    def epoch(self, number: int) -> None:
        full, rest = self.order(number)
        self.state = self.run(self.state, self.x, self.y, self.rate, full, rest)

    def weights(self, index: int) -> Layers:
        layers = [(np.asarray(w)[index], np.asarray(b)[index]) for w, b in self.state[0]]
        return self.bucket.cut(self.task, self.members[index], layers)


class _Session(GroupedSession):
    def __init__(self, task: Task, device: str) -> None:
        self._jax, where = _jax(device)
        data = self._jax.device_put((task.x, task.y.astype(np.int32)), where)
        self._of_jax = [_Group(self._jax, where, task, bucket, data) for bucket in buckets(task)]
        super().__init__(self._of_jax)

    def train(self) -> None:
        with self._jax.default_matmul_precision("highest"):  # the default computes float32 products in TF32
            super().train()

    def wait(self) -> None:
        self._jax.block_until_ready([group.state for group in self._of_jax])


class GpuJax(GpuPeer):
    """A bucket under vmap, an epoch as one compiled scan over steps."""

    name = "JAX vmap + scan on the GPU"

    def start(self, task: Task) -> Session:
        return _Session(task, self.device)
