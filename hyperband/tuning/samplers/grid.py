"""Grid search: evenly spaced points of the hypercube."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hyperband._common.columns import from_lists, to_lists
from hyperband.errors import InputError
from hyperband.space import Points, Space
from hyperband.space.combinations import grid_blocks
from hyperband.tuning.settings import Settings, register
from hyperband.tuning.trial import Loss


@register
@dataclass(frozen=True, slots=True)
class GridSampler(Settings):
    """Every combination of evenly spaced points, the last parameter fastest; log axes are even in the logarithm.

    Whole numbers and choices with fewer values than points give each value once; combinations that conditions make
    equal, or that constraints forbid, are left out.

    Parameters
    ----------
    points : int or mapping of parameter name to int
        Points on every axis, or on each by name; others stay at their default.

    Examples
    --------
    >>> from hyperband.space import Float
    >>> proposer = GridSampler(3).start(Space({"x": Float(0.01, 1.0, log=True)}), seed=0)
    >>> proposer.propose(range(9)).ravel().tolist(), proposer.exhausted
    ([0.0, 0.5, 1.0], True)
    """

    points: int | Mapping[str, int] = 3

    def start(self, space: Space, seed: int) -> GridProposer:
        """A fresh proposer; nothing is drawn, so the seed plays no part."""
        return GridProposer(space, self.points)

    def size(self, space: Space) -> int:
        """How many configurations the grid has on this space, at least one.

        Raises
        ------
        InputError
            When the constraints allow none of them.
        """
        n = sum(len(block) for block in grid_blocks(space, self.points))
        if not n:
            raise _no_point()
        return n


class GridProposer:
    """See `hyperband.tuning.samplers.base.Proposer`."""

    batch = 0
    pure = False

    def __init__(self, space: Space, points: int | Mapping[str, int]) -> None:
        self._space, self._points = space, points
        self._adopted: dict[bytes, Points] = {}
        self._rewind(0)
        if self._next is None:
            raise _no_point()

    def _rewind(self, handed_out: int) -> None:
        self._rows = (row for block in grid_blocks(self._space, self._points) for row in block)
        self._handed_out = handed_out
        for _ in range(handed_out):
            next(self._rows, None)
        self._advance()

    @property
    def exhausted(self) -> bool:
        """Every point was proposed."""
        return self._next is None

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """The next points of the grid, in order; fewer at its end."""
        rows: list[Points] = []
        while self._next is not None and len(rows) < len(trials):
            rows.append(self._next)
            self._handed_out += 1
            self._advance()
        return np.array(rows).reshape(len(rows), self._space.n_dimensions)

    def adopt(self, trials: Sequence[int], points: Points) -> None:
        """Leave these out from now on."""
        self._adopted.update((row.tobytes(), row) for row in self._space.canonical(points))
        if self._next is not None and self._is_adopted(self._next):
            self._handed_out += 1
            self._advance()

    def tell(self, trial: int, resource: float, loss: Loss) -> None:
        """Nothing to learn."""

    def state_dict(self) -> dict[str, Any]:
        """How many points of the grid are over, and what to leave out of the rest."""
        return {"handed_out": self._handed_out, "adopted": to_lists(np.array(list(self._adopted.values())))}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        adopted = from_lists(state["adopted"], self._space.n_dimensions)
        self._adopted = {row.tobytes(): row for row in adopted}
        self._rewind(int(state["handed_out"]))

    def _advance(self) -> None:
        """Look for the next point that was not adopted."""
        self._next = next(self._rows, None)
        while self._next is not None and self._is_adopted(self._next):
            self._handed_out += 1
            self._next = next(self._rows, None)

    def _is_adopted(self, row: Points) -> bool:
        return bool(self._adopted) and self._space.canonical(row[None])[0].tobytes() in self._adopted


def _no_point() -> InputError:
    return InputError("The constraints must allow some point of the grid; got none. Take more points.")
