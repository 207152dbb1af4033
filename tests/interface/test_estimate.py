"""What a search would run, before it runs."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

import hyperband as hb
from hyperband.engine.backends import registry
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.networks.compute import Compute
from hyperband.interface import estimate as module
from hyperband.interface import planned_search as planning
from hyperband.interface.estimate import estimate
from hyperband.interface.search import Settings
from hyperband.tables import prepare_table

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 5))
TABLE = prepare_table(X, X[:, 0] > 0, validation=0.2)


def test_with_a_time_it_begins_with_the_bracket_that_a_search_begins_with(monkeypatch):
    still = SimpleNamespace(monotonic=lambda: 100.0)
    for part in (planning, module):
        monkeypatch.setattr(part, "time", still)
    monkeypatch.setattr(planning, "measured_speed", lambda *_: 1e9)
    found = estimate(TABLE, Settings(time_limit=30.0))
    space = module.planned(TABLE, Settings(time_limit=30.0), 100.0).space
    real = planning.planned_search(TABLE, space, registry.get("native"), Compute(), Budget(seconds=30.0), 100.0, 0)
    assert found.plan.max_resource == real.algorithm.max_resource
    assert found.plan.brackets[0] == real.algorithm.plan().brackets[0]
    assert len(found.plan.brackets) > 1
    assert float(found.plan.cost) == pytest.approx(real.epochs, rel=0.2)


def test_without_a_time_it_is_the_plan_of_the_search():
    settings = Settings(algorithm=hb.Hyperband(9))
    found = estimate(TABLE, settings)
    assert found.plan == hb.Hyperband(9).plan()
    assert found.seconds == pytest.approx(float(found.plan.cost) / found.speed) and found.seconds > 0
    json.dumps([found.seconds, found.speed], allow_nan=False)


def test_where_not_one_step_is_measured_it_says_so(monkeypatch):
    monkeypatch.setattr(module, "measured_speed", lambda *_: float("nan"))
    with pytest.raises(hb.InputError, match="too large to estimate"):
        estimate(TABLE, Settings(algorithm=hb.Hyperband(9)))
