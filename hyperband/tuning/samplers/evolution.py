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
from hyperband.tuning.samplers.proposers import LearningProposer
from hyperband.tuning.settings import Settings, register
from hyperband.tuning.trial import Loss, is_finite

#: Parents of a mutant in rand/1, and the fewest slots of a population.
PARENTS, FEWEST = 3, 4


@register
@dataclass(frozen=True, slots=True)
class EvolutionSampler(Settings):
    """Differential evolution by resource (Awad, Mallik, Hutter 2021, "DEHB", Algorithms 2 to 4; DE/rand/1/bin).

    Every resource has a population of slots, which offspring challenge in turn: the mutant ``a + mutation (b - c)``
    gives each coordinate to the offspring with probability ``crossover``, and one always; the target, which is the
    member in the slot, gives the others. When the offspring's loss is told it replaces the member that is in the slot
    by then, unless it is worse. The parents a, b, c are drawn from the best results at the next lower resource, as
    many as the population has slots; at the lowest resource from the population itself. Where there are fewer than
    three, the members of all populations are added. Coordinates that leave the cube are drawn again.

    The target of an empty slot is one of those parents; at the lowest resource an empty slot is filled at random. A
    trial that was promoted enters the population of the resource that it was promoted to: an empty slot, or that of
    the worst unless it is worse still. Whole numbers and choices are binned axes of the cube as in the paper; a value
    that is inactive is drawn uniformly where a mutant needs it.

    The authors give a population as many slots as Hyperband has trials at a rung. A sampler does not know the rungs:
    at resource r there are ``population sqrt(lowest / r)`` slots, at least 4, close to Hyperband's numbers.

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
    """The slots of one resource: their members, and which slot is next."""

    def __init__(self, n_slots: int) -> None:
        self.members: list[int | None] = [None] * n_slots
        self.challengers: dict[int, int] = {}  # trials in flight, and the slots they were made for
        self.turn = 0

    def challenge(self, trial: int) -> int:
        """The slot that the next offspring is made for."""
        slot = self.turn
        self.turn = (slot + 1) % len(self.members)
        self.challengers[trial] = slot
        return slot

    def trials(self) -> list[int]:
        return [trial for trial in self.members if trial is not None]

    def free(self) -> int | None:
        """An empty slot for which no offspring is being evaluated."""
        taken = set(self.challengers.values())
        empty = (slot for slot, trial in enumerate(self.members) if trial is None and slot not in taken)
        return next(empty, None)


class EvolutionProposer(LearningProposer):
    """See `hyperband.tuning.samplers.base.Proposer`."""

    def __init__(self, settings: EvolutionSampler, space: Space, seed: int) -> None:
        super().__init__(space, seed, settings.batch)
        self._settings = settings
        self._n_slots = settings.population or max(16, 2 * space.n_dimensions)
        self.populations: dict[float, _Population] = {}

    def propose(self, trials: Sequence[int], resources: Sequence[float] | None = None) -> Points:
        """Points, shape (n, n_dimensions), NaN where inactive; fewer when the space is used up.

        Without ``resources`` all trials belong to one population, that of the lowest resource so far.
        """
        found, lowest = [np.empty((0, self._space.n_dimensions))], min(self.populations, default=1.0)
        for row, trial in enumerate(trials):
            resource = lowest if resources is None else float(resources[row])
            point = self._offspring(trial, resource)
            found.append(point)
            if not len(point):
                break
        return np.concatenate(found)

    def learn(self, trial: int, resource: float, loss: Loss) -> None:
        """Selection: the trial takes a slot in the population of this resource, or is forgotten."""
        population = self._population(resource)
        slot = population.challengers.pop(trial, None)
        if trial in population.members:
            if not is_finite(loss):  # evaluated again, and failed
                population.members[population.members.index(trial)] = None
            return
        if not is_finite(loss):
            return
        if slot is None:
            slot = population.free()
        if slot is None and not population.trials():
            return  # every slot waits for its first offspring
        if slot is None:
            there = population.trials()
            worst = there[ranked([self._history.loss(other, resource) for other in there], there)[-1]]
            slot = population.members.index(worst)
        member = population.members[slot]
        if member is None or not _worse(loss, self._history.loss(member, resource)):
            population.members[slot] = trial

    def own_state(self) -> dict[str, Any]:
        """Every population."""
        populations = [
            {
                "resource": resource,
                "members": list(population.members),
                "challengers": [[trial, slot] for trial, slot in population.challengers.items()],
                "turn": population.turn,
            }
            for resource, population in self.populations.items()
        ]
        return {"populations": populations}

    def load_own_state(self, state: dict[str, Any]) -> None:
        """Inverse of `own_state`."""
        self.populations = {}
        for written in state["populations"]:
            population = self.populations[float(written["resource"])] = _Population(len(written["members"]))
            population.members = [None if trial is None else int(trial) for trial in written["members"]]
            population.challengers = {int(trial): int(slot) for trial, slot in written["challengers"]}
            population.turn = int(written["turn"])

    def _population(self, resource: float) -> _Population:
        if resource not in self.populations:
            lowest = min(self.populations, default=resource)
            share = math.sqrt(lowest / resource) if resource > lowest else 1.0
            self.populations[resource] = _Population(max(FEWEST, round(self._n_slots * share)))
        return self.populations[resource]

    def _offspring(self, trial: int, resource: float) -> Points:
        """The next trial of a population, shape (1, n_dimensions), or (0, n_dimensions) in a space that is used up."""
        population = self._population(resource)
        member, parents = population.members[population.turn], self.parents(resource)
        if member is not None:
            target = self._history.points([member])[0]
        elif resource > min(self.populations) and len(parents) >= PARENTS:
            target = parents[population.turn % len(parents)]
        else:
            target = None
        draw = self._history.drawer.random if target is None else partial(self._evolve, target, parents)
        point = self._history.draw([trial], draw)
        if len(point):
            population.challenge(trial)
        return point

    def parents(self, resource: float) -> Points:
        """Points that mutants of this resource are made of, shape (n, n_dimensions)."""
        below = max((r for r in self._history.resources if r < resource), default=None)
        if below is not None:
            pool = self._history.order(below)[0][: len(self._population(resource).members)]
        else:
            pool = self._population(resource).trials()
        if len(pool) < PARENTS:
            all_members = {trial for population in self.populations.values() for trial in population.trials()}
            pool = pool + sorted(all_members.difference(pool))
        return self._history.points(pool)

    def _evolve(self, target: Points, parents: Points, trials: Sequence[int], attempt: int) -> Points:
        """Mutation and crossover for one trial, shape (1, n_dimensions)."""
        fresh: Points = self._history.drawer.random(trials, attempt)[0]
        d = len(fresh)
        u = uniform(self._seed, EVOLUTION, trials, PARENTS + 1 + (PARENTS + 2) * d, attempt)[0]
        picks, forced, rest = u[:PARENTS], int(u[PARENTS] * d), u[PARENTS + 1 :].reshape(-1, d)
        # A random point stands in for a parent that is missing, and for inactive values.
        known = [parents[row] if row >= 0 else rest[slot] for slot, row in enumerate(_distinct(picks, len(parents)))]
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
