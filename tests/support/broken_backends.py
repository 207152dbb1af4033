"""Backends with one fault each, as a third party might write them; `tests/contract/test_broken.py` runs this file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyperband.engine.backends import registry
from hyperband.testing import BackendContract


class Engine:
    """Passes everything on."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


class Around:
    """The best backend that works here, with an engine of another class around its own."""

    def __init__(self, kind=Engine):
        self.inner, self.kind = registry.get("auto"), kind
        self.name = f"around {self.inner.name}"

    def engine(self, *arguments, **more):
        return self.kind(self.inner.engine(*arguments, **more))

    def forward(self, *arguments):
        return self.inner.forward(*arguments)

    def describe(self):
        return self.inner.describe()


class WrongSign(Engine):
    """Climbs: training goes from each weight in the opposite direction."""

    def train(self, members, until, **more):
        before = {m: self.inner.export_state(m) for m in members.tolist()}
        arrived = self.inner.train(members, until, **more)
        for member, old in before.items():
            state = self.inner.export_state(member)
            state.update({k: 2 * old[k] - state[k] for k in state if k.startswith(("weights", "bias"))})
            self.inner.import_state(member, state)
        return arrived


class RateSlightlyOff(Engine):
    """A rate that is wrong in its fifth digit."""

    def add(self, members):
        rates = [m.architecture.learning_rate * 1.00005 for m in members]
        networks = [replace(m.architecture, learning_rate=rate) for m, rate in zip(members, rates, strict=True)]
        return self.inner.add([replace(m, architecture=a) for m, a in zip(members, networks, strict=True)])


class SeesItsNumber(Engine):
    """Seeds depend on the place in the list."""

    def add(self, members):
        return self.inner.add([replace(m, seed=m.seed + i) for i, m in enumerate(members)])


class LosesMoments(Engine):
    """What the optimiser remembers is not exported."""

    def export_state(self, member):
        state = self.inner.export_state(member)
        return {k: np.zeros_like(v) if k.startswith(("m.", "v.")) else v for k, v in state.items()}


class TestHealthy(BackendContract):
    backend = Around()


class TestWrongSign(BackendContract):
    backend = Around(WrongSign)


class TestRateSlightlyOff(BackendContract):
    backend = Around(RateSlightlyOff)


class TestSeesItsNumber(BackendContract):
    backend = Around(SeesItsNumber)


class TestLosesMoments(BackendContract):
    backend = Around(LosesMoments)


#: class -> (a check that must fail, what its message says)
MUST_FAIL = {
    "TestWrongSign": ("test_gradient_is_the_slope_of_the_loss", "look at the derivative of"),
    "TestRateSlightlyOff": ("test_curve_follows_the_reference", "leave the reference: look at what"),
    "TestSeesItsNumber": ("test_other_networks_and_their_order_change_nothing", "a network sees"),
    "TestLosesMoments": ("test_state_moves_to_a_fresh_engine", "the exported state lacks something"),
}
