"""What the commands say of a table's columns and of a model, and the files of test rows."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from command_line import call

import hyperband as hb
from hyperband.cli.columns import column_lines
from hyperband.tables import prepare
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.preprocess import IGNORED, SAYS_NOTHING

QUICK = ["--algorithm", "random", "--n", "2", "--max-resource", "3", "--threads", "1", "--validation", "0.2"]
N = 120
RNG = np.random.default_rng(0)


def messy():
    x = RNG.normal(size=N).round(3)
    return pl.DataFrame(
        {
            "id": range(N),
            "when": [f"{1 + k % 28}.{1 + k % 12}.2020 {k % 24}:30" for k in range(N)],
            "price": [f"${1000 + 7 * k % 900:,}" if k % 40 else "n.a." for k in range(N)],
            "city": [["Rome", "Oslo"][k % 2] for k in range(N)],
            "grade": [1 + k % 4 for k in range(N)],
            "code": [10 + k % 3 for k in range(N)],
            "note": [f"text {k}" for k in range(N)],
            "one": [1] * N,
            "x": x,
            "goal": np.where(x > 0, "yes", "no"),
        }
    )


def kinds(lines):
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in lines if line.strip()}


def test_a_search_prints_each_column_with_its_kind_and_why(here):
    messy().write_csv("t.csv")
    result = call("search", "t.csv", "--target", "goal", "--drop", "x", "--numeric", "code", *QUICK)
    assert result.exit_code == 0, result.output
    lines = result.stderr.splitlines()
    start = next(k for k, line in enumerate(lines) if line.split() == ["column", "kind", "why"])
    shown = {name: " ".join(rest.split()) for name, rest in kinds(lines[start + 1 : start + 10]).items()}
    assert shown == {
        "id": "ignored numbers the rows",
        "when": "time month, day, weekday, hour, days",
        "price": "number ',' between thousands, with percent or currencies, missing: 'n.a.'",
        "city": "category 2 levels",
        "grade": "category 4 levels; 3 to 5 consecutive whole numbers",
        "code": "number",
        "note": "ignored 96 different texts in 96 rows",
        "one": "ignored constant in the training rows",
        "x": "ignored dropped",
    }
    again = call("model", "hyperband-out/model.hyperband")
    assert again.exit_code == 0
    of_model = kinds(again.stdout.splitlines())
    assert all(of_model[name].split()[0] == kind.split()[0] for name, kind in shown.items())
    assert again.stdout.startswith(f"{hb.Model.load('hyperband-out')!r}\n")
    facts = json.loads(call("model", "hyperband-out/model.hyperband", "--json").stdout)
    assert facts["columns"] == json.loads((here / "hyperband-out" / "result.json").read_text())["columns"]
    assert {column["name"]: column["kind"] for column in facts["columns"]}["when"] == "time"


def test_a_wide_table_has_a_line_a_kind():
    wide = RNG.normal(size=(50, 60))
    wide[:, 3] = 1
    lines = column_lines([prepare(wide, wide[:, 0] > 0).preprocessing])
    assert lines == [
        "number: x0, x1, x2, x4, x5, x6, x7, x8, ... (59 in all)",
        "ignored (constant in the training rows): x3",
    ]


def test_a_column_that_one_view_uses_is_used():
    """The first view may leave out columns of noise, and says so only of those that no view uses."""
    frame = messy().drop("id")
    with pytest.warns(DataWarning, match="look like numbers: price"):
        view = prepare(frame, target="goal").preprocessing
    noise = [replace(column, kind=IGNORED, why=SAYS_NOTHING) for column in view.inputs]
    no_features = {"numbers": None, "categories": None, "feature_names": (), "n_numbers": 0}
    selected = replace(view, inputs=(*noise[:-1], view.inputs[-1]), **no_features)
    whole, least = column_lines([selected, view]), column_lines([selected])
    assert whole == column_lines([view]) != least
    assert "one     ignored   constant in the training rows" in whole
    assert sum(SAYS_NOTHING in line for line in least) == len(view.sources) - 1


def test_test_rows_are_written_with_their_numbers(here):
    frame = messy().with_columns(goal=pl.when(pl.int_range(N) % 10 == 0).then(None).otherwise("goal"))
    frame.write_csv("t.csv")
    result = call("search", "t.csv", "--target", "goal", "--test", 0.25, "--missing-target", "drop", *QUICK)
    assert result.exit_code == 0, result.output
    assert "predictions for the test rows in hyperband-out/test_predictions.csv" in result.stdout
    written = pl.read_csv("hyperband-out/test_predictions.csv")
    assert written.columns == ["row", "goal", "prediction", "probability_no", "probability_yes"]
    assert written["row"].is_sorted() and written.height == 27
    assert written["goal"].to_list() == frame["goal"].gather(written["row"]).to_list()
    report = json.loads((here / "hyperband-out" / "result.json").read_text())
    assert report["test_predictions"] == "hyperband-out/test_predictions.csv"
    assert report["test"]["accuracy"] == pytest.approx((written["goal"] == written["prediction"]).mean())
    model = hb.Model.load("hyperband-out/model.hyperband")
    assert model.predict(frame[written["row"].to_list()]).tolist() == written["prediction"].to_list()


def test_a_test_file_has_its_own_row_numbers(here):
    messy().head(90).write_csv("t.csv")
    messy().tail(30).with_columns(goal=pl.when(pl.int_range(30) == 3).then(None).otherwise("goal")).write_csv("u.csv")
    options = ["--test", "u.csv", "--missing-target", "drop", "--out", "o", *QUICK]
    assert call("search", "t.csv", "--target", "goal", *options).exit_code == 0
    assert pl.read_csv("o/test_predictions.csv")["row"].to_list() == [k for k in range(30) if k != 3]


def test_evaluate_prints_every_metric(here):
    messy().write_csv("t.csv")
    assert call("search", "t.csv", "--target", "goal", *QUICK).exit_code == 0
    assert not (here / "hyperband-out" / "test_predictions.csv").exists()
    model = hb.Model.load("hyperband-out/model.hyperband")
    found = json.loads(call("evaluate", "hyperband-out/model.hyperband", "t.csv", "--json").stdout)
    assert found == {"rows": N, "left_out": 0, **model.evaluate("t.csv")}
    shown = call("evaluate", "hyperband-out/model.hyperband", "t.csv").stdout
    assert shown.startswith(f"{N} rows\n")
    assert kinds(shown.splitlines()[1:]) == {
        name: f"{v:.6g}" for name, v in found.items() if name not in ("rows", "left_out")
    }
    messy().with_columns(goal=pl.when(pl.int_range(N) < 100).then("goal")).write_csv("u.csv")
    assert call("evaluate", "hyperband-out", "u.csv").stdout.startswith("100 rows, 20 more without a target are left")
    messy().drop("goal").write_csv("u.csv")
    refused = call("evaluate", "hyperband-out/model.hyperband", "u.csv")
    assert refused.exit_code == 2 and "must hold the target column 'goal'" in refused.stderr


def test_regression_of_two_targets(here):
    frame = messy().with_columns(a=pl.col("x") * 2 + 0.5, b=pl.col("x") - 1).drop("goal")
    frame.write_csv("t.csv")
    result = call("search", "t.csv", "--target", "a", "--target", "b", "--test", 0.2, *QUICK)
    assert result.exit_code == 0, result.output
    assert pl.read_csv("hyperband-out/test_predictions.csv").columns == [
        "row",
        "a",
        "b",
        "prediction_a",
        "prediction_b",
    ]
    assert "rmse" in call("evaluate", "hyperband-out/model.hyperband", "t.csv").stdout


def test_a_column_is_carried_to_the_predictions(here):
    frame = messy().with_columns(id=pl.Series([f"{k:05d}" for k in range(N)]))
    frame.write_csv("t.csv")
    assert call("search", "t.csv", "--target", "goal", *QUICK).exit_code == 0
    result = call("predict", "hyperband-out", "t.csv", "--id", "id", "--id", "goal", "--out", "p.csv")
    assert result.exit_code == 0, result.output
    written = pl.read_csv("p.csv", infer_schema=False)
    assert written.columns[:3] == ["id", "goal", "prediction"]
    assert written["id"].to_list() == frame["id"].to_list(), "to the letter"
    frame.with_columns(prediction=pl.col("x")).write_csv("u.csv")
    both = call("predict", "hyperband-out", "u.csv", "--id", "prediction").stdout.splitlines()[0]
    assert both == "given_prediction,prediction,probability_no,probability_yes"
    wrong = call("predict", "hyperband-out", "t.csv", "--no-header", "--id", "0")
    assert wrong.exit_code == 2 and "the first line of the table names its columns" in wrong.stderr
    refused = call("predict", "hyperband-out", "t.csv", "--id", "idd")
    assert refused.exit_code == 2 and "Close matches: id" in refused.stderr
