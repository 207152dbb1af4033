"""The benchmarks of whole searches run."""

from __future__ import annotations

from pathlib import Path

from benchmark_runs import measure


def test_a_whole_search_finds_the_same_on_one_and_two_threads(tmp_path: Path) -> None:
    records = measure(tmp_path, "search", "--repetitions", "1", "--largest", "27")["records"]
    assert [record["evaluations"] for record in records] == [69, 69]
    assert all(0.0 < record["busy"] < 1.2 for record in records)
