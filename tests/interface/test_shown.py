"""How results, plans and models are shown, in a terminal and in a notebook."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest

import hyperband as hb
from hyperband._common.html import html_table


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    label = np.where(x[:, 0] + x[:, 1] > 0, "<b>yes</b>", "no\nat all")
    return hb.search(x, label, algorithm=hb.Hyperband(9), validation=0.25, test=0.2, compute=hb.Compute(threads=1))


class Page(HTMLParser):
    """Every tag is closed, and what is between them."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.cells = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append(tag)
        assert {name for name, _ in attrs} <= {"style"}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th", "caption"):
            self.cells.append(data)


def test_a_result_shows_the_ensemble_and_the_test_rows(result):
    lines = repr(result).splitlines()
    (ensemble,) = [line for line in lines if line.startswith("  ensemble: ")]
    assert f"{len(result.model.members)} networks of" in ensemble
    assert f"accuracy {result.ensemble.score:.4f} on the rows that chose it" in ensemble
    (test,) = [line for line in lines if line.startswith("  test: ")]
    assert f"accuracy {result.test['accuracy']:.4f}" in test and f"loss {result.test['loss']:.4f}" in test
    assert any(line.startswith("  test of the best network: ") for line in lines)


def test_a_result_without_test_rows_shows_none():
    found = hb.search(
        "sklearn:iris", algorithm=hb.Hyperband(3), validation=0.3, ensemble=1, compute=hb.Compute(threads=1)
    )
    assert "  test" not in repr(found) and "  ensemble: 1 network of 1 trial," in repr(found)


def test_a_model_is_five_lines(result):
    lines = repr(result.model).splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("Model: classification of ")
    assert lines[1] == "  classes: <b>yes</b>, no at all"
    assert lines[2].startswith(f"  networks: {len(result.model.members)} networks of ")
    assert "3 of 3 columns as " in lines[3]
    assert f"validation accuracy {result.ensemble.cross_score:.4f}" in lines[4] and "seed 0" in lines[4]
    values = hb.search(
        "sklearn:diabetes", algorithm=hb.Hyperband(3), validation=0.3, compute=hb.Compute(threads=1)
    ).model
    assert len(repr(values).splitlines()) <= 5 and "regression of target" in repr(values)
    folds = hb.search("sklearn:iris", algorithm=hb.Hyperband(3), validation=4, compute=hb.Compute(threads=1)).model
    (features,) = [line for line in repr(folds).splitlines() if line.startswith("  features: ")]
    assert len(folds.preprocessings) > 1 and features.count("in view") == len({p.view for p in folds.preprocessings})
    small = hb.distil(result.model, np.random.default_rng(1).normal(size=(100, 3)), epochs=1)
    assert f"distilled from {len(result.model.members)} networks" in repr(small) and "  networks: 1 network\n" in repr(
        small
    )


def test_notebooks_show_tables(result):
    page = Page(result._repr_html_())
    assert "learning_rate" in page.cells and "ensemble" in page.cells and "test" in page.cells
    trials = Page(result.trials._repr_html_())
    assert trials.cells[0] == "22 evaluations" and trials.tags.count("tr") == 1 + 5 + 1 + 5
    assert trials.cells.count("...") == len(result.trials)
    plan = Page(result.plan._repr_html_())
    assert plan.cells[0] == "3 brackets, 17 configurations, 22 evaluations; configurations at resource"
    assert plan.cells[-2:] == ["69", "78"]
    for shown in (result, result.trials, result.plan):
        text = shown._repr_html_()
        assert "<script" not in text and "color:" not in text and "background" not in text


def test_values_are_escaped():
    space = hb.Space({"<i>x": hb.Choice(["<script>alert(1)</script>", "a & b"])})
    found = hb.minimize(lambda c, r: float(len(c["<i>x"])), space, hb.RandomSearch(1, n=4), seed=0)
    for text in (found._repr_html_(), found.trials._repr_html_()):
        assert "<script" not in text and "<i>" not in text and "&lt;i&gt;x" in text
        assert "a &amp; b" in text or "alert" in text
    assert Page(html_table(["a"], [["'\"<>&"]])).cells == ["a", "'\"<>&"]


def test_a_result_without_a_loss_is_shown():
    space = hb.Space({"x": hb.Float(0.0, 1.0)})
    with pytest.warns(RuntimeWarning, match="NaN"):
        found = hb.minimize(lambda c, r: float("nan"), space, hb.RandomSearch(1, n=2), seed=0)
    cells = Page(found._repr_html_()).cells
    assert "no evaluation gave a finite loss" in cells and "2 losses" in cells
