"""Pictures of results: what is drawn where, for every style and kind of result; pixels are not compared."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import hyperband_81_3
import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import hyperband as hb
from hyperband.errors import InputError
from hyperband.plots import Plots, brackets, column_importance, compare, regret
from hyperband.plots.parallel import INACTIVE
from hyperband.plots.plotted_result import PlottedResult
from hyperband.plots.style import DARK, LIGHT
from hyperband.tuning.incumbent import Incumbent
from hyperband.tuning.plans import Plan

FLAT = hb.Space({"x": hb.Float(-2.0, 2.0), "y": hb.Float(1e-3, 10.0, log=True)})
MIXED = hb.Space(
    {
        "batch size, $n$ of $m$": hb.Int(8, 1024, log=True),
        "kind of optimiser": hb.Choice(["adam", "sgd", "lion"]),
        "momentum": hb.Float(0.0, 0.99),
        "decay": hb.Choice([None, 0.1, 1.0], ordered=True),
        "loss": hb.Int(1, 3),
        "pair": hb.Choice([(1, 2), (3, 4)]),
    },
    conditions=[hb.When("momentum", "kind of optimiser", "sgd")],
)
PICTURES = ("landscape", "curves", "brackets", "parallel", "regret")


def flat(c, resource=27):
    return (c["x"] - 1) ** 2 + math.log10(c["y"]) ** 2 + 1 / resource


def mixed(c, resource):
    if c["loss"] == 2 and resource > 1:
        return math.nan
    return math.log2(c["batch size, $n$ of $m$"]) + c.get("momentum", 0.5) + 1 / resource


def broken(c, resource):
    raise ValueError("no")


def search(objective, space, algorithm):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            return hb.minimize(objective, space, algorithm, unit="epochs")
        except hb.ObjectiveError as error:
            return error.result


RESULTS = {
    "hyperband": search(flat, FLAT, hb.Hyperband(27)),
    "halving": search(flat, FLAT, hb.SuccessiveHalving(9)),
    "random": search(flat, FLAT, hb.RandomSearch(n=15, max_resource=9)),
    "grid": search(flat, FLAT, hb.GridSearch(9, points_per_axis=4)),
    "mixed": search(mixed, MIXED, hb.Hyperband(27)),
    "one trial": search(flat, FLAT, hb.RandomSearch(n=1)),
    "all failed": search(broken, FLAT, hb.Hyperband(9)),
    "equal": search(lambda c, r: 0.25, FLAT, hb.RandomSearch(n=8, max_resource=1)),
    "diverged": search(lambda c, r: 1e30 if c["x"] < -1 else flat(c, r), FLAT, hb.Hyperband(9)),
    "one axis": search(lambda c, r: c["x"], hb.Space({"x": hb.Float(0.0, 1.0)}), hb.RandomSearch(n=5)),
}


#: Every picture of every result; in the dark of those that differ most, and no landscape of a single parameter.
DRAWN = [
    (name, picture, style)
    for name in RESULTS
    for picture in PICTURES
    for style in ("light", "dark")
    if (style == "light" or name in ("mixed", "all failed")) and (name, picture) != ("one axis", "landscape")
]


def axes_of(name):
    return ("batch size, $n$ of $m$", "kind of optimiser") if name == "mixed" else ("x", "y")


def collections(ax, prefix):
    return [c for c in ax.collections if (c.get_gid() or "").startswith(prefix)]


def positions(ax, prefix):
    found = [np.asarray(c.get_offsets()) for c in collections(ax, prefix)]
    return np.concatenate(found) if found else np.empty((0, 2))


def draw(name, picture, **options):
    plot = RESULTS[name].plot
    ax = plot.landscape(*axes_of(name), **options) if picture == "landscape" else getattr(plot, picture)(**options)
    ax.figure.figure.draw_without_rendering()
    return ax


@pytest.mark.parametrize(("name", "picture", "style"), DRAWN)
def test_every_picture_of_every_result(name, picture, style):
    before = dict(matplotlib.rcParams)
    ax = draw(name, picture, style=style)
    assert dict(matplotlib.rcParams) == before
    assert to_hex(ax.figure.get_facecolor()) == {"light": LIGHT, "dark": DARK}[style].background
    assert ax.figure.get_size_inches()[0] <= 7.0


@pytest.mark.parametrize("name", ["hyperband", "halving", "random", "grid", "diverged"])
def test_a_landscape_has_every_trial_at_its_values_and_level(name):
    result = RESULTS[name]
    ax = draw(name, "landscape")
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlabel(), ax.get_ylabel()) == ("linear", "log", "x", "y")
    table = result.trials
    for resource in np.unique(table["resource"]):
        last = [i for i, t in enumerate(table["trial"]) if table["resource"][table["trial"] == t].max() == resource]
        last = [i for i in last if table["resource"][i] == resource]
        drawn = [c for c in collections(ax, "level") if c.get_label() == f"{resource:g}"]
        shown = np.concatenate([c.get_offsets() for c in drawn]) if drawn else np.empty((0, 2))
        last = [i for i in last if table["trial"][i] != result.best.trial]  # the best has a star
        expected = np.column_stack([table["x"][last], table["y"][last]])
        np.testing.assert_allclose(shown[np.lexsort(shown.T)], expected[np.lexsort(expected.T)], rtol=1e-9)
    best = result.best.configuration
    np.testing.assert_allclose(positions(ax, "best"), [[best["x"], best["y"]]])
    numbers = {int(t.get_text()): t.xy for t in ax.texts if t.get_text().isdigit()}
    assert result.best.trial in numbers
    for trial, xy in numbers.items():
        row = np.flatnonzero(table["trial"] == trial)[0]
        np.testing.assert_allclose(xy, [table["x"][row], table["y"][row]])


def test_few_trials_all_have_their_numbers():
    numbers = {t.get_text() for t in draw("grid", "landscape").texts}
    assert numbers == {str(k) for k in range(16)}


def test_numbers_are_those_of_the_trials_where_some_are_missing():
    run = hb.RandomSearch(n=12, max_resource=1).start(FLAT, seed=0)
    for job in run.ask():
        if job.trial % 3 == 1:
            run.tell(hb.Result(job.trial, job.bracket, job.rung, job.resource, float(-job.trial), cost=1.0))
    ax = hb.SearchResult.of(run).plot.landscape("x", "y")
    assert {t.get_text() for t in ax.texts} == {"1", "4", "7", "10"}
    np.testing.assert_allclose(positions(ax, "best")[0][0], run.configuration(10)["x"])


def test_failed_trials_are_crosses_and_trials_without_a_parameter_are_counted():
    result = RESULTS["mixed"]
    space = ("loss", "batch size, $n$ of $m$")
    ax = result.plot.landscape(*space)
    last = dict(zip(result.trials["trial"].tolist(), result.trials["loss"].tolist(), strict=True))
    failed = [t for t, loss in last.items() if not math.isfinite(loss)]
    crosses = positions(ax, "failed")
    assert 0 < len(failed) == len(crosses)
    assert (np.abs(crosses[:, 0] - 2) < 0.5).all()  # the parameter that has the name of a column
    assert len(positions(ax, "level")) == len(last) - len(failed) - len(positions(ax, "best"))
    inactive = {t for t, m in zip(result.trials["trial"].tolist(), result.trials["momentum"].tolist()) if math.isnan(m)}
    ax = result.plot.landscape("momentum", "decay")
    assert f"{len(inactive)} trials without" in ax.get_xlabel()
    drawn = sum(len(positions(ax, kind)) for kind in ("level", "failed", "best"))
    assert drawn == len(last) - len(inactive)


def test_choices_are_cells_with_their_names_and_no_point_leaves_its_cell():
    result = RESULTS["mixed"]
    ax = result.plot.landscape("kind of optimiser", "decay")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["adam", "sgd", "lion"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["None", "0.1", "1.0"]
    every = np.concatenate([positions(ax, kind) for kind in ("level", "failed", "best")])
    options = ["adam", "sgd", "lion"], [None, 0.1, 1.0]
    rows = [np.flatnonzero(result.trials["trial"] == t)[0] for t in np.unique(result.trials["trial"])]
    told = [
        (options[0].index(k), options[1].index(None if d is None or d != d else d))
        for k, d in zip(result.trials["kind of optimiser"][rows], result.trials["decay"][rows].tolist())
    ]
    assert sorted(map(tuple, np.round(every).astype(int).tolist())) == sorted(told)
    assert len(np.unique(every, axis=0)) == len(every), "points of one cell lie on one another"


def test_a_known_loss_is_computed_and_forbidden_cells_are_blank():
    space = hb.Space({"x": hb.Float(0.0, 1.0), "y": hb.Float(0.0, 1.0)}, constraints=["x + y <= 1"])

    def loss(c, resource=9):
        return c["x"] + 2 * c["y"]

    result = hb.minimize(loss, space, hb.Hyperband(9))
    for known in (loss, None):
        ax = result.plot.landscape("x", "y", loss=known)
        values = ax.collections[0].get_array().reshape(96, 96)
        blank = np.ma.getmaskarray(np.ma.masked_invalid(values))
        middles = (np.arange(96) + 0.5) / 96
        np.testing.assert_array_equal(blank, middles[None] + middles[:, None] > 1)
        assert "no loss" in [t.get_text() for t in ax.get_legend().get_texts()]
        if known:
            expected = middles[None] + 2 * middles[:, None]
            np.testing.assert_allclose(values[~blank], expected[~blank], rtol=1e-6)


def test_the_legend_says_where_the_heat_map_comes_from():
    labels = [
        RESULTS["hyperband"].plot.landscape("x", "y", loss=loss).figure.axes[1].get_ylabel() for loss in (None, flat)
    ]
    assert labels == ["last loss, fitted by a forest\n(each at its own 1 to 27 epochs)", "loss, computed"]
    assert len(draw("one trial", "landscape").figure.axes) == 1, "a heat map of one trial"


def test_side_by_side_has_one_scale_and_one_heat_map():
    found = {name: RESULTS[name] for name in ("grid", "random", "halving", "hyperband", "diverged")}
    figure = compare(found, "x", "y")
    panels = figure.axes[:5]
    assert [ax.get_title() for ax in panels] == list(found)
    meshes = [ax.collections[0] for ax in panels]
    assert len({mesh.get_clim() for mesh in meshes}) == 1
    for mesh in meshes[1:]:
        np.testing.assert_array_equal(mesh.get_array(), meshes[0].get_array())
    assert meshes[0].get_clim()[1] < 1e3, "one diverged result spoils the colours of all"
    alone = compare({"grid": found["grid"]}, "x", "y").axes[0].collections[0]
    assert (alone.get_array() != meshes[0].get_array()).any(), "the heat map must be fitted to all results together"
    colours = {}
    for ax in panels:  # a rung has one colour in all of them
        for c in collections(ax, "level"):
            colours.setdefault(c.get_label(), set()).add(to_hex(c.get_facecolor()[0]))
    assert {len(seen) for seen in colours.values()} == {1}
    assert len(set().union(*colours.values())) == len(colours)


def test_curves_have_a_panel_a_bracket_and_a_mark_where_each_trial_ended():
    result = RESULTS["hyperband"]
    ax = draw("hyperband", "curves")
    panels = ax.child_axes
    assert len(panels) == len(result.plan.brackets) == 4
    assert {panel.get_xscale() for panel in panels} == {"log"}
    for k, panel in enumerate(panels):
        bracket = result.plan.brackets[k]
        after = [*(rung.n for rung in bracket.rungs[1:]), 0]
        dropped = [rung.n - n for rung, n in zip(bracket.rungs, after, strict=True)]
        ends = positions(panel, "end")
        if result.best.bracket == k:
            dropped[-1] -= 1  # the best has a star
        counts = [int((ends[:, 0] == float(rung.r)).sum()) for rung in bracket.rungs]
        assert counts == dropped
        for marks in collections(panel, "end"):  # one colour a level of resource, as in the other pictures
            level = int(marks.get_gid().split()[1])
            assert set(np.asarray(marks.get_offsets())[:, 0]) == {3.0**level}
        assert f"n = {bracket.n_configurations}" in panel.get_title()
    (line,) = [line for panel in panels for line in panel.lines if line.get_gid() == "best"]
    mine = result.trials["trial"] == result.best.trial
    np.testing.assert_allclose(line.get_ydata(), result.trials["loss"][mine])


def test_the_diagram_of_a_plan_prints_what_runs():
    ax = brackets(hb.Hyperband(81).plan(), unit="epochs")
    texts = [t.get_text() for t in ax.texts if t.get_text()]
    plan = hb.Hyperband(81).plan()
    spent = []
    for bracket in plan.brackets:
        shown = [(int(texts.pop(0)), texts.pop(0).removeprefix("× ")) for _ in bracket.rungs]
        assert [n for n, _ in shown] == [rung.n for rung in bracket.rungs]
        assert [more.startswith("+") for _, more in shown] == [k > 0 for k in range(len(shown))]
        spent.append(sum(n * int(more) for n, more in shown))  # int() reads "+54"
    assert [f"{cost:g}" for cost in spent] == [t.get_text() for t in ax.child_axes[0].get_yticklabels()]
    counts, *costs = ax.get_title().splitlines()
    assert counts == "{1} configurations, {0} evaluations".format(*hyperband_81_3.TOTALS)
    assert costs == [f"{sum(spent)} epochs: promoted trials continue", "(1902 if they started again from zero)"]
    assert sum(spent) == hyperband_81_3.TOTALS[2] and plan.cost_restart == 1902
    assert len([p for p in ax.patches if (p.get_gid() or "").startswith("rung")]) == 15
    assert draw("one trial", "brackets").get_title() == "1 configuration, 1 evaluation, 81 epochs"


def test_parallel_coordinates_draw_the_best_darkest_and_inactive_parameters_below():
    result = RESULTS["mixed"]
    ax = draw("mixed", "parallel")
    (lines,) = collections(ax, "trials")
    (failed,) = collections(ax, "failed")
    assert len(lines.get_segments()) + len(failed.get_segments()) == result.n_configurations
    ranks = np.asarray(lines.get_array())
    assert (np.diff(ranks) <= 0).all(), "better trials must be drawn later"
    heights = np.array([segment[:, 1] for segment in lines.get_segments()])
    inactive = heights[:, 2] == INACTIVE
    np.testing.assert_array_equal(inactive, np.abs(heights[:, 1] - 0.5) > 1e-9)  # sgd is in the middle of three options
    assert "inactive" in [t.get_text() for t in ax.texts]
    assert [t.get_text().replace("\n", " ") for t in ax.get_xticklabels()] == list(MIXED.names)


def test_given_axes_are_drawn_on_and_returned():
    for picture in ("landscape", "curves", "brackets", "parallel", "regret", "importance"):
        figure = Figure()
        ax = figure.add_subplot()
        assert draw("hyperband", picture, ax=ax, style="dark") is ax
        assert to_hex(figure.get_facecolor()) == DARK.background
        assert to_hex(ax.get_facecolor()) in (DARK.background, DARK.blank)


def test_little_room_has_short_titles_also_in_a_figure_inside_another():
    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subfigures(1, 2)
    titles = [p.get_title() for p in draw("hyperband", "curves", ax=left.subplots(), style="dark").child_axes]
    assert titles == ["0: 27", "1: 12", "2: 6", "3: 4"]
    assert to_hex(figure.get_facecolor()) == DARK.background
    draw("hyperband", "landscape", ax=right.subplots())


def test_what_was_on_given_axes_before_stays_and_is_not_taken_for_the_heat_map():
    ax = Figure().add_subplot()
    mine = ax.scatter([0.5], [0.5])
    draw("hyperband", "landscape", ax=ax)
    assert mine in ax.collections
    heat, bar = ax.collections[1], ax.figure.axes[1]
    assert heat.colorbar.ax is bar


def test_a_notebook_shows_axes_and_figures():
    for shown in (RESULTS["random"].plot.landscape("x", "y"), compare({"random": RESULTS["random"]}, "x", "y")):
        assert shown._repr_png_().startswith(b"\x89PNG")


def test_no_state_of_pyplot_is_touched():
    code = (
        "import sys, hyperband as hb\n"
        "space = hb.Space({'x': hb.Float(0.0, 1.0), 'y': hb.Float(0.0, 1.0)})\n"
        "result = hb.minimize(lambda c, r: c['x'] / r, space, hb.Hyperband(9))\n"
        "assert 'matplotlib' not in sys.modules\n"
        "result.plot\n"
        "assert 'matplotlib' not in sys.modules and 'sklearn' not in sys.modules\n"
        "result.plot.landscape('x', 'y').figure._repr_png_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=re.escape("pip install hyperband[plot]")):
        RESULTS["hyperband"].plot.curves()


H = RESULTS["hyperband"]
ROWS = replace(RESULTS["random"], unit="rows")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: H.plot.landscape("x", "z"), "`y` of a landscape must name parameters of the space.*got 'z'"),
        (lambda: H.plot.landscape("x", "x"), "must be two parameters; got 'x' twice"),
        (lambda: H.plot.landscape("x", "y", loss=3), "`loss` must be a function of a configuration, or None; got 3"),
        (lambda: H.plot.landscape("x", "y", loss=lambda c: math.nan), "`loss` must be finite somewhere"),
        (lambda: H.plot.landscape("x", "y", style="sepia"), "`style` must be one of light, dark; got 'sepia'"),
        (lambda: H.plot.curves(ax=3), "`ax` must be one Axes of matplotlib.*got 3"),
        (lambda: H.plot.regret(x="time"), "`x` must be one of cost, evaluations; got 'time'"),
        (lambda: H.plot.regret(optimum=math.inf), "`optimum` must be a finite number"),
        (lambda: H.plot.regret(optimum=10.0), "`optimum` must not be larger than a loss that was found"),
        (lambda: regret({}), "`results` must be a mapping of names to results, at least one"),
        (lambda: compare([H], "x", "y"), "`results` must be a mapping of titles to results"),
        (lambda: compare({"a": H, "b": RESULTS["mixed"]}, "x", "y"), "`results` must be of one space"),
        (lambda: compare({"a": H}, "x", "y", columns=2), "`columns` must be at most the number of results"),
        (lambda: brackets(H), "`plan` must be a plan"),
        (lambda: H.plot.landscape("x", "y", numbers="loss"), "`numbers` must be one of order, discarded; got 'loss'"),
        (lambda: RESULTS["grid"].plot.landscape("x", "y", numbers="discarded"), "`numbers='discarded'` needs a plan"),
        (lambda: H.plot.landscape("x", "y", cmap="crimson"), "`cmap` must be a colour map.*got 'crimson'"),
        (lambda: compare({"a": H}, "x", "y", numbers=3), "`numbers` must be one of"),
        (lambda: compare({"a": H}, "x", "y", width=0), "`width` must be"),
        (lambda: compare({"a": H, "b": ROWS}, "x", "y"), "`results` must have one unit of resource; got epochs, rows"),
        (lambda: column_importance(H), "`found` must be what `Model.importance` returns"),
    ],
)
def test_bad_arguments_name_the_rule(call, message):
    with pytest.raises(InputError, match=message):
        call()


@dataclass(frozen=True)
class OnlyTheProtocol:
    """What `PlottedResult` asks for, and nothing else."""

    trials: Mapping[str, np.ndarray]
    plan: Plan
    unit: str
    space: hb.Space | None
    best: Incumbent | None
    order: np.ndarray | None


def test_pictures_need_of_a_result_only_what_the_protocol_names():
    members = {name for name in vars(PlottedResult) if not name.startswith("_")}
    assert {field.name for field in fields(OnlyTheProtocol)} == members
    bare = Plots(OnlyTheProtocol(**{name: getattr(H, name) for name in members}))
    bare.landscape("x", "y")
    for picture in (*PICTURES[1:], "importance"):
        getattr(bare, picture)()
