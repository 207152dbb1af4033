"""The figures of README.md and RESULTS.md are those of the committed records."""

from __future__ import annotations

import doctest
import json
import re
import shutil
from pathlib import Path

import pytest
from benchmark_runs import ROOT, command

from benchmarks.common import records
from benchmarks.documents import markdown
from benchmarks.documents.command import DOCUMENTS, differences
from benchmarks.search import datasets


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A folder with a copy of every document."""
    for name in DOCUMENTS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_documents_agree_with_the_records() -> None:
    assert not differences(ROOT), "run `python -m benchmarks readme`"


def test_the_command_checks_and_changes_nothing() -> None:
    before = {name: (ROOT / name).read_bytes() for name in DOCUMENTS}
    done = command("readme", "--check")
    assert done.returncode == 0, done.stdout
    assert {name: (ROOT / name).read_bytes() for name in DOCUMENTS} == before


@pytest.mark.parametrize(("name", "figure"), [("README.md", "2.54"), ("benchmarks/RESULTS.md", "3,354")])
def test_a_figure_that_was_edited_by_hand_is_found(name: str, figure: str, copies: Path) -> None:
    text = (copies / name).read_text(encoding="utf-8")
    assert figure in text
    (copies / name).write_text(text.replace(figure, "9.99"), encoding="utf-8")
    lines = differences(copies)
    assert any(line.startswith("-") and "9.99" in line for line in lines)
    assert any(line.startswith("+") and figure in line for line in lines)


def test_another_record_is_found(copies: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch) -> None:
    folder = tmp_path_factory.mktemp("results")
    for file in records.RESULTS.glob("*.json"):
        shutil.copy(file, folder)
    record = json.loads((folder / "search.json").read_text(encoding="utf-8"))
    record["records"][-1]["seconds"] = [4.444]
    (folder / "search.json").write_text(json.dumps(record), encoding="utf-8")
    monkeypatch.setattr(records.read, "__defaults__", (folder,))
    changed = [line for line in differences(copies) if line.startswith("+") and "from data" not in line]
    assert any("takes 4.4 s" in line for line in changed) and any("| 4.444 |" in line for line in changed)


def test_the_readme_has_no_measured_figure_outside_its_sections() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (chapter,) = re.findall(r"^## How good, how fast\n(.*?)^## ", text, re.M | re.S)
    assert markdown.names(chapter) == list(DOCUMENTS["README.md"])
    by_hand = re.sub(r"<!-- written by.*?<!-- end of [\w-]+ -->", "", chapter, flags=re.S)
    assert not re.search(r"\d", by_hand), by_hand


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing", "missing ['a']"),
        ('<!-- written by "python -m benchmarks readme": b -->\n<!-- end of b -->', "unknown ['b']"),
        ('<!-- written by "python -m benchmarks readme": a -->\n<!-- end of a -->\n' * 2, "once"),
    ],
)
def test_a_section_that_is_missing_unknown_or_twice_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        markdown.fill(text, {"a": "1"})


def test_numbers_and_tables() -> None:
    assert doctest.testmod(markdown).failed == 0
    assert [markdown.digits(x, 3) for x in (1.0, 31.5, 99.96, 999.6, 0.00123)] == [
        "1",
        "31.5",
        "100",
        "1,000",
        "0.00123",
    ]
    assert markdown.table(["", "a"], [["b", "1"]]) == "| | a |\n| --- | --- |\n| b | 1 |"
    with pytest.raises(ValueError, match="2 cells"):
        markdown.table(["", "a"], [["b"]])


def test_a_score_is_accuracy_or_r2() -> None:
    assert datasets.score({"test": {"accuracy": 0.5, "loss": 1.0}}) == ("accuracy", 0.5)
    assert datasets.score({"test": {"r2": 0.25, "loss": 1.0}}) == ("r2", 0.25)
