"""What every sampler offers: frozen settings that start a stateful proposer on a space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband.space import Space
from hyperband.tuning.trial import Loss


class Proposer(Protocol):
    """One run of a sampler. Every draw is keyed by (seed, trial id), never by the order of arrival."""

    #: How many trials are proposed at a time, each batch after all earlier trials were evaluated at least once, where
    #: the scheduler is synchronous; the run sees to that, and hands results over in one fixed order. 0: proposals do
    #: not depend on results, or the proposer waits by itself.
    batch: int
    #: Proposals depend on (seed, trial) alone, so that more can be drawn than are used; the run draws ahead then, and
    #: does not call ``tell``.
    pure: bool

    @property
    def exhausted(self) -> bool:
        """No further configuration will ever be proposed."""

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> NDArray[np.float64]:
        """Points of the unit cube for these new trials, shape (n, n_dimensions), NaN where inactive.

        ``resources``: at which each will be evaluated first, where that is known. Fewer rows than asked: the proposer
        waits for results, or is `exhausted`.
        """

    def adopt(self, trials: Sequence[int], points: NDArray[np.float64]) -> None:
        """These trials have these points, although another proposed them; see `WarmStartSampler`.

        They are not repeated in a finite space; a proposer that learns uses the results that are told of them. Trials
        of an earlier search have numbers below 0.
        """

    def tell(self, trial: int, resource: float, loss: Loss) -> None:
        """A trial was evaluated; proposers that learn use it. NaN or infinite: it failed."""

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""


class Sampler(Protocol):
    """Sampling: frozen settings."""

    def start(self, space: Space, seed: int) -> Proposer:
        """A fresh proposer."""
