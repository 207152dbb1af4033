"""``hyperband space`` prints what ``hyperband search --space`` reads."""

from __future__ import annotations

import json

import polars as pl
import pytest
from command_line import call

from hyperband.space import Space

SPLIT = ["--validation", "0.3"]


def printed(*arguments):
    result = call("space", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("of_space", "of_search"),
    [
        (SPLIT, [*SPLIT, "--max-resource", "3"]),
        (
            [*SPLIT, "--drop", "alcohol"],
            [*SPLIT, "--drop", "alcohol", "--algorithm", "random", "--n", "3", "--max-resource", "1"],
        ),
        (["--algorithm", "grid", *SPLIT], ["--algorithm", "grid", *SPLIT, "--n", "9", "--max-resource", "1"]),
        (["--resource", "features"], ["--resource", "features", "--epochs", "1", "--min-resource", "5"]),
    ],
    ids=["hyperband", "random", "grid", "features"],
)
def test_the_printed_space_gives_the_same_result(here, of_space, of_search):
    text = printed("sklearn:wine", *of_space)
    (here / "space.json").write_text(text)
    assert Space.from_json(text).to_dict() == json.loads(text)
    reports, trials = [], []
    for name, more in (("plain", []), ("given", ["--space", "space.json"])):
        result = call("search", "sklearn:wine", *of_search, *more, "--threads", 1, "--json", "--quiet", "--out", name)
        assert result.exit_code == 0, result.output
        reports.append(json.loads(result.stdout))
        trials.append(pl.read_csv(here / name / "trials.csv"))
    assert trials[0].equals(trials[1])
    for key in ("best", "ensemble", "space", "plan", "n_evaluations", "cost"):
        assert reports[0][key] == reports[1][key]
    assert reports[0]["space"] == json.loads(text)


def test_an_edited_space_is_searched(here):
    data = json.loads(printed("sklearn:iris", *SPLIT))
    data["parameters"]["width"] = {"type": "choice", "options": [8, 16], "default": 8, "ordered": True}
    del data["parameters"]["view"]
    data["constraints"] = ["width < 16 or n_layers < 4"]
    (here / "mine.json").write_text(json.dumps(data))
    result = call(
        "search", "sklearn:iris", *SPLIT, "--max-resource", 9, "--space", "mine.json", "--quiet", "--threads", 1
    )
    assert result.exit_code == 0, result.output
    trials = pl.read_csv(here / "hyperband-out" / "trials.csv")
    assert set(trials["width"]) == {8, 16} and "view" not in trials.columns
    assert trials.filter((pl.col("width") == 16) & (pl.col("n_layers") == 4)).is_empty()


def test_the_space_is_a_line_a_parameter(here):
    lines = printed("sklearn:diabetes", "--target", "target", *SPLIT).splitlines()
    assert sum(line.strip().startswith('"learning_rate": {"type": "float"') for line in lines) == 1
    assert "label_smoothing" not in "".join(lines)  # of classes alone
    assert "--target must name a column" in call("space", "sklearn:iris", "--target", "x").stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "--space must be a file that can be read; 's.json' is not: No such file"),
        (b"\xff\xfe\x00", "--space must be a text file"),
        ("", "is none: JSONDecodeError: Expecting value: line 1 column 1"),
        ('{"version": 1,\n "parameters": {,}}', "line 2 column"),
        ("[]", "there must be an object, got []"),
        ('{"version": 9, "parameters": {}}', "must be of version 1; got 9"),
        ('{"version": 1, "parameters": {}}', "KeyError: 'conditions'"),
        ("{width}", "got 'widht'. Did you mean 'width'?"),
        ("{type}", "KeyError: 'integer'"),
        ("{low}", "must be"),
        ("{activation}", "reluu"),
        ("{constraints}", "constraints must be a list of texts, got 5"),
        ("{unknown}", "unexpected keyword argument"),
    ],
)
def test_a_bad_file_is_one_line(here, text, words):
    good = {
        "version": 1,
        "parameters": {"width": {"type": "int", "low": 4, "high": 8}},
        "conditions": [],
        "constraints": [],
    }
    faults = {
        "{width}": {"parameters": {"widht": good["parameters"]["width"]}},
        "{type}": {"parameters": {"width": {"type": "integer", "low": 4, "high": 8}}},
        "{low}": {"parameters": {"width": {"type": "int", "low": "a", "high": 8}}},
        "{activation}": {"parameters": {**good["parameters"], "activation": {"type": "choice", "options": ["reluu"]}}},
        "{constraints}": {"constraints": 5},
        "{unknown}": {"parameters": {"width": {"type": "int", "low": 4, "high": 8, "step": 2}}},
    }
    if text in faults:
        text = json.dumps(good | faults[text])
    if text is not None:
        (here / "s.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    before = sorted(here.iterdir())
    result = call("search", "sklearn:iris", "--space", "s.json")
    assert result.exit_code == 2 and result.stdout == "", result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: --space must be") and words in line, line
    assert sorted(here.iterdir()) == before
