"""The numbers behind the pictures: importances, incumbent curves, scales, ranges, ticks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

import hyperband as hb
from hyperband.errors import InputError
from hyperband.plots import incumbent_curve, parameter_importance, regret
from hyperband.plots.canvas import ink_on, rung_colours
from hyperband.plots.loss_range import LossRange
from hyperband.plots.plotted_result import Outcomes, points_of
from hyperband.plots.scales import Scale, spread
from hyperband.plots.style import style_of
from hyperband.plots.ticks import log_ticks, short, thinned

SPACE = hb.Space(
    {
        "strong": hb.Float(0.0, 1.0),
        "weak": hb.Choice(["a", "b", "c"]),
        "useless": hb.Int(1, 5),
        "deep": hb.Float(0.0, 1.0),
    },
    conditions=[hb.When("deep", "weak", "c")],
)


def objective(c, resource):
    return 4 * c["strong"] + {"a": 0.0, "b": 0.5, "c": 1.0}[c["weak"]] + 2 / resource


# ---- importance ----------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [hb.RandomSearch(n=80, max_resource=9), hb.Hyperband(27)], ids=repr)
def test_importance_ranks_what_matters_first(algorithm):
    found = parameter_importance(hb.minimize(objective, SPACE, algorithm))
    assert found.names[0] == "strong"
    value = dict(zip(found.names, found.mean, strict=True))
    assert value["strong"] > 5 * max(value["useless"], value["deep"], 0.01)
    assert abs(value["useless"]) < 0.05
    assert found.explained > 0.6
    assert (found.deviation >= 0).all()


def test_importance_is_the_share_of_the_variance():
    """Of a sum of independent terms each has the share of its own variance, here 4 to 1."""
    space = hb.Space({"x": hb.Float(0.0, 1.0), "y": hb.Float(0.0, 1.0)})
    result = hb.minimize(lambda c, r: 2 * c["x"] + c["y"], space, hb.RandomSearch(n=600, max_resource=1))
    found = parameter_importance(result, repeats=3)
    np.testing.assert_allclose(found.mean, [0.8, 0.2], atol=0.06)


def test_importance_of_noise_is_nothing_and_says_so():
    rng = np.random.default_rng(0)
    result = hb.minimize(lambda c, r: rng.random(), SPACE, hb.RandomSearch(n=60, max_resource=1))
    found = parameter_importance(result)
    assert found.explained < 0.2
    assert np.abs(found.mean).max() < 0.2


def test_importance_is_not_moved_by_the_scale_or_by_failures():
    plain = hb.minimize(objective, SPACE, hb.RandomSearch(n=60, max_resource=1))
    steep = hb.minimize(lambda c, r: math.exp(9 * objective(c, r)), SPACE, hb.RandomSearch(n=60, max_resource=1))
    a, b = parameter_importance(plain, repeats=2), parameter_importance(steep, repeats=2)
    assert a.names == b.names
    np.testing.assert_array_equal(a.mean, b.mean)
    again = parameter_importance(plain, repeats=2)
    np.testing.assert_array_equal(a.mean, again.mean)
    assert (parameter_importance(plain, repeats=2, seed=1).mean != a.mean).any()
    with pytest.warns(RuntimeWarning, match="gave NaN"):
        failing = hb.minimize(
            lambda c, r: math.nan if c["useless"] == 3 else objective(c, r), SPACE, hb.RandomSearch(1, n=60)
        )
    found = parameter_importance(failing, repeats=2)
    assert found.n_trials == int(np.isfinite(failing.trials["loss"]).sum()) < 60
    assert found.names[0] == "strong"


def test_the_picture_shows_the_numbers():
    result = hb.minimize(objective, SPACE, hb.RandomSearch(n=60, max_resource=9))
    ax, found = result.plot.importance(), parameter_importance(result)
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], found.mean)
    assert [t.get_text() for t in ax.get_yticklabels()] == list(found.names)
    assert f"explain {found.explained:.2f}" in ax.get_title() and "60 trials" in ax.get_title()
    assert "share of the variance of loss ranks" in ax.get_xlabel() and "unseen trials" in ax.get_xlabel()


@pytest.mark.parametrize(
    ("objective", "n", "message"),
    [
        (objective, 11, "at least 12 trials with a finite loss; got 11"),
        pytest.param(
            lambda c, r: math.nan,
            20,
            "at least 12 trials with a finite loss; got 0",
            marks=pytest.mark.filterwarnings("ignore:No evaluation gave a finite loss"),
        ),
        (lambda c, r: 0.25, 20, "losses that differ; all are 0.25"),
    ],
)
def test_too_little_is_refused(objective, n, message):
    result = hb.minimize(objective, SPACE, hb.RandomSearch(n=n, max_resource=1))
    with pytest.raises(InputError, match=message):
        parameter_importance(result)


def test_importance_checks_its_settings():
    result = hb.minimize(objective, SPACE, hb.RandomSearch(n=20, max_resource=1))
    with pytest.raises(InputError, match="`repeats`"):
        parameter_importance(result, repeats=1)
    with pytest.raises(InputError, match="`seed`"):
        parameter_importance(result, seed=-1)


# ---- incumbents over cost -----------------------------------------------------


def test_incumbent_curves_follow_the_order_in_which_results_were_told():
    run = hb.Hyperband(9).start(SPACE, seed=0)
    told = []
    while not run.done:
        jobs = run.ask(3)
        results = [
            hb.Result(j.trial, j.bracket, j.rung, j.resource, objective(j.configuration, j.resource), cost=j.trial + 1)
            for j in jobs
        ]
        for result in reversed(results):  # one by one, the last first
            run.tell(result)
            told.append(result)
    result = hb.SearchResult.of(run)
    found = incumbent_curve(result)
    np.testing.assert_allclose(found.spent, np.cumsum([r.cost for r in told]))
    np.testing.assert_allclose(found.loss, np.minimum.accumulate([r.loss for r in told]))
    np.testing.assert_array_equal(incumbent_curve(result, x="evaluations").spent, np.arange(1, len(told) + 1))
    full = np.minimum.accumulate([r.loss if r.resource == 9 else math.inf for r in told])
    np.testing.assert_allclose(incumbent_curve(result, at_full=True).loss, np.where(np.isfinite(full), full, math.nan))


def test_curves_without_costs_are_refused_and_without_an_order_follow_the_table():
    run = hb.RandomSearch(n=3, max_resource=1).start(SPACE, seed=0)
    run.tell([hb.Result(j.trial, j.bracket, j.rung, j.resource, -float(j.trial), cost=0.0) for j in run.ask()])
    result = hb.SearchResult.of(run)
    with pytest.raises(InputError, match="results with a cost; all costs are 0"):
        incumbent_curve(result)
    bare = hb.SearchResult(result.best, result.best, result.trials, result.plan, space=SPACE)
    assert incumbent_curve(bare, x="evaluations").loss.tolist() == [0.0, -1.0, -2.0]


def test_failures_before_the_first_loss_are_a_gap():
    with pytest.warns(RuntimeWarning, match="gave NaN"):
        result = hb.minimize(lambda c, r: c["strong"] if c["strong"] < 0.5 else math.nan, SPACE, hb.RandomSearch(n=12))
    found = incumbent_curve(result)
    first = int(np.flatnonzero(np.isfinite(result.trials["loss"]))[0])
    assert np.isnan(found.loss[:first]).all()
    assert np.isfinite(found.loss[first:]).all()


def test_several_searches_share_their_axes_and_regret_is_what_is_missing():
    found = {
        name: hb.minimize(objective, SPACE, algorithm)
        for name, algorithm in {"random": hb.RandomSearch(n=9, max_resource=9), "Hyperband": hb.Hyperband(9)}.items()
    }
    ax = regret(found, optimum=0.0)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == list(found)
    assert ax.get_yscale() == "log"
    for line, result in zip(ax.lines, found.values(), strict=True):
        np.testing.assert_allclose(line.get_xdata(), incumbent_curve(result).spent)
        np.testing.assert_allclose(line.get_ydata(), incumbent_curve(result).loss)
    assert len({(line.get_color(), str(line.get_linestyle())) for line in ax.lines}) == 2
    assert regret(found).get_yscale() == "log", "losses that are all positive"
    assert regret(found, log=False).get_yscale() == "linear"


def test_the_axes_of_a_regret_are_logarithmic_where_they_can_be():
    result = hb.minimize(objective, SPACE, hb.Hyperband(9))
    negative = hb.minimize(lambda c, r: -c["strong"], SPACE, hb.RandomSearch(n=9))
    assert result.plot.regret().get_xscale() == "linear"
    ax = result.plot.regret(0.0, log_x=True)
    first = incumbent_curve(result).spent[0]
    assert ax.get_xscale() == "log" and 0 < ax.get_xlim()[0] < first
    assert negative.plot.regret().get_yscale() == "linear"
    with pytest.raises(InputError, match="`log=True` needs positive losses; the largest is -"):
        negative.plot.regret(log=True)
    least = float(result.trials["loss"].min())
    ax = result.plot.regret(least)  # the last regret is 0, which lies on the lower border
    low, high = ax.get_ylim()
    assert ax.get_yscale() == "log" and 0 < low < high


def test_a_diverged_loss_does_not_flatten_a_logarithmic_axis():
    losses = iter([1e30, *np.linspace(0.9, 0.1, 29)])
    result = hb.minimize(lambda c, r: next(losses), SPACE, hb.RandomSearch(n=30, max_resource=1))
    assert result.plot.regret(log=True).get_ylim()[1] < 1e4


def test_a_regret_of_nothing_can_be_drawn():
    result = hb.minimize(lambda c, r: 0.5, SPACE, hb.RandomSearch(n=4))
    result.plot.regret(0.5).figure.draw_without_rendering()


# ---- scales, ranges, ticks -------------------------------------------------------

PARAMETERS = st.one_of(
    st.tuples(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6)).map(lambda p: hb.Float(p[0], p[0] + p[1])),
    st.tuples(st.floats(1e-9, 1e3), st.floats(1.01, 1e9)).map(lambda p: hb.Float(p[0], p[0] * p[1], log=True)),
    st.tuples(st.integers(-1000, 1000), st.integers(0, 2000)).map(lambda p: hb.Int(p[0], p[0] + p[1])),
    st.tuples(st.integers(1, 1000), st.integers(0, 100_000)).map(lambda p: hb.Int(p[0], p[0] + p[1], log=True)),
    st.integers(1, 30).map(lambda n: hb.Choice(list(range(n)))),
)


@given(PARAMETERS, st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
def test_cells_cover_the_axis_and_every_value_lies_on_it(parameter, us):
    scale = Scale("p", parameter)
    edges, middles = scale.edges()
    assert (np.diff(edges) > 0).all()
    assert len(middles) == len(edges) - 1
    inside = scale.positions(middles)
    slack = 1e-9 * np.abs(edges).max()
    assert ((edges[:-1] - slack <= inside) & (inside <= edges[1:] + slack)).all()
    fractions = scale.fractions(scale.positions(np.array(us)))
    assert ((fractions >= -1e-9) & (fractions <= 1 + 1e-9)).all()
    assert math.isnan(scale.positions(np.array([math.nan]))[0])


@given(st.floats(1e-12, 1e12), st.floats(1.0, 1e15))
def test_log_ticks_are_few_and_inside(low, ratio):
    high = low * ratio
    ticks = log_ticks(low, high)
    assert 1 <= len(ticks) <= 10
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)
    assert ticks == sorted(ticks)


@given(st.floats(-1e300, 1e300))
def test_short_numbers_are_short_and_near(value):
    text = short(value)
    assert len(text) <= 12
    digits, _, power = (text if "·" in text else f"1·{text}").partition("·")
    raised = power.removeprefix("10").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    plain = text if raised == power.removeprefix("10") else f"{digits}e{raised}"
    assert math.isclose(float(plain), value, rel_tol=0.006)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=40))
def test_a_range_shows_the_smallest_and_most_of_the_others(losses):
    shown = LossRange.of(losses)
    finite = sorted(v for v in losses if math.isfinite(v))
    if not finite:
        assert shown is None
        return
    assert shown.low == finite[0]
    assert sum(v <= shown.top for v in finite) >= 0.9 * len(finite) - 1
    assert shown.beyond == (finite[-1] > shown.top)


@given(st.integers(1, 40), st.integers(2, 9))
def test_thinned_keeps_the_last_and_no_more_than_asked(n, most):
    kept = thinned(list(range(n)), most)
    assert kept[-1] == n - 1
    assert len(kept) <= most
    assert len(set(np.diff(kept))) <= 1


def test_spread_points_are_apart_in_their_cell():
    across, up = spread(np.arange(50))
    assert max(np.abs(across).max(), np.abs(up).max()) < 0.5
    apart = np.hypot(across[:, None] - across, up[:, None] - up)
    assert apart[np.triu_indices(50, 1)].min() > 0.05


def test_outcomes_name_the_last_evaluation_of_each_trial():
    result = hb.minimize(objective, SPACE, hb.Hyperband(9))
    found = Outcomes.of(result)
    assert found.levels.tolist() == [1, 3, 9]
    for trial, row, level in zip(found.trial, found.row, found.level, strict=True):
        mine = np.flatnonzero(result.trials["trial"] == trial)
        assert row == mine[np.argmax(result.trials["rung"][mine])]
        assert found.levels[level] == result.trials["resource"][row]
    assert found.trial[found.best] == result.best.trial
    configurations = SPACE.decode(points_of(result, found.row))
    assert configurations[found.best] == pytest.approx(dict(result.best.configuration))


def test_a_result_without_its_space_says_what_is_missing():
    result = hb.minimize(objective, SPACE, hb.RandomSearch(n=3))
    bare = hb.SearchResult(result.best, result.best, result.trials, result.plan)
    with pytest.raises(InputError, match="`space` of the result must be known"):
        bare.plot.parallel()
    bare.plot.curves()


@pytest.mark.parametrize("style", ["light", "dark"])
def test_rungs_are_told_apart_in_grey_print_and_their_numbers_are_read(style):
    """Relative luminance rises or falls along the ramp; text on it has the contrast that WCAG 2.1 asks for."""

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return float(np.dot((0.2126, 0.7152, 0.0722), linear))

    look = style_of(style)
    for n in (1, 2, 5, 8):
        colours = rung_colours(look, n)
        grey = [luminance(colour) for colour in colours]
        steps = np.diff(grey) * (1 if style == "dark" else -1)
        assert (steps > 0.01).all()
        for colour, y in zip(colours, grey, strict=True):
            ink = luminance(ink_on(colour))
            assert (max(ink, y) + 0.05) / (min(ink, y) + 0.05) >= 4.5
    assert (luminance(look.ink) > luminance(look.background)) is (style == "dark")
