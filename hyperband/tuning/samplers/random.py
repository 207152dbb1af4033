"""Random search: every configuration drawn uniformly from the unit cube (Bergstra & Bengio, JMLR 13, 2012)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hyperband.space import Points, Space
from hyperband.tuning.samplers.proposers import IndependentProposer
from hyperband.tuning.settings import Settings, register


@register
@dataclass(frozen=True, slots=True)
class RandomSampler(Settings):
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


class RandomProposer(IndependentProposer):
    """See `hyperband.tuning.samplers.base.Proposer`."""

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed, pure=not space.draws_may_repeat)

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """Points, shape (n, n_dimensions), NaN where inactive; fewer when the space is used up."""
        return self.draw(trials, self._drawer.random)
