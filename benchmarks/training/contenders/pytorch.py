"""PyTorch: one network after another, and networks of one shape together as batched matrix products.

``torch.func.vmap`` over the gradient takes 1.1 to 1.3 times as long as the batched products, so it is not listed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.common.optional import Unavailable, needed
from benchmarks.training.contenders.base import GroupedSession, LoopContender, Session, alike
from benchmarks.training.workloads import Layers, Task


def _compiled(torch: Any, function: Any) -> Any:
    """The function compiled for each shape; limits are raised so that no shape falls back to the interpreter."""
    torch._dynamo.config.recompile_limit = 1000
    torch._dynamo.config.accumulated_recompile_limit = 1000
    return torch.compile(function, dynamic=False, fullgraph=True)


class _Group:
    """Networks of one shape and batch size, their parameters stacked: (n, in, out) and (n, 1, out)."""

    def __init__(self, torch: Any, task: Task, members: Sequence[int], stacked: bool, compiled: bool) -> None:
        self.torch, self.task, self.members, self.stacked = torch, task, members, stacked
        self.settings = task.networks[members[0]]
        self.x, self.y = torch.from_numpy(task.x), torch.from_numpy(task.y)
        initial = [task.initial(member) for member in members]
        self.parameters = []
        for layer in range(len(initial[0])):
            for part in (0, 1):
                value = np.stack([layers[layer][part] for layers in initial])
                value = value[:, None] if part else value
                tensor = torch.from_numpy(value if stacked else value[0].copy())
                self.parameters.append(tensor.clone().requires_grad_())
        self.loss = _compiled(torch, self._loss) if compiled else self._loss
        s = self.settings
        self.optimizer = torch.optim.Adam(
            self.parameters, lr=s.learning_rate, betas=(s.beta1, s.beta2), eps=s.epsilon, fused=True
        )

    def forward(self, x: Any) -> Any:
        torch, last = self.torch, len(self.parameters) - 2
        for i in range(0, len(self.parameters), 2):
            w, b = self.parameters[i], self.parameters[i + 1]
            x = torch.baddbmm(b, x, w) if self.stacked else torch.addmm(b[0], x, w)
            if i < last:
                x = getattr(torch.nn.functional, self.settings.activation)(x)
        return x

    def epoch(self, number: int) -> None:
        torch = self.torch
        order = torch.from_numpy(np.stack([self.task.order(m, number) for m in self.members]))
        for rows in order.split(self.settings.batch_size, dim=1):
            self.optimizer.zero_grad(set_to_none=True)
            self.loss(rows.contiguous() if self.stacked else rows[0]).backward()
            self.optimizer.step()

    def weights(self, index: int) -> Layers:
        arrays = [p.detach().numpy() for p in self.parameters]
        arrays = [a[index] for a in arrays] if self.stacked else arrays
        return [(w, b[0]) for w, b in zip(arrays[0::2], arrays[1::2], strict=True)]

    def _loss(self, rows: Any) -> Any:
        """Sum over networks of the mean over their rows."""
        logits, y = self.forward(self.x[rows]), self.y[rows]
        each = self.torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), y.reshape(-1), reduction="sum"
        )
        return each / rows.shape[-1]


class _Session(GroupedSession):
    def __init__(self, task: Task, threads: int, stacked: bool, compiled: bool = False) -> None:
        self._torch, self._threads = needed("torch", "torch"), threads
        groups = alike(task)
        if stacked and len(groups) == len(task.networks) > 1:
            raise Unavailable("no two networks are alike, so nothing can be batched")
        if not stacked:
            groups = [[member] for member in range(len(task.networks))]
        super().__init__([_Group(self._torch, task, members, stacked, compiled) for members in groups])

    def train(self) -> None:
        self._torch.set_num_threads(self._threads)
        super().train()


class TorchLoop(LoopContender):
    """A loop over networks, automatic differentiation, fused Adam."""

    name = "PyTorch loop"

    def share(self, task: Task) -> tuple[int, int]:
        return self.fewer(task, 8)

    def start(self, task: Task) -> Session:
        return _Session(task, self.threads, stacked=False)


class TorchBatched(LoopContender):
    """Equal networks stacked into batched matrix products."""

    name = "PyTorch bmm"

    def start(self, task: Task) -> Session:
        return _Session(task, self.threads, stacked=True)


class TorchCompiled(LoopContender):
    """The batched products compiled by ``torch.compile``, which is not timed."""

    name = "PyTorch bmm + compile"

    def start(self, task: Task) -> Session:
        needed("torch", "torch")
        if shutil.which(os.environ.get("CXX", "c++")) is None:
            raise Unavailable("torch.compile needs a C++ compiler")
        return _Session(task, self.threads, stacked=True, compiled=True)
