"""Adaptive selection: a coarse random search, then more points around the best ones, in rounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hyperband._common.checks import fraction, whole_number
from hyperband._common.columns import from_lists, to_lists
from hyperband._common.philox import NEIGHBOUR, uniform
from hyperband.space import Choice, Points, Space
from hyperband.tuning.pareto import ranked
from hyperband.tuning.samplers.constrained_draws import Drawer
from hyperband.tuning.settings import Settings, register
from hyperband.tuning.trial import Loss, check_objectives, is_finite, read_loss, write_loss


@register
@dataclass(frozen=True, slots=True)
class AdaptiveSampler(Settings):
    """A coarse random search, then rounds of points in shrinking neighbourhoods of the best ones.

    A round starts when every earlier configuration was evaluated at least once; what counts is its first loss, so the
    order in which later results arrive changes nothing. In round k = 1, 2, ... a configuration starts at one of the
    elite, and every number moves by at most ``shrink**k / 2`` of its axis (of the logarithm on log axes), reflected at
    the bounds; an unordered choice is drawn anew with probability ``shrink**k``. Of several objectives the elite are
    those of the first fronts, see `hyperband.tuning.pareto.ranked`.

    Parameters
    ----------
    n_coarse : int >= 1, configurations of the coarse search
    n_per_round : int >= 1
    rounds : int >= 0 or None, None: as many as are asked for
    elite : int >= 1, how many of the best are built upon
    shrink : float in (0, 1)

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> from hyperband.space import Float
    >>> proposer = AdaptiveSampler(n_coarse=2, n_per_round=2, rounds=1).start(Space({"x": Float(0.0, 1.0)}), seed=0)
    >>> len(proposer.propose(range(4)))
    2
    """

    n_coarse: int = 27
    n_per_round: int = 9
    rounds: int | None = None
    elite: int = 5
    shrink: float = 0.5

    def __post_init__(self) -> None:
        for name, least in (("n_coarse", 1), ("n_per_round", 1), ("rounds", 0), ("elite", 1)):
            if name != "rounds" or self.rounds is not None:
                object.__setattr__(self, name, whole_number(getattr(self, name), name, least))
        fraction(self.shrink, "shrink", open_=True)

    def start(self, space: Space, seed: int) -> AdaptiveProposer:
        """A fresh proposer."""
        return AdaptiveProposer(self, space, seed)


class AdaptiveProposer:
    """See `hyperband.tuning.samplers.base.Proposer`."""

    batch = 0
    pure = False

    def __init__(self, settings: AdaptiveSampler, space: Space, seed: int) -> None:
        self._settings, self._space, self._seed = settings, space, seed
        self._drawer = Drawer(space, seed)
        self._trials: list[int] = []
        self._points = np.empty((0, space.n_dimensions))
        self._adopted: list[int] = []
        self._adopted_points = self._points
        self._losses: dict[int, Loss] = {}

    @property
    def exhausted(self) -> bool:
        """All rounds were proposed, or a finite space is used up."""
        s = self._settings
        most = math.inf if s.rounds is None else s.n_coarse + s.rounds * s.n_per_round
        return self._drawer.exhausted or len(self._trials) >= most

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """Points, shape (n, n_dimensions), NaN where inactive; fewer when a round waits for the one before."""
        waiting, first = list(trials), len(self._trials)
        while waiting and not self.exhausted:
            number, left = self._round()
            if any(trial not in self._losses for trial in self._before(number)):
                break
            batch = waiting[:left]
            elite = self._elite(number)
            if len(elite):
                points = self._drawer.draw(batch, partial(self._near, elite, number))
            else:
                points = self._drawer.draw(batch, self._drawer.random)
            self._trials += batch[: len(points)]
            self._points = np.concatenate([self._points, points])
            waiting = waiting[len(points) :]
        return self._points[first:]

    def adopt(self, trials: Sequence[int], points: Points) -> None:
        """Build upon these trials, too, once all of them were evaluated, and do not repeat them."""
        self._adopted += trials
        self._adopted_points = np.concatenate([self._adopted_points, points])
        self._drawer.remember(points)

    def tell(self, trial: int, resource: float, loss: Loss) -> None:
        """The first loss of a trial counts; NaN and infinite ones are never elite."""
        if is_finite(loss):
            check_objectives(loss, next(filter(is_finite, self._losses.values()), None))
        self._losses.setdefault(trial, loss)

    def state_dict(self) -> dict[str, Any]:
        """Trials, points and first losses."""
        return {
            "trials": list(self._trials),
            "points": to_lists(self._points),
            "adopted": list(self._adopted),
            "adopted_points": to_lists(self._adopted_points),
            "losses": [[trial, write_loss(loss)] for trial, loss in sorted(self._losses.items())],
            "exhausted": self._drawer.exhausted,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self._trials, self._adopted = ([int(t) for t in state[name]] for name in ("trials", "adopted"))
        d = self._space.n_dimensions
        self._points, self._adopted_points = (from_lists(state[name], d) for name in ("points", "adopted_points"))
        self._losses = {int(trial): read_loss(loss) for trial, loss in state["losses"]}
        self._drawer = Drawer(self._space, self._seed)
        self._drawer.remember(self._points)
        self._drawer.remember(self._adopted_points)
        self._drawer.exhausted = bool(state["exhausted"])

    def _start(self, number: int) -> int:
        """Configurations before this round."""
        return self._settings.n_coarse + (number - 1) * self._settings.n_per_round if number else 0

    def _round(self) -> tuple[int, int]:
        """Round of the next configuration (0: the coarse search), and how many of it are left."""
        n, s = len(self._trials), self._settings
        if n < s.n_coarse:
            return 0, s.n_coarse - n
        number = (n - s.n_coarse) // s.n_per_round + 1
        return number, self._start(number + 1) - n

    def _before(self, number: int) -> list[int]:
        """Trials that a round builds upon: those of earlier rounds, and the adopted ones."""
        return self._adopted + self._trials[: self._start(number)] if number else []

    def _elite(self, number: int) -> Points:
        """Points of the best configurations of earlier rounds; ties by trial."""
        trials = self._before(number)
        points = np.concatenate([self._adopted_points, self._points[: self._start(number)]])
        good = [row for row, trial in enumerate(trials) if is_finite(self._losses[trial])]
        best = ranked([self._losses[trials[row]] for row in good], [trials[row] for row in good])
        return points[[good[row] for row in best[: self._settings.elite].tolist()]]

    def _near(self, elite: Points, number: int, trials: Sequence[int], attempt: int) -> Points:
        d, width = self._space.n_dimensions, self._settings.shrink**number
        u = uniform(self._seed, NEIGHBOUR, trials, 2 * d + 1, attempt)
        # Where a small finite neighbourhood is used up, later attempts reach further.
        width = min(1.0, width * (1.0 + attempt / 8.0))
        parent = elite[(u[:, 0] * len(elite)).astype(np.int64)]
        fresh, move = u[:, 1 : d + 1], u[:, d + 1 :]
        near = np.abs(parent + width * (move - 0.5))
        near = np.where(near > 1.0, 2.0 - near, near)
        for column, parameter in enumerate(self._space.parameters.values()):
            if isinstance(parameter, Choice) and not parameter.ordered:
                near[:, column] = np.where(move[:, column] < width, fresh[:, column], parent[:, column])
        return np.where(np.isnan(near), fresh, near)
