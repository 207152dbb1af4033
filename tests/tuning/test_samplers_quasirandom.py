"""Quasi-random search: even, in order, and without a word from SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import qmc

from hyperband.errors import InputError
from hyperband.space import Float, Int, Space
from hyperband.tuning.samplers import QuasiRandomSampler, RandomSampler

CUBE = Space({f"x{i}": Float(0.0, 1.0) for i in range(4)})


@pytest.mark.parametrize("kind", ["sobol", "halton"])
def test_the_points_are_more_even_than_random_ones(kind):
    def discrepancy(sampler, seed):
        return qmc.discrepancy(sampler.start(CUBE, seed).propose(range(128)))

    ratios = [discrepancy(QuasiRandomSampler(kind), s) / discrepancy(RandomSampler(), s) for s in range(21)]
    assert np.median(ratios) < 0.25


@pytest.mark.parametrize("kind", ["sobol", "halton"])
def test_the_points_are_scipys_in_order_across_blocks(kind):
    found = QuasiRandomSampler(kind).start(CUBE, 0)
    rows = np.concatenate([found.propose(range(start, stop)) for start, stop in ((0, 3), (3, 256), (256, 700))])
    engine = (qmc.Sobol if kind == "sobol" else qmc.Halton)(4, rng=np.random.default_rng([0, 21]))
    assert np.array_equal(rows, engine.random(1024)[:700])


def test_rejected_points_are_passed_over():
    rule = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, constraints=["x < y"])
    free = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)})
    points = QuasiRandomSampler().start(rule, 0).propose(range(100))
    every = QuasiRandomSampler().start(free, 0).propose(range(300))
    assert np.array_equal(points, every[every[:, 0] < every[:, 1]][:100])


def test_a_saved_sequence_goes_on_beyond_its_block():
    first = QuasiRandomSampler().start(CUBE, 0)
    first.propose(range(600))
    second = QuasiRandomSampler().start(CUBE, 0)
    second.load_state_dict(first.state_dict())
    assert np.array_equal(first.propose(range(600, 900)), second.propose(range(600, 900)))


def test_unknown_kinds_and_too_many_dimensions_are_refused():
    with pytest.raises(InputError, match="'sobol' or 'halton'; got 'grid'"):
        QuasiRandomSampler("grid")
    wide = Space({f"n{i}": Int(0, 9) for i in range(21_202)})
    with pytest.raises(InputError, match="at most 21201 dimensions; got 21202"):
        QuasiRandomSampler().start(wide, 0)
