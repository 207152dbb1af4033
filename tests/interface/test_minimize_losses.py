"""Losses that are NaN or infinite are data, counted and told once; where nothing succeeded the reason is shown."""

from __future__ import annotations

import math
import pickle
import warnings

import numpy as np
import pytest
from toy import Algorithm, Line

import hyperband as hb
from hyperband.errors import ObjectiveError
from hyperband.evaluation.budget import Budget
from hyperband.interface.minimize import minimize
from hyperband.tuning.schedulers import FullScheduler, HyperbandScheduler

HYPERBAND = Algorithm(HyperbandScheduler(9, 3))


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf, np.float32("nan"), (0.5, math.nan), [math.inf, 1.0]])
@pytest.mark.parametrize("workers", [1, 3])
def test_what_is_not_finite_is_data_and_told_once(loss, workers):
    space = hb.Space({"x": hb.Float(0.0, 1.0)})
    finite = (0.25, 1.0) if isinstance(loss, tuple | list) else 0.25
    with pytest.warns(RuntimeWarning, match=r"^\d+ of 22 evaluations gave NaN or an infinite loss, the first") as seen:
        result = minimize(lambda c, r: loss if c["x"] > 0.5 else finite, space, hb.Hyperband(9), workers=workers)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    assert result.failures == {}
    bad = result.trials["x"] > 0.5
    np.testing.assert_array_equal(result.not_finite, np.flatnonzero(bad))
    assert set(result.trials["rung"][bad]) == {0}
    assert math.isfinite(result.best.loss)
    n = int(bad.sum())
    assert str(seen[0].message).startswith(f"{n} of 22 ")
    assert f"\n  NaN or infinite: {n} of 22 losses, in rows result.not_finite of the trials" in repr(result)


def test_a_batch_with_nan_is_told_once_too():
    space = hb.Space({"x": hb.Float(0.0, 1.0)})
    with pytest.warns(RuntimeWarning, match="of 9 evaluations gave NaN") as seen:
        result = minimize(
            lambda columns, r: np.where(columns["x"] > 0.5, math.nan, columns["x"]),
            space,
            hb.RandomSearch(1, n=9),
            batched=True,
        )
    assert len(seen) == 1
    np.testing.assert_array_equal(result.trials["x"][result.not_finite] > 0.5, True)
    assert len(result.not_finite) == int((result.trials["x"] > 0.5).sum())


def test_where_all_is_finite_nothing_is_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = minimize(lambda c, r: c["x"], Line(), HYPERBAND)
        stopped = minimize(lambda c, r: c["x"], Line(), HYPERBAND, budget=Budget(seconds=1e-9))
    assert len(result.not_finite) == 0
    assert "NaN" not in repr(result)
    assert (stopped.n_evaluations, stopped.best) == (0, None)


def test_what_failed_is_not_counted_again():
    def objective(c, r):
        if c["x"] > 0.8:
            raise ValueError("too deep")
        return math.nan if c["x"] > 0.4 else c["x"]

    with pytest.warns(RuntimeWarning) as seen:
        result = minimize(objective, Line(), Algorithm(FullScheduler(20, 1)))
    assert len(seen) == 2
    x = result.trials["x"]
    np.testing.assert_array_equal(result.not_finite, np.flatnonzero((x > 0.4) & (x <= 0.8)))
    assert len(result.failures) == int((x > 0.8).sum()) > 0


def test_where_nothing_is_finite_the_search_says_why():
    with pytest.warns(RuntimeWarning, match=r"no best: of 3, 3 gave NaN or an infinite loss\.$") as seen:
        result = minimize(lambda c, r: math.nan, Line(), Algorithm(FullScheduler(3, 1)))
    assert len(seen) == 1
    assert result.best is None
    assert result.not_finite.tolist() == [0, 1, 2]
    assert "no evaluation gave a finite loss\n  NaN or infinite: 3 of 3 losses" in repr(result)

    def misspelt(configuration, resource):
        return configuration["y"]

    with pytest.warns(RuntimeWarning, match="KeyError: 'y'"), pytest.raises(ObjectiveError) as raised:
        minimize(misspelt, Line(), Algorithm(FullScheduler(3, 1)), workers=2)
    result, text = raised.value.result, str(raised.value)
    assert str(pickle.loads(pickle.dumps(raised.value))) == text
    assert text.startswith(
        "No evaluation gave a finite loss, so there is no best: of 3, 3 failed. The first failure is of"
    )
    for shown in (text, repr(result)):
        assert "trial 0: KeyError: 'y'\n" in shown
        assert "in misspelt" in shown
        assert 'return configuration["y"]' in shown
    assert result.best is None
    assert len(result.failures) == 3
