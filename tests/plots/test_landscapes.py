"""Landscapes: which numbers trials have, that each can be read, and what colours and legends say."""

from __future__ import annotations

import math
import re
import warnings
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import hyperband as hb
from hyperband.plots import compare
from hyperband.plots.legends import columns_that_fit
from hyperband.plots.marks import BIG
from hyperband.plots.numbers import numbers_of
from hyperband.plots.plotted_result import Outcomes
from hyperband.plots.style import DARK, LIGHT

SPACE = hb.Space(
    {
        "rate": hb.Float(1e-4, 1.0, log=True),
        "depth": hb.Int(1, 16),
        "kind": hb.Choice(["plain", "wide", "narrow"]),
    }
)


def loss(c, resource=81):
    if c["depth"] == 16 and resource > 1:
        return math.nan
    floor = (math.log10(c["rate"]) + 1.5) ** 2 / 5 + (c["depth"] - 10) ** 2 / 100
    return floor + math.exp(-resource * c["rate"] * 20)


def search(algorithm):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return hb.minimize(loss, SPACE, algorithm, unit="epochs", seed=0)


RESULTS = {
    "random": search(hb.RandomSearch(n=19, max_resource=81)),
    "halving": search(hb.SuccessiveHalving(81, n=81)),
    "hyperband": search(hb.Hyperband(81)),
}


def labels(legend):
    return [text.get_text() for text in legend.get_texts()]


# ---- which numbers ----------------------------------------------------------------


def test_discarded_counts_from_the_first_that_was_dropped_to_the_best():
    result = RESULTS["halving"]
    outcomes = Outcomes.of(result)
    found = dict(zip(outcomes.trial.tolist(), numbers_of(result, outcomes, "discarded").tolist(), strict=True))
    assert sorted(found.values()) == list(range(1, 82))
    assert found[result.best.trial] == 81
    order = sorted(found, key=found.get)
    last = {t: (r, v) for t, r, v in zip(*(result.trials[k].tolist() for k in ("trial", "rung", "loss")), strict=True)}
    for a, b in pairwise(order):
        (rung_a, loss_a), (rung_b, loss_b) = last[a], last[b]
        assert rung_a <= rung_b
        if rung_a == rung_b and math.isfinite(loss_b):
            assert math.isnan(loss_a) or loss_a >= loss_b


def test_brackets_are_counted_one_after_the_other():
    result = RESULTS["hyperband"]
    outcomes = Outcomes.of(result)
    numbers = numbers_of(result, outcomes, "discarded")
    brackets = np.asarray(result.trials["bracket"])[outcomes.row]
    assert (np.diff(brackets[np.argsort(numbers)]) >= 0).all()


def test_the_numbers_that_are_asked_for_are_written():
    result = RESULTS["halving"]
    outcomes = Outcomes.of(result)
    for numbers in ("order", "discarded"):
        ax = result.plot.landscape("rate", "depth", loss=loss, numbers=numbers)
        meant = dict(zip(outcomes.row.tolist(), numbers_of(result, outcomes, numbers).tolist(), strict=True))
        where = {number: result.trials["rate"][row] for row, number in meant.items()}
        assert len(ax.texts) > 40
        for text in ax.texts:
            assert text.xy[0] == pytest.approx(where[int(text.get_text())])
        said = {"order": "numbers: order of drawing", "discarded": "numbers: order of discarding"}[numbers]
        assert said in ax.get_legend().get_title().get_text()


# ---- each number can be read --------------------------------------------------------


def overlaps(ax):
    """Pairs of a text and a text, mark or cross that hide one another, by what matplotlib draws."""
    figure = ax.figure.figure
    figure.draw_without_rendering()
    renderer = FigureCanvasAgg(figure).get_renderer()
    pixels = figure.dpi / 72
    boxes = [text.get_tightbbox(renderer) for text in ax.texts]
    marks = []
    for c in ax.collections:
        kind = (c.get_gid() or "").split(" ")[0]
        if kind in ("level", "failed", "best"):
            centres = ax.transData.transform(np.asarray(c.get_offsets()))
            sizes = np.broadcast_to(c.get_sizes(), len(centres))
            marks += [(*centre, math.sqrt(size) / 2 * pixels) for centre, size in zip(centres, sizes, strict=True)]
    found = []
    for k, box in enumerate(boxes):
        x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        half = np.array([box.width, box.height]) * 0.4  # digits do not fill their box
        for j, other in enumerate(boxes[:k]):
            apart = abs(x - (other.x0 + other.x1) / 2), abs(y - (other.y0 + other.y1) / 2)
            if apart[0] < half[0] + 0.4 * other.width and apart[1] < half[1] + 0.4 * other.height:
                found.append((k, j))
        own = ax.transData.transform(ax.texts[k].xy)
        for mx, my, radius in marks:
            if np.hypot(mx - own[0], my - own[1]) > 1e-6:
                gap = np.hypot(max(abs(mx - x) - half[0], 0), max(abs(my - y) - half[1], 0))
                found += [(k, (mx, my))] if gap < 0.8 * radius else []
    return found


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("axes", [("rate", "depth"), ("rate", "kind")], ids=str)
def test_no_number_is_hidden(name, axes):
    ax = RESULTS[name].plot.landscape(*axes, loss=loss)
    assert overlaps(ax) == []
    best = str(RESULTS[name].best.trial)
    assert [t.get_fontweight() for t in ax.texts if t.get_text() == best] == ["bold"]


def test_no_number_is_hidden_in_panels_and_in_given_axes():
    figure = compare(RESULTS, "rate", "depth", loss=loss)
    assert [overlaps(ax) for ax in figure.axes[:3]] == [[], [], []]
    ax = Figure(figsize=(4, 3), dpi=100).subplots()
    assert overlaps(RESULTS["halving"].plot.landscape("rate", "depth", ax=ax)) == []


def test_a_mark_with_its_number_inside_is_large():
    ax = RESULTS["random"].plot.landscape("rate", "depth")
    sizes = np.concatenate([c.get_sizes() for c in ax.collections if (c.get_gid() or "").startswith("level")])
    inside = [t for t in ax.texts if t.get_position() == tuple(t.xy)]
    assert (sizes == BIG).sum() == len(inside) > 10
    assert min(t.get_fontsize() for t in ax.texts) >= 4.2


# ---- colours and legends --------------------------------------------------------------


def luminance(colour):
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
def test_red_is_better_and_levels_are_no_colours_of_the_surface(look):
    for colours in (look.surface, look.ranks):
        redness = [red - max(green, blue) for red, green, blue in map(to_rgb, colours)]
        assert redness[0] > 0.3 and redness == sorted(redness, reverse=True)
        grey = np.diff([luminance(colour) for colour in look.surface])
        assert (grey > 0).all() or (grey < 0).all()
    assert all(blue > red for red, _, blue in map(to_rgb, look.ramp))
    ax = RESULTS["halving"].plot.landscape("rate", "depth", loss=loss, style=look.name)
    mesh = next(c for c in ax.collections if c.get_gid() == "heat map")
    red, _, blue, _ = mesh.cmap(mesh.norm(mesh.get_clim()[0]))
    assert red - blue > 0.3


@pytest.mark.parametrize("cmap", ["viridis", matplotlib.colormaps["RdYlBu"]])
def test_the_readers_colour_map_is_used(cmap):
    expected = cmap if isinstance(cmap, str) else cmap.name
    figure = compare(RESULTS, "rate", "depth", cmap=cmap)
    ax = RESULTS["random"].plot.landscape("rate", "depth", cmap=cmap, style="dark")
    for panel in (*figure.axes[:3], ax):
        assert next(c for c in panel.collections if c.get_gid() == "heat map").cmap.name == expected


def test_losses_of_unlike_resource_are_not_mixed_without_saying_so():
    def label(result):
        ax = result.plot.landscape("rate", "depth")
        return ax.figure.axes[1].get_ylabel()

    assert label(RESULTS["random"]) == "last loss, fitted by a forest\n(at 81 epochs)"
    assert label(RESULTS["halving"]) == "last loss, fitted by a forest\n(each at its own 1 to 81 epochs)"
    figure = compare({name: RESULTS[name] for name in ("random", "halving")}, "rate", "depth")
    assert figure.axes[-1].get_ylabel().endswith("(each at its own 1 to 81 epochs)")
    bar = RESULTS["halving"].plot.parallel().figure.axes[1]
    assert bar.get_ylabel() == "rank of the last loss\n(each at its own 1 to 81 epochs)"


def test_legends_list_the_marks_that_are_there_and_no_others():
    for name, result in RESULTS.items():
        ax = result.plot.landscape("rate", "depth")
        shown = {c.get_gid(): c for c in ax.collections if c.get_gid() != "heat map"}
        listed = labels(ax.get_legend())
        assert ("failed" in listed) == ("failed" in shown)
        assert {entry for entry in listed if entry.isdigit()} == {
            c.get_label() for gid, c in shown.items() if gid.startswith("level")
        }
        assert ("best (81)" in listed) == ("best" in shown), name
    assert "81" not in labels(RESULTS["halving"].plot.landscape("rate", "depth").get_legend()), "only the star is there"


def test_a_picture_without_marks_has_no_legend():
    failed = replaced_losses(RESULTS["random"], math.nan)
    legend = failed.plot.landscape("rate", "depth").get_legend()
    assert labels(legend) == ["failed"] and legend.get_title().get_text() == ""


def replaced_losses(result, value):
    columns = {name: np.asarray(result.trials[name]) for name in result.trials}
    columns["loss"] = np.full_like(columns["loss"], value)
    return hb.SearchResult(None, None, type(result.trials)(columns), result.plan, space=result.space)


def test_a_legend_is_no_wider_than_the_picture():
    """A legend that is wider than its axes makes matplotlib's layout shrink them at every drawing."""
    ax = RESULTS["hyperband"].plot.landscape("rate", "depth", loss=loss)
    figure = ax.figure
    for _ in range(3):
        figure.draw_without_rendering()
    assert ax.bbox.width > 0.5 * figure.bbox.width
    box = ax.get_legend().get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width


def test_a_legend_has_as_many_columns_as_fit():
    labels = ["1", "3", "9", "27", "81", "failed", "best (81)"]
    assert columns_that_fit(labels, 300) == 7
    assert columns_that_fit(labels, 153) == 4, "two rows, the second with three marks"
    assert columns_that_fit(labels, 10) == 1
    assert columns_that_fit(["one"], 300) == 1


# ---- side by side ----------------------------------------------------------------------


def test_panels_keep_their_tick_labels_and_numbers():
    figure = compare(RESULTS, "rate", "depth", numbers="discarded", columns=2)
    figure.draw_without_rendering()
    for ax in figure.axes[:3]:
        for axis in (ax.xaxis, ax.yaxis):
            shown = [t.get_text() for t in axis.get_ticklabels() if t.get_visible() and t.get_text()]
            assert len(shown) >= 2
        assert ax.xaxis.get_tick_params()["labelbottom"] and ax.yaxis.get_tick_params()["labelleft"]
        assert len(ax.texts) > 10
    assert [ax.get_xlabel() for ax in figure.axes[:3]] == ["", "rate", "rate"]
    assert [ax.get_ylabel() for ax in figure.axes[:3]] == ["depth", "", "depth"]
    title = figure.axes[3].get_legend().get_title().get_text()
    assert re.search("order of discarding .of drawing without rungs.", title)
    trials = {t.get_text() for t in figure.axes[0].texts}
    assert trials <= {str(k) for k in range(19)}, "random search drops nothing: these are the numbers of trials"


def test_a_narrow_figure_has_fewer_panels_in_a_row():
    figure = compare(RESULTS, "rate", "depth", loss=loss, width=3.35)
    assert figure.get_size_inches()[0] == pytest.approx(3.35)
    assert len({round(ax.get_position().y0, 2) for ax in figure.axes[:3]}) == 3
