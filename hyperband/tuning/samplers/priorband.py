"""PriorBand's sampler: uniform, from the prior, or around the incumbent, by resource and by what has proved itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.checks import positive, whole_number
from hyperband._common.philox import INCUMBENT, PRIOR, SOURCE, uniform
from hyperband.space import Points, Space
from hyperband.tuning.samplers.kernels import Axes, flipped, truncated_mass, truncated_normal
from hyperband.tuning.samplers.proposers import LearningProposer
from hyperband.tuning.settings import Settings, register

#: Around the incumbent every parameter moves with this probability, numbers by this share of their axis.
MOVED, WIDTH = 0.5, 0.25


@register
@dataclass(frozen=True, slots=True)
class PriorBandSampler(Settings):
    """Three sources, mixed by resource and by results (Mallik et al. 2023, "PriorBand", sections 4 and 5).

    A trial whose first resource is eta^k times the smallest is uniform with probability ``1 / (1 + eta^k)``. The rest
    is shared by the prior and the neighbourhood of the incumbent in proportion to their scores: the density of each,
    summed over the top results with the weights n, n - 1, ..., 1 from the best down. The top are ``max(n / eta, eta)``
    of the n results at the largest resource with at least eta, the incumbent is the best of them. Until some resource
    above the smallest has eta results (eta^2, where there is only one) the prior has all the rest.

    Around the incumbent each parameter moves with probability 1/2: a number by a normal distribution with a quarter
    of its axis, truncated; an unordered choice to any other option. The score takes the density of that normal
    distribution on every axis of numbers, and the probability of the option on a choice.

    Parameters
    ----------
    eta : float > 1
    batch : int >= 1
        Trials that are proposed from the same results where the scheduler is synchronous.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> from hyperband.space import Float
    >>> space = Space({"x": Float(0.0, 1.0, default=0.25, prior="high")})
    >>> points = PriorBandSampler().start(space, seed=0).propose(range(100), [1] * 100)
    >>> bool((abs(points - 0.25) < 0.25).mean() > 0.6)
    True
    """

    eta: float = 3
    batch: int = 8

    def __post_init__(self) -> None:
        positive(self.eta, "eta", above=1.0)
        object.__setattr__(self, "batch", whole_number(self.batch, "batch"))

    def start(self, space: Space, seed: int) -> PriorBandProposer:
        """A fresh proposer."""
        return PriorBandProposer(self, space, seed)


class PriorBandProposer(LearningProposer):
    """See `hyperband.tuning.samplers.base.Proposer`."""

    def __init__(self, settings: PriorBandSampler, space: Space, seed: int) -> None:
        super().__init__(space, seed, settings.batch)
        self._settings, self._axes = settings, Axes.of(space)
        self._least = math.inf  # smallest resource proposed so far
        self._mixture: tuple[Points, float] | None = None  # see `incumbent`
        self._mixture_of = -1  # version of the history

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """Points, shape (n, n_dimensions), NaN where inactive; fewer when the space is used up.

        Without ``resources`` all trials count as of the smallest.
        """
        levels = {}
        for row, trial in enumerate(trials):
            resource = self._least if resources is None else float(resources[row])
            self._least = min(self._least, resource)
            levels[trial] = self._level(resource)

        def draw(some: Sequence[int], attempt: int) -> Points:
            return self._draw(some, attempt, np.array([levels[trial] for trial in some]))

        return self._history.draw(trials, draw)

    def own_state(self) -> dict[str, Any]:
        """The smallest resource."""
        return {"least": self._least if math.isfinite(self._least) else None}

    def load_own_state(self, state: dict[str, Any]) -> None:
        """Inverse of `own_state`."""
        self._least = math.inf if state["least"] is None else float(state["least"])

    def _level(self, resource: float) -> int:
        """How many times eta above the smallest resource."""
        if not math.isfinite(self._least) or resource <= self._least:
            return 0
        return round(math.log(resource / self._least) / math.log(self._settings.eta))

    def _draw(self, trials: Sequence[int], attempt: int, levels: NDArray[np.int64]) -> Points:
        points = self._history.drawer.random(trials, attempt)
        d, space = self._space.n_dimensions, self._space
        believed = space.from_prior(uniform(self._seed, PRIOR, trials, d, attempt))
        source = uniform(self._seed, SOURCE, trials, 1)[:, 0]
        at_random = 1.0 / (1.0 + float(self._settings.eta) ** levels)
        points = np.where((source >= at_random)[:, None], believed, points)
        found = self.incumbent()
        if found is not None:
            incumbent, share = found
            rows = source >= 1.0 - share * (1.0 - at_random)
            near = self.near_incumbent(incumbent, uniform(self._seed, INCUMBENT, trials, 2 * d, attempt))
            points = np.where(rows[:, None], near, points)
        return points

    def near_incumbent(self, incumbent: Points, u: NDArray[np.float64]) -> Points:
        """Draws around the incumbent, full points; what is inactive there is uniform."""
        d = self._space.n_dimensions
        values, out = u[:, d:], np.where(np.isnan(incumbent), u[:, d:], incumbent)
        for column in self._axes.numeric[~np.isnan(incumbent[self._axes.numeric])].tolist():
            near = truncated_normal(values[:, column], incumbent[column], np.array(WIDTH))
            out[:, column] = np.where(u[:, column] < MOVED, near, incumbent[column])
        for column, options in self._axes.choices:
            flip = np.where(u[:, column] < MOVED, 1.0, 0.0)
            out[:, column] = flipped(values[:, column], out[:, column], options, flip)
        return out

    def incumbent(self) -> tuple[Points, float] | None:
        """The incumbent's point, and its share of what is not uniform; None while the prior has it all."""
        if self._mixture_of != self._history.version:
            self._mixture, self._mixture_of = self._score(), self._history.version
        return self._mixture

    def _score(self) -> tuple[Points, float] | None:
        eta, history = self._settings.eta, self._history
        resources = history.resources
        for resource in resources:
            best = history.order(resource)[0] if history.count(resource) >= eta else []
            if len(best) >= (eta if resource > resources[-1] else eta * eta):
                break
        else:
            return None
        top = history.points(best[: max(math.floor(len(best) / eta), math.ceil(eta))])
        weights = np.arange(len(top), 0, -1)
        logs = np.stack([self._space.log_prior(top), self._log_near(top[0], top)])
        prior, near = (np.exp(logs - logs.max()) * weights).sum(axis=1).tolist()
        return top[0], near / (prior + near)

    def _log_near(self, incumbent: Points, points: Points) -> NDArray[np.float64]:
        """Logarithm of the density around the incumbent relative to the uniform one, shape (n,)."""
        columns = self._axes.numeric
        width, centre = np.array(WIDTH), np.nan_to_num(incumbent[columns])
        z = (points[:, columns] - incumbent[columns]) / width
        norm = np.log(width * math.sqrt(2.0 * math.pi) * truncated_mass(centre, width))
        total: NDArray[np.float64] = np.nansum(-0.5 * z * z - norm, axis=1)
        for column, options in self._axes.choices:
            u, same = points[:, column], points[:, column] == incumbent[column]
            density = np.where(same, options * (1.0 - MOVED), options * MOVED / (options - 1))
            total += np.where(np.isnan(u) | np.isnan(incumbent[column]), 0.0, np.log(density))
        return total
