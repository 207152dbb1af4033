"""Weights worth keeping when their networks are gone: those of the incumbents."""

from __future__ import annotations

import math

from hyperband.evaluation.networks.trained_network import TrainedNetwork
from hyperband.tuning.trial import Result


class KeptWeights:
    """Weights of the smallest loss seen and of the smallest at the highest resource reached; ties by trial, then rung.

    Weights that were overtaken stay until `prune`: when Ctrl-C comes before the newest results are told, the incumbent
    is still an older one.
    """

    def __init__(self) -> None:
        self._networks: list[tuple[Result, tuple[TrainedNetwork, ...]]] = []

    @property
    def empty(self) -> bool:
        """Whether no finite loss was seen."""
        return not self._networks

    def wants(self, result: Result) -> bool:
        """Whether the weights behind a result are worth keeping."""
        if not math.isfinite(result.loss):
            return False
        return any(all(key(result) < key(kept[0]) for kept in self._networks) for key in (_by_loss, _by_resource))

    def put(self, result: Result, networks: tuple[TrainedNetwork, ...]) -> None:
        """Keep the weights behind a result."""
        self._networks.append((result, networks))

    def prune(self) -> None:
        """Forget what was overtaken."""
        if len(self._networks) > 1:
            best = [min((kept[0] for kept in self._networks), key=key) for key in (_by_loss, _by_resource)]
            self._networks = [kept for kept in self._networks if any(kept[0] is one for one in best)]

    def get(self, trial: int, resource: float) -> tuple[tuple[TrainedNetwork, ...], int]:
        """Networks and whole resource of an evaluation; `KeyError` when they were not kept."""
        for result, networks in self._networks:
            if (result.trial, result.resource) == (trial, resource):
                return networks, max(1, round(resource))
        raise KeyError((trial, resource))


def _by_loss(result: Result) -> tuple[float, int, int]:
    return result.loss, result.trial, result.rung


def _by_resource(result: Result) -> tuple[float, float, int, int]:
    return -result.resource, result.loss, result.trial, result.rung
