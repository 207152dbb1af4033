"""What the proposers share: those that do not learn, and those that learn from every result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from hyperband._common.columns import from_lists, to_lists
from hyperband.space import Points, Space
from hyperband.tuning.samplers.constrained_draws import Draw, Drawer
from hyperband.tuning.samplers.history import History
from hyperband.tuning.trial import Loss


class IndependentProposer(ABC):
    """A proposer that does not learn: where a draw could repeat a configuration, it remembers what was proposed.

    See `hyperband.tuning.samplers.base.Proposer`. A class that inherits from it writes ``propose``, and what else it
    must remember, as ``own_state`` and ``load_own_state``.

    Parameters
    ----------
    space : Space
    seed : int
    pure : bool, see `hyperband.tuning.samplers.base.Proposer`
    """

    batch = 0

    def __init__(self, space: Space, seed: int, *, pure: bool = False) -> None:
        self.pure = pure
        self._space, self._seed = space, seed
        self._drawer = Drawer(space, seed)
        self._points: list[Points] = []

    @property
    def exhausted(self) -> bool:
        """A finite space is used up."""
        return self._drawer.exhausted

    @abstractmethod
    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """Points, shape (n, n_dimensions), NaN where inactive; fewer when the space is used up."""

    def draw(self, trials: Sequence[int], draw: Draw, patience: int | None = None) -> Points:
        """Points of new trials by `Drawer.draw`, remembered."""
        points = self._drawer.draw(trials, draw, patience)
        self._keep(points)
        return points

    def adopt(self, trials: Sequence[int], points: Points) -> None:
        """Do not repeat these."""
        self._drawer.remember(points)
        self._keep(points)

    def tell(self, trial: int, resource: float, loss: Loss) -> None:  # noqa: B027  (nothing, on purpose)
        """Nothing to learn."""

    def state_dict(self) -> dict[str, Any]:
        """What was proposed, where a draw could repeat it; nothing otherwise."""
        points = np.concatenate([np.empty((0, self._space.n_dimensions)), *self._points])
        return {"proposed": to_lists(points), "exhausted": self._drawer.exhausted, **self.own_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self._drawer, self._points = Drawer(self._space, self._seed), []
        self.adopt([], from_lists(state["proposed"], self._space.n_dimensions))
        self._drawer.exhausted = bool(state["exhausted"])
        self.load_own_state(state)

    def own_state(self) -> dict[str, Any]:
        """What an inheriting class remembers, as plain data."""
        return {}

    def load_own_state(self, state: dict[str, Any]) -> None:  # noqa: B027  (nothing, on purpose)
        """Inverse of `own_state`."""

    def _keep(self, points: Points) -> None:
        if self._space.draws_may_repeat:
            self._points.append(points)


class LearningProposer(ABC):
    """A proposer that uses every result, in a `History`.

    See `hyperband.tuning.samplers.base.Proposer`. A class that inherits from it writes ``propose``, what follows from a
    result at once (``learn``), and what else it must remember.

    Parameters
    ----------
    space : Space
    seed : int
    batch : int >= 1, see `hyperband.tuning.samplers.base.Proposer`
    """

    pure = False

    def __init__(self, space: Space, seed: int, batch: int) -> None:
        self.batch = batch
        self._space, self._seed = space, seed
        self._history = History(space, seed)

    @property
    def exhausted(self) -> bool:
        """A finite space is used up."""
        return self._history.drawer.exhausted

    @abstractmethod
    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """Points, shape (n, n_dimensions), NaN where inactive; fewer when the space is used up."""

    def adopt(self, trials: Sequence[int], points: Points) -> None:
        """Learn from these trials, too, and do not repeat them."""
        self._history.adopt(trials, points)

    def tell(self, trial: int, resource: float, loss: Loss) -> None:
        """Enter a result."""
        self._history.tell(trial, resource, loss)
        self.learn(trial, float(resource), loss)

    def state_dict(self) -> dict[str, Any]:
        """The history; models follow from it."""
        return {"history": self._history.state_dict(), **self.own_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self._history.load_state_dict(state["history"])
        self.load_own_state(state)

    def learn(self, trial: int, resource: float, loss: Loss) -> None:  # noqa: B027  (nothing, on purpose)
        """What changes at once with a result that is in the history now."""

    def own_state(self) -> dict[str, Any]:
        """What an inheriting class remembers, as plain data."""
        return {}

    def load_own_state(self, state: dict[str, Any]) -> None:  # noqa: B027  (nothing, on purpose)
        """Inverse of `own_state`."""
