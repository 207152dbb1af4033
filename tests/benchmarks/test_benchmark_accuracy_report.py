"""The benchmark of prediction quality: ranks, reports, runs of another harness, ours and its ablation."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from accuracy_fakes import run

import hyperband as hb
from benchmarks.accuracy import (
    ablation_report,
    contenders,
    figure,
    ingredients,
    left_out_report,
    peers_file,
    ranks,
    report,
    runs,
    tasks,
)  # fmt: skip
from benchmarks.accuracy.contenders import ours
from benchmarks.accuracy.runs import Work
from benchmarks.documents import accuracy as documents


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
    sooner = [{**line, "budget": 10.0} for line in lines_of_two_sets()]
    assert figure.draw([*lines_of_two_sets(), *sooner], tmp_path / "curves.png")
    assert (tmp_path / "bars.png").read_bytes() != (tmp_path / "curves.png").read_bytes()
    alone = [line for line in sooner if line["contender"] == "hyperband"]  # one curve among points says nothing
    assert alone and figure.draw([*lines_of_two_sets(), *alone], tmp_path / "alone.png")
    assert (tmp_path / "bars.png").read_bytes() == (tmp_path / "alone.png").read_bytes()
    assert figure.relative({"a": [run(accuracy=0.5)], "b": [run(accuracy=0.75)]}) == {"b": 1.0, "a": 2.0}
    assert figure.relative({"a": [run(accuracy=0.5)], "b": [run(accuracy=1.0)]}) == {"b": 0.0, "a": 1.0}


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
    """Arguments of every call of `hyperband.search`, whose model says "9" with probability 0.75."""
    calls: list[dict[str, Any]] = []
    model = SimpleNamespace(classes=("10", "9"), predict_proba=lambda frame: np.tile([0.25, 0.75], (len(frame), 1)))
    metrics = {"accuracy": 0.5, "validation_loss": 0.25}
    best = SimpleNamespace(metrics=metrics, configuration={"width": 3, "init": None}, resource=9)
    members = SimpleNamespace(members=("a", "b"), metric="accuracy", score=0.875, single=0.5, temperature=1.5)

    def search(x: Any, y: Any, **arguments: Any) -> Any:
        calls.append({"y": y, **arguments})
        found = {"best": best, "model": model, "ensemble": members, "n_configurations": 2, "n_evaluations": 3,
                 "stopped": "time", "unit": "epochs", "cost": 27.0,
                 "plan": SimpleNamespace(max_resource=9)}  # fmt: skip
        return SimpleNamespace(**(found | fields))

    monkeypatch.setattr(hb, "search", search)
    return calls


TASK = tasks.Task("t", pd.DataFrame({"x": [1.0, 2.0]}), np.array([0, 1]), None, np.array([]), (), (9, 10))


def test_ours_runs_with_defaults_and_puts_classes_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    (calls, found) = searched(monkeypatch), ours.fit(TASK, contenders.Allowance(5.0, 2, 3))
    (call,) = calls
    assert call.pop("y").tolist() == ["9", "10"]
    assert call == {"seed": 3, "time_limit": 5.0, "compute": hb.Compute(threads=2)}
    assert found.predict(TASK.x_train).tolist() == [[0.75, 0.25]] * 2
    assert found.validation == {"accuracy": 0.875}
    assert found.about["networks"] == 2 and found.about["epochs"] == 27.0 and found.about["members"] == 2
    assert found.about["best"] == {"width": 3, "init": "None"}


def test_without_an_ensemble_the_best_network_says_what_it_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    searched(monkeypatch, ensemble=None)
    found = ours.fit(TASK, contenders.Allowance(5.0, 2, 3))
    assert found.validation == {"accuracy": 0.5} and "members" not in found.about


def test_no_network_with_a_finite_loss_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    searched(monkeypatch, best=None)
    with pytest.raises(RuntimeError, match="finite loss"):
        ours.fit(TASK, contenders.Allowance(5.0, 2, 3))


def test_what_was_left_out_is_compared_at_the_better_weight_decay(tmp_path: Path) -> None:
    assert left_out_report.text([]) == left_out_report.NOTHING

    def line(variant: str, name: str, decay: float, regret: float, seed: int = 0) -> dict[str, Any]:
        return {"variant": variant, "set": name, "weight_decay": decay, "seed": seed, "epochs": 1, "regret": regret}

    shown = left_out_report.text(
        [
            *(line(left_out_report.BASE, "wine", decay, value) for decay, value in ((0.1, 0.5), (1.0, 0.25))),
            line(left_out_report.BASE, "diabetes", 0.1, 50.0),
            *(line("more", "wine", decay, value) for decay, value in ((0.1, 0.375), (1.0, 0.75))),
            line("more", "diabetes", 1.0, 40.0),
            line("without a base", "car", 1.0, 40.0),
        ]
    )
    assert "| one network | 0.25 | 50 |  |" in shown
    assert "| more | +50.0 % | -20.0 % | +15.0 % (-20.0, +50.0) |" in shown and "without a base" not in shown


@pytest.mark.parametrize("name", [name for name in tasks.SMALL if tasks.TABLES[name].make is not None])
def test_tables_of_noise_are_the_same_whenever_they_are_made(name: str) -> None:
    first, second, other = (tasks.load(name, seed) for seed in (0, 0, 1))
    assert first.x_train.equals(second.x_train) and not first.x_train.equals(other.x_train)
    assert len(first.x_test) == pytest.approx(0.2 * (len(first.x_train) + len(first.x_test)), abs=1)
    assert first.classification == (not tasks.TABLES[name].regression) and np.isfinite(first.x_train).all().all()


def test_every_variant_of_the_ablation_gives_arguments_of_search(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, wine = searched(monkeypatch), tasks.load("wine")
    wine = tasks.Task("wine", wine.x_train, wine.y_train % 2, wine.x_test, wine.y_test % 2, (), (9, 10))
    for name in ingredients.variants():
        fit = contenders.find(contenders.VARIANT + name).load()
        fit(wine, contenders.Allowance(100.0, 1, 0, "epochs"))
    assert {call["budget"] for call in calls} == {hb.Budget(resource=100.0)} and "time_limit" not in calls[0]
    said = [{name: value for name, value in call.items() if name not in ("y", "seed", "budget")} for call in calls]
    assert len({repr(arguments) for arguments in said}) == len(said)  # every ingredient changes something


def test_the_space_of_the_ablation_is_the_one_that_search_uses() -> None:
    wine = tasks.load("wine")
    found = hb.search(wine.x_train, ours.labels(wine), algorithm=hb.SuccessiveHalving(3), seed=1)
    assert ingredients.searched_space(wine.x_train, ours.labels(wine), 1) == found.space


def test_parameters_that_hang_on_a_fixed_one_are_kept_or_left_out() -> None:
    space = hb.Space(
        {"o": hb.Choice(["a", "b"]), "x": hb.Float(0.0, 1.0), "k": hb.Choice([1, 2]), "z": hb.Float(0.0, 1.0)},
        conditions=[hb.When("k", "o", "a"), hb.When("x", "o", "b"), hb.When("z", "k", 1)],
    )
    assert ingredients.fixed(space, {"o": "b"}).names == ("o", "x")
    kept = ingredients.fixed(space, {"o": "a"})
    assert kept.names == ("o", "k", "z") and kept.conditions == (hb.When("z", "k", 1),)
    assert ingredients.fixed(space, {"dropout": 0.5}) == space  # networks have it, this space has not
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


def test_a_planned_search_tries_only_the_views_of_a_given_space() -> None:
    wine = tasks.load("wine")
    arguments = ingredients.arguments({"space.view": "standard"}, wine.x_train, ours.labels(wine), 0)
    found = hb.search(wine.x_train, ours.labels(wine), seed=0, budget=hb.Budget(evaluations=3), **arguments)
    assert {configuration["view"] for configuration in found.configurations.values()} == {"standard"}
