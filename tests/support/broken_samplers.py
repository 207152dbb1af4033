"""Samplers with one fault each, as a third party might write them; `tests/contract/test_broken.py` runs this file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyperband.testing import SamplerContract
from hyperband.tuning.samplers.random import RandomSampler


@dataclass(frozen=True)
class Around:
    """`RandomSampler` with a proposer of another class around its own."""

    kind: type

    def start(self, space, seed):
        return self.kind(RandomSampler().start(space, seed), space, seed)


class Proposer:
    """Passes everything on."""

    batch, pure = 0, False

    def __init__(self, inner, space, seed):
        self.inner, self.space, self.seed = inner, space, seed

    @property
    def exhausted(self):
        return self.inner.exhausted

    def propose(self, trials, resources=None):
        return self.inner.propose(trials, resources)

    def adopt(self, trials, points):
        self.inner.adopt(trials, points)

    def tell(self, trial, resource, loss):
        self.inner.tell(trial, resource, loss)

    def state_dict(self):
        return self.inner.state_dict()

    def load_state_dict(self, state):
        self.inner.load_state_dict(state)


class KeyedByCall(Proposer):
    calls = 0

    def propose(self, trials, resources=None):
        self.calls += 1
        return self.space.activate(
            np.random.default_rng([self.seed, self.calls]).random((len(trials), self.space.n_dimensions))
        )


class Stream(Proposer):
    """One random stream, whose position is not written down."""

    def __init__(self, inner, space, seed):
        super().__init__(inner, space, seed)
        self.rng = np.random.default_rng(seed)

    def propose(self, trials, resources=None):
        return self.space.activate(self.rng.random((len(trials), self.space.n_dimensions)))


class IgnoresItsSeed(Proposer):
    def __init__(self, inner, space, seed):
        super().__init__(RandomSampler().start(space, 0), space, seed)


class Repeats(Proposer):
    """Does not remember what it adopted."""

    def adopt(self, trials, points):
        pass


class TestHealthy(SamplerContract):
    sampler = Around(Proposer)


class TestStream(SamplerContract):
    sampler = Around(Stream)


class TestIgnoresItsSeed(SamplerContract):
    sampler = Around(IgnoresItsSeed)


class TestRepeats(SamplerContract):
    sampler = Around(Repeats)


class TestKeyedByCall(SamplerContract):
    sampler = Around(KeyedByCall)


#: class -> (a check that must fail, what its message says)
MUST_FAIL = {
    "TestStream": ("test_state_is_plain_data_and_continues_exactly", "`state_dict` lacks something"),
    "TestIgnoresItsSeed": ("test_the_seed_decides", "`start` ignores its seed"),
    "TestRepeats": ("test_adopted_trials_are_not_proposed_again", "`adopt` must keep these points"),
    "TestKeyedByCall": ("test_sizes_and_order_change_nothing", "keyed by the trial, not by the call"),
}
