"""What every contender offers."""

from __future__ import annotations

from abc import ABC, abstractmethod

from benchmarks.workloads import Layers, Task
from hyperband.engine.architecture import ACTIVATIONS


class Unavailable(Exception):
    """A contender that cannot run here, and why."""


class Session(ABC):
    """Networks of one task in one contender's hands."""

    @abstractmethod
    def train(self) -> None:
        """One more epoch of every network."""

    @abstractmethod
    def weights(self, member: int) -> Layers:
        """Weights (n_in, n_out) and biases (n_out,) of a network, the first layer first."""


class Contender(ABC):
    """A way to train networks.

    Attributes
    ----------
    name : str, in the table
    activations : those it knows; networks with another one get tanh in its place, which the table says
    tolerance : float
        How far from the reference's weights its own may end, in units of the way that training moved them.
        Rounding alone is worth up to 5e-4 (a unit on the other side of its kink), one wrong setting of Adam 1e-3.
    """

    name: str
    activations: tuple[str, ...] = ACTIVATIONS
    tolerance: float = 7e-4

    def __init__(self, threads: int) -> None:
        self.threads = threads

    @classmethod
    def settings(cls, threads: int) -> list[int]:
        """Numbers of threads to try where as many processors are free; the best one goes into the table."""
        return [threads]

    def share(self, task: Task) -> tuple[int, int]:
        """Networks and rows of the task that are trained when it is timed: all of them, unless that takes minutes."""
        return len(task.networks), len(task.x)

    @staticmethod
    def fewer(task: Task, times: int) -> tuple[int, int]:
        """A fraction of the task for a `share`: of the networks where all are alike, else of the rows."""
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
