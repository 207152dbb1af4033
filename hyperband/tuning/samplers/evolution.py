"""DEHB's sampler: differential evolution with one population a resource, each learning from the one below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hyperband._common.checks import fraction, positive, whole_number
from hyperband._common.philox import EVOLUTION, uniform
from hyperband.space import Points, Space
from hyperband.tuning.pareto import ranked
from hyperband.tuning.samplers.history import History
from hyperband.tuning.trial import Loss, is_finite

#: Parents of a mutant in rand/1, and the fewest places of a population.
PARENTS, FEWEST = 3, 4


@dataclass(frozen=True, slots=True)
class EvolutionSampler:
    """Differential evolution by resource (Awad, Mallik, Hutter 2021, "DEHB", Algorithms 2 to 4; DE/rand/1/bin).

    Every resource has a population of places, which offspring challenge in turn: the mutant ``a + mutation (b - c)``
    gives each coordinate to the offspring with probability ``crossover``, and one always; the target, who sits in the
    place, gives the others. When the offspring's loss is told it takes the place of whoever is there by then unless it
    is worse. The parents a, b, c are drawn from the best results at the next lower resource, as many as the population
    has places; at the lowest resource from the population itself. Where there are fewer than three, members of all
    populations join in. Coordinates that leave the cube are drawn anew.

    The target of an empty place is one of those parents; at the lowest resource an empty place is filled at random. A
    trial that was promoted enters the population of the resource that it was promoted to: an empty place, or that of
    the worst unless it is worse still. Whole numbers and choices are binned axes of the cube as in the paper; a value
    that is switched off is drawn uniformly where a mutant needs it.

    The authors give a population as many places as Hyperband has trials at a rung. A sampler does not know the rungs:
    at resource r there are ``population sqrt(lowest / r)`` places, at least 4, close to Hyperband's numbers.

    Parameters
    ----------
    population : int >= 4 or None
        Places at the lowest resource; None: ``max(16, 2 d)`` for d axes.
    mutation : float > 0, the factor F
    crossover : float in [0, 1], the probability p
    batch : int >= 1
        Trials that are proposed from one state of the populations where the scheduler is synchronous.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> from hyperband.space import Float
    >>> proposer = EvolutionSampler(population=10).start(Space({"x": Float(0.0, 1.0)}), seed=0)
    >>> proposer.propose(range(8), [1] * 8).shape
    (8, 1)
    """

    population: int | None = None
    mutation: float = 0.5
    crossover: float = 0.5
    batch: int = 8

    def __post_init__(self) -> None:
        if self.population is not None:
            object.__setattr__(self, "population", whole_number(self.population, "population", FEWEST))
        object.__setattr__(self, "batch", whole_number(self.batch, "batch"))
        positive(self.mutation, "mutation")
        fraction(self.crossover, "crossover")

    def start(self, space: Space, seed: int) -> EvolutionProposer:
        """A fresh proposer."""
        return EvolutionProposer(self, space, seed)


class _Population:
    """Places of one resource: who sits there, and whose turn it is."""

    def __init__(self, n_places: int) -> None:
        self.members: list[int | None] = [None] * n_places
        self.challengers: dict[int, int] = {}  # trials in flight, and the places they were made for
        self.turn = 0

    def challenge(self, trial: int) -> int:
        """The place that the next offspring is made for."""
        place = self.turn
        self.turn = (place + 1) % len(self.members)
        self.challengers[trial] = place
        return place

    def trials(self) -> list[int]:
        return [trial for trial in self.members if trial is not None]

    def free(self) -> int | None:
        """An empty place for which no offspring is on its way."""
        taken = set(self.challengers.values())
        empty = (place for place, trial in enumerate(self.members) if trial is None and place not in taken)
        return next(empty, None)


class EvolutionProposer:
    """See `hyperband.tuning.samplers.base.Adopter`."""

    def __init__(self, settings: EvolutionSampler, space: Space, seed: int) -> None:
        self.batch = settings.batch
        self._settings, self._space, self._seed = settings, space, seed
        self._history = History(space, seed)
        self._n_places = settings.population or max(16, 2 * space.n_dimensions)
        self._populations: dict[float, _Population] = {}

    @property
    def exhausted(self) -> bool:
        """A finite space is used up."""
        return self._history.drawer.exhausted

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """Points, shape (n, n_dimensions), NaN where inactive; fewer when the space is used up.

        Without ``resources`` all trials belong to one population, that of the lowest resource so far.
        """
        found, lowest = [np.empty((0, self._space.n_dimensions))], min(self._populations, default=1.0)
        for row, trial in enumerate(trials):
            resource = lowest if resources is None else float(resources[row])
            point = self._offspring(trial, resource)
            found.append(point)
            if not len(point):
                break
        return np.concatenate(found)

    def adopt(self, trials: Sequence[int], points: Points) -> None:
        """Learn from these trials, too, and do not repeat them."""
        self._history.adopt(trials, points)

    def tell(self, trial: int, resource: float, loss: Loss) -> None:
        """Selection: the trial takes a place in the population of this resource, or is forgotten."""
        resource = float(resource)
        self._history.tell(trial, resource, loss)
        population = self._population(resource)
        place = population.challengers.pop(trial, None)
        if trial in population.members:
            if not is_finite(loss):  # judged again, and failed
                population.members[population.members.index(trial)] = None
            return
        if not is_finite(loss):
            return
        if place is None:
            place = population.free()
        if place is None and not population.trials():
            return  # every place waits for its first offspring
        if place is None:
            there = population.trials()
            worst = there[ranked([self._history.loss(other, resource) for other in there], there)[-1]]
            place = population.members.index(worst)
        sitting = population.members[place]
        if sitting is None or not _worse(loss, self._history.loss(sitting, resource)):
            population.members[place] = trial

    def state_dict(self) -> dict[str, Any]:
        """The history, and every population."""
        populations = [
            {
                "resource": resource,
                "members": list(population.members),
                "challengers": [[trial, place] for trial, place in population.challengers.items()],
                "turn": population.turn,
            }
            for resource, population in self._populations.items()
        ]
        return {"history": self._history.state_dict(), "populations": populations}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self._history.load_state_dict(state["history"])
        self._populations = {}
        for written in state["populations"]:
            population = self._populations[float(written["resource"])] = _Population(len(written["members"]))
            population.members = [None if trial is None else int(trial) for trial in written["members"]]
            population.challengers = {int(trial): int(place) for trial, place in written["challengers"]}
            population.turn = int(written["turn"])

    def _population(self, resource: float) -> _Population:
        if resource not in self._populations:
            lowest = min(self._populations, default=resource)
            share = math.sqrt(lowest / resource) if resource > lowest else 1.0
            self._populations[resource] = _Population(max(FEWEST, round(self._n_places * share)))
        return self._populations[resource]

    def _offspring(self, trial: int, resource: float) -> Points:
        """The next trial of a population, shape (1, n_dimensions), or (0, n_dimensions) in a space that is used up."""
        population = self._population(resource)
        sitting, parents = population.members[population.turn], self._parents(resource)
        if sitting is not None:
            target = self._history.points([sitting])[0]
        elif resource > min(self._populations) and len(parents) >= PARENTS:
            target = parents[population.turn % len(parents)]
        else:
            target = None
        draw = self._history.drawer.random if target is None else partial(self._evolve, target, parents)
        point = self._history.draw([trial], draw)
        if len(point):
            population.challenge(trial)
        return point

    def _parents(self, resource: float) -> Points:
        """Points that mutants of this resource are made of, shape (n, n_dimensions)."""
        below = max((r for r in self._history.resources if r < resource), default=None)
        if below is not None:
            pool = self._history.order(below)[0][: len(self._population(resource).members)]
        else:
            pool = self._population(resource).trials()
        if len(pool) < PARENTS:
            everyone = {trial for population in self._populations.values() for trial in population.trials()}
            pool = pool + sorted(everyone.difference(pool))
        return self._history.points(pool)

    def _evolve(self, target: Points, parents: Points, trials: Sequence[int], attempt: int) -> Points:
        """Mutation and crossover for one trial, shape (1, n_dimensions)."""
        fresh: Points = self._history.drawer.random(trials, attempt)[0]
        d = len(fresh)
        u = uniform(self._seed, EVOLUTION, trials, PARENTS + 1 + (PARENTS + 2) * d, attempt)[0]
        picks, forced, rest = u[:PARENTS], int(u[PARENTS] * d), u[PARENTS + 1 :].reshape(-1, d)
        # A random point stands in for a parent that is missing, and for values that are switched off.
        known = [parents[row] if row >= 0 else rest[place] for place, row in enumerate(_distinct(picks, len(parents)))]
        a, b, c = np.where(np.isnan(known), rest[:PARENTS], known)
        mutant = a + self._settings.mutation * (b - c)
        mutant = np.where((mutant >= 0.0) & (mutant <= 1.0), mutant, rest[PARENTS])
        taken = rest[PARENTS + 1] < self._settings.crossover
        taken[forced] = True
        return np.where(taken, mutant, np.where(np.isnan(target), fresh, target))[None]


def _distinct(u: Points, n: int) -> list[int]:
    """So many different numbers below n by these uniform draws; -1 where there are no more."""
    left = list(range(n))
    return [left.pop(int(v * len(left))) if left else -1 for v in u.tolist()]


def _worse(loss: Loss, other: Loss) -> bool:
    """Whether the other is at least as good in every objective, and better in one."""
    a, b = np.atleast_1d(loss), np.atleast_1d(other)
    return bool((b <= a).all() and (b < a).any())
