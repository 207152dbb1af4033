"""Schedulers with one fault each, as a third party might write them; `tests/contract/test_broken.py` runs this file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperband.testing import SchedulerContract
from hyperband.tuning.schedulers import ASHAScheduler, HyperbandScheduler, SuccessiveHalvingScheduler


class Allocation:
    """Passes everything on."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


@dataclass(frozen=True)
class Around:
    """A scheduler with an allocation of another class around its own."""

    inner: object = HyperbandScheduler(9, 3)
    kind: type = Allocation
    promised: object = None
    synchronous: bool = True

    def plan(self):
        return (self.promised or self.inner).plan()

    def start(self, one_by_one=False):
        return self.kind(self.inner.start(one_by_one))


class PromotesTheWorst(Allocation):
    def tell(self, trial, rung, loss):
        self.inner.tell(trial, rung, -loss)

    def tell_all(self, identities, losses):
        self.inner.tell_all(identities, -np.asarray(losses))


class Forgets(Allocation):
    """Writes down too little: which trials were dropped is lost."""

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


class DropsTwice(Allocation):
    def dropped(self):
        return self.inner.dropped() * 2


class TestHealthy(SchedulerContract):
    scheduler = Around()


class TestPromisesAnotherPlan(SchedulerContract):
    scheduler = Around(SuccessiveHalvingScheduler(9, 3), promised=HyperbandScheduler(9, 3))


class TestPromotesTheWorst(SchedulerContract):
    scheduler = Around(kind=PromotesTheWorst)


class TestForgets(SchedulerContract):
    scheduler = Around(kind=Forgets)


class TestDropsTwice(SchedulerContract):
    scheduler = Around(kind=DropsTwice)


class TestSaysItIsSynchronous(SchedulerContract):
    scheduler = Around(ASHAScheduler(9, 3, n=20))


#: class -> (a check that must fail, what its message says)
MUST_FAIL = {
    "TestPromisesAnotherPlan": ("test_what_was_run_is_the_plan_to_the_unit", "than `plan().n_evaluations`"),
    "TestPromotesTheWorst": ("test_exactly_the_best_are_promoted", "the wrong trials were promoted from rung 0"),
    "TestForgets": ("test_saving_and_loading_at_every_point_changes_nothing", ""),
    "TestDropsTwice": ("test_every_trial_is_dropped_once_and_never_seen_again", "each once"),
    "TestSaysItIsSynchronous": ("test_the_order_of_arrival_changes_nothing", "depends on the order in which losses"),
}
