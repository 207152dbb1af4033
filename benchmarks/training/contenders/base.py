"""What every contender offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from benchmarks.training.workloads import Layers, Task
from hyperband.engine.architecture import ACTIVATIONS


class Session(ABC):
    """Networks of one task that a contender trains."""

    @abstractmethod
    def train(self) -> None:
        """One more epoch of every network."""

    @abstractmethod
    def weights(self, member: int) -> Layers:
        """Weights (n_in, n_out) and biases (n_out,) of a network, the first layer first."""


class Group(Protocol):
    """Networks that train together."""

    @property
    def members(self) -> Sequence[int]:
        """Numbers of its networks in the task."""

    def epoch(self, number: int) -> None:
        """Train one epoch, in its order of rows."""

    def weights(self, index: int) -> Layers:
        """`Session.weights` of the group's network at this index."""


class GroupedSession(Session):
    """A session whose networks train in groups.

    Attributes
    ----------
    repeat : bool
        Whether every epoch has the order of rows of the first one, which is computed once.
    """

    repeat = False

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups, self._epoch = groups, 0

    def train(self) -> None:
        """See `Session`."""
        for group in self._groups:
            group.epoch(0 if self.repeat else self._epoch)
        self.wait()
        self._epoch += 1

    def wait(self) -> None:
        """Wait for a library that only queues its work."""

    def weights(self, member: int) -> Layers:
        """See `Session`."""
        group = next(group for group in self._groups if member in group.members)
        return group.weights(group.members.index(member))


def alike(task: Task) -> list[list[int]]:
    """Members of a task in groups of equal settings."""
    groups: dict[object, list[int]] = {}
    for member, network in enumerate(task.networks):
        groups.setdefault(network, []).append(member)
    return list(groups.values())


class Contender(ABC):
    """A way to train networks.

    Attributes
    ----------
    name : str, in the table
    activations : those it knows; networks with another one train with tanh, which the table says
    tolerance : float
        Largest distance of its weights from the reference's, in units of the distance that training moved them.
        Rounding alone causes up to 5e-4 (a unit on the other side of its kink), one wrong setting of Adam 1e-3.
    """

    name: str
    activations: tuple[str, ...] = ACTIVATIONS
    tolerance: float = 7e-4

    def __init__(self, threads: int) -> None:
        self.threads = threads

    @classmethod
    def settings(cls, threads: int) -> list[int]:
        """Numbers of threads to try on ``threads`` free processors; the fastest goes into the table."""
        return [threads]

    def share(self, task: Task) -> tuple[int, int]:
        """Numbers of networks and rows that are timed: all of the task, unless that takes minutes."""
        return len(task.networks), len(task.x)

    @staticmethod
    def fewer(task: Task, times: int) -> tuple[int, int]:
        """A `share` that is a fraction of the task: of the networks where all are equal, else of the rows."""
        if len(set(task.networks)) == 1:
            return max(1, len(task.networks) // times), len(task.x)
        return len(task.networks), max(min(len(task.x), 256), len(task.x) // times)

    @abstractmethod
    def start(self, task: Task) -> Session:
        """Networks at their initial weights.

        Raises
        ------
        Unavailable
            When something is not installed.
        """


class LoopContender(Contender):
    """A library whose small products are often faster on one thread than on all; it knows three activations."""

    activations: tuple[str, ...] = ("relu", "tanh", "gelu")

    @classmethod
    def settings(cls, threads: int) -> list[int]:
        """One thread and all of them."""
        return sorted({1, threads})
