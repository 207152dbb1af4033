"""PyTorch on a GPU: networks of one bucket as batched products, or ``torch.func.vmap``; a step is one CUDA graph.

Adam is one function of each tensor with a rate for each network; on a GPU ``torch.compile`` makes one kernel of it.
On a CPU the same code runs without graphs, for checks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.common.optional import Unavailable, needed
from benchmarks.gpu.contenders.base import GpuPeer
from benchmarks.gpu.contenders.buckets import Bucket, buckets
from benchmarks.training.contenders.base import GroupedSession, Session
from benchmarks.training.workloads import Layers, Task

#: Steps before a graph is captured, in which libraries choose and compile their kernels.
WARM_UP = 3


def _torch(device: str) -> Any:
    torch = needed("torch", "torch")
    if device == "cuda" and not torch.cuda.is_available():
        raise Unavailable("PyTorch sees no GPU")
    torch.backends.cuda.matmul.allow_tf32 = False
    return torch


def _adam(torch: Any, beta1: float, beta2: float, epsilon: float) -> Callable[..., None]:
    """(w, m, v, gradient, scale, root): one step in place; scale (n, 1, 1) and root () hold Adam's corrections."""

    def update(w: Any, m: Any, v: Any, g: Any, scale: Any, root: Any) -> None:
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        w.sub_(scale * m / (v.sqrt() * root + epsilon))

    return update


def _compiled(torch: Any, function: Callable[..., None]) -> Callable[..., None]:
    """Compiled for all sizes at once: the tensors of the buckets have a hundred shapes."""
    torch._dynamo.config.recompile_limit = 64
    found: Callable[..., None] = torch.compile(function, dynamic=True)
    return found


class _Group:
    """A bucket on the device: weights (n, in, out) and (n, 1, out), and its step for whole and for short batches."""

    def __init__(self, torch: Any, task: Task, bucket: Bucket, data: tuple[Any, ...], mapped: bool) -> None:
        self.torch, self.task, self.bucket, self.mapped = torch, task, bucket, mapped
        self.members = bucket.members
        self.x, self.y = data
        self.device = self.x.device
        flat = [part for w, b in bucket.stacked(task) for part in (w, b[:, None])]
        self.parameters = [torch.from_numpy(p).to(self.device).requires_grad_(not mapped) for p in flat]
        self.m, self.v = ([torch.zeros_like(p, requires_grad=False) for p in self.parameters] for _ in range(2))
        self.t = torch.zeros((), dtype=torch.float64, device=self.device)
        self.rate = torch.from_numpy(bucket.rates(task)).to(self.device)[:, None, None]
        s = bucket.settings
        self.act = getattr(torch.nn.functional, s.activation)
        self.plain = self.update = _adam(torch, s.beta1, s.beta2, s.epsilon)
        if self.device.type == "cuda":
            self.update = _compiled(torch, self.plain)
        self.note = ""
        self.orders: dict[int, Any] = {}
        self.graphs: dict[int, tuple[Any, Any]] = {}

    def order(self, epoch: int) -> Any:
        """Orders of the rows on the device, cached."""
        if epoch not in self.orders:
            self.orders[epoch] = self.torch.from_numpy(self.bucket.order(self.task, epoch)).to(self.device)
        return self.orders[epoch]

    def epoch(self, number: int) -> None:
        for rows in self.order(number).split(self.bucket.settings.batch_size, dim=1):
            if self.device.type == "cuda":
                graph, entry = self._graph(rows.shape[1])
                entry.copy_(rows)
                graph.replay()
            else:
                self.step(rows.long())

    def weights(self, index: int) -> Layers:
        arrays = [np.array(p.detach()[index].cpu()) for p in self.parameters]
        layers = [(w, b[0]) for w, b in zip(arrays[0::2], arrays[1::2], strict=True)]
        return self.bucket.cut(self.task, self.members[index], layers)

    def step(self, rows: Any) -> None:
        """One step of every network of the bucket, rows (n, batch)."""
        torch = self.torch
        x, y = self.x[rows], self.y[rows]
        gradients = self._mapped(x, y) if self.mapped else torch.autograd.grad(self._loss(x, y), self.parameters)
        s = self.bucket.settings
        with torch.no_grad():
            self.t.add_(1.0)
            scale = (self.rate / (1 - s.beta1**self.t)).float()
            root = (1 - s.beta2**self.t).rsqrt().float()
            for w, m, v, g in zip(self.parameters, self.m, self.v, gradients, strict=True):
                self.update(w, m, v, g, scale, root)

    def _loss(self, x: Any, y: Any) -> Any:
        """Sum over networks of the mean over their rows."""
        torch, last = self.torch, len(self.parameters) - 2
        for i in range(0, len(self.parameters), 2):
            x = torch.baddbmm(self.parameters[i + 1], x, self.parameters[i])
            x = self.act(x) if i < last else x
        each = torch.nn.functional.cross_entropy(x.reshape(-1, x.shape[-1]), y.reshape(-1), reduction="sum")
        return each / y.shape[1]

    def _mapped(self, x: Any, y: Any) -> Any:
        """Gradients of one network's loss, mapped over networks."""
        torch = self.torch

        def loss(parameters: Any, x: Any, y: Any) -> Any:
            for w, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
                x = self.act(torch.addmm(b, x, w))
            return torch.nn.functional.cross_entropy(torch.addmm(parameters[-1], x, parameters[-2]), y)

        return torch.func.vmap(torch.func.grad(loss))(tuple(self.parameters), x, y)

    def _prepare(self, rows: Any) -> None:
        """Compile the step; where that fails, use it uncompiled and set `note`."""
        try:
            self.step(rows)
        except Exception as error:
            if self.update is self.plain:
                raise
            self.update, self.note = self.plain, f"Adam was not compiled: {error}"[:300]

    def _graph(self, size: int) -> tuple[Any, Any]:
        """The step for batches of this size as a graph, and the rows that it reads."""
        if size not in self.graphs:
            torch = self.torch
            rows = torch.zeros((len(self.bucket.members), size), dtype=torch.int64, device=self.device)
            state = [*self.parameters, *self.m, *self.v, self.t]
            before = [s.detach().clone() for s in state]
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                self._prepare(rows)
                for _ in range(WARM_UP):
                    self.step(rows)
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.step(rows)
            with torch.no_grad():
                for s, old in zip(state, before, strict=True):
                    s.copy_(old)
            self.graphs[size] = (graph, rows)
        return self.graphs[size]


class _Session(GroupedSession):
    def __init__(self, task: Task, device: str, mapped: bool) -> None:
        self._torch, self._device = _torch(device), device
        data = tuple(self._torch.from_numpy(array).to(device) for array in (task.x, task.y))
        self._of_torch = [_Group(self._torch, task, bucket, data, mapped) for bucket in buckets(task)]
        super().__init__(self._of_torch)

    def wait(self) -> None:
        if self._device == "cuda":
            self._torch.cuda.synchronize()

    @property
    def notes(self) -> list[str]:
        """Notes of groups whose step was not compiled."""
        return sorted({group.note for group in self._of_torch if group.note})


class TorchGraph(GpuPeer):
    """Batched products, automatic differentiation, a CUDA graph a step."""

    name = "PyTorch bmm + CUDA graph"
    mapped = False

    def start(self, task: Task) -> Session:
        return _Session(task, self.device, self.mapped)


class TorchVmap(TorchGraph):
    """``torch.func.vmap`` over the gradient of one network, a CUDA graph a step."""

    name = "torch.func vmap + CUDA graph"
    mapped = True
