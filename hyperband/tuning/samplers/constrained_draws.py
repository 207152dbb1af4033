"""Draws that obey the space: forbidden configurations are drawn again, and finite spaces give none twice.

Each draw is keyed by (trial, attempt), and a trial takes its first attempt that is allowed and new among the trials
before it; how many trials are drawn at a time does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyperband._common.philox import CONFIGURATION, uniform
from hyperband.errors import InputError
from hyperband.space import Points, Space
from hyperband.space.combinations import COUNTED, grid_blocks

#: draw(trials, attempt) -> points of the full cube, one row a trial
Draw = Callable[[Sequence[int], int], Points]

#: Attempts of one trial before a constraint counts as impossible, or a large finite space as used up.
MOST_ATTEMPTS = 10_000
#: Attempts before the rest of a small finite space is listed instead; and, where every trial still lacks a
#: configuration, before the search continues for the first of them alone.
PATIENCE = 32
#: Attempts of a model or a prior before a trial is drawn uniformly.
TRUST = 16
#: Rows that are drawn at a time when few trials are left.
_AT_ONCE = 4096

Ids = NDArray[np.int64]


class Drawer:
    """What has been proposed so far, and how to find the next.

    Parameters
    ----------
    space : Space
    seed : int
    """

    def __init__(self, space: Space, seed: int) -> None:
        self._space, self._seed = space, seed
        self._repeats = space.draws_may_repeat
        self._size = space.size if self._repeats else float("inf")
        self._seen: set[bytes] = set()
        self._rest: _Rest | None = None
        self.exhausted = False

    def random(self, trials: Sequence[int] | Ids, attempt: int | Ids) -> Points:
        """Uniform draws from the cube; an attempt for all, or one for each."""
        return uniform(self._seed, CONFIGURATION, trials, self._space.n_dimensions, attempt)

    def remember(self, points: Points) -> None:
        """These were proposed earlier, before the state was saved."""
        if self._repeats:
            for row in self._space.canonical(points):
                self._add(row)

    def draw(self, trials: Sequence[int], draw: Draw, patience: int | None = None) -> Points:
        """One point a trial; fewer when a finite space is used up.

        Parameters
        ----------
        trials : sequence of int
        draw : callable, the points of one attempt
        patience : int, optional
            So many attempts by ``draw``; later ones are `random`, which is quick.

        Raises
        ------
        InputError
            When the constraints allow none of `MOST_ATTEMPTS` draws.
        """
        if not len(trials):
            return np.empty((0, self._space.n_dimensions))
        if patience is not None:
            draw = _Patient(draw, self.random, patience)
        if self._repeats:
            return self._new(trials, draw)
        found = self._first_allowed(trials, MOST_ATTEMPTS, draw)
        if (found.attempts == MOST_ATTEMPTS).any():
            raise _nothing_fits()
        return found.points

    def _first_allowed(self, trials: Sequence[int], limit: int, draw: Draw) -> _Attempted:
        """The first allowed point of each trial, and its attempt: ``limit`` where none of so many is."""
        points = self._space.activate(draw(trials, 0))
        missing = np.flatnonzero(~self._space.allowed(points))
        found = _Attempted(np.asarray(trials, dtype=np.int64), points, np.zeros(len(points), dtype=np.int64))
        found.attempts[missing] = limit
        soon = min(PATIENCE, limit)
        missing = self._search(found, missing, (1, soon), draw)
        if len(missing) == len(points):  # where nothing fits, this is found out for one trial, not for thousands
            if len(self._search(found, missing[:1], (soon, limit), draw)):
                return found
            missing = missing[1:]
        self._search(found, missing, (soon, limit), draw)
        return found

    def _search(self, attempted: _Attempted, missing: Ids, attempts: tuple[int, int], draw: Draw) -> Ids:
        """Give these rows their first allowed point of a range of attempts; returns the rows without one."""
        attempt, limit = attempts
        while attempt < limit and len(missing):
            points, good = self._tries(attempted.trials[missing], (attempt, limit), draw)
            found, first = good.any(axis=1), good.argmax(axis=1)
            attempted.points[missing[found]] = points[found, first[found]]
            attempted.attempts[missing[found]] = attempt + first[found]
            missing = missing[~found]
            attempt += good.shape[1]
        return missing

    def _tries(self, trials: Ids, attempts: tuple[int, int], draw: Draw) -> tuple[Points, NDArray[np.bool_]]:
        """Some next attempts of trials: points, shape (trials, attempts, n_dimensions), and which are allowed."""
        n, (first, limit) = len(trials), attempts
        uniformly = draw == self.random or (isinstance(draw, _Patient) and first >= draw.patience)
        many = min(max(1, _AT_ONCE // n), limit - first) if uniformly else 1
        if many == 1:
            points = draw(trials.tolist(), first)
        else:
            points = self.random(np.repeat(trials, many), np.tile(np.arange(first, first + many), n))
        points = self._space.activate(points)
        return points.reshape(n, many, -1), self._space.allowed(points).reshape(n, many)

    def _new(self, trials: Sequence[int], draw: Draw) -> Points:
        if self._size == 0:
            raise _nothing_fits()
        limit = PATIENCE + 1 if self._size <= COUNTED else MOST_ATTEMPTS
        rows: list[Points] = []
        if len(self._seen) < self._size:
            drawn = self._first_allowed(trials, limit, draw)
            points = self._space.canonical(drawn.points)
            for i, trial in enumerate(trials):
                row = self._first_new(trial, points[i], (int(drawn.attempts[i]), limit), draw)
                if row is None:
                    break
                self._add(row)
                rows.append(row)
        if not self._seen:
            raise _nothing_fits()
        self.exhausted = self.exhausted or len(rows) < len(trials) or len(self._seen) >= self._size
        return np.array(rows).reshape(len(rows), self._space.n_dimensions)

    def _first_new(self, trial: int, row: Points, attempts: tuple[int, int], draw: Draw) -> Points | None:
        """The first allowed row that was not proposed yet, given the first allowed one and its attempt."""
        if len(self._seen) >= self._size:
            return None
        attempt, limit = attempts
        if attempt < limit and row.tobytes() not in self._seen:
            return row
        attempt += 1
        while attempt < limit:
            points, good = self._tries(np.array([trial]), (attempt, min(limit, attempt + PATIENCE)), draw)
            new: Points
            for new in self._space.canonical(points[good]):
                if new.tobytes() not in self._seen:
                    return new
            attempt += good.shape[1]
        return self._pick_from_rest(trial) if self._size <= COUNTED else None

    def _add(self, row: Points) -> None:
        key = row.tobytes()
        self._seen.add(key)
        if self._rest is not None:
            self._rest.remove(key)

    def _pick_from_rest(self, trial: int) -> Points | None:
        """One of the configurations that are left, by a draw of its own."""
        if self._rest is None:
            blocks = [self._space.canonical(block) for block in grid_blocks(self._space, COUNTED)]
            self._rest = _Rest(np.concatenate(blocks), self._seen)
        return self._rest.pick(float(uniform(self._seed, CONFIGURATION, [trial], 1, MOST_ATTEMPTS)[0, 0]))


@dataclass(frozen=True, slots=True)
class _Patient:
    """Some attempts by one draw, the rest at random."""

    draw: Draw
    random: Draw
    patience: int

    def __call__(self, trials: Sequence[int], attempt: int) -> Points:
        return (self.draw if attempt < self.patience else self.random)(trials, attempt)


@dataclass(frozen=True, slots=True)
class _Attempted:
    """Trials, their points, shape (n, n_dimensions), and the attempts that gave them."""

    trials: Ids
    points: Points
    attempts: Ids


class _Rest:
    """What is left of a small finite space, in the order of its grid."""

    def __init__(self, rows: Points, seen: set[bytes]) -> None:
        self._rows = rows
        self._row = {row.tobytes(): number for number, row in enumerate(rows)}
        self._left = np.array([key not in seen for key in self._row], dtype=np.bool_)

    def remove(self, key: bytes) -> None:
        if key in self._row:
            self._left[self._row[key]] = False

    def pick(self, u: float) -> Points | None:
        left = np.flatnonzero(self._left)
        if not len(left):
            return None
        row: Points = self._rows[left[int(u * len(left))]]
        return row


def _nothing_fits() -> InputError:
    return InputError(
        f"The constraints must allow some configuration; none of {MOST_ATTEMPTS} draws satisfied them. "
        "Loosen the constraints or the bounds."
    )
