"""What every sampler promises: draws belong to (seed, trial), obey the space, and can be written down and continued."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import pytest

from hyperband.errors import InputError
from hyperband.space import Float, Space
from hyperband.testing.run_contract import SamplerRuns, check_settings
from hyperband.testing.sampler_cases import (
    DISCRETE,
    SPACES,
    loss_of,
    propose_all,
    propose_in_batches,
    proposed,
    through_json,
)
from hyperband.tuning.samplers.base import Sampler
from hyperband.tuning.samplers.random import RandomSampler

every_space = pytest.mark.parametrize("space", SPACES.values(), ids=list(SPACES))
two_orders = pytest.mark.parametrize("order", [0, 1])


class SamplerContract(SamplerRuns):
    """Every promise of `hyperband.tuning.samplers.base.Sampler`, checked on ``sampler``.

    Attributes
    ----------
    sampler : Sampler
        What is tested. Settings only: the checks start it many times.
    seeded : bool
        Another seed gives other points. False for a grid.
    complete : bool
        Of a finite space it proposes every allowed configuration once, and is then exhausted. False for a sampler that
        has a list of its own, such as a coarse grid.
    keeps_adopted_apart : bool
        In a finite space it does not propose what another proposed (`Proposer.adopt`). False for a sampler that tries
        what it is given, as it is given.
    takes_objectives : bool
        Losses may be tuples. False for a sampler that begins with known losses of one objective.

    Examples
    --------
    >>> from hyperband.testing import SamplerContract
    >>> class TestRandomSampler(SamplerContract):
    ...     sampler = RandomSampler()
    """

    sampler: Sampler
    seeded: ClassVar[bool] = True
    complete: ClassVar[bool] = True
    keeps_adopted_apart: ClassVar[bool] = True
    takes_objectives: ClassVar[bool] = True

    def test_settings_come_back_from_plain_data(self) -> None:
        """`to_dict` passes through JSON, and `from_dict` makes equal settings of it, for registered `Settings`."""
        check_settings(self.sampler)

    @every_space
    def test_points_obey_the_space(self, space: Space) -> None:
        """Shape (n, n_dimensions), in [0, 1], NaN exactly where a parameter is inactive, every constraint satisfied."""
        points = proposed(self.sampler, space, 0, 40)
        assert points.shape[1] == space.n_dimensions, "`propose` must give one column for each dimension of the space"
        assert len(points) >= 3, "it proposed fewer than three trials in all"
        assert ((points >= 0) & (points <= 1) | np.isnan(points)).all(), "points must lie in the unit cube"
        full = np.where(np.isnan(points), 0.5, points)
        inactive = np.isnan(space.activate(full))
        assert np.array_equal(inactive, np.isnan(points)), "NaN exactly where a condition makes a parameter inactive"
        assert space.allowed(points).all(), "a point breaks a constraint: draw through `constrained_draws.Drawer`"

    @every_space
    def test_the_seed_decides(self, space: Space) -> None:
        """The same settings and seed give the same points, however often started; another seed gives others."""
        one, same, other = (proposed(self.sampler, space, seed, 12) for seed in (5, 5, 6))
        assert np.array_equal(one, same, equal_nan=True), "equal seeds must give equal points: draw keyed by the seed"
        if self.seeded:
            assert not np.array_equal(one, other[: len(one)], equal_nan=True), "`start` ignores its seed"

    @every_space
    @two_orders
    def test_sizes_and_order_change_nothing(self, space: Space, order: int) -> None:
        """How many trials are asked for at a time, and the order in which results arrive, move no point."""
        whole = proposed(self.sampler, space, 1, 30)
        pieces = proposed(self.sampler, space, 1, 30, np.random.default_rng(order))
        assert np.array_equal(whole, pieces, equal_nan=True), "draws must be keyed by the trial, not by the call"

    @every_space
    def test_a_pure_draw_belongs_to_its_trial(self, space: Space) -> None:
        """A proposer that says it is ``pure`` gives a trial the same point whichever others are asked for."""
        if not self.sampler.start(space, 3).pure:
            pytest.skip("it does not say that its proposals depend on (seed, trial) alone")
        whole = self.sampler.start(space, 3).propose(range(50))
        some = self.sampler.start(space, 3).propose([41, 7, 30])
        assert np.array_equal(some, whole[[41, 7, 30]], equal_nan=True), "`pure` must be False: a draw knows its order"

    @every_space
    @two_orders
    def test_state_is_plain_data_and_continues_exactly(self, space: Space, order: int) -> None:
        """At any moment the state passes through JSON, and a fresh proposer that loads it proposes the same."""

        def reload(proposer: Any) -> Any:
            fresh = self.sampler.start(space, 2)
            fresh.load_state_dict(through_json(proposer.state_dict()))
            assert fresh.state_dict() == proposer.state_dict(), "`load_state_dict` must restore all of `state_dict`"
            return fresh

        kept = proposed(self.sampler, space, 2, 25, np.random.default_rng(order))
        continued = proposed(self.sampler, space, 2, 25, np.random.default_rng(order), reload)
        assert np.array_equal(kept, continued, equal_nan=True), "`state_dict` lacks something that proposals depend on"

    def test_loading_replaces_what_a_proposer_knew(self) -> None:
        """A proposer that was used and then loads a fresh state proposes like a fresh one."""
        space = SPACES["discrete"]
        fresh, used = self.sampler.start(space, 0), self.sampler.start(space, 0)
        if len(used.propose(range(8), [1] * 8)):
            used.tell(0, 1, 0.0)
        used.load_state_dict(fresh.state_dict())
        expected = fresh.propose(range(6), [1] * 6)
        assert np.array_equal(used.propose(range(6), [1] * 6), expected), "`load_state_dict` must forget what was known"

    def test_a_finite_space_ends_with_every_configuration_once(self) -> None:
        """No configuration twice, none left out, and then it is exhausted."""
        if not self.complete:
            pytest.skip("`complete` is False: it has a list of its own")
        space = SPACES["discrete"]
        proposer = self.sampler.start(space, 0)
        way = propose_in_batches if proposer.batch else propose_all
        found = [tuple(c.values()) for c in space.decode(way(proposer, 1000))]
        assert len(found) == len(set(found)), "a configuration was proposed twice: see `samplers/proposers.py`"
        assert set(found) == DISCRETE, "configurations of a finite space were left out"
        assert proposer.exhausted, "`exhausted` must be True when a finite space is used up"
        assert len(proposer.propose([2000], [1])) == 0, "an exhausted proposer gives no more points"

    @every_space
    def test_adopted_trials_are_not_proposed_again(self, space: Space) -> None:
        """Trials that another proposed are taken in with `adopt` and told; a finite space does not repeat them."""
        proposer = self.sampler.start(space, 0)
        known = RandomSampler().start(space, 9).propose(range(4))
        proposer.adopt(range(-4, 0), known)
        for trial in range(-4, 0):
            proposer.tell(trial, 1, 0.5)
        points = (propose_in_batches if proposer.batch else propose_all)(proposer, 30)
        assert len(points) >= 3, "it proposed fewer than three trials after `adopt`"
        if space.draws_may_repeat and self.keeps_adopted_apart:
            again = {row.tobytes() for row in known} & {row.tobytes() for row in space.canonical(points)}
            assert not again, "`adopt` must keep these points from being proposed"

    @every_space
    def test_nothing_but_failures_is_no_error(self, space: Space) -> None:
        """NaN and infinite losses are data: it continues to propose, or is exhausted."""
        proposer = self.sampler.start(space, 0)
        for batch in range(6):
            trials = range(4 * batch, 4 * batch + 4)
            for trial, _ in zip(trials, proposer.propose(trials, [1] * 4)):
                proposer.tell(trial, 1, (math.nan, math.inf)[trial % 2])
        assert proposer.exhausted or len(proposer.propose([24], [3])) == 1, "it stopped when all trials had failed"

    def test_contradictory_constraints_are_an_error(self) -> None:
        """A space that allows nothing ends in an `InputError` that says so, never in an endless loop."""
        space = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, constraints=["x < y", "y < x"])
        with pytest.raises(InputError, match="constraints|allow"):
            self.sampler.start(space, 0).propose(range(3), [1] * 3)

    # ---- of those that learn (`Proposer.batch` > 0) ----

    def _learns(self) -> None:
        if not self.sampler.start(SPACES["continuous"], 0).batch:
            pytest.skip("it does not learn: its proposer has `batch` 0")

    def test_a_learner_takes_several_objectives(self) -> None:
        """Losses may be tuples; other losses lead to other proposals."""
        self._learns()
        if not self.takes_objectives:
            pytest.skip("`takes_objectives` is False: it begins with losses of one objective")
        space = SPACES["conditions"]

        def losses(trial: int, point: Any) -> Any:
            return math.nan if trial % 5 == 2 else (loss_of(0, point), float(np.nansum((point - 0.8) ** 2)))

        points = propose_in_batches(self.sampler.start(space, 0), 40, loss=losses)
        assert len(points) == 40, "it ended although the space is not finite"
        worse = propose_in_batches(self.sampler.start(space, 0), 40, loss=lambda trial, point: (0.0, -trial))
        assert not np.array_equal(points, worse, equal_nan=True), "losses change nothing: `batch` should be 0"

    def test_a_learner_refuses_another_number_of_objectives(self) -> None:
        """`InputError`, once a finite loss has said how many objectives there are."""
        self._learns()
        proposer = self.sampler.start(SPACES["continuous"], 0)
        proposer.propose(range(3), [1] * 3)
        proposer.tell(0, 1, math.nan)
        proposer.tell(1, 1, 0.5)
        with pytest.raises(InputError, match="objectives"):
            proposer.tell(2, 1, (0.5, 0.5))

    def test_a_learner_refuses_results_of_unknown_trials(self) -> None:
        """`InputError` that names a trial which it neither proposed nor adopted."""
        self._learns()
        with pytest.raises(InputError, match="trial 5"):
            self.sampler.start(SPACES["continuous"], 0).tell(5, 1, 0.5)

    @every_space
    @two_orders
    def test_a_learner_takes_results_one_by_one_in_any_order(self, space: Space, order: int) -> None:
        """As under an asynchronous scheduler: proposals may differ then, but each obeys the space."""
        self._learns()
        rng, proposer, n = np.random.default_rng(order), self.sampler.start(space, 0), 0
        waiting: list[tuple[int, Any]] = []
        while n < 40 and not proposer.exhausted:
            for row in proposer.propose([n], [int(3 ** rng.integers(0, 3))]):
                assert space.allowed(row[None])[0], "a point breaks a constraint"
                waiting.append((n, row))
                n += 1
            while waiting and rng.random() < 0.5:
                trial, row = waiting.pop(int(rng.integers(len(waiting))))
                proposer.tell(trial, int(3 ** rng.integers(0, 4)), loss_of(trial, row))
        assert n >= 3, "it proposed fewer than three trials"
