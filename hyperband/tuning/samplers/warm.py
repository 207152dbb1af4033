"""A warm start: any sampler, told the trials of an earlier search, with given configurations first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hyperband.errors import InputError
from hyperband.space import Points, Space
from hyperband.tuning.samplers.base import Proposer, Sampler
from hyperband.tuning.samplers.iterable import point_of
from hyperband.tuning.samplers.prior_trials import plain_trials, read
from hyperband.tuning.settings import Settings, register
from hyperband.tuning.trial import Loss


@register
@dataclass(frozen=True, slots=True)
class WarmStartSampler(Settings):
    """Another sampler, told what is known already.

    Trials of an earlier search are not run again: a sampler that learns has them as results, and in a finite space no
    sampler proposes them again. They count at the resource at which they were evaluated, so resources and losses must
    mean the same in both searches. Configurations in ``start_with`` are the first trials of the new search, as given;
    the sampler learns from them like from its own.

    Parameters
    ----------
    sampler : Sampler
        Any that follows `hyperband.tuning.samplers.base.Proposer`.
    trials : SearchResult, TrialTable, or list of (configuration, resource, loss)
        Or any mapping of columns, or a data frame, with ``resource``, ``loss`` and one for each parameter, such as
        ``result.trials.to_pandas()``, or the ``trials.csv`` of ``hyperband search`` as pandas or polars reads it. A
        loss of several objectives is a tuple (of columns: ``objective_0``, ``objective_1``, ...); one that is not
        finite is a trial that failed. Tables have fewer types than the options of a `Choice`: 3.0 and "3" stand for the
        option 3, a list or a text of it for a tuple, and a missing value for None, or for a text such as "NA", where
        the parameter is active.
    start_with : iterable of configurations
    outside : {"refuse", "leave out"}
        What happens to earlier trials that the space does not hold, because a parameter or a bound has changed.

    Raises
    ------
    InputError
        When an argument has another form, the sampler cannot adopt, a value of a table stands for several options, or,
        with ``outside="refuse"``, an earlier trial is not of the space; always when a configuration to start with is
        not, or a constraint forbids it.

    Examples
    --------
    >>> from hyperband.tuning.samplers import RandomSampler
    >>> from hyperband.space import Choice
    >>> space = Space({"kind": Choice(["a", "b", "c", "d"])})
    >>> sampler = WarmStartSampler(RandomSampler(), [({"kind": "b"}, 1, 0.5)], start_with=[{"kind": "d"}])
    >>> [c["kind"] for c in space.decode(sampler.start(space, seed=0).propose(range(4)))]
    ['d', 'c', 'a']
    """

    sampler: Sampler
    trials: Any = ()
    start_with: Iterable[Mapping[str, Any]] = ()
    outside: str = "refuse"

    def __post_init__(self) -> None:
        if not hasattr(self.sampler, "start"):
            raise InputError(f"`sampler` must be a sampler such as KDESampler(); got {self.sampler!r}.")
        if self.outside not in ("refuse", "leave out"):
            raise InputError(f"`outside` must be 'refuse' or 'leave out'; got {self.outside!r}.")
        if isinstance(self.start_with, Mapping | str) or not hasattr(self.start_with, "__iter__"):
            raise InputError(f"`start_with` must be a list of configurations; got {self.start_with!r}.")
        object.__setattr__(self, "start_with", tuple(self.start_with))

    def setting(self, name: str) -> Any:
        """Earlier trials as a list of rows or a mapping of columns, in plain data; the other settings as they are."""
        return plain_trials(self.trials) if name == "trials" else getattr(self, name)

    def start(self, space: Space, seed: int) -> WarmStartProposer:
        """A fresh proposer of the sampler that has adopted the earlier trials."""
        proposer = self.sampler.start(space, seed)
        if not hasattr(proposer, "adopt"):
            raise InputError(f"`sampler` must offer adopt(trials, points) to start warm; got {self.sampler!r}.")
        first = [point_of(space, c, f"Configuration {i} of `start_with`") for i, c in enumerate(self.start_with)]
        known = read(self.trials, space, self.outside == "leave out")
        fresh = {number: row for row, number in reversed(list(enumerate(known.numbers)))}
        proposer.adopt(sorted(fresh), known.points[[fresh[number] for number in sorted(fresh)]])
        for number, resource, loss in zip(known.numbers, known.resources, known.losses, strict=True):
            proposer.tell(number, resource, loss)
        return WarmStartProposer(proposer, np.concatenate([np.empty((0, space.n_dimensions)), *first]), len(fresh))


class WarmStartProposer:
    """See `hyperband.tuning.samplers.base.Proposer`."""

    pure = False

    def __init__(self, inner: Proposer, first: Points, n_earlier: int) -> None:
        self.batch = inner.batch
        self.inner, self._first, self._n_earlier = inner, first, n_earlier
        self._begun = 0

    @property
    def exhausted(self) -> bool:
        """All configurations to start with were proposed, and the sampler has no more."""
        return self._begun >= len(self._first) and self.inner.exhausted

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """What to start with, then what the sampler proposes."""
        given = self._first[self._begun : self._begun + len(trials)]
        n = len(given)
        if n:
            self.inner.adopt(trials[:n], given)
            self._begun += n
        if n == len(trials):
            return given
        rest = self.inner.propose(trials[n:], None if resources is None else resources[n:])
        return np.concatenate([given, rest])

    def adopt(self, trials: Sequence[int], points: Points) -> None:
        """Hand on; trials of searches before this one's earlier trials get the numbers below theirs."""
        self.inner.adopt([self._number(trial) for trial in trials], points)

    def tell(self, trial: int, resource: float, loss: Loss) -> None:
        """Hand on."""
        self.inner.tell(self._number(trial), resource, loss)

    def state_dict(self) -> dict[str, Any]:
        """The sampler's state, the earlier trials in it, and how many were started with."""
        return {"begun": self._begun, "n_earlier": self._n_earlier, "inner": self.inner.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self.inner.load_state_dict(state["inner"])
        self._begun = int(state["begun"])
        self._n_earlier = int(state["n_earlier"])

    def _number(self, trial: int) -> int:
        return trial if trial >= 0 else trial - self._n_earlier
