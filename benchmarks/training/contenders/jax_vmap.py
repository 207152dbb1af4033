"""JAX: an epoch as one compiled scan over steps, networks of one shape under vmap; compiling is not timed.

XLA takes as many threads as the process may use processors, and this cannot be changed later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.common.optional import needed
from benchmarks.training.contenders.base import Contender, GroupedSession, Session, alike
from benchmarks.training.workloads import Layers, Task


def compiled_epoch(jax: Any, activation: str, beta1: float, beta2: float, epsilon: float) -> Any:
    """(state, x, y, rate, full (n, steps, batch), rest (n, r)) -> state; every argument but x and y is per network."""
    jnp = jax.numpy
    act = {"relu": jax.nn.relu, "tanh": jnp.tanh, "gelu": lambda z: jax.nn.gelu(z, approximate=False)}[activation]

    def loss(layers: Any, x: Any, y: Any) -> Any:
        for w, b in layers[:-1]:
            x = act(x @ w + b)
        w, b = layers[-1]
        return -jnp.take_along_axis(jax.nn.log_softmax(x @ w + b), y[:, None], 1).mean()

    def epoch(state: Any, x: Any, y: Any, rate: Any, full: Any, rest: Any) -> Any:
        def step(state: Any, rows: Any) -> Any:
            layers, m, v, t = state
            g = jax.grad(loss)(layers, x[rows], y[rows])
            t = t + 1
            m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, g)
            v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, g)
            scale, root = rate / (1 - beta1**t), 1 / jnp.sqrt(1 - beta2**t)
            layers = jax.tree.map(lambda w, m, v: w - scale * m / (jnp.sqrt(v) * root + epsilon), layers, m, v)
            return (layers, m, v, t), None

        state, _ = jax.lax.scan(step, state, full)
        return step(state, rest)[0] if rest.shape[0] else state

    return jax.jit(jax.vmap(epoch, in_axes=(0, None, None, 0, 0, 0)))


class _Group:
    def __init__(self, jax: Any, task: Task, members: Sequence[int]) -> None:
        self.jax, self.task, self.members = jax, task, members
        self.settings = task.networks[members[0]]
        stack = [task.initial(m) for m in members]
        layers = jax.tree.map(lambda *parts: jax.numpy.asarray(np.stack(parts)), *stack)
        zeros = jax.tree.map(jax.numpy.zeros_like, layers)
        self.state = (layers, zeros, zeros, jax.numpy.zeros(len(members)))
        self.x, self.y = jax.numpy.asarray(task.x), jax.numpy.asarray(task.y.astype(np.int32))
        self.rate = jax.numpy.full(len(members), self.settings.learning_rate)
        s = self.settings
        self.run = compiled_epoch(jax, s.activation, s.beta1, s.beta2, s.epsilon)

    def epoch(self, number: int) -> None:
        size = self.settings.batch_size
        order = np.stack([self.task.order(m, number) for m in self.members]).astype(np.int32)
        whole = order.shape[1] // size * size
        full = order[:, :whole].reshape(len(order), -1, size)
        self.state = self.run(self.state, self.x, self.y, self.rate, full, order[:, whole:])

    def weights(self, index: int) -> Layers:
        return [(np.asarray(w)[index], np.asarray(b)[index]) for w, b in self.state[0]]


class _Session(GroupedSession):
    def __init__(self, jax: Any, task: Task) -> None:
        self._jax, self._of_jax = jax, [_Group(jax, task, members) for members in alike(task)]
        super().__init__(self._of_jax)

    def wait(self) -> None:
        self._jax.block_until_ready([group.state for group in self._of_jax])


class Jax(Contender):
    """Equal networks under vmap; where all differ, one compiled epoch each."""

    name = "JAX vmap + scan"
    activations = ("relu", "tanh", "gelu")

    def start(self, task: Task) -> Session:
        return _Session(needed("jax", "jax"), task)
