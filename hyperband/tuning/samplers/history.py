"""The memory of a sampler that learns: the point of every trial, and its losses by resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.columns import from_lists, to_lists
from hyperband.errors import InputError
from hyperband.space import Points, Space
from hyperband.tuning.pareto import ranked
from hyperband.tuning.samplers.constrained_draws import TRUST, Draw, Drawer
from hyperband.tuning.trial import Loss, check_objectives, is_finite, read_loss, write_loss

I64 = NDArray[np.int64]


class History:
    """Points by trial, losses by resource; shared by the proposers that learn.

    The points are canonical (whole numbers and choices in the middle of their bins): equal configurations are equal
    rows. ``tell`` takes constant time, amortised.

    Parameters
    ----------
    space : Space
    seed : int

    Examples
    --------
    >>> from hyperband.space import Float
    >>> history = History(Space({"x": Float(0.0, 1.0)}), seed=0)
    >>> history.adopt([0, 1], np.array([[0.25], [0.75]]))
    >>> history.tell(0, 9, 0.5)
    >>> history.tell(1, 9, 0.1)
    >>> history.best(9).ravel().tolist()
    [0.75, 0.25]
    """

    def __init__(self, space: Space, seed: int) -> None:
        self.drawer = Drawer(space, seed)
        #: How often something was told: what was derived from the history is good as long as this is the same.
        self.version = 0
        self._space, self._seed = space, seed
        self._finite: Loss | None = None  # the last loss that was finite
        self._rows: dict[int, int] = {}
        self._points: Points = np.empty((0, space.n_dimensions))
        self._told: dict[float, dict[int, Loss]] = {}
        self._ordered: dict[float, tuple[list[int], list[int]]] = {}  # see `order`, as long as nothing new is told

    def __contains__(self, trial: int) -> bool:
        return trial in self._rows

    def draw(self, trials: Sequence[int], draw: Draw) -> Points:
        """Points of new trials by `Drawer.draw`, entered as theirs; fewer when a finite space is used up."""
        points = self.drawer.draw(trials, draw, TRUST)
        self._enter(trials[: len(points)], points)
        return points

    def adopt(self, trials: Sequence[int], points: Points) -> None:
        """Enter points that were drawn elsewhere; a finite space does not give them again.

        Raises
        ------
        InputError
            When one of the trials is there already.
        """
        known = [trial for trial in trials if trial in self._rows]
        if known:
            raise InputError(f"Trials to adopt must be new; trial {known[0]} is known. Give it another number.")
        self.drawer.remember(points)
        self._enter(trials, points)

    def tell(self, trial: int, resource: float, loss: Loss) -> None:
        """Enter a loss; a second one at the same resource replaces the first.

        Raises
        ------
        InputError
            When the trial was neither drawn nor adopted, or the loss has other objectives than the others.
        """
        if trial not in self._rows:
            raise InputError(f"A result must be of a trial that was proposed; got trial {trial}. Propose it first.")
        if is_finite(loss):
            check_objectives(loss, self._finite)
            self._finite = loss
        self._told.setdefault(float(resource), {})[trial] = loss
        self._ordered.pop(float(resource), None)
        self.version += 1

    @property
    def resources(self) -> list[float]:
        """At which something was told, the largest first."""
        return sorted(self._told, reverse=True)

    def points(self, trials: Sequence[int] | I64) -> Points:
        """Points of trials, shape (n, n_dimensions)."""
        return self._points[[self._rows[trial] for trial in np.asarray(trials).tolist()]]

    def loss(self, trial: int, resource: float) -> Loss:
        """What was told of a trial at this resource."""
        return self._told[resource][trial]

    def count(self, resource: float) -> int:
        """How many trials were evaluated at this resource, failures included."""
        return len(self._told.get(resource, ()))

    def order(self, resource: float) -> tuple[list[int], list[int]]:
        """Trials evaluated at this resource: with finite losses from the best to the worst, and those that failed."""
        if resource not in self._ordered:
            told = self._told.get(resource, {})
            good = [trial for trial, loss in told.items() if is_finite(loss)]
            best = ranked([told[trial] for trial in good], good)
            self._ordered[resource] = [good[row] for row in best.tolist()], sorted(told.keys() - good)
        return self._ordered[resource]

    def best(self, resource: float, n: int | None = None) -> Points:
        """Points of the ``n`` best trials at this resource, the best first; None: of all with a finite loss."""
        return self.points(self.order(resource)[0][:n])

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        return {
            "trials": list(self._rows),
            "points": to_lists(self._points[: len(self._rows)]),
            "told": [
                [resource, [[trial, write_loss(loss)] for trial, loss in told.items()]]
                for resource, told in self._told.items()
            ],
            "exhausted": self.drawer.exhausted,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self.drawer = Drawer(self._space, self._seed)
        self._rows, self._points = {}, np.empty((0, self._space.n_dimensions))
        self.adopt([int(trial) for trial in state["trials"]], from_lists(state["points"], self._space.n_dimensions))
        self._told = {
            float(resource): {int(trial): read_loss(loss) for trial, loss in told} for resource, told in state["told"]
        }
        self._ordered = {}
        losses = (loss for told in self._told.values() for loss in told.values())
        self._finite = next(filter(is_finite, losses), None)
        self.drawer.exhausted = bool(state["exhausted"])
        self.version += 1

    def _enter(self, trials: Sequence[int], points: Points) -> None:
        start, stop = len(self._rows), len(self._rows) + len(trials)
        if stop > len(self._points):
            room = np.empty((max(stop, 2 * start), self._points.shape[1]))
            room[:start] = self._points[:start]
            self._points = room
        self._points[start:stop] = self._space.canonical(points)
        self._rows.update(zip(trials, range(start, stop), strict=True))
