"""Errors and notes in the words of the command line, and what is meant by a misspelt word."""

from __future__ import annotations

import click
import pytest
from command_line import call

from hyperband.cli import main as cli
from hyperband.cli.evaluate import command as evaluate
from hyperband.cli.search import command as search
from hyperband.cli.wording import PHRASES, with_options


def error_of(*arguments):
    """The one line on stderr."""
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("said", "here"),
    [
        ("`target` must name a column; got none.", "--target must name a column; got none."),
        ("`time_limit` and `seconds` of `budget`", "--time and --time of --time"),
        ("Use task='regression' if it is a quantity.", "Use --task regression if it is a quantity."),
        ("`y of test` must be finite", "--test must be finite"),
        ("is for resource='rows' or 'features'; got 5", "is for --resource rows or features; got 5"),
        ("A row number. Keep it by numeric=['a'], --numeric a.", "A row number. Keep it by --numeric a."),
        ("drop these columns (drop=['a', 'b'], --drop a --drop b).", "drop these columns (--drop a --drop b)."),
        ("If 'NA' is a class, pass na_values=() (--keep-na).", "If 'NA' is a class, pass --keep-na."),
        ("Add rows, or pass header=False.", "Add rows, or pass --no-header."),
        ("pass header=False (--no-header).", "pass --no-header."),
        (
            "Column 'target' and `unknown` stay; so does weight='x'.",
            "Column 'target' and `unknown` stay; so does weight='x'.",
        ),
    ],
)
def test_arguments_become_options(said, here):
    assert with_options(said, search) == here


def test_arguments_of_a_command_are_in_capitals():
    assert (
        with_options("`X` must have 3 columns; `target` is none", evaluate)
        == "TABLE must have 3 columns; `target` is none"
    )


def test_phrases_that_name_both_ways_exist_in_the_package():
    """A phrase that no message has any more is not translated: it is wrong."""
    from pathlib import Path

    text = "".join(
        path.read_text() for path in (Path(cli.__file__).parents[1]).rglob("*.py") if path.name != "wording.py"
    )
    for part in ("`budget` must have a limit", "Budget(seconds=600)", "(--time 10m)", "header=False (--no-header)",
                 "na_values=() (--keep-na)", "Set max_resource of the algorithm",
                 ", or be given as (X, y); it does neither"):  # fmt: skip
        assert part in text, part
    assert len(PHRASES) == 7


def test_a_misspelt_command_or_option_is_guessed():
    assert error_of("serach") == "error: No such command 'serach'. Did you mean search?"
    assert error_of("frobnicate").startswith("error: No such command 'frobnicate'. There are search, space, plan,")
    assert error_of("search", "t.csv", "--targt", "y").startswith(
        "error: No such option '--targt'. Did you mean --target? See"
    )
    assert error_of("--verson").startswith("error: No such option '--verson'. Did you mean --version?")
    assert error_of("search") == "error: Missing argument 'TABLE'. See hyperband search --help."
    assert "'--time': 'soon' is not a time" in error_of("search", "t.csv", "--time", "soon")


def test_errors_name_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert error_of("search", "sklearn:iris", "--target", "speceis").startswith("error: --target must name a column")
    assert error_of("search", "sklearn:iris", "--group", "x", "--quiet").startswith("error: --group must name a column")
    assert error_of("search", "sklearn:iris", "--time-column", "x").startswith(
        "error: --time-column must name a column"
    )
    assert error_of("plan", "--eta", "1").startswith("error: --eta must be greater than 1")
    assert not [*tmp_path.iterdir()]


def test_notes_name_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("row,a,y\n" + "".join(f"{i},{i % 7},{'pn'[i % 2]}\n" for i in range(60)))
    shown = call("search", "t.csv", "--target", "y", "--max-resource", "1", "--validation", "0.3").stderr
    assert "--numeric row" in shown and "numeric=" not in shown


def test_ragged_rows_are_named_by_their_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{i},{i % 5},{'pn'[i % 2]}" for i in range(40)]
    (tmp_path / "long.csv").write_text("\n".join(["a,b,y", *rows[:20], "1,2,p,4", *rows[20:]]) + "\n")
    assert "line 22 of 'long.csv' has 4, not 3" in error_of("search", "long.csv", "--target", "y")
    mixed = [row if i % 3 else row + ",1" for i, row in enumerate(rows, 1)]
    (tmp_path / "mixed.csv").write_text("\n".join(["a,b,y", "", *mixed]) + "\n")
    found = error_of("search", "mixed.csv", "--target", "y")
    assert "most lines have 3 (separated by ','), line 5 has 4" in found


def test_short_lines_are_told_with_the_first_of_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{i},{i % 5},{'pn'[i % 2]}" for i in range(40)]
    (tmp_path / "short.csv").write_text("\n".join(["y,b,a", *rows[:9], "", "3,4", *rows[9:], "5,1"]) + "\n\n")
    shown = call("search", "short.csv", "--target", "b", "--max-resource", "1", "--validation", "0.3")
    told = "2 lines of 'short.csv' have fewer fields than the others, first line 12 (2, not 3)"
    assert shown.exit_code == 0 and f"note: {told}" in shown.stderr
    with open("short.csv", "a") as file:
        file.write("7\n")
    refused = call(
        "search", "short.csv", "--target", "b", "--out", "x", "--missing-target", "error"
    ).stderr.splitlines()
    assert refused[0].startswith("note: 3 lines") and refused[-1].startswith("error: Every row must have a target")
    (tmp_path / "whole.csv").write_text("\n".join(["y,b,a", *rows, "5,1,"]) + "\n\n")
    shown = call("search", "whole.csv", "--target", "b", "--max-resource", "1", "--validation", "0.3")
    assert shown.exit_code == 0 and "fewer fields" not in shown.stderr


def test_bench_is_offered_in_a_source_tree_alone(tmp_path, monkeypatch):
    assert "bench" in call("--help").stdout
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "hyperband.cli.source_tree.__file__", str(tmp_path / "lib" / "hyperband" / "cli" / "source_tree.py")
    )
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__main__.py").write_text("raise SystemExit('of another project')\n")
    assert "bench" not in call("--help").stdout
    assert "bench" not in error_of("bnch")
    assert "needs the folder `benchmarks` of the source tree" in error_of("bench")
    (tmp_path / "hyperband" / "cli").mkdir(parents=True)
    assert "bench" in call("--help").stdout


def test_every_option_has_a_name_of_its_own():
    from hyperband.cli.wording import option_names

    for name in cli.COMMANDS:
        command = cli.main.get_command(click.Context(cli.main), name)
        assert command is not None
        for argument, option in option_names(command).items():
            assert option.startswith("--") or option.isupper(), (name, argument, option)
