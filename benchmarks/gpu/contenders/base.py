"""What every peer on a GPU offers."""

from __future__ import annotations

from benchmarks.training.contenders.base import Contender


class GpuPeer(Contender):
    """Another way to train on a GPU; its sessions are `GroupedSession`, whose ``repeat`` the benchmark sets."""

    activations = ("relu", "tanh", "gelu")

    def __init__(self, device: str = "cuda") -> None:
        super().__init__(1)
        self.device = device
