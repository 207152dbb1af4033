"""The benchmark of prediction quality: tables, runs that go on where they stopped, ranks, reports; with fakes."""

from __future__ import annotations

import doctest
import itertools
import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmark_runs import ROOT, command
from sklearn.model_selection import train_test_split

import hyperband as hb
from benchmarks.accuracy import (
    ablation_report,
    benchmark,
    child,
    contenders,
    figure,
    ingredients,
    measures,
    peers_file,
    ranks,
    report,
    runs,
    tasks,
)  # fmt: skip
from benchmarks.accuracy.contenders import Fitted, ours
from benchmarks.accuracy.measure import Session
from benchmarks.accuracy.runs import Work
from benchmarks.common import machine
from benchmarks.common.optional import Unavailable
from benchmarks.documents import accuracy as documents

STAMP = {"commit": "c1", "machine": "a machine", "source": "measured here", "date": "today"}


class Fake:
    """A contender that predicts the commonest class, or the mean; or is not installed; or raises."""

    title = "Fake"

    def __init__(self, reason: str | None = None, raises: Exception | None = None) -> None:
        self._reason, self._raises = reason, raises

    def missing(self) -> str | None:
        return self._reason

    def load(self) -> Callable[..., Fitted]:
        return self._fit

    def _fit(self, task: tasks.Task, given: contenders.Allowance) -> Fitted:
        if self._raises is not None:
            raise self._raises
        if not task.classification:
            return Fitted(lambda frame: np.full(len(frame), task.y_train.mean()))
        p = np.bincount(task.y_train, minlength=len(task.classes)) / len(task.y_train)

        def predict(frame: Any) -> Any:
            return np.tile(p, (len(frame), 1))

        return Fitted(predict, {"accuracy": 0.75}, {"epochs": np.int64(3)}, {2.0: predict})


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


def run(name: str = "fake", s: str = "tiny", seed: int = 0, accuracy: float = 0.5, **others: Any) -> dict[str, Any]:
    """A line of the file."""
    found = {
        **Work(s, name, seed, 60.0).to_dict(), **STAMP, "seconds": 1.0, "disturbed": False, "other_cores": 0.0,
        "metrics": {"accuracy": accuracy, "log_loss": 1.0}, "validation": {}, "optimism": {}, "about": {},
        "snapshots": {},
    }  # fmt: skip
    return found | others


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
    assert found["snapshots"]["2"] == found["metrics"] and found["about"] == {"epochs": 3}
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


# ---- ranks ----------------------------------------------------------------------
def test_ranks_are_those_of_all_combinations_of_seeds_with_ties_shared() -> None:
    found = {"t": {"a": [1.0, 2.0], "b": [2.0, 2.0, 3.0], "c": [0.5]}, "u": {"a": [1.0], "b": [1.0]}}
    for table, by in found.items():
        expected: dict[str, list[float]] = {name: [] for name in by}
        for drawn in itertools.product(*by.values()):
            for name, x in zip(by, drawn, strict=True):
                expected[name].append(1 + sum(y < x for y in drawn) + (sum(y == x for y in drawn) - 1) / 2)
        for name in by:
            assert ranks.ranks(found)[name].by_set[table] == pytest.approx(np.mean(expected[name]))
    assert ranks.ranks(found)["c"].mean.mean == 1.0


def test_the_bootstrap_is_deterministic_and_its_interval_holds_the_mean() -> None:
    draws = np.random.default_rng(0)
    found = {f"t{i}": {n: draws.normal(k, 2.0, 3).tolist() for k, n in enumerate("abc")} for i in range(6)}
    first, second = ranks.ranks(found), ranks.ranks(found)
    assert first == second and ranks.mean_of([1.0, 2.0, 4.0]) == ranks.mean_of([1.0, 2.0, 4.0])
    for rank in first.values():
        assert 1.0 <= rank.mean.low < rank.mean.mean < rank.mean.high <= 3.0
    assert first["a"].mean.mean < first["c"].mean.mean
    inner = ranks.mean_of([1.0, 2.0, 4.0])
    assert 1.0 <= inner.low < inner.mean < inner.high <= 4.0


def test_sets_with_a_rank_worse_than_third_are_counted() -> None:
    found = {t: {n: [float(k)] for k, n in enumerate("abcd")} for t in ("t", "u")} | {"v": {"d": [0.0]}}
    counted = {name: rank.worse_than_third for name, rank in ranks.ranks(found).items()}
    assert counted == {"a": 0, "b": 0, "c": 0, "d": 2}


# ---- reports --------------------------------------------------------------------
def lines_of_two_sets() -> list[dict[str, Any]]:
    found = []
    for s, ours_right, theirs in (("phoneme", 0.75, 0.5), ("adult", 0.5, 0.5)):
        found += [run("hyperband", s, seed, ours_right, optimism={"accuracy": 0.125}) for seed in (0, 1)]
        found.append(run("catboost", s, 0, theirs, disturbed=True))
    return found


def test_the_report_has_metric_rank_and_optimism() -> None:
    expected = """**60 s**

| set | test | hyperband | CatBoost |
| --- | --- | --- | --- |
| phoneme | accuracy | **0.7500 (0.7500, 0.7500)** | 0.5000 * |
| adult | accuracy | **0.5000 (0.5000, 0.5000)** | **0.5000** * |

| | mean rank | sets | seeds | sets with a rank worse than 3 |
| --- | --- | --- | --- | --- |
| hyperband | 1.25 (1.00, 1.50) | 2 | 2 | 0 |
| CatBoost | 1.75 (1.50, 2.00) | 2 | 1 | 0 |

| optimism | hyperband |
| --- | --- |
| phoneme | +50.0 % |
| adult | +25.0 % |

Machine: a machine. Commit of ours: c1. *: other processes used more than 0.15 cores in 2 of 6 runs."""
    assert report.text(lines_of_two_sets()) == expected
    assert report.text([]) == report.text([run("no longer there")]) == report.NOTHING


def test_documents_can_be_written_from_no_runs_and_from_those_of_peers_alone(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(runs, "FILE", tmp_path / "accuracy.jsonl")
    monkeypatch.setattr(runs, "ABLATION_FILE", tmp_path / "ablation.jsonl")
    assert documents.contenders() == report.NOTHING and documents.ablation() == ablation_report.NOTHING
    runs.append(runs.FILE, run("catboost", "adult", commit=None, source="x.jsonl: catboost"))
    shown = documents.contenders()
    assert "| adult | accuracy | **0.5000** |" in shown and "1 of 1 runs were taken in from x.jsonl." in shown
    assert shown.endswith("(results/accuracy.png)") and "Commit" not in shown


def test_the_figure_shows_bars_or_curves(tmp_path: Path) -> None:
    assert not figure.draw([], tmp_path / "none.png") and not (tmp_path / "none.png").exists()
    assert figure.draw(lines_of_two_sets(), tmp_path / "bars.png")
    curve = run("hyperband", "adult", 2, snapshots={"0.5": {"accuracy": 0.25}})
    assert figure.draw([*lines_of_two_sets(), curve], tmp_path / "curves.png")
    assert (tmp_path / "bars.png").read_bytes() != (tmp_path / "curves.png").read_bytes()
    assert figure.relative({"a": [run(accuracy=0.5)], "b": [run(accuracy=0.75)]}) == {"b": 1.0, "a": 2.0}


# ---- runs of another harness ----------------------------------------------------
def test_runs_of_another_harness_are_taken_in_once_and_come_first(tmp_path: Path) -> None:
    theirs = {"set": "adult", "contender": "lgbm_tuned", "budget": 60.0, "seed": 0, "threads": 2, "n_train": 10,
              "n_test": 5, "at": "17:29:36", "fit_s": 58.0, "acc": 0.5, "logloss": 0.25, "predict_s": 0.5,
              "own_cores": 1.9, "other_cores": 0.5, "machine": "Zen",
              "info": {"trials": 3, "best_iter": 7}}  # fmt: skip
    other = {**theirs, "contender": "linear", "other_cores": 0.0}
    failed = {**theirs, "contender": "catboost", "error": "no"}
    del failed["fit_s"]
    source, into = tmp_path / "theirs.jsonl", tmp_path / "ours.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in (theirs, other, failed)))
    runs.append(into, run("lightgbm-tuned", "adult", accuracy=0.75))
    assert peers_file.take_in(source, into) == (2, 0)
    assert peers_file.take_in(source, into) == (0, 2)
    first, second, own = runs.read(into)
    assert (first["contender"], first["machine"]) == ("lightgbm-tuned", "Zen")
    assert first["source"] == "theirs.jsonl: lgbm_tuned"
    assert first["metrics"] == {"accuracy": 0.5, "log_loss": 0.25} and first["seconds"] == 58.0
    assert first["disturbed"] and not second["disturbed"] and first["about"] == {"trials": 3, "trees": 7}
    assert second["contender"] == "peers: linear"  # kept, but not reported
    assert runs.counting(runs.read(into))[Work.of(first)] == own
    assert "linear" not in report.text(runs.read(into))


def test_the_report_names_who_took_longer() -> None:
    late = report.text([run("catboost", "adult", seconds=67.0), run("hyperband", "adult", seconds=65.0)])
    assert "More than 1.1 times the budget was taken at least once by CatBoost." in late


# ---- ours, and its ablation -----------------------------------------------------
def searched(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> list[dict[str, Any]]:
    """Arguments of every call of `hyperband.search`, which finds a network that always says "9"."""
    calls: list[dict[str, Any]] = []
    network = SimpleNamespace(classes=("10", "9"), predict_proba=lambda frame: np.tile([0.25, 0.75], (len(frame), 1)))
    best = SimpleNamespace(
        network=network, metrics={"accuracy": 0.5, "validation_loss": 0.25, "train_loss": 0.1},
        configuration={"width": 3, "init": None}, resource=9,
    )  # fmt: skip

    def search(x: Any, y: Any, **arguments: Any) -> Any:
        calls.append({"y": y, **arguments})
        found = {"best": best, "n_configurations": 2, "n_evaluations": 3, "stopped": "time", "unit": "epochs",
                 "cost": 27.0}  # fmt: skip
        return SimpleNamespace(**(found | fields))

    monkeypatch.setattr(hb, "search", search)
    return calls


TASK = tasks.Task("t", pd.DataFrame({"x": [1.0, 2.0]}), np.array([0, 1]), None, np.array([]), (), (9, 10))


def test_ours_runs_with_defaults_and_puts_classes_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    (calls, found) = searched(monkeypatch), ours.fit(TASK, contenders.Allowance(5.0, 2, 3))
    (call,) = calls
    assert call.pop("y").tolist() == ["9", "10"]
    assert call == {"seed": 3, "budget": hb.Budget(seconds=5.0), "compute": hb.Compute(threads=2)}
    assert found.predict(TASK.x_train).tolist() == [[0.75, 0.25]] * 2
    assert found.validation == {"accuracy": 0.5, "log_loss": 0.25}
    assert found.about["networks"] == 2 and found.about["epochs"] == 27.0
    assert found.about["best"] == {"width": 3, "init": "None"}


def test_a_model_of_the_whole_population_comes_before_the_best_network(monkeypatch: pytest.MonkeyPatch) -> None:
    model = SimpleNamespace(classes=("10", "9"), predict_proba=lambda frame: np.tile([1.0, 0.0], (len(frame), 1)))
    searched(monkeypatch, model=model, validation={"accuracy": 0.875, "log_loss": 0.5})
    found = ours.fit(TASK, contenders.Allowance(100.0, 2, 3, "epochs"))
    assert found.predict(TASK.x_train).tolist() == [[0.0, 1.0]] * 2
    assert found.validation == {"accuracy": 0.875, "log_loss": 0.5}


def test_no_network_with_a_finite_loss_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    searched(monkeypatch, best=None)
    with pytest.raises(RuntimeError, match="finite loss"):
        ours.fit(TASK, contenders.Allowance(5.0, 2, 3))


def test_every_variant_of_the_ablation_gives_arguments_of_search(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, wine = searched(monkeypatch), tasks.load("wine")
    wine = tasks.Task("wine", wine.x_train, wine.y_train % 2, wine.x_test, wine.y_test % 2, (), (9, 10))
    for name in ingredients.variants():
        fit = contenders.find(contenders.VARIANT + name).load()
        fit(wine, contenders.Allowance(100.0, 1, 0, "epochs"))
    assert {call["budget"] for call in calls} == {hb.Budget(resource=100.0)}
    said = [{name: value for name, value in call.items() if name not in ("y", "seed", "budget")} for call in calls]
    assert len({repr(arguments) for arguments in said}) == len(said)  # every ingredient changes something


def test_parameters_that_hang_on_a_fixed_one_are_kept_or_left_out() -> None:
    space = hb.Space(
        {"o": hb.Choice(["a", "b"]), "x": hb.Float(0.0, 1.0), "k": hb.Choice([1, 2]), "z": hb.Float(0.0, 1.0)},
        conditions=[hb.When("k", "o", "a"), hb.When("x", "o", "b"), hb.When("z", "k", 1)],
    )
    assert ingredients.fixed(space, {"o": "b"}).names == ("o", "x")
    kept = ingredients.fixed(space, {"o": "a"})
    assert kept.names == ("o", "k", "z") and kept.conditions == (hb.When("z", "k", 1),)
    with pytest.raises(ValueError, match="can be fixed; got"):
        ingredients.fixed(space, {"no such": 1})
    with pytest.raises(ValueError, match="must begin with one of.*'speed.x'"):
        ingredients.arguments({"speed.x": 1}, None, None, 0)


def test_the_table_of_the_ablation_pairs_sets_and_seeds() -> None:
    def line(variant: str, s: str, seed: int, accuracy: float) -> dict[str, Any]:
        return run(contenders.VARIANT + variant, s, seed, accuracy, budget=100.0, unit="epochs")

    lines = [line("everything", s, seed, 0.75) for s in ("phoneme", "adult") for seed in (0, 1)]
    lines += [line("everything minus dropout", "phoneme", 0, 0.5), line("everything minus dropout", "phoneme", 1, 0.75)]
    lines += [line("plain plus dropout", "adult", 0, 0.5)]
    shown = ablation_report.text(lines)
    assert "**100 network-epochs**" in shown
    assert "| everything | 0.7500 | 0.7500 |  | 4 |" in shown
    assert "| everything minus dropout | 0.6250 |  | +50.0 % (+0.0, +100.0) | 2 |" in shown
    assert "| plain plus dropout |  | 0.5000 |  | 1 |" in shown  # plain itself did not run
    assert ablation_report.text([run("catboost")]) == ablation_report.NOTHING


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
    arguments = ["accuracy", "--sets", "wine", "--contenders", "hyperband,sklearn-mlp", "--budget", "1", "--quiet", "0",
                 "--file", str(file)]  # fmt: skip
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    found = runs.read(file)
    assert [record["contender"] for record in found] == ["hyperband", "sklearn-mlp"], done.stdout
    assert all(record["metrics"]["accuracy"] > 0.5 and record["n_test"] == 36 for record in found)
    assert "| wine | accuracy |" in done.stdout
    again = command(*arguments)
    assert again.stdout.count("there already") == 2 and runs.read(file) == found
