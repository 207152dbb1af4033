"""What a sampler that learns nothing has to remember: where a draw could repeat it, what was proposed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hyperband._common.columns import from_lists, to_lists
from hyperband.space import Points, Space
from hyperband.tuning.samplers.constrained_draws import Draw, Drawer


class Proposed:
    """A `Drawer`, and the points that it must know again when its state is loaded.

    Parameters
    ----------
    space : Space
    seed : int

    Examples
    --------
    >>> from hyperband.space import Choice
    >>> proposed = Proposed(Space({"kind": Choice(["a", "b"])}), seed=0)
    >>> len(proposed.draw([0, 1, 2], proposed.drawer.random)), proposed.drawer.exhausted
    (2, True)
    """

    def __init__(self, space: Space, seed: int) -> None:
        self._space, self._seed = space, seed
        self._forget()

    def draw(self, trials: Sequence[int], draw: Draw, patience: int | None = None) -> Points:
        """See `Drawer.draw`."""
        points = self.drawer.draw(trials, draw, patience)
        self._keep(points)
        return points

    def adopt(self, points: Points) -> None:
        """Do not repeat these."""
        self.drawer.remember(points)
        self._keep(points)

    def state_dict(self) -> dict[str, Any]:
        """What was proposed, where a draw could repeat it; nothing otherwise."""
        return {"proposed": to_lists(np.concatenate(self._points)), "exhausted": self.drawer.exhausted}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self._forget()
        self.adopt(from_lists(state["proposed"], self._space.n_dimensions))
        self.drawer.exhausted = bool(state["exhausted"])

    def _forget(self) -> None:
        self.drawer = Drawer(self._space, self._seed)
        self._points: list[Points] = [np.empty((0, self._space.n_dimensions))]

    def _keep(self, points: Points) -> None:
        if self._space.draws_may_repeat:
            self._points.append(points)
