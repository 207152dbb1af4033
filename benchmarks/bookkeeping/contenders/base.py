"""What every contender of the rungs benchmark offers, and the losses that they all see."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

#: Rungs at 1, 3, 9 and 27 units.
R, ETA = 27, 3
RESOURCES = (1, 3, 9, 27)


class Losses:
    """Losses of trials at rungs, computed before anything is timed, so that the objective costs nothing.

    ``table``: float64 (rungs, trials); ``lists``: the same as Python numbers.
    """

    def __init__(self, trials: int) -> None:
        draws = np.random.default_rng(0)
        quality = draws.random(trials)
        noise = draws.random((len(RESOURCES), trials))
        self.table = quality + noise / np.sqrt(np.array(RESOURCES))[:, None]
        self.lists = self.table.tolist()


class Contender(ABC):
    """Bookkeeping of trials in rungs.

    Attributes
    ----------
    name : str, in the table
    rule : {"promotion", "stopping"}
        "promotion" is ASHA's Algorithm 2: a trial waits in its rung and is promoted once it is among the best.
        "stopping" is the variant that decides once, when the result comes: a stopped trial never continues. Only
        promotion has one right answer.
    batch : int, results told together
    """

    name: str
    rule = "promotion"
    batch = 1

    def __init__(self, losses: Losses) -> None:
        self.losses, self.results = losses, 0
        self.log: list[tuple[int, int]] | None = None

    @abstractmethod
    def advance(self, until: int) -> None:
        """Ask and tell up to ``until`` results; append each (trial, rung) to ``log`` unless that is None."""


class Promoting(Contender):
    """Rungs that hand out and take one job at a time."""

    @abstractmethod
    def ask(self) -> tuple[int, int]:
        """Trial and rung of the next job."""

    @abstractmethod
    def tell(self, trial: int, rung: int, loss: float) -> None:
        """Take the loss of a job."""

    def advance(self, until: int) -> None:
        """See `Contender`."""
        lists, log, batch = self.losses.lists, self.log, self.batch
        while self.results < until:
            jobs = [self.ask() for _ in range(batch)]
            for trial, rung in jobs:
                self.tell(trial, rung, lists[rung][trial])
            if log is not None:
                log += jobs
            self.results += batch
