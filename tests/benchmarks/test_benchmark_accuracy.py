"""The benchmark of prediction quality: tables, figures, runs that go on where they stopped, the command."""

from __future__ import annotations

import doctest
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from accuracy_fakes import STAMP, Fake, run
from benchmark_runs import ROOT, command
from sklearn.model_selection import train_test_split

from benchmarks.accuracy import (
    benchmark,
    child,
    contenders,
    ingredients,
    measures,
    ranks,
    report,
    runs,
    tasks,
)  # fmt: skip
from benchmarks.accuracy.measure import Session
from benchmarks.accuracy.runs import Work
from benchmarks.common import machine
from benchmarks.common.optional import Unavailable


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Two tables below `DATA`: "tiny", of classes, and "values", a regression; and the contender "fake"."""
    draws = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "number": draws.random(40),
            "word": draws.choice(["a", "b"], 40),
            "later": 1.0,
            "y": np.where(np.arange(40) % 4 < 3, "yes", "no"),
        }
    )
    frame.loc[3, "word"] = None
    frame.to_csv(tmp_path / "tiny.csv", index=False)
    values = frame.assign(y=draws.random(40))
    values.loc[[0, 5], "y"] = np.nan
    values.to_csv(tmp_path / "values.csv", index=False)
    monkeypatch.setattr(tasks, "DATA", tmp_path)
    read = tasks.TABLES["higgs-11k"].read
    tables = {
        "tiny": tasks.Table(("tiny.csv",), "y", read, categorical="text", drop=("later",)),
        "values": tasks.Table(("values.csv",), "y", read, regression=True, categorical="text"),
        "absent": tasks.Table(("absent.csv",), "y", read),
    }
    for name, table in tables.items():
        monkeypatch.setitem(tasks.TABLES, name, table)  # type: ignore[arg-type]
    monkeypatch.setitem(contenders.ALL, "fake", Fake())  # type: ignore[arg-type]
    return frame


# ---- tables ---------------------------------------------------------------------
def test_the_rows_are_split_as_everybody_else_splits_them(tiny: pd.DataFrame) -> None:
    task = tasks.load("tiny", seed=7)  # the seed of a run moves no rows of a file
    train, test = train_test_split(tiny, test_size=0.2, random_state=0, stratify=tiny["y"])
    np.testing.assert_array_equal(task.x_train["number"], train["number"])
    np.testing.assert_array_equal(task.x_test["number"], test["number"])
    assert task.classes == ("no", "yes") and list(task.x_train.columns) == ["number", "word"]
    np.testing.assert_array_equal(task.y_test, (test["y"] == "yes").astype(int))
    assert task.categorical == ("word",) and task.numeric == ["number"]
    assert {type(v) for v in pd.concat([task.x_train, task.x_test])["word"]} == {str}
    assert "missing" in set(pd.concat([task.x_train, task.x_test])["word"])


def test_a_regression_has_values_and_no_rows_without_one(tiny: pd.DataFrame) -> None:
    task = tasks.load("values")
    assert not task.classification and len(task.y_train) + len(task.y_test) == 38
    assert task.y_train.dtype == np.float64 and np.isfinite(task.y_train).all()


def test_a_test_file_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, ?, White, Male, 2174, 0, 40, Cuba, "
    (tmp_path / "adult").mkdir()
    (tmp_path / "adult/adult.data").write_text(f"{row}<=50K\n{row}>50K\n")
    (tmp_path / "adult/adult.test").write_text(f"|1x3 Cross validator\n{row}>50K.\n")
    monkeypatch.setattr(tasks, "DATA", tmp_path)
    task = tasks.load("adult")
    assert task.y_train.tolist() == [0, 1] and task.y_test.tolist() == [1] and task.classes == ("<=50K", ">50K")
    assert len(task.categorical) == 8 and task.x_test["relationship"].tolist() == ["?"]


def test_small_tables_of_scikit_learn_are_split_by_the_seed() -> None:
    first, second = tasks.load("wine", 0), tasks.load("wine", 1)
    assert len(first.y_test) == 36 and first.classes == (0, 1, 2)
    assert not first.x_test.equals(second.x_test)


def test_what_is_absent_is_left_out_with_its_reason(tiny: pd.DataFrame, monkeypatch, capsys) -> None:
    monkeypatch.setitem(contenders.ALL, "gone", Fake(reason="not installed: pip install nothing"))
    assert benchmark.there(["tiny", "absent"], ["fake", "gone"]) == (["tiny"], ["fake"])
    said = capsys.readouterr().out
    assert "absent: left out, absent.csv not in" in said and "HYPERBAND_DATA" in said
    assert "gone: left out, not installed: pip install nothing" in said


# ---- figures --------------------------------------------------------------------
@pytest.mark.parametrize("module", [measures, ranks, ingredients, report])
def test_examples(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0 and found.failed == 0


@pytest.mark.parametrize("predicted", [np.zeros((2, 3)), np.zeros(2), np.array([[0.5, 0.5], [np.nan, 1.0]])])
def test_predictions_of_another_shape_or_not_finite_are_refused(predicted: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 2\); got"):
        measures.figures(np.array([0, 1]), predicted, 2)


def test_figures_agree_with_the_definitions() -> None:
    draws = np.random.default_rng(1)
    y, p = draws.integers(0, 2, 50), draws.random(50).round(1)  # with ties
    found = measures.figures(y, np.column_stack([1 - p, p]), 2)
    pairs = [(p[i] > p[j]) + 0.5 * (p[i] == p[j]) for i in np.flatnonzero(y == 1) for j in np.flatnonzero(y == 0)]
    assert found["auc"] == pytest.approx(np.mean(pairs))
    clipped = np.clip(np.where(y == 1, p, 1 - p), 1e-15, 1)
    assert found["log_loss"] == pytest.approx(-np.log(clipped).mean(), rel=1e-9)
    assert measures.optimism({"rmse": 1.0, "r2": 0.5}, {"rmse": 3.0, "r2": 0.75}) == {"rmse": 2.0, "r2": -0.25}


# ---- runs -----------------------------------------------------------------------
def test_a_run_says_what_it_measured(tiny: pd.DataFrame) -> None:
    found = child.outcome(Work("tiny", "fake", 0, 5.0), 2)
    assert found["metrics"]["accuracy"] == 0.75 and found["optimism"] == {"accuracy": 0.0}
    assert found["about"] == {"epochs": 3}
    assert (found["n_train"], found["n_test"], found["threads"]) == (32, 8, 2)
    assert set(child.outcome(Work("values", "fake", 0, 5.0), 2)["metrics"]) == {"rmse", "r2"}


def test_what_cannot_run_is_skipped_and_what_fails_is_an_error(tiny: pd.DataFrame, monkeypatch) -> None:
    assert "absent.csv" in child.outcome(Work("absent", "fake", 0, 5.0), 2)["skipped"]
    monkeypatch.setitem(contenders.ALL, "bad", Fake(raises=RuntimeError("no luck")))
    assert "no luck" in child.outcome(Work("tiny", "bad", 0, 5.0), 2)["error"]


def carried_out(session: Session, todo: list[Work], outcome: Mapping[str, Any] | None = None) -> list[Work]:
    """What a session really ran."""
    asked: list[Work] = []

    def execute(work: Work) -> Mapping[str, Any]:
        asked.append(work)
        return outcome or {"metrics": {"accuracy": 0.5}, "seconds": 1.0, "disturbed": False, "other_cores": 0.0}

    session.carry_out(todo, execute)
    return asked


def test_a_benchmark_goes_on_where_it_stopped(tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    todo = [Work("a", "fake", seed, 5.0) for seed in range(3)]
    assert carried_out(Session(file, STAMP), todo[:2]) == todo[:2]
    assert carried_out(Session(file, STAMP), todo) == todo[2:]
    assert carried_out(Session(file, STAMP), [Work("a", "fake", 0, 60.0)]) == [Work("a", "fake", 0, 60.0)]
    other = STAMP | {"commit": "c2"}
    assert carried_out(Session(file, other, any_commit=True), todo) == []
    assert carried_out(Session(file, other), todo) == todo
    assert [record["commit"] for record in runs.read(file)] == ["c1"] * 4 + ["c2"] * 3


def test_an_error_is_written_down_and_tried_again_and_what_was_skipped_leaves_no_line(tmp_path: Path, capsys) -> None:
    file, todo = tmp_path / "runs.jsonl", [Work("a", "fake", 0, 5.0)]
    assert carried_out(Session(file, STAMP), todo, {"skipped": "not installed"}) == todo
    assert runs.read(file) == [] and "left out, not installed" in capsys.readouterr().out
    assert carried_out(Session(file, STAMP), todo, {"error": "Traceback\nValueError: no"}) == todo
    assert "went wrong: ValueError: no" in capsys.readouterr().out
    assert carried_out(Session(file, STAMP), todo) == todo
    assert ["error" in record for record in runs.read(file)] == [True, False]


def test_no_run_is_started_that_would_end_after_the_deadline(tmp_path: Path) -> None:
    assert carried_out(Session(tmp_path / "runs.jsonl", STAMP, deadline=4.0), [Work("a", "fake", 0, 5.0)]) == []


def test_the_last_undisturbed_run_of_the_last_commit_counts() -> None:
    disturbed = {"disturbed": True}
    lines = [run(accuracy=0.1), run(accuracy=0.2, commit="c2"), run(accuracy=0.3, commit="c2", **disturbed)]
    (counts,) = runs.counting(lines).values()
    assert counts["metrics"]["accuracy"] == 0.2
    (counts,) = runs.counting([*lines, run(accuracy=0.4, commit="c3", **disturbed)]).values()
    assert counts["metrics"]["accuracy"] == 0.4
    assert runs.counting([{**run(), "metrics": {}} | {"error": "x"}]) and not runs.counting([{"error": "x"}])


def test_results_are_no_changes_of_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=x", "-c", "user.email=x@x")
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    results = tmp_path / "benchmarks" / "results"
    results.mkdir(parents=True)
    (results / "a.jsonl").write_text("1\n")
    (tmp_path / "code.py").write_text("1\n")
    git("init")
    git("add", "-A")
    git("commit", "-m", "x")
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    clean = machine.commit()
    (results / "a.jsonl").write_text("2\n")
    assert machine.commit() == clean and not clean.endswith("+")
    (tmp_path / "code.py").write_text("2\n")
    assert machine.commit() == clean + "+"


# ---- the command ----------------------------------------------------------------
def test_requirements_list_what_contenders_import() -> None:
    listed = (ROOT / "benchmarks/accuracy/requirements.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w-]+)(?:\[\w+\])?==", listed, re.M))
    assert {package for each in contenders.ALL.values() for package in each.packages} <= pinned


def test_a_contender_without_its_package_says_how_to_install_it() -> None:
    gone = contenders.Contender("x", "ours", ("no_such_package", "numpy"))
    assert gone.missing() == "not installed: pip install no_such_package"
    with pytest.raises(Unavailable, match="no_such_package is not installed"):
        gone.load()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sets", "no such"], "unknown set 'no such'; known: phoneme"),
        (["--contenders", "no such"], "unknown contender 'no such'; known: hyperband"),
        (["--seeds", "0,x"], "whole numbers separated by commas; got '0,x'"),
    ],
    ids=" ".join,
)
def test_a_bad_argument_is_named(arguments: list[str], message: str) -> None:
    done = command("accuracy", *arguments)
    assert done.returncode == 2 and message in done.stderr.replace("\n", " ")


def test_the_command_measures_in_processes_of_their_own_and_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    arguments = ["accuracy", "--sets", "wine", "--contenders", "hyperband,sklearn-mlp", "--budget", "5", "--quiet", "0",
                 "--file", str(file)]  # fmt: skip
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    found = runs.read(file)
    assert [record["contender"] for record in found] == ["hyperband", "sklearn-mlp"], done.stdout
    assert all(record["metrics"]["accuracy"] > 0.5 and record["n_test"] == 36 for record in found)
    assert "| wine | accuracy |" in done.stdout
    again = command(*arguments)
    assert again.stdout.count("there already") == 2 and runs.read(file) == found
