"""Ask and tell: joins who is tried (a sampler) with who goes on (a scheduler), and remembers every evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperband._common.checks import as_float, whole_number
from hyperband.errors import InputError
from hyperband.tuning.incumbent import Incumbent
from hyperband.tuning.plans import Plan
from hyperband.tuning.run.evaluation_log import Records
from hyperband.tuning.run.job_batch import JobBatch, job_of
from hyperband.tuning.run.leaderboard import Standings
from hyperband.tuning.run.point_store import PointStore
from hyperband.tuning.run.proposal_batches import Lots
from hyperband.tuning.run.validation import as_results, check_same, checked, checked_batch, numbered
from hyperband.tuning.samplers.pbt_perturb import explore, explored
from hyperband.tuning.samplers.prefetch import Ahead
from hyperband.tuning.schedulers.base import Scheduler, Slot, slot_from
from hyperband.tuning.trial import Job, Result

if TYPE_CHECKING:
    from hyperband.space import Space
    from hyperband.tuning.samplers.base import Sampler

STATE_VERSION = 2

__all__ = ["Incumbent", "Run"]


class Run:
    """One run of an algorithm on a space; made by ``algorithm.start(space, seed)``.

    Parameters
    ----------
    space : Space
    scheduler : Scheduler
    sampler : Sampler
    seed : int >= 0
        Key of all draws. The same seed gives the same trials, in whatever order results arrive, where the scheduler is
        synchronous.
    explore : sequence of str or None
        Parameters that change when a trial starts as a copy of another (population-based training); None: all.

    Notes
    -----
    ``ask`` hands out jobs, of all brackets at once; ``tell`` takes their results, in any order and any grouping. All
    losses are minimised. A NaN or infinite loss is a failed trial: it is never promoted and never the best. Of several
    objectives ``best`` means the first one; ``front`` is who is not beaten in all.

    Not thread-safe: threads that share a run take a lock around each call.
    """

    def __init__(
        self,
        space: Space,
        scheduler: Scheduler,
        sampler: Sampler,
        seed: int = 0,
        explore: Sequence[str] | None = None,
    ) -> None:
        if not hasattr(space, "n_dimensions"):
            raise InputError(f"`space` must be a Space; got {space!r}. Make one: Space({{...}}).")
        self.space, self.seed = space, whole_number(seed, "seed", 0)
        self.plan: Plan = scheduler.plan()
        self._scheduler = scheduler
        self._proposer = sampler.start(space, self.seed)
        self._explored = explored(explore)
        for name in self._explored or ():
            space.column_of(name, "`explore`")
        learns = self._proposer.batch > 0
        self._allocation = scheduler.start(one_by_one=learns)
        self._lots = Lots(self._proposer.batch if scheduler.synchronous else 0)
        self._ahead = Ahead(self._proposer, space)
        self._points = PointStore(space.n_dimensions)
        self._copies: set[int] = set()  # trials whose configuration the sampler did not propose
        self._open: dict[int, Slot] = {}
        self._waiting: list[Slot] = []  # new trials whose configuration the sampler has not yet proposed
        self._standings = Standings(as_float(self.plan.max_resource))

    @property
    def _records(self) -> Records:
        return self._standings.records

    @property
    def done(self) -> bool:
        """Nothing is open and nothing will be asked for."""
        return self._allocation.done

    @property
    def open_jobs(self) -> list[Job]:
        """Jobs handed out and not yet told, in the order of their trials; a resumed search does these first."""
        return self._jobs([self._open[trial] for trial in sorted(self._open)])

    @property
    def n_evaluations(self) -> int:
        """Results told so far."""
        return len(self._records)

    @property
    def n_configurations(self) -> int:
        """Configurations handed out so far."""
        return len(self._points)

    @property
    def n_objectives(self) -> int:
        """Losses of an evaluation; 1 before the first is told."""
        return self._records.n_objectives

    @property
    def spent(self) -> float:
        """Resource of the results told so far, when trials go on from where they were paused."""
        return self._records.spent

    @property
    def best(self) -> Incumbent | None:
        """Smallest loss seen, at any resource; ties by trial number, then rung. None before the first finite one."""
        return None if self._standings.best is None else self._incumbent(self._standings.best)

    @property
    def best_at_full(self) -> Incumbent | None:
        """Smallest loss seen at the maximal resource; None before the first finite one."""
        row = self._standings.best_at_full
        return None if row is None else self._incumbent(row)

    def front(self, resource: float | None = None) -> list[Incumbent]:
        """The Pareto front: evaluations that no other beats in one objective without losing in another.

        One for each trial, in the order of the first objective; ``resource``: among evaluations at this amount alone.
        """
        return [self._incumbent(row) for row in self._standings.front(resource)]

    @property
    def results(self) -> list[Result]:
        """All results told so far in the order (bracket, rung, trial)."""
        return [self._records.result(row) for row in self._records.order()]

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """The same as arrays: trial, bracket, rung, resource, loss, cost and one column a metric (NaN where absent)."""
        order = self._records.order()
        return {name: values[order] for name, values in self._records.columns().items()}

    @property
    def order(self) -> NDArray[np.int64]:
        """Rows of `columns` in the order in which they were told."""
        return np.argsort(self._records.order(), kind="stable").astype(np.int64)

    def configuration(self, trial: int) -> dict[str, Any]:
        """Parameter values of a trial."""
        return self.configurations(numbered(trial))[0]

    def configurations(self, trials: Sequence[int]) -> list[dict[str, Any]]:
        """Parameter values of trials, decoded together."""
        return self.space.decode(self._points.of(trials)) if len(trials) else []

    def ask(self, n: int | None = None) -> list[Job]:
        """Jobs that can start now: up to ``n``, or all of them (of an endless search a sensible number).

        An empty answer means that results are awaited, or that the run is done.
        """
        return self._jobs(self._next(n))

    def ask_batch(self, n: int | None = None) -> JobBatch:
        """The same jobs as columns, for loops that work on many at a time."""
        slots = self._next(n)
        return JobBatch(slots, self._points.of([slot.trial for slot in slots]), self.space)

    def tell(self, results: Iterable[Result] | Result) -> None:
        """Enter results of open jobs, in any order; all of them, or none when one is refused.

        Raises
        ------
        InputError
            When a result is of a trial that has no open job, or of another bracket, rung or resource than its job,
            when a trial occurs twice, when a loss, cost or metric is not a number, or when the number of objectives
            changes.
        """
        seen: dict[int, Result] = {}
        for result in as_results(results):
            if result.trial not in self._open or result.trial in seen:
                raise self._no_open_job(result.trial)
            seen[result.trial] = checked(result, self._open[result.trial])
        told = [result for result in seen.values() if result.objectives or math.isfinite(result.loss)]
        self._same_objectives({len(result.objectives) or 1 for result in told})
        # Samplers that learn see a batch in one fixed order, however it was shuffled on the way.
        for result in sorted(seen.values(), key=_place) if len(seen) > 1 else seen.values():
            slot = self._open.pop(result.trial)
            self._allocation.tell(result.trial, result.rung, result.objectives or result.loss)
            if not (self._lots.size or self._ahead.pure):
                self._proposer.tell(result.trial, result.resource, result.objectives or result.loss)
            self._standings.append(result, slot.resource - slot.previous)

    def tell_batch(
        self,
        batch: JobBatch,
        losses: ArrayLike,
        costs: ArrayLike | None = None,
        metrics: Mapping[str, ArrayLike] | None = None,
    ) -> None:
        """Enter the losses of open jobs, as `tell`, from arrays.

        Parameters
        ----------
        batch : JobBatch
            What `ask_batch` gave, or a part of it: ``batch[rows]``.
        losses : shape (n,), or (n, n_objectives)
        costs : shape (n,), optional; the resource that each job added when not given
        metrics : mapping of name to shape (n,), optional
        """
        told = checked_batch(batch, losses, costs, metrics)
        trials = batch.trial.tolist()
        for trial, slot in zip(trials, batch.slots, strict=True):
            known = self._open.get(trial)
            if known is not slot and known != slot:
                raise self._no_open_job(trial)
        if len(set(trials)) < len(batch):
            raise InputError("A batch must name every trial once; got one twice.")
        if told.objectives is not None or np.isfinite(told.real[1]).any():
            self._same_objectives({1 if told.objectives is None else told.objectives.shape[1]})
        for trial in trials:
            del self._open[trial]
        self._allocation.tell_all(told.whole, told.losses)
        if not (self._lots.size or self._ahead.pure):
            rows = zip(told.whole[0].tolist(), told.real[0].tolist(), told.losses.tolist(), strict=True)
            for trial, resource, loss in rows:
                self._proposer.tell(trial, resource, tuple(loss) if isinstance(loss, list) else loss)
        self._standings.extend(told.whole, told.real, told.metrics, told.objectives, told.spent)

    def abandon(self, trials: Iterable[int] | int) -> None:
        """Give up the open jobs of these trials: they are told as failed, at no cost.

        Raises
        ------
        InputError
            When one has no open job; then none is given up.
        """
        given = numbered(trials)
        for trial in given:
            if trial not in self._open:
                raise self._no_open_job(trial)
        slots = [self._open[trial] for trial in given]
        self.tell([Result(slot.trial, slot.bracket, slot.rung, slot.resource, math.nan, cost=0.0) for slot in slots])

    def dropped(self) -> list[int]:
        """Trials that will never go on, each named once, since the last call: what they hold can be freed."""
        return self._allocation.dropped()

    def state_dict(self) -> dict[str, Any]:
        """The whole state as plain JSON-able data, open jobs included; exact at any point."""
        return {
            "version": STATE_VERSION,
            **self._identity(),
            "allocation": self._allocation.state_dict(),
            "proposer": self._proposer.state_dict(),
            "lots": self._lots.state_dict(),
            "points": self._points.state_dict(),
            "copies": sorted(self._copies),
            "open": [list(self._open[trial]) for trial in sorted(self._open)],
            "waiting": [list(slot) for slot in self._waiting],
            "records": self._records.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where `state_dict` was taken, of a run with the same algorithm, space and seed.

        Raises
        ------
        InputError
            When the state is of another run, or damaged; start a fresh run then, this one may be half loaded.
        """
        check_same(state, STATE_VERSION, self._identity())
        try:
            self._restore(state)
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"The state must be what `state_dict` gave; got a damaged one ({error!r}).") from error

    def _restore(self, state: Mapping[str, Any]) -> None:
        points = PointStore.from_state(state["points"], self.space.n_dimensions)
        records = Records.from_state(state["records"])
        open_ = {slot.trial: slot for slot in map(slot_from, state["open"])}
        waiting = [slot_from(row) for row in state["waiting"]]
        points.of(list(open_))  # every open trial has one
        self._allocation.load_state_dict(state["allocation"])
        self._proposer.load_state_dict(state["proposer"])
        self._lots.load_state_dict(state["lots"])
        self._points, self._standings = points, Standings(as_float(self.plan.max_resource), records)
        self._copies = set(numbered(state["copies"]))
        self._open, self._waiting = open_, waiting

    def _identity(self) -> dict[str, Any]:
        sampler = type(self._proposer).__name__
        scheduler = repr(self._scheduler)
        plan, space = self.plan.to_dict(), self.space.to_json()
        return {"seed": self.seed, "plan": plan, "space": space, "scheduler": scheduler, "sampler": sampler}

    def _next(self, n: int | None) -> list[Slot]:
        """Up to ``n`` evaluations whose trials have a configuration."""
        limit: float = math.inf
        if n is not None:
            limit = n = n if type(n) is int and n > 0 else whole_number(n, "n")
        ready: list[Slot] = []
        while len(ready) < limit:
            asked = self._allocation.ask(None if n is None else n - len(ready), new=not self._waiting)
            # `Slot.begins` written out: a million slots a second pass here.
            goes_on = [slot for slot in asked if slot.previous != 0 or slot.parent is not None]
            if len(goes_on) < len(asked):
                self._waiting += [slot for slot in asked if slot.previous == 0 and slot.parent is None]
            self._copy(goes_on)
            placed = (
                self._place(len(self._waiting) if n is None else n - len(ready) - len(goes_on)) if self._waiting else []
            )
            started = goes_on + placed
            self._open.update(zip([slot.trial for slot in started], started, strict=True))
            ready += started
            withdrawn = False
            if self._waiting and len(ready) < limit:
                # A sampler that waits for results although nothing is open would wait for ever: it has run dry too.
                withdrawn = self._proposer.exhausted or not self._open
            if withdrawn:
                self._allocation.withdraw([slot.trial for slot in self._waiting])
                self._waiting = []
            if not (asked or placed or withdrawn):
                break
        return ready

    def _place(self, room: int) -> list[Slot]:
        """Ask the sampler for the configurations of the first waiting trials; in order, so that ids mean the same."""
        chosen = self._waiting[:room]
        if self._lots.size and chosen:
            if self._lots.ready(chosen[0], any(slot.begins for slot in self._open.values())):
                self._lots.hand_over(self._records, self._proposer)
            chosen = self._lots.take(chosen)
        if not chosen:
            return []
        trials = [slot.trial for slot in chosen]
        points = self._ahead.propose(trials, [slot.resource for slot in chosen])
        self._points.add(trials[: len(points)], points)
        self._lots.proposed(len(points))
        self._waiting = self._waiting[len(points) :]
        return chosen[: len(points)]

    def _copy(self, slots: Sequence[Slot]) -> None:
        """Configurations of trials that start as copies of others."""
        copies = [(slot.trial, slot.parent) for slot in slots if slot.parent is not None]
        if copies:
            trials, parents = [trial for trial, _ in copies], [parent for _, parent in copies]
            points = explore(self.space, self._points.of(parents), trials, self.seed, self._explored)
            self._points.add(trials, points)
            self._copies.update(trials)

    def _jobs(self, slots: Sequence[Slot]) -> list[Job]:
        known = self._ahead.decoded([slot.trial for slot in slots if slot.trial not in self._copies])
        missing = [slot.trial for slot in slots if slot.trial not in known]
        known.update(zip(missing, self.configurations(missing), strict=True))
        return [job_of(slot, known[slot.trial]) for slot in slots]

    def _no_open_job(self, trial: int) -> InputError:
        told = trial >= 0 and self._points.knows(trial)
        what = "is finished, paused or was told already" if told else "was never handed out"
        return InputError(f"A result must be of a trial with an open job; got trial {trial}, which {what}.")

    def _same_objectives(self, numbers: set[int]) -> None:
        n = self._records.n_objectives
        known = {n} if n > 1 or self._standings.best is not None else set()  # a failed one may have said how many
        if len(numbers | known) > 1:
            raise InputError(f"All results must have as many objectives; got {sorted(numbers | known)}.")

    def _incumbent(self, row: int) -> Incumbent:
        r = self._records.result(row)
        configuration = self.configuration(r.trial)
        return Incumbent(
            r.trial, configuration, r.loss, r.resource, r.bracket, r.rung, r.metrics, objectives=r.objectives
        )


def _place(result: Result) -> tuple[int, int, int]:
    return result.bracket, result.rung, result.trial
