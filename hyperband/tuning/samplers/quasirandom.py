"""Quasi-random search: points that fill the cube more evenly than random ones."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperband._common.philox import SCRAMBLE
from hyperband.errors import InputError
from hyperband.space import Points, Space
from hyperband.tuning.samplers.proposers import IndependentProposer
from hyperband.tuning.settings import Settings, register

if TYPE_CHECKING:
    from scipy.stats import qmc

KINDS = ("sobol", "halton")
#: Points of the sequence that are computed at a time: a power of two, for which Sobol's are balanced.
BLOCK = 256


@register
@dataclass(frozen=True, slots=True)
class QuasiRandomSampler(Settings):
    """A scrambled Sobol or Halton sequence over the cube, by SciPy.

    Every trial takes the next point of the sequence that the constraints allow and, in a finite space, that was not
    taken before. Sobol's first 2^k points are best balanced; Halton's serve any number.

    Parameters
    ----------
    kind : {"sobol", "halton"}
        Owen (1998) scrambled Sobol points with the directions of Joe & Kuo (2008), in at most 21,201 dimensions; or
        Halton points with the permutations of Owen (2017). The seed of the run decides how they are scrambled.

    Raises
    ------
    InputError
        When the kind is another, or the space has too many dimensions.

    Examples
    --------
    >>> from hyperband.space import Float
    >>> points = QuasiRandomSampler().start(Space({"x": Float(0.0, 1.0)}), seed=0).propose(range(4))
    >>> sorted((points.ravel() * 4).astype(int).tolist())
    [0, 1, 2, 3]
    """

    kind: str = "sobol"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"`kind` must be {' or '.join(map(repr, KINDS))}; got {self.kind!r}.")

    def start(self, space: Space, seed: int) -> QuasiRandomProposer:
        """A fresh proposer."""
        return QuasiRandomProposer(self.kind, space, seed)


class QuasiRandomProposer(IndependentProposer):
    """See `hyperband.tuning.samplers.base.Proposer`."""

    def __init__(self, kind: str, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._kind = kind
        # Without rejection the trials take the points one to one, so all at a time.
        self._one_to_one = not space.draws_may_repeat and not space.constraints
        self._go_to(0)

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """Points, shape (n, n_dimensions), NaN where inactive; fewer when the space is used up."""
        if self._one_to_one:
            return self.draw(trials, self._take)
        rows = [np.empty((0, self._space.n_dimensions))]
        for trial in trials:
            rows.append(self.draw([trial], self._take))
            if not len(rows[-1]):
                break
        return np.concatenate(rows)

    def own_state(self) -> dict[str, Any]:
        """How many points of the sequence were taken."""
        return {"taken": self._taken}

    def load_own_state(self, state: dict[str, Any]) -> None:
        """Inverse of `own_state`."""
        self._go_to(int(state["taken"]))

    def _go_to(self, taken: int) -> None:
        self._taken, self._engine = taken, _engine(self._kind, self._space.n_dimensions, self._seed)
        if taken >= BLOCK:
            self._engine.fast_forward(taken - taken % BLOCK)
        self._block: Points = self._engine.random(BLOCK)

    def _take(self, trials: Sequence[int], attempt: int) -> Points:
        """The next points of the sequence."""
        rows: list[Points] = []
        left = len(trials)
        while left:
            start = self._taken % BLOCK
            part = self._block[start : start + left]
            rows.append(part)
            left -= len(part)
            self._taken += len(part)
            if self._taken % BLOCK == 0:
                self._block = self._engine.random(BLOCK)
        return np.clip(np.concatenate(rows), 0.0, 1.0)


def _engine(kind: str, n_dimensions: int, seed: int) -> qmc.QMCEngine:
    from scipy.stats import qmc

    # SciPy scrambles with a random stream that has no other use; before version 1.15 it was called `seed`.
    name = "rng" if "rng" in inspect.signature(qmc.Halton).parameters else "seed"
    stream = {name: np.random.default_rng([seed, SCRAMBLE])}
    if kind == "halton":
        return qmc.Halton(n_dimensions, **stream)
    if n_dimensions > qmc.Sobol.MAXDIM:
        raise InputError(
            f"A Sobol sequence must have at most {qmc.Sobol.MAXDIM} dimensions; got {n_dimensions}. "
            "Use kind='halton', or RandomSampler()."
        )
    return qmc.Sobol(n_dimensions, **stream)
