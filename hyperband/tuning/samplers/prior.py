"""Draws from what the user expects: the priors of the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperband._common.checks import fraction
from hyperband._common.philox import PRIOR, SOURCE, uniform
from hyperband.space import Points, Space
from hyperband.tuning.samplers.constrained_draws import TRUST
from hyperband.tuning.samplers.proposers import IndependentProposer
from hyperband.tuning.settings import Settings, register


@register
@dataclass(frozen=True, slots=True)
class PriorSampler(Settings):
    """Random search with priors: a share ``random_fraction`` uniform, the others from the priors of the parameters.

    A parameter without a prior is uniform, too.

    Parameters
    ----------
    random_fraction : float in [0, 1]
        What makes up for a prior that is wrong.

    Raises
    ------
    InputError
        When it lies outside.

    Examples
    --------
    >>> from hyperband.space import Float
    >>> space = Space({"x": Float(0.0, 1.0, default=0.25, prior="high")})
    >>> points = PriorSampler().start(space, seed=0).propose(range(100))
    >>> bool((abs(points - 0.25) < 0.25).mean() > 0.75)
    True
    """

    random_fraction: float = 0.2

    def __post_init__(self) -> None:
        fraction(self.random_fraction, "random_fraction")

    def start(self, space: Space, seed: int) -> PriorProposer:
        """A fresh proposer."""
        return PriorProposer(self, space, seed)


class PriorProposer(IndependentProposer):
    """See `hyperband.tuning.samplers.base.Proposer`."""

    def __init__(self, settings: PriorSampler, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._settings = settings

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """Points, shape (n, n_dimensions), NaN where inactive; fewer when the space is used up."""
        return self.draw(trials, self._draw, TRUST)

    def _draw(self, trials: Sequence[int], attempt: int) -> Points:
        believed = uniform(self._seed, SOURCE, trials, 1)[:, 0] >= self._settings.random_fraction
        drawn = self._space.from_prior(uniform(self._seed, PRIOR, trials, self._space.n_dimensions, attempt))
        return np.where(believed[:, None], drawn, self._drawer.random(trials, attempt))
