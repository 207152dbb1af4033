"""The benchmarks of whole searches run."""

from __future__ import annotations

from pathlib import Path

from benchmark_runs import measure


def test_a_whole_search_finds_the_same_on_one_and_two_threads(tmp_path: Path) -> None:
    records = measure(tmp_path, "search", "--repetitions", "1", "--largest", "27")["records"]
    assert [record["evaluations"] for record in records] == [69, 69]
    assert all(0.0 < record["busy"] < 1.2 for record in records)


def test_ensembles_are_chosen_in_every_way(tmp_path: Path) -> None:
    records = measure(tmp_path, "ensembles", "--tables", "made-2", "--networks", "6")["records"]
    assert [record["rows"] for record in records] == [100, 300, 1000, 3000]
    for record in records:
        for way in ("single", "accuracy", "log loss", "Brier score", "mean of ten", "claimed", "cross"):
            assert 0.5 < record[way] <= 1.0
