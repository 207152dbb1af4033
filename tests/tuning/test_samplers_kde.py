"""Kernel density estimates against a scalar reference, and the model of `KDESampler`: its results, what it favours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband.errors import InputError
from hyperband.space import Choice, Float, Int, Space, When
from hyperband.tuning.samplers import KDESampler, RandomSampler
from hyperband.tuning.samplers.kernels import Axes, Density, normal_cdf, truncated_normal

LINE = Space({"x": Float(0.0, 1.0)})
MIXED = Space(
    {
        "kind": Choice(["a", "b", "c"]),
        "x": Float(0.0, 1.0),
        "only_b": Float(0.0, 1.0),
        "few": Int(1, 3),
        "size": Choice([1, 2, 4], ordered=True),
        "fixed": "one",
    },
    conditions=[When("only_b", "kind", "b")],
)


def phi(x):
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def deviation(values):
    mean = sum(values) / len(values)
    return math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))


def reference(space, points, x, least=1e-3):
    """Log of the density at one point, one number at a time, from the definitions alone."""
    parameters = list(space.parameters.values())
    varying = [j for j, p in enumerate(parameters) if p.n_values > 1]
    kernels = []  # logarithms: far from every point all kernels would be 0
    for point in points:
        kernel = 0.0
        for j in varying:
            known = [float(row[j]) for row in points if not math.isnan(row[j])]
            if math.isnan(x[j]) or math.isnan(point[j]):
                continue
            shrink = len(known) ** (-1.0 / (4.0 + len(varying)))
            if isinstance(parameters[j], Choice) and not parameters[j].ordered:
                c = len(parameters[j].options)
                options = [min(int(v * c), c - 1) for v in known]
                spread = math.sqrt((1.0 - sum((options.count(k) / len(known)) ** 2 for k in range(c))) / 2.0)
                h = min(max(1.06 * (spread if len(known) > 1 else 0.5) * shrink, least), 1.0 - 1.0 / c)
                same = int(x[j] * c) == int(point[j] * c)
                kernel += math.log(c * (1.0 - h) if same else c * h / (c - 1))
            else:
                spread = deviation(known) if len(known) > 1 else math.sqrt(1.0 / 12.0)
                h = max(1.06 * spread * shrink, least, 0.25 / parameters[j].n_values)
                mass = phi((1.0 - point[j]) / h) - phi(-point[j] / h)
                kernel += -0.5 * ((x[j] - point[j]) / h) ** 2 - math.log(h * math.sqrt(2.0 * math.pi) * mass)
        kernels.append(kernel)
    top = max(kernels)
    return top + math.log(sum(math.exp(kernel - top) for kernel in kernels) / len(points))


@settings(max_examples=30, derandomize=True)
@given(n=st.integers(1, 12), seed=st.integers(0, 1000))
def test_estimates_are_those_of_the_definition(n, seed):
    points, others = np.split(MIXED.canonical(RandomSampler().start(MIXED, seed).propose(range(n + 5))), [n])
    found = Density(Axes.of(MIXED), points).log(others)
    assert np.allclose(found, [reference(MIXED, points, x) for x in others], rtol=1e-5, atol=1e-5)


def test_estimates_do_not_depend_on_how_many_are_asked():
    points = MIXED.canonical(RandomSampler().start(MIXED, 0).propose(range(90)))
    density = Density(Axes.of(MIXED), points[:60])
    assert np.array_equal(density.log(points[60:]), np.concatenate([density.log(row[None]) for row in points[60:]]))


def test_a_density_is_one_on_average():
    """Relative to the uniform density; on choices, numbers in bins and real numbers at once."""
    space = Space({"kind": Choice(["a", "b", "c"]), "x": Float(0.0, 1.0)})
    points = np.array([[0.5 / 3, 0.02], [2.5 / 3, 0.9], [0.5 / 3, 0.4], [0.5 / 3, 0.1]])
    x = (np.arange(20_000) + 0.5) / 20_000
    means = [
        np.exp(Density(Axes.of(space), points).log(np.stack([np.full_like(x, (k + 0.5) / 3), x], axis=1))).mean()
        for k in range(3)
    ]
    assert abs(np.mean(means) - 1.0) < 1e-4 and means[0] > means[2] > means[1]


def test_draws_follow_the_density():
    space = Space({"kind": Choice(["a", "b", "c"]), "x": Float(0.0, 1.0)})
    points = np.array([[0.5 / 3, 0.0], [0.5 / 3, 0.1], [2.5 / 3, 0.9], [0.5 / 3, 0.3]])
    density = Density(Axes.of(space), points)
    drawn = density.draw(np.random.default_rng(0).random((40_000, 3)))
    grid = (np.arange(2000) + 0.5) / 2000
    for option in range(3):
        u = (option + 0.5) / 3
        here = np.exp(density.log(np.stack([np.full_like(grid, u), grid], axis=1))) / 3
        assert abs((drawn[:, 0] == u).mean() - here.mean()) < 0.01
    lower = [np.exp(density.log(np.stack([np.full_like(grid, (k + 0.5) / 3), grid], axis=1))) for k in range(3)]
    assert abs((drawn[:, 1] < 0.2).mean() - np.mean(lower, axis=0)[:400].sum() / 2000) < 0.01


def test_wider_draws_are_wider():
    density = Density(Axes.of(LINE), np.array([[0.5], [0.5]]), least=0.01)
    u = np.random.default_rng(0).random((4000, 2))
    assert density.draw(u).std() == pytest.approx(0.01, rel=0.05)
    assert density.draw(u, 3.0).std() == pytest.approx(0.03, rel=0.05)


def test_the_normal_table():
    x = np.linspace(-9.0, 9.0, 1001)
    assert np.abs(normal_cdf(x) - [phi(v) for v in x]).max() < 2e-7
    u = np.linspace(0.0, 1.0, 1001)[:-1]
    drawn = truncated_normal(u, np.full(1000, 0.2), np.full(1000, 0.3))
    share = (np.array([phi((v - 0.2) / 0.3) for v in drawn]) - phi(-2 / 3)) / (phi(0.8 / 0.3) - phi(-2 / 3))
    assert np.abs(share - u).max() < 1e-6 and ((drawn >= 0) & (drawn <= 1)).all()


def test_one_level_and_constant_axes_are_harmless():
    space = Space({"fixed": "value", "one": Int(3, 3), "only": Choice(["a"]), "x": Float(0.0, 1.0)})
    points = np.array([[0.5, 0.5, 0.5, 0.5]] * 4)
    assert np.isfinite(Density(Axes.of(space), points).log(points)).all()
    constant = Space({"a": 1, "b": 2})
    assert Density(Axes.of(constant), np.full((2, 2), 0.5)).log(np.full((1, 2), 0.5)).tolist() == [0.0]


def test_the_bandwidth_of_a_choice_does_not_depend_on_the_order_of_its_options():
    axes = Axes.of(Space({"kind": Choice(["a", "b", "c"])}))
    widths = [
        Density(axes, (np.array(order)[[0, 0, 0, 1, 1, 2]] + 0.5)[:, None] / 3).flips[0]
        for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0))
    ]
    assert np.ptp(widths) < 1e-12


def told(proposer, losses, resource=1, first=0):
    points = proposer.propose(range(first, first + len(losses)), [resource] * len(losses))
    for trial, loss in enumerate(losses, first):
        proposer.tell(trial, resource, loss)
    return points


def test_the_model_is_of_the_largest_resource_with_enough_results():
    """d = 1: N_min = 2, so that 4 results are needed."""
    proposer = KDESampler(random_fraction=0.0).start(LINE, 0)
    points = told(proposer, [0.0, *range(1, 12)])
    assert proposer.estimates()[0].points.ravel().tolist() == points[:2].ravel().tolist()
    for trial in (5, 6, 7):
        proposer.tell(trial, 3, 10.0 - trial)
    assert proposer.estimates()[0].points.ravel().tolist() == points[:2].ravel().tolist(), "three are too few"
    proposer.tell(8, 3, 9.0)
    good, bad = proposer.estimates()
    assert good.points.ravel().tolist() == points[[7, 6]].ravel().tolist()
    assert bad.points.ravel().tolist() == points[[6, 5, 8]].ravel().tolist()


def test_the_best_15_percent_are_good_and_the_others_bad_failures_among_them():
    proposer = KDESampler(random_fraction=0.0).start(LINE, 0)
    points = told(proposer, [math.nan if i % 10 == 0 else float(i) for i in range(40)])
    good, bad = proposer.estimates()
    assert good.points.ravel().tolist() == points[[1, 2, 3, 4, 5, 6]].ravel().tolist()
    assert len(bad.points) == 34 and bad.points[-4:].ravel().tolist() == points[[0, 10, 20, 30]].ravel().tolist()


def test_without_enough_finite_results_there_is_no_model():
    proposer = KDESampler().start(LINE, 0)
    told(proposer, [math.nan] * 20 + [1.0])
    assert proposer.estimates() is None
    random = RandomSampler().start(LINE, 0)
    assert np.array_equal(proposer.propose([30]), random.propose([30])), "random draws are those of random search"


def test_a_share_of_the_trials_stays_random():
    proposer, random = KDESampler().start(LINE, 0), RandomSampler().start(LINE, 0)
    told(proposer, [abs(i - 20.0) for i in range(40)])
    same = (proposer.propose(range(100, 1100)) == random.propose(range(100, 1100))).mean()
    assert 0.28 < same < 0.39


def test_draws_that_a_constraint_forbids_do_not_compete():
    """The density is highest in the forbidden half; still nearly every trial is from the model, none at its edge."""
    space = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, constraints=["x < 0.5"])
    proposer = KDESampler(random_fraction=0.0).start(space, 0)
    points = proposer.propose(range(60))
    for trial, (x, y) in enumerate(points):
        proposer.tell(trial, 1, -x + (y - 0.5) ** 2)
    later = proposer.propose(range(60, 160))
    assert np.median(later[:, 0]) > 0.4 and np.abs(later[:, 1] - 0.5).mean() < 0.2


@pytest.mark.parametrize(
    "fields",
    [
        {"min_points": 0},
        {"min_points": 2.5},
        {"top_fraction": 0.0},
        {"top_fraction": "half"},
        {"n_draws": 0},
        {"random_fraction": 1.5},
        {"random_fraction": math.nan},
        {"bandwidth_factor": 0.0},
        {"min_bandwidth": math.inf},
        {"batch": True},
    ],
)
def test_odd_settings_are_refused(fields):
    with pytest.raises(InputError, match=next(iter(fields))):
        KDESampler(**fields)
