"""What every scheduler promises: it ends, does what its plan says, and can be written down and continued."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import pytest

from hyperband.errors import InputError
from hyperband.testing.run_contract import SchedulerRuns, check_settings
from hyperband.testing.sampler_cases import through_json
from hyperband.testing.scheduler_cases import as_set, carry_out, loss_of
from hyperband.tuning.schedulers.base import Scheduler, Slot
from hyperband.tuning.settings import Settings, from_dict

several_orders = pytest.mark.parametrize("order", range(4))


class SchedulerContract(SchedulerRuns):
    """Every promise of `hyperband.tuning.schedulers.base.Scheduler`, checked on ``scheduler``.

    Attributes
    ----------
    scheduler : Scheduler
        What is tested: it must end (no endless repetitions), best within some hundred evaluations.
    promotes_best : bool
        Promotion is that of successive halving: from each rung of the plan the trials with the smallest losses, as many
        as the next rung has. False for another rule. Asynchronous schedulers are not asked.

    Examples
    --------
    >>> from hyperband.testing import SchedulerContract
    >>> from hyperband.tuning.schedulers import HyperbandScheduler
    >>> class TestHyperbandScheduler(SchedulerContract):
    ...     scheduler = HyperbandScheduler(27, 3)
    """

    scheduler: Scheduler
    promotes_best: ClassVar[bool] = True

    def _synchronous(self) -> None:
        if not self.scheduler.synchronous:
            pytest.skip("`synchronous` is False: what is run depends on the order in which results arrive")

    def test_settings_come_back_from_plain_data(self) -> None:
        """`to_dict` passes through JSON, and `from_dict` makes equal settings of it, for registered `Settings`."""
        check_settings(self.scheduler)
        if isinstance(self.scheduler, Settings):
            same: Any = from_dict(through_json(self.scheduler.to_dict()))
            assert same.plan() == self.scheduler.plan(), "settings that were read back have another plan"

    def test_what_was_run_is_the_plan_to_the_unit(self) -> None:
        """Evaluations, trials, cost, and the number and resource of every rung are those of `plan`."""
        self._synchronous()
        plan = self.scheduler.plan()
        told, _ = carry_out(self.scheduler.start(), kind="finite")
        assert len(told) == plan.n_evaluations, "the run has another number of evaluations than `plan().n_evaluations`"
        trials = len({slot.trial for slot in told})
        assert trials == plan.n_configurations, "the run has another number of trials than `plan().n_configurations`"
        spent = sum(slot.resource - slot.previous for slot in told)
        assert spent == pytest.approx(float(plan.cost), rel=1e-12), "the run costs something else than `plan().cost`"
        for k, bracket in enumerate(plan.brackets):
            for i, rung in enumerate(bracket.rungs):
                here = [slot for slot in told if (slot.bracket, slot.rung) == (k, i)]
                assert len(here) == rung.n, f"bracket {k}, rung {i} has another number of evaluations than planned"
                resources = {Fraction(slot.resource).limit_denominator(10**6) for slot in here}
                assert resources == {rung.r}, f"bracket {k}, rung {i} has another resource than planned"

    def test_each_trial_continues_from_where_it_was(self) -> None:
        """``previous`` is what the trial has, or what its parent had where it starts as a copy; resource only grows."""
        has: dict[int, float] = {}
        rungs: dict[tuple[int, int], float] = {}
        for slot in carry_out(self.scheduler.start())[0]:
            before = has.get(slot.trial, 0)
            if slot.parent is not None:
                before = rungs[slot.parent, slot.rung - 1]
            assert slot.previous == before, f"trial {slot.trial} has {before}, but its slot says {slot.previous}"
            assert slot.resource > slot.previous, f"trial {slot.trial} gains nothing in rung {slot.rung}"
            has[slot.trial] = rungs[slot.trial, slot.rung] = slot.resource

    def test_one_by_one_a_bracket_waits_for_the_one_before(self) -> None:
        """``start(one_by_one=True)``: no bracket begins before the one before has ended; the same is evaluated."""
        self._synchronous()
        allocation = self.scheduler.start(one_by_one=True)
        told: list[Slot] = []
        while not allocation.done:
            slots = allocation.ask()
            assert slots, "`ask` hands out nothing although no result is awaited"
            for slot in slots:
                allocation.tell(slot.trial, slot.rung, loss_of(slot.trial, slot.rung))
                told.append(slot)
        assert [slot.bracket for slot in told] == sorted(slot.bracket for slot in told), "brackets must not overlap"
        assert as_set(told) == as_set(carry_out(self.scheduler.start())[0]), "other evaluations than side by side"

    def test_asking_for_no_new_trials_hands_out_none(self) -> None:
        """``ask(new=False)`` begins no trial; new trials have the next free numbers."""
        allocation = self.scheduler.start()
        assert allocation.ask(new=False) == [], "`new=False` must not begin a trial"
        first = allocation.ask(3)
        assert allocation.ask(new=False) == [], "`new=False` must not begin a trial"
        assert [slot.trial for slot in first] == list(range(len(first))), (
            "trials are numbered 0, 1, 2, ... as they begin"
        )
        assert 1 <= len(first) <= 3, "`ask(3)` hands out one to three slots at the start"

    def test_a_failed_trial_is_never_promoted(self) -> None:
        """A trial whose loss was NaN or infinite gets no further slot, and is no parent."""
        told, _ = carry_out(self.scheduler.start())
        failed = {(s.trial, s.rung) for s in told if not math.isfinite(loss_of(s.trial, s.rung))}
        assert failed, "the losses of this check hold failures"
        for slot in told:
            origin = slot.trial if slot.parent is None else slot.parent
            assert slot.previous == 0 or (origin, slot.rung - 1) not in failed, f"trial {origin} failed and continues"

    def test_exactly_the_best_are_promoted(self) -> None:
        """From every rung the smallest losses, ties by trial number, NaN and infinite ones never."""
        self._synchronous()
        if not self.promotes_best:
            pytest.skip("`promotes_best` is False: it has another rule")
        told, _ = carry_out(self.scheduler.start())
        for k, bracket in enumerate(self.scheduler.plan().brackets):
            for i, rung in enumerate(bracket.rungs[1:], start=1):
                below = [(loss_of(s.trial, i - 1), s.trial) for s in told if (s.bracket, s.rung) == (k, i - 1)]
                best = [trial for _, trial in sorted(pair for pair in below if math.isfinite(pair[0]))][: rung.n]
                found = sorted(s.trial for s in told if (s.bracket, s.rung) == (k, i))
                assert found == sorted(best), f"bracket {k}: the wrong trials were promoted from rung {i - 1}"

    def test_every_trial_is_dropped_once_and_never_seen_again(self) -> None:
        """`dropped` names each trial once, when it will never continue; at the end it has named all."""
        allocation, handed = self.scheduler.start(), 0
        open_: list[Slot] = []
        dropped: list[int] = []
        while not allocation.done:
            asked = allocation.ask(4)
            assert not {slot.trial for slot in asked} & set(dropped), "a dropped trial was handed out again"
            open_ += asked
            slot = open_.pop(0)
            allocation.tell(slot.trial, slot.rung, loss_of(slot.trial, slot.rung))
            dropped += allocation.dropped()
            handed = max([handed, *(slot.trial for slot in asked)])
        assert sorted(dropped) == list(range(handed + 1)), "`dropped` must name every trial, each once"
        assert allocation.dropped() == [], "`dropped` must not name a trial again"

    def test_when_all_fail_none_goes_on_and_it_ends(self) -> None:
        """With nothing but NaN it ends, promotes no trial, and drops all of them."""
        told, dropped = carry_out(self.scheduler.start(), kind="nan")
        assert all(slot.begins for slot in told), "a trial was promoted although all had failed"
        assert sorted(dropped) == sorted(slot.trial for slot in told), "`dropped` must name every trial, each once"

    @pytest.mark.parametrize("kind", ["mixed", "finite", "nan"])
    @several_orders
    def test_the_order_of_arrival_changes_nothing(self, order: int, kind: str) -> None:
        """A synchronous scheduler evaluates and drops the same trials, in whatever order losses arrive."""
        self._synchronous()
        told, dropped = carry_out(self.scheduler.start(), kind=kind)
        shuffled, also_dropped = carry_out(self.scheduler.start(), np.random.default_rng(order), kind)
        assert as_set(shuffled) == as_set(told), "what is evaluated depends on the order in which losses arrive"
        assert sorted(also_dropped) == sorted(dropped), "what is dropped depends on the order in which losses arrive"

    @several_orders
    def test_saving_and_loading_at_every_point_changes_nothing(self, order: int) -> None:
        """At any moment the state passes through JSON, and a fresh allocation that loads it goes the same way."""

        def reload(allocation: Any) -> Any:
            fresh = self.scheduler.start()
            fresh.load_state_dict(through_json(allocation.state_dict()))
            assert fresh.state_dict() == allocation.state_dict(), "`load_state_dict` must restore all of `state_dict`"
            return fresh

        plain = carry_out(self.scheduler.start(), np.random.default_rng(order))
        again = carry_out(self.scheduler.start(), np.random.default_rng(order), checkpoint=reload)
        assert again == plain, "an allocation that was loaded goes another way: its state lacks something"

    @pytest.mark.parametrize("size", [1, 6])
    def test_many_at_once_is_the_same_as_one_by_one(self, size: int) -> None:
        """`tell_all` leads to the state that `tell` leads to, result by result."""
        one, many = self.scheduler.start(), self.scheduler.start()
        while not one.done:
            slots = one.ask(size)
            assert many.ask(size) == slots, "`tell_all` and `tell` must hand out the same slots afterwards"
            losses = [loss_of(slot.trial, slot.rung) for slot in slots]
            for slot, loss in zip(slots, losses, strict=True):
                one.tell(slot.trial, slot.rung, loss)
            many.tell_all(np.array([slot[:3] for slot in slots], dtype=np.int64).T, np.array(losses))
            assert many.state_dict() == one.state_dict(), "`tell_all` and `tell` must lead to the same state"
            assert sorted(many.dropped()) == sorted(one.dropped()), "`tell_all` and `tell` must drop the same trials"

    @pytest.mark.parametrize(("available", "n"), [(0, 3), (1, 1), (7, 2), (20, 20)])
    def test_an_exhausted_space_ends(self, available: int, n: int) -> None:
        """New trials that are withdrawn for want of configurations are forgotten; the others continue to the end."""
        allocation = self.scheduler.start()
        told: list[Slot] = []
        begun: set[int] = set()
        while not allocation.done:
            slots = allocation.ask(n)
            without = [slot.trial for slot in slots if slot.begins and slot.trial >= available]
            if without:
                allocation.withdraw(without)
            for slot in slots:
                if slot.trial not in without:
                    allocation.tell(slot.trial, slot.rung, loss_of(slot.trial, slot.rung))
                    told.append(slot)
                    begun |= {slot.trial} if slot.begins else set()
        assert begun <= set(range(available)), "trials were begun after `withdraw` had said that nothing is left"
        found = sorted(allocation.dropped())
        assert found == sorted({slot.trial for slot in told}), "`dropped` names every trial that had a result, once"

    def test_wrong_results_are_refused_and_change_nothing(self) -> None:
        """`InputError` that names what is wrong: an unknown trial, one not handed out, another rung, a result twice."""
        allocation = self.scheduler.start()
        slot = allocation.ask(2)[0]
        before = allocation.state_dict()
        for trial, rung, named in [(10**6, 0, "1000000"), (-1, 0, "-1"), (2, 0, "2"), (slot.trial, 1, "1")]:
            with pytest.raises(InputError, match=f"got .*{named}"):
                allocation.tell(trial, rung, 0.5)
            assert allocation.state_dict() == before, "a refused result must change nothing"
        allocation.tell(slot.trial, 0, 0.5)
        with pytest.raises(InputError, match="told once a rung|again|twice"):
            allocation.tell(slot.trial, 0, 0.4)
        assert before != allocation.state_dict(), "a result must be seen in the state"
