"""Random search: every configuration drawn uniformly from the unit cube (Bergstra & Bengio, JMLR 13, 2012)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hyperband.space import Points, Space
from hyperband.tuning.samplers.proposed import Proposed
from hyperband.tuning.trial import Loss


@dataclass(frozen=True, slots=True)
class RandomSampler:
    """Uniform over the unit cube, so log-uniform on logarithmic axes; a finite space is drawn without repetition.

    Examples
    --------
    >>> from hyperband.space import Float
    >>> proposer = RandomSampler().start(Space({"x": Float(0.0, 1.0)}), seed=0)
    >>> proposer.propose([0, 1]).shape
    (2, 1)
    """

    def start(self, space: Space, seed: int) -> RandomProposer:
        """A fresh proposer."""
        return RandomProposer(space, seed)


class RandomProposer:
    """See `hyperband.tuning.samplers.base.Adopter`."""

    batch = 0

    def __init__(self, space: Space, seed: int) -> None:
        self.pure = not space.draws_may_repeat
        self._proposed = Proposed(space, seed)

    @property
    def exhausted(self) -> bool:
        """A finite space is used up."""
        return self._proposed.drawer.exhausted

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """Points, shape (n, n_dimensions), NaN where inactive; fewer when the space is used up."""
        return self._proposed.draw(trials, self._proposed.drawer.random)

    def adopt(self, trials: Sequence[int], points: Points) -> None:
        """Do not repeat these."""
        self._proposed.adopt(points)

    def tell(self, trial: int, resource: float, loss: Loss) -> None:
        """Nothing to learn."""

    def state_dict(self) -> dict[str, Any]:
        """What was proposed, where a draw could repeat it; nothing otherwise."""
        return self._proposed.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self._proposed.load_state_dict(state)
