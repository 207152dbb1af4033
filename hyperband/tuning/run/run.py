"""Ask and tell: joins sampling and promotion, and remembers every evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from numpy.typing import ArrayLike

from hyperband._common.checks import as_float, whole_number
from hyperband.errors import InputError
from hyperband.tuning.incumbent import Incumbent
from hyperband.tuning.plans import Plan
from hyperband.tuning.run.evaluation_log import EvaluationLog
from hyperband.tuning.run.identity import check_planned, check_same, run_identity
from hyperband.tuning.run.job_batch import JobBatch
from hyperband.tuning.run.leaderboard import Leaderboard
from hyperband.tuning.run.proposal_session import ProposalSession
from hyperband.tuning.run.record import RunRecord
from hyperband.tuning.run.validation import (
    MISSING,
    ResultColumns,
    as_results,
    check_objectives,
    checked,
    n_objectives,
    numbered,
)
from hyperband.tuning.schedulers.base import (
    ExtensibleAllocation,
    ExtensibleScheduler,
    Scheduler,
    Size,
    Slot,
    slot_from,
)
from hyperband.tuning.trial import Job, Loss, Result

if TYPE_CHECKING:
    from hyperband.space import Space
    from hyperband.tuning.samplers.base import Sampler

STATE_VERSION = 3

__all__ = ["Incumbent", "Run"]


class Run(RunRecord):
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
    objectives ``best`` means the first one; ``front`` holds the evaluations that are not dominated.

    Not thread-safe: threads that share a run take a lock around each call.

    Examples
    --------
    >>> from hyperband.space import Float, Space
    >>> from hyperband.tuning.algorithms import SuccessiveHalving
    >>> run = SuccessiveHalving(9).start(Space({"x": Float(0.0, 1.0)}), seed=0)
    >>> while not run.done:
    ...     for job in run.ask():
    ...         run.tell(job, job.configuration["x"] + 1 / job.resource)
    >>> run.n_evaluations, run.spent
    (13, 21)
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
        self.seed = whole_number(seed, "seed", 0)
        self.plan: Plan = scheduler.plan()
        self._scheduler, self._sampler = scheduler, sampler
        session = ProposalSession(space, sampler, self.seed, explore, synchronous=scheduler.synchronous)
        super().__init__(space, session, Leaderboard(as_float(self.plan.max_resource)))
        self._allocation = scheduler.start(one_by_one=session.learns)
        self._open: dict[int, Slot] = {}

    @property
    def done(self) -> bool:
        """Nothing is open and nothing will be asked for."""
        return self._allocation.done

    @property
    def open_jobs(self) -> list[Job]:
        """Jobs handed out and not yet told, in the order of their trials; a resumed search does these first."""
        return self._session.jobs([self._open[trial] for trial in sorted(self._open)])

    def ask(self, n: int | None = None) -> list[Job]:
        """Jobs that can start now: up to ``n``, or all of them (of an endless search a sensible number).

        An empty answer means that results are awaited, or that the run is done.
        """
        return self._session.jobs(self._next(n))

    def ask_batch(self, n: int | None = None) -> JobBatch:
        """The same jobs as columns, for loops that work on many at a time."""
        slots = self._next(n)
        return JobBatch(slots, self._session.points.of([slot.trial for slot in slots]), self.space)

    @overload
    def tell(
        self,
        told: Job,
        loss: Loss | Sequence[float],
        *,
        metrics: Mapping[str, float] | None = None,
        cost: float | None = None,
    ) -> None: ...
    @overload
    def tell(self, told: Result | Iterable[Result | tuple[Job, Loss]]) -> None: ...

    def tell(self, told: Any, loss: Any = MISSING, *, metrics: Any = None, cost: Any = None) -> None:
        """Enter the result of a job, or of many; all of them, or none when one is refused.

        Parameters
        ----------
        told : Job, Result, or an iterable of (job, loss) pairs and Results
            Open jobs of this run, in any order. A `Result` names its job by trial, bracket, rung and resource, and
            serves results from elsewhere.
        loss : float, or a tuple or list of several objectives; with a job alone
            What is minimised; NaN or infinite when the trial failed.
        metrics : mapping of name to number, optional; with a job alone
        cost : float >= 0, optional; with a job alone
            Spent on this job; the resource that it added when not given.

        Raises
        ------
        InputError
            When a result is of a trial that has no open job, or of another bracket, rung or resource than its job,
            when a trial occurs twice, when a loss, cost or metric is not a number, or when the number of objectives
            changes.
        """
        results = as_results(told, loss, metrics, cost)
        if len(results) == 1:
            self._enter_one(results[0])
            return
        slots: dict[int, Slot] = {}
        for result in results:
            if result.trial in slots:
                raise self._no_open_job(result.trial)
            slots[result.trial] = self._slot(result.trial)
        self._enter(ResultColumns.of_results(results, list(slots.values())))

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
        told = ResultColumns.of_batch(batch, losses, costs, metrics)
        trials = batch.trial.tolist()
        for trial, slot in zip(trials, batch.slots, strict=True):
            known = self._open.get(trial)
            if known is not slot and known != slot:
                raise self._no_open_job(trial)
        if len(set(trials)) < len(batch):
            raise InputError("A batch must name every trial once; got one twice.")
        self._enter(told)

    def extend(self, brackets: Iterable[Size]) -> None:
        """Add brackets at the end of the plan, for a scheduler that takes them (`HalvingSequenceScheduler`).

        Parameters
        ----------
        brackets : (n, min_resource) or (n, min_resource, max_resource), one a bracket
            Where one ends above the others, its end is the maximal resource of the run from then on.

        Raises
        ------
        InputError
            When the scheduler's plan is fixed, or a bracket breaks its rules; the plan stays as it was.
        """
        scheduler, allocation = self._scheduler, self._allocation
        if not isinstance(scheduler, ExtensibleScheduler) or not isinstance(allocation, ExtensibleAllocation):
            raise InputError(
                f"Only a sequence of brackets can be extended; got a run of {type(scheduler).__name__}. Use "
                "HalvingSequence."
            )
        longer = scheduler.extended(brackets)
        plan = longer.plan()
        allocation.extend(plan)
        if plan.max_resource != self.plan.max_resource:
            self._leaderboard = Leaderboard(as_float(plan.max_resource), self._leaderboard.log)
        self._scheduler, self.plan = longer, plan

    def abandon(self, trials: Iterable[int] | int) -> None:
        """Give up the open jobs of these trials: they are told as failed, at no cost.

        Raises
        ------
        InputError
            When one has no open job; then none is given up.
        """
        slots = [self._slot(trial) for trial in numbered(trials)]
        self.tell([Result(slot.trial, slot.bracket, slot.rung, slot.resource, math.nan, cost=0.0) for slot in slots])

    def dropped(self) -> list[int]:
        """Trials that will never continue, each named once, since the last call: what they hold can be freed."""
        return self._allocation.dropped()

    def state_dict(self) -> dict[str, Any]:
        """The whole state as plain JSON-able data, open jobs included; exact at any point."""
        return {
            "version": STATE_VERSION,
            **self._identity(),
            "allocation": self._allocation.state_dict(),
            "session": self._session.state_dict(),
            "open": [list(self._open[trial]) for trial in sorted(self._open)],
            "evaluations": self._leaderboard.log.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where `state_dict` was taken, of a run with the same algorithm, space and seed.

        Settings are compared field by field, numbers by their value. What cannot be written is not compared:
        constraints that are functions, and the settings of samplers and schedulers that are no dataclasses.

        Raises
        ------
        InputError
            When the state is of another run, or damaged; start a fresh run then, this one may be half loaded.
        """
        check_same(state, STATE_VERSION, self._identity())
        try:
            log = EvaluationLog.from_state(state["evaluations"])
            open_ = {slot.trial: slot for slot in map(slot_from, state["open"])}
            check_planned(open_.values(), self.plan)
            self._allocation.load_state_dict(state["allocation"])
            self._session.load_state_dict(state["session"], open_)
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"The state must be what `state_dict` gave; got a damaged one ({error!r}).") from error
        self._open, self._leaderboard = open_, Leaderboard(as_float(self.plan.max_resource), log)

    def _identity(self) -> dict[str, Any]:
        return run_identity(self.space, self.seed, self._scheduler, self._sampler, self._session.explored)

    def _next(self, n: int | None) -> list[Slot]:
        """Up to ``n`` evaluations whose trials have a configuration."""
        limit: float = math.inf
        if n is not None:
            limit = n = n if type(n) is int and n > 0 else whole_number(n, "n")
        session = self._session
        ready: list[Slot] = []
        while len(ready) < limit:
            asked = self._allocation.ask(None if n is None else n - len(ready), new=not session.queue)
            # `Slot.begins` written out: a million slots a second pass here.
            started = [slot for slot in asked if slot.previous != 0 or slot.parent is not None]
            if len(started) < len(asked):
                session.queue += [slot for slot in asked if slot.previous == 0 and slot.parent is None]
            session.copy(started)
            if session.queue:
                room = len(session.queue) if n is None else n - len(ready) - len(started)
                started = started + session.propose(room, self._open.values(), self._leaderboard.log)
            self._open.update(zip([slot.trial for slot in started], started, strict=True))
            ready += started
            # A sampler that waits for results although no job is open would never propose again: it is exhausted.
            withdrawn = bool(session.queue) and len(ready) < limit and (session.exhausted or not self._open)
            if withdrawn:
                self._allocation.withdraw([slot.trial for slot in session.queue])
                session.queue = []
            if not (asked or started or withdrawn):
                break
        return ready

    def _enter(self, told: ResultColumns) -> None:
        """Enter checked results of open jobs, in one fixed order."""
        check_objectives(told.n_objectives | self._leaderboard.n_objectives)
        for trial in told.whole[0].tolist():
            del self._open[trial]
        self._allocation.tell_all(told.whole, told.losses)
        self._session.tell_all(told)
        self._leaderboard.extend(told)

    def _enter_one(self, result: Result) -> None:
        """`_enter` for one result without arrays, which would double the time of a loop that tells one by one."""
        slot = self._slot(result.trial)
        result = checked(result, slot)
        check_objectives(n_objectives([result]) | self._leaderboard.n_objectives)
        loss: Loss = result.objectives or result.loss
        del self._open[slot.trial]
        self._allocation.tell(slot.trial, slot.rung, loss)
        self._session.tell(slot.trial, slot.resource, loss)
        self._leaderboard.append(result, slot.resource - slot.previous)

    def _slot(self, trial: int) -> Slot:
        """The open job of a trial; `InputError` without one."""
        if trial not in self._open:
            raise self._no_open_job(trial)
        return self._open[trial]

    def _no_open_job(self, trial: int) -> InputError:
        told = trial >= 0 and self._session.points.knows(trial)
        what = "is finished, paused or was told already" if told else "was never handed out"
        return InputError(f"A result must be of a trial with an open job; got trial {trial}, which {what}.")
