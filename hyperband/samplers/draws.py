"""Draws that obey the space: forbidden configurations are drawn again, and finite spaces give none twice.

Each draw is keyed by (trial, attempt), and a trial takes its first attempt that is allowed and new among the trials
before it; how many trials are drawn at a time does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hyperband.errors import InputError
from hyperband.randomness import CONFIGURATION, uniform
from hyperband.space import Points, Space
from hyperband.space.combinations import COUNTED, grid_blocks

#: draw(trials, attempt) -> points of the full cube, one row a trial
Draw = Callable[[Sequence[int], int], Points]

#: Attempts before a constraint counts as impossible, or a large finite space as used up.
MOST_ATTEMPTS = 10_000
#: Attempts before the rest of a small finite space is listed instead.
PATIENCE = 32


class Drawer:
    """What has been proposed so far, and how to find the next.

    Parameters
    ----------
    space : Space
    seed : int
    """

    def __init__(self, space: Space, seed: int) -> None:
        self._space, self._seed = space, seed
        self._repeats = space.repeats
        self._size = space.size if self._repeats else float("inf")
        self._seen: set[bytes] = set()
        self.exhausted = False

    def random(self, trials: Sequence[int], attempt: int) -> Points:
        """Uniform draws from the cube."""
        return uniform(self._seed, CONFIGURATION, trials, self._space.n_dimensions, attempt)

    def remember(self, points: Points) -> None:
        """These were proposed earlier, before the state was saved."""
        if self._repeats:
            self._seen.update(row.tobytes() for row in self._space.canonical(points))

    def draw(self, trials: Sequence[int], draw: Draw) -> Points:
        """One point a trial; fewer when a finite space is used up.

        Raises
        ------
        InputError
            When the constraints allow none of `MOST_ATTEMPTS` draws.
        """
        return self._new(trials, draw) if self._repeats else self._allowed(trials, draw)

    def _allowed(self, trials: Sequence[int], draw: Draw) -> Points:
        ids = np.asarray(trials, dtype=np.int64)
        points = self._space.activate(draw(ids.tolist(), 0))
        bad = np.flatnonzero(~self._space.allowed(points))
        for attempt in range(1, MOST_ATTEMPTS):
            if not len(bad):
                return points
            again = self._space.activate(draw(ids[bad].tolist(), attempt))
            points[bad] = again
            bad = bad[~self._space.allowed(again)]
        raise _nothing_fits()

    def _new(self, trials: Sequence[int], draw: Draw) -> Points:
        rows: list[Points] = []
        block = self._attempts(trials, 0, draw)
        for place, trial in enumerate(trials):
            row = self._first_new(block[place]) if len(self._seen) < self._size else None
            attempt = 1
            while row is None and len(self._seen) < self._size and attempt < MOST_ATTEMPTS:
                if attempt > PATIENCE and self._size <= COUNTED:
                    row = self._pick_from_rest(trial)
                    break
                row = self._first_new(self._attempts([trial], attempt, draw)[0])
                attempt += 1
            if row is None:
                if not self._seen and self._size > 0:
                    raise _nothing_fits()
                self.exhausted = True
                break
            self._seen.add(row.tobytes())
            rows.append(row)
        self.exhausted = self.exhausted or len(self._seen) >= self._size
        if self._size == 0:
            raise _nothing_fits()
        return np.array(rows).reshape(len(rows), self._space.n_dimensions)

    def _attempts(self, trials: Sequence[int], attempt: int, draw: Draw) -> list[Points]:
        """Canonical rows of one attempt, NaN-filled copies where forbidden are empty arrays."""
        points = self._space.canonical(self._space.activate(draw(trials, attempt)))
        good = self._space.allowed(points)
        return [points[i] if good[i] else points[i, :0] for i in range(len(points))]

    def _first_new(self, row: Points) -> Points | None:
        return row if row.size and row.tobytes() not in self._seen else None

    def _pick_from_rest(self, trial: int) -> Points | None:
        """One of the configurations that are left, by a draw of its own."""
        rest = {
            row.tobytes(): row
            for block in grid_blocks(self._space, COUNTED)
            for row in self._space.canonical(block)
            if row.tobytes() not in self._seen
        }
        if not rest:
            return None
        place = int(uniform(self._seed, CONFIGURATION, [trial], 1, MOST_ATTEMPTS)[0, 0] * len(rest))
        row: Points = list(rest.values())[place]
        return row


def _nothing_fits() -> InputError:
    return InputError(
        f"The constraints must allow some configuration; none of {MOST_ATTEMPTS} draws satisfied them. "
        "Loosen the constraints or the bounds."
    )
