"""Priors: exact probabilities, draws that follow them, quantiles that invert, and errors."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband.errors import InputError
from hyperband.space import Choice, Float, Int, Space, When
from hyperband.space.priors import DEVIATIONS, TruncatedNormal

EVEN = (np.arange(20_000) + 0.5) / 20_000


def mass(centre, deviation, low, high):
    """Probability of [low, high) under a normal distribution truncated to [0, 1], by the standard library."""
    cdf = NormalDist(centre, deviation).cdf
    return (cdf(high) - cdf(low)) / (cdf(1.0) - cdf(0.0))


def shares(axis, values):
    """Shares of the values among even draws of the prior."""
    drawn = axis.values(axis.from_prior(EVEN))
    return [drawn.count(value) / len(drawn) for value in values]


@pytest.mark.parametrize("prior", ["low", "medium", "high", 0.03, 2.0])
@pytest.mark.parametrize(
    ("axis", "centre"),
    [
        (lambda prior: Float(0.0, 10.0, default=2.5, prior=prior), 0.25),
        (lambda prior: Float(0.0, 10.0, prior=prior), 0.5),
        (lambda prior: Float(1e-4, 1.0, log=True, default=1e-3, prior=prior), 0.25),
        (lambda prior: Float(0.0, 1.0, default=1.0, prior=prior), 1.0),
    ],
)
def test_real_numbers_follow_a_normal_distribution_on_the_axis(axis, centre, prior):
    axis, deviation = axis(prior), DEVIATIONS.get(prior, prior)
    u = axis.from_prior(EVEN)
    assert (np.diff(u) >= 0).all() and u[0] >= 0 and u[-1] <= 1
    for edge in (0.1, 0.25, 0.4, 0.7):
        assert (u < edge).mean() == pytest.approx(mass(centre, deviation, 0.0, edge), abs=1e-3)
    width = 1e-4
    for point in (0.05, 0.3, 0.9):
        density = mass(centre, deviation, point - width / 2, point + width / 2) / width
        if density > 1e-4:  # below, the difference of two values near 1 loses its precision
            assert axis.log_prior(np.array([point]))[0] == pytest.approx(math.log(density), abs=1e-5)


@pytest.mark.parametrize(
    "axis",
    [
        Int(1, 6, default=2, prior="medium"),
        Int(1, 40, log=True, default=4, prior=0.2),
        Int(3, 3, prior="high"),
        Choice(["s", "m", "l", "xl"], ordered=True, default="m", prior="high"),
    ],
)
def test_bins_have_the_mass_of_their_part_of_the_axis(axis):
    ends = EVEN[np.flatnonzero(np.diff(axis.canonical(EVEN)))] + 0.5 / len(EVEN)
    edges = [0.0, *ends, 1.0]
    u = np.unique(axis.canonical(EVEN))
    found = [mass(axis.default_point, DEVIATIONS.get(axis.prior, axis.prior), a, b) for a, b in pairwise(edges)]
    assert shares(axis, axis.values(u)) == pytest.approx(found, abs=2e-3)
    ratios = np.exp(axis.log_prior(u))
    assert (ratios * np.diff(edges)).sum() == pytest.approx(1.0, abs=1e-3)
    assert ratios * np.diff(edges) == pytest.approx(found, abs=1e-3)


def test_weights_of_choices():
    axis = Choice(["a", "b", "c"], prior=[6, 3, 1])
    assert shares(axis, "abc") == pytest.approx([0.6, 0.3, 0.1], abs=1e-3)
    assert np.exp(axis.log_prior(axis.encode(["a", "b", "c"]))) == pytest.approx([1.8, 0.9, 0.3])
    for name, weight in (("low", 2), ("medium", 4), ("high", 8)):
        axis = Choice(["a", "b", "c"], default="b", prior=name)
        assert shares(axis, "abc") == pytest.approx(
            [1 / (weight + 2), weight / (weight + 2), 1 / (weight + 2)], abs=1e-3
        )
    # Draws stay uniform inside the bin, whatever it is mapped to.
    u = Choice(["a", "b"], prior=[3, 1]).from_prior(EVEN)
    assert np.quantile(u[u < 0.5], [0.25, 0.5]) == pytest.approx([0.125, 0.25], abs=1e-3)


def test_names_of_deviations():
    for name, deviation in (("low", 0.5), ("medium", 0.25), ("high", 0.125)):
        assert np.array_equal(Float(0, 1, prior=name).from_prior(EVEN), Float(0, 1, prior=deviation).from_prior(EVEN))


def test_the_far_tail_keeps_its_precision():
    normal = TruncatedNormal(0.0, 0.02)
    exact = normal.log_ratio(np.array([0.95]))[0]
    assert normal.log_ratio_of_bins(np.array([0.9499]), np.array([0.9501]))[0] == pytest.approx(exact, rel=1e-3)
    assert exact == pytest.approx(-0.5 * (0.95 / 0.02) ** 2 - math.log(0.02 * math.sqrt(math.pi / 2)), rel=1e-12)
    assert TruncatedNormal(1.0, 0.02).log_ratio(np.array([0.05]))[0] == pytest.approx(exact)
    # So many whole numbers that a bin is as thin as a point.
    axis = Int(0, 2**50, prior=0.1)
    assert axis.log_prior(np.array([0.3, 0.5])) == pytest.approx(Float(0, 1, prior=0.1).log_prior(np.array([0.3, 0.5])))


@settings(max_examples=100, derandomize=True)
@given(centre=st.floats(0, 1), deviation=st.floats(1e-6, 1e3), p=st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_any_normal_stays_on_the_axis_and_inverts(centre, deviation, p):
    normal, p = TruncatedNormal(centre, deviation), np.sort(p)
    u = normal.quantile(p)
    assert ((u >= 0) & (u <= 1)).all() and (np.diff(u) >= 0).all()
    low, high = (NormalDist(centre, deviation).cdf(x) for x in (0.0, 1.0))
    again = [(NormalDist(centre, deviation).cdf(x) - low) / (high - low) for x in u]
    assert np.allclose(again, p, atol=1e-9 + 1e-13 / (high - low))
    assert np.isfinite(normal.log_ratio(u[(u > 0) & (u < 1)])).all()


def test_a_space_maps_and_weighs_its_columns():
    space = Space(
        {
            "kind": Choice(["a", "b"], prior=[9, 1]),
            "x": Float(0.0, 1.0, default=0.2, prior="high"),
            "y": Float(0.0, 1.0),
            "n": Int(1, 8, log=True, prior="low"),
        },
        conditions=[When("x", "kind", "a")],
    )
    u = np.random.default_rng(0).random((50_000, 4))
    points = space.from_prior(u)
    assert np.array_equal(points[:, 2], u[:, 2]) and not np.array_equal(points[:, 1], u[:, 1])
    columns = space.columns(space.activate(points))
    assert (columns["kind"] == "a").mean() == pytest.approx(0.9, abs=0.01)
    assert np.nanmedian(columns["x"]) == pytest.approx(0.21, abs=0.01)
    # The mean density over uniform points is 1, and inactive parameters count nothing.
    assert np.exp(space.log_prior(u)).mean() == pytest.approx(1.0, abs=0.03)
    off = space.activate(np.array([[0.9, 0.3, 0.1, 0.5], [0.9, 0.9, 0.8, 0.5]]))
    assert np.isnan(off[:, 1]).all() and len(set(space.log_prior(off))) == 1
    n = space.parameters["n"].log_prior(np.array([0.5]))[0]
    assert space.log_prior(off)[0] == pytest.approx(math.log(0.2) + n)
    plain = Space({"x": Float(0, 1), "k": Choice([1, 2])})
    assert plain.log_prior(u[:, :2]).tolist() == [0.0] * len(u) and np.array_equal(plain.from_prior(u[:, :2]), u[:, :2])


def test_priors_survive_their_text_and_old_texts_are_read():
    space = Space(
        {
            "x": Float(0.0, 1.0, prior=0.1),
            "n": Int(1, 9, default=3, prior="high"),
            "k": Choice(["a", "b"], prior=np.array([1, 2])),
            "o": Choice([1, 2, 3], ordered=True, prior="low"),
        }
    )
    again = Space.from_json(space.to_json())
    assert again == space and again != Space({name: space.parameters[name] for name in ("x", "n", "k")})
    u = np.random.default_rng(1).random((10, 4))
    assert np.array_equal(again.from_prior(u), space.from_prior(u))
    old = (
        '{"version": 1, "parameters": {"x": {"type": "float", "low": 0.0, "high": 1.0, "log": false, "default": null}}'
    )
    assert Space.from_json(old + ', "conditions": [], "constraints": []}') == Space({"x": Float(0.0, 1.0)})


@pytest.mark.parametrize(
    "make",
    [
        lambda: Float(0, 1, prior="strong"),
        lambda: Float(0, 1, prior=0.0),
        lambda: Float(0, 1, prior=-1),
        lambda: Float(0, 1, prior=math.nan),
        lambda: Float(0, 1, prior=1e4),
        lambda: Int(0, 1, prior=True),
        lambda: Int(0, 1, prior=[1, 2]),
        lambda: Choice(["a", "b", "c"], prior=[1, 2]),
        lambda: Choice(["a", "b"], prior=[1, 0]),
        lambda: Choice(["a", "b"], prior=[1, math.inf]),
        lambda: Choice(["a", "b"], prior=["1", "2"]),
        lambda: Choice(["a", "b"], prior=[1e-320, 1e300]),
        lambda: Choice(["a", "b"], prior=0.5),
        lambda: Choice(["a", "b"], prior="strong"),
        lambda: Choice(["a", "b"], prior="ab"),
    ],
)
def test_other_priors_are_refused(make):
    with pytest.raises(InputError, match="`prior`"):
        make()


def test_points_for_priors_are_checked():
    space = Space({"x": Float(0, 1)})
    for call in (space.from_prior, space.log_prior):
        with pytest.raises(InputError, match="Points must"):
            call(np.array([[2.0]]))
