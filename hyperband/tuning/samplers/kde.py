"""BOHB's sampler: draws where the density of good configurations is high and that of bad ones low."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hyperband._common.checks import fraction, positive, whole_number
from hyperband._common.philox import DENSITY, SOURCE, uniform
from hyperband.space import Points, Space
from hyperband.tuning.samplers.kernels import Axes, Density
from hyperband.tuning.samplers.proposers import LearningProposer
from hyperband.tuning.settings import Settings, register


@register
@dataclass(frozen=True, slots=True)
class KDESampler(Settings):
    """Kernel density estimates of good and of bad configurations (Falkner, Klein, Hutter 2018, "BOHB", Algorithm 2).

    The model is that of the largest resource with at least N_min + 2 results, of which N_min are finite. Its best
    ``max(N_min, top_fraction n)`` give the density l, its worst ``max(N_min, (1 - top_fraction) n)``, failures among
    them, the density g. Of ``n_draws`` draws from l, its bandwidths widened ``bandwidth_factor`` times, the one with
    the largest l / g is proposed. Without a model, and a share ``random_fraction`` of the trials always, draws are
    uniform.

    Where this differs from the authors' code: kernels on numbers are truncated to the axis; the bandwidth of an
    unordered choice does not depend on the order of its options; an inactive value counts as uniform on
    average instead of being imputed at random (see `Density`); draws that a constraint forbids do not compete.

    Parameters
    ----------
    min_points : int >= 1 or None
        N_min; None: one more than the number of axes.
    top_fraction : float in (0, 1)
    n_draws : int >= 1
    random_fraction : float in [0, 1]
    bandwidth_factor, min_bandwidth : float > 0
    batch : int >= 1
        Trials that are proposed from one model where the scheduler is synchronous.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> from hyperband.space import Float
    >>> proposer = KDESampler(random_fraction=0.0).start(Space({"x": Float(0.0, 1.0)}), seed=0)
    >>> for trial, point in enumerate(proposer.propose(range(20))):
    ...     proposer.tell(trial, 1, (point[0] - 0.5) ** 2)
    >>> bool(abs(proposer.propose(range(20, 40)) - 0.5).max() < 0.2)
    True
    """

    min_points: int | None = None
    top_fraction: float = 0.15
    n_draws: int = 64
    random_fraction: float = 1.0 / 3.0
    bandwidth_factor: float = 3.0
    min_bandwidth: float = 1e-3
    batch: int = 8

    def __post_init__(self) -> None:
        if self.min_points is not None:
            object.__setattr__(self, "min_points", whole_number(self.min_points, "min_points"))
        object.__setattr__(self, "n_draws", whole_number(self.n_draws, "n_draws"))
        object.__setattr__(self, "batch", whole_number(self.batch, "batch"))
        fraction(self.top_fraction, "top_fraction", open_=True)
        fraction(self.random_fraction, "random_fraction")
        positive(self.bandwidth_factor, "bandwidth_factor")
        positive(self.min_bandwidth, "min_bandwidth")

    def start(self, space: Space, seed: int) -> KDEProposer:
        """A fresh proposer."""
        return KDEProposer(self, space, seed)


class KDEProposer(LearningProposer):
    """See `hyperband.tuning.samplers.base.Proposer`."""

    def __init__(self, settings: KDESampler, space: Space, seed: int) -> None:
        super().__init__(space, seed, settings.batch)
        self._settings, self._axes = settings, Axes.of(space)
        self._model: tuple[Density, Density] | None = None
        self._model_of = -1  # version of the history

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """Points, shape (n, n_dimensions), NaN where inactive; fewer when the space is used up."""
        return self._history.draw(trials, self._draw)

    def _draw(self, trials: Sequence[int], attempt: int) -> Points:
        points = self._history.drawer.random(trials, attempt)
        model = self.estimates()
        if model is None:
            return points
        modelled = uniform(self._seed, SOURCE, trials, 1)[:, 0] >= self._settings.random_fraction
        rows = np.flatnonzero(modelled)
        if len(rows):
            points[rows] = self._best_draws(model, [trials[row] for row in rows.tolist()], attempt)
        return points

    def _best_draws(self, model: tuple[Density, Density], trials: Sequence[int], attempt: int) -> Points:
        """For each trial the best of its draws."""
        good, bad = model
        n, d = self._settings.n_draws, self._space.n_dimensions
        u = uniform(self._seed, DENSITY, trials, n * (1 + d), attempt).reshape(-1, 1 + d)
        points = good.draw(u, self._settings.bandwidth_factor)
        rows = self._space.activate(points)
        score = np.full(len(rows), -np.inf)
        allowed = self._space.allowed(rows) if self._space.constraints else np.ones(len(rows), dtype=np.bool_)
        for start in range(0, len(rows), n):  # trial by trial: so that the arrays stay in the cache
            part = start + np.flatnonzero(allowed[start : start + n])
            score[part] = good.log(rows[part]) - bad.log(rows[part])
        best: Points = points[np.arange(len(trials)) * n + score.reshape(-1, n).argmax(axis=1)]
        return best

    def estimates(self) -> tuple[Density, Density] | None:
        """Kernel density estimates of the good and of the bad, kept until something new is told."""
        if self._model_of != self._history.version:
            self._model, self._model_of = self._fit(), self._history.version
        return self._model

    def _fit(self) -> tuple[Density, Density] | None:
        least = self._settings.min_points or self._axes.n_varying + 1
        for resource in self._history.resources:
            best, failed = self._history.order(resource) if self._history.count(resource) >= least + 2 else ([], [])
            if len(best) >= least:
                break
        else:
            return None
        n, top = len(best) + len(failed), self._settings.top_fraction
        n_good, n_bad = max(least, math.floor(top * n)), max(least, math.floor((1.0 - top) * n))
        points, width = self._history.points(best + failed), self._settings.min_bandwidth
        return Density(self._axes, points[: min(n_good, len(best))], width), Density(self._axes, points[-n_bad:], width)
