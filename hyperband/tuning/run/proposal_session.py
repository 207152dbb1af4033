"""Configurations of new trials: proposed by the sampler, or copied and changed (population-based training)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hyperband.tuning.run.evaluation_log import EvaluationLog
from hyperband.tuning.run.job_batch import job_of
from hyperband.tuning.run.point_store import PointStore
from hyperband.tuning.run.proposal_batches import ProposalBatches
from hyperband.tuning.run.validation import ResultColumns, numbered
from hyperband.tuning.samplers.pbt_perturb import explore, explored
from hyperband.tuning.samplers.prefetch import Prefetch
from hyperband.tuning.schedulers.base import Slot, slot_from
from hyperband.tuning.trial import Job, Loss

if TYPE_CHECKING:
    from hyperband.space import Space
    from hyperband.tuning.samplers.base import Sampler


class ProposalSession:
    """One run of a sampler, and the point of every trial.

    New trials queue up until the sampler has proposed for them, in the order of their numbers. A sampler that learns
    proposes in batches (`ProposalBatches`) where the scheduler is synchronous; the draws of one that depend on
    (seed, trial) alone are made ahead of need (`Prefetch`).

    Parameters
    ----------
    space : Space
    sampler : Sampler
    seed : int
    names : sequence of str or None
        Parameters that change in copies; None: all.
    synchronous : bool
        Whether the scheduler is.
    """

    def __init__(
        self, space: Space, sampler: Sampler, seed: int, names: Sequence[str] | None, *, synchronous: bool
    ) -> None:
        self.explored = explored(names)
        for name in self.explored or ():
            space.column_of(name, "`explore`")
        self.points = PointStore(space.n_dimensions)
        self.queue: list[Slot] = []  # new trials without a configuration
        self._space, self._seed = space, seed
        self._proposer = sampler.start(space, seed)
        self._batches = ProposalBatches(self._proposer.batch if synchronous else 0)
        self._prefetch = Prefetch(self._proposer, space)
        self._copies: set[int] = set()  # trials whose configuration the sampler did not propose

    @property
    def learns(self) -> bool:
        """The sampler proposes from results, so that no bracket may begin before the one before has ended."""
        return self._proposer.batch > 0

    @property
    def exhausted(self) -> bool:
        """The sampler will never propose again."""
        return self._proposer.exhausted

    def copy(self, slots: Iterable[Slot]) -> None:
        """Give those trials a configuration that start as copies of others."""
        copies = [(slot.trial, slot.parent) for slot in slots if slot.parent is not None]
        if copies:
            trials, parents = [trial for trial, _ in copies], [parent for _, parent in copies]
            points = explore(self._space, self.points.of(parents), trials, self._seed, self.explored)
            self.points.add(trials, points)
            self._copies.update(trials)

    def propose(self, n: int, open_: Collection[Slot], log: EvaluationLog) -> list[Slot]:
        """Up to ``n`` trials of the queue that have got their configuration; in order, so that ids mean the same."""
        chosen = self.queue[:n]
        if self._batches.size and chosen:
            if self._batches.ready(chosen[0], any(slot.begins for slot in open_)):
                self._batches.hand_over(log, self._proposer)
            chosen = self._batches.take(chosen)
        if not chosen:
            return []
        trials = [slot.trial for slot in chosen]
        points = self._prefetch.propose(trials, [slot.resource for slot in chosen])
        self.points.add(trials[: len(points)], points)
        self._batches.proposed(len(points))
        self.queue = self.queue[len(points) :]
        return chosen[: len(points)]

    def tell(self, trial: int, resource: float, loss: Loss) -> None:
        """A result, for a sampler that takes it at once."""
        if not (self._batches.size or self._prefetch.pure):
            self._proposer.tell(trial, resource, loss)

    def tell_all(self, told: ResultColumns) -> None:
        """Many results, for a sampler that takes them at once."""
        if not (self._batches.size or self._prefetch.pure):
            rows = zip(told.whole[0].tolist(), told.real[0].tolist(), told.losses.tolist(), strict=True)
            for trial, resource, loss in rows:
                self._proposer.tell(trial, resource, tuple(loss) if isinstance(loss, list) else loss)

    def jobs(self, slots: Sequence[Slot]) -> list[Job]:
        """Slots of trials that have a point, with their configurations."""
        known = self._prefetch.decoded([slot.trial for slot in slots if slot.trial not in self._copies])
        missing = [slot.trial for slot in slots if slot.trial not in known]
        if missing:
            known.update(zip(missing, self._space.decode(self.points.of(missing)), strict=True))
        return [job_of(slot, known[slot.trial]) for slot in slots]

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        return {
            "proposer": self._proposer.state_dict(),
            "batches": self._batches.state_dict(),
            "points": self.points.state_dict(),
            "copies": sorted(self._copies),
            "queue": [list(slot) for slot in self.queue],
        }

    def load_state_dict(self, state: Mapping[str, Any], open_: Iterable[int]) -> None:
        """Continue where `state_dict` was taken; every open trial must have a point."""
        points = PointStore.from_state(state["points"], self._space.n_dimensions)
        points.of(list(open_))
        queue, copies = [slot_from(row) for row in state["queue"]], set(numbered(state["copies"]))
        self._proposer.load_state_dict(state["proposer"])
        self._batches.load_state_dict(state["batches"])
        self.points, self.queue, self._copies = points, queue, copies
