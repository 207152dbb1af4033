"""What every sampler offers: a frozen recipe that starts a stateful proposer on a space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband.space import Space


class Proposer(Protocol):
    """One run of a sampler. Every draw is keyed by (seed, trial id), never by the order of arrival."""

    @property
    def exhausted(self) -> bool:
        """No further configuration will ever be proposed."""

    def propose(self, trials: Sequence[int]) -> NDArray[np.float64]:
        """Points of the unit cube for these new trials, shape (n, n_dimensions), NaN where inactive.

        Fewer rows than asked: the proposer waits for results, or is `exhausted`.
        """

    def tell(self, trial: int, resource: float, loss: float) -> None:
        """A trial was judged; proposers that learn use it."""

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""


class Sampler(Protocol):
    """Who is tried: frozen settings."""

    def start(self, space: Space, seed: int) -> Proposer:
        """A fresh proposer."""
