"""Configurations that the user lists, or makes one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hyperband.errors import InputError
from hyperband.space import Points, Space
from hyperband.tuning.settings import Settings, register
from hyperband.tuning.trial import Loss


@register
@dataclass(frozen=True, slots=True)
class IterableSampler(Settings):
    """The configurations of any iterable, in its order, as given: twice where it names one twice.

    They are taken one by one when they are needed, so that a generator need not end. The search ends where the
    iterable does.

    Parameters
    ----------
    configurations : iterable of mapping of name to value
        An iterator serves one run. To continue a saved run it must give the same configurations from the beginning.

    Raises
    ------
    InputError
        When it is not iterable; at a configuration that is not of the space, or that a constraint forbids; and when an
        iterator is to serve a second run.

    Examples
    --------
    >>> from hyperband.space import Int
    >>> proposer = IterableSampler({"n": 2**k} for k in range(3)).start(Space({"n": Int(1, 4)}), seed=0)
    >>> len(proposer.propose(range(10))), proposer.exhausted
    (3, True)
    """

    configurations: Iterable[Mapping[str, Any]]
    _begun: list[bool] = field(init=False, repr=False, compare=False, default_factory=list)

    def __post_init__(self) -> None:
        if isinstance(self.configurations, Mapping | str) or not hasattr(self.configurations, "__iter__"):
            raise InputError(f"`configurations` must be an iterable of configurations; got {self.configurations!r}.")

    def setting(self, name: str) -> Any:
        """The configurations as a list, where they can be listed without an end to the iterable."""
        return list(self.configurations) if isinstance(self.configurations, Sized) else self.configurations

    def start(self, space: Space, seed: int) -> IterableProposer:
        """A fresh proposer; nothing is drawn, so the seed plays no part."""
        return IterableProposer(self, space)

    def begin(self) -> Iterator[Mapping[str, Any]]:
        """From the first configuration on."""
        found = iter(self.configurations)
        if found is self.configurations:
            if self._begun:
                raise InputError(
                    "`configurations` must be a list, or anything else that can be read again; got an "
                    "iterator that a run has begun. Make a new one."
                )
            self._begun.append(True)
        return found


class IterableProposer:
    """See `hyperband.tuning.samplers.base.Proposer`."""

    batch = 0
    pure = False

    def __init__(self, settings: IterableSampler, space: Space) -> None:
        self._settings, self._space = settings, space
        self._rest, self._taken, self._ended = settings.begin(), 0, False

    @property
    def exhausted(self) -> bool:
        """The end was reached; of a list, its last configuration was proposed."""
        listed = self._settings.configurations
        return self._ended or (isinstance(listed, Sized) and self._taken >= len(listed))

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """The next points; fewer at the end."""
        rows = [np.empty((0, self._space.n_dimensions))]
        while len(rows) <= len(trials) and not self._ended:
            configuration = next(self._rest, None)
            if configuration is None:
                self._ended = True
            else:
                rows.append(point_of(self._space, configuration, f"Configuration {self._taken}"))
                self._taken += 1
        return np.concatenate(rows)

    def adopt(self, trials: Sequence[int], points: Points) -> None:
        """What is listed is tried as it is listed."""

    def tell(self, trial: int, resource: float, loss: Loss) -> None:
        """Nothing to learn."""

    def state_dict(self) -> dict[str, Any]:
        """How many configurations were taken."""
        return {"taken": self._taken, "ended": self._ended}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken, with the same iterable."""
        taken = int(state["taken"])
        if self._taken:
            self._rest, self._taken = self._settings.begin(), 0
        for _ in range(taken):
            if next(self._rest, None) is None:
                raise InputError(
                    f"`configurations` must hold at least the {taken} that the saved run has taken; got {self._taken}. "
                    "Give the same ones from the beginning."
                )
            self._taken += 1
        self._ended = bool(state["ended"])


def point_of(space: Space, configuration: Any, name: str) -> Points:
    """The point of one configuration, shape (1, n_dimensions).

    Raises
    ------
    InputError
        When it is not of the space or a constraint forbids it; ``name`` begins the message.
    """
    if not isinstance(configuration, Mapping):
        raise InputError(f"{name} must be a mapping of names to values; got {configuration!r}.")
    try:
        point: Points = space.encode([configuration])
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    if not space.allowed(point)[0]:
        raise InputError(f"{name} must satisfy the constraints of the space; got {dict(configuration)!r}.")
    return point
