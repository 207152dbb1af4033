"""The benchmark of search quality: tasks, virtual clock, statistics; and a wrong answer is found."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmark_runs import ROOT, measure
from hypothesis import given, settings
from hypothesis import strategies as st

import hyperband as hb
from benchmarks.common.optional import Unavailable
from benchmarks.quality import benchmark as search_quality
from benchmarks.quality.contenders import ALL as CONTENDERS
from benchmarks.quality.contenders import levels, ours
from benchmarks.quality.outcomes import Work, grid_of
from benchmarks.quality.statistics import better_of, mean_ranks, quartiles, reached
from benchmarks.quality.tasks import ALL as TASKS
from benchmarks.quality.tasks import SearchTask, task
from benchmarks.quality.tasks.hartmann import MINIMUM
from benchmarks.quality.virtual_clock import Asked, Trace, WrongAnswer, check, simulate


def some(chosen: SearchTask, n: int = 40) -> dict[str, np.ndarray]:
    return chosen.space.columns(np.random.default_rng(3).random((n, chosen.space.n_dimensions)))


def there(name: str) -> SearchTask:
    try:
        return task(name)
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("name", TASKS)
def test_a_loss_depends_on_configuration_and_resource_alone(name: str) -> None:
    chosen = there(name)
    columns = some(chosen)
    at = np.full(40, float(chosen.min_resource))
    losses, seconds = chosen.evaluate(columns, at)
    order = np.random.default_rng(0).permutation(40)[:17]
    again, _ = chosen.evaluate({k: v[order] for k, v in columns.items()}, at[order])
    np.testing.assert_allclose(again, losses[order], rtol=0, atol=1e-5)  # float32
    assert (seconds > 0).all()
    assert len(np.unique(losses)) > 20


@pytest.mark.parametrize("name", TASKS)
def test_no_configuration_is_better_than_the_optimum_and_resource_helps_to_rank(name: str) -> None:
    chosen = there(name)
    columns = some(chosen, 300)
    true = chosen.true_losses(columns)
    assert true.min() >= chosen.optimum
    ranks = [
        np.argsort(np.argsort(chosen.evaluate(columns, np.full(300, float(r)))[0]))
        for r in (levels(chosen)[0], chosen.max_resource)
    ]
    near, full = (np.corrcoef(r, np.argsort(np.argsort(true)))[0, 1] for r in ranks)
    assert full > near
    assert full > 0.98


@pytest.mark.parametrize("n", [3, 6])
def test_hartmann_has_its_published_minimum_and_is_flatter_and_noisier_below(n: int) -> None:
    chosen = task(f"hartmann-{n}")
    best = {f"x{i}": np.array([value]) for i, value in enumerate(MINIMUM[n][0])}
    assert chosen.true_losses(best)[0] == pytest.approx(MINIMUM[n][1], abs=2e-5)
    assert chosen.evaluate(best, np.array([10.0]))[0][0] > MINIMUM[n][1] + 0.1


def test_counting_ones_counts_and_draws_on_where_it_stopped() -> None:
    chosen = task("counting-ones-8")
    one = {f"bit{i}": i % 2 for i in range(4)} | {f"p{i}": 0.5 for i in range(4)}
    losses, _ = chosen.curve(one, [9, 10, 729])
    ones = -8 * losses - 2  # less the bits
    assert ones[0] * 9 == pytest.approx(round(ones[0] * 9))
    assert 0 <= round(ones[1] * 10) - round(ones[0] * 9) <= 4
    assert chosen.true_losses(chosen.columns_of([one]))[0] == -0.5
    best = dict.fromkeys(chosen.space.names, 1)
    assert chosen.curve(best, [9])[0][0] == chosen.true_losses(chosen.columns_of([best]))[0] == chosen.optimum


class Line(SearchTask):
    """The loss is x + 10 / resource, and a unit of resource takes x seconds."""

    name, min_resource, max_resource, optimum, seconds_per_evaluation = "line", 1, 10, 0.0, 1.0
    space = hb.Space({"x": hb.Float(0.0, 9.0)})

    def evaluate(self, columns: Mapping[str, Any], resources: Any) -> Any:
        return columns["x"] + 10 / resources, columns["x"] * resources


class Script:
    """Asks for (trial, x, resource) in order."""

    def __init__(self, *asked: tuple[int, float, int]) -> None:
        self.waiting, self.told = list(asked), []

    def ask(self) -> Asked | None:
        if not self.waiting:
            return None
        trial, x, resource = self.waiting.pop(0)
        return Asked(trial, {"x": x}, resource)

    def tell(self, asked: Asked, loss: float) -> None:
        self.told.append((asked.trial, loss))


def test_the_clock_by_hand() -> None:
    script = Script((0, 3.0, 1), (1, 1.0, 2), (2, 2.0, 1), (1, 1.0, 10))
    trace = simulate(script, Line(), 12, workers=2)
    # worker 1: trial 0 until 3, then trial 1's rest (8 seconds) until 11; worker 2: trial 1 until 2, trial 2 until 4
    assert trace.seconds == [2, 3, 4, 11]
    assert trace.trials == [1, 0, 2, 1]
    assert trace.spent == [2, 3, 4, 12]
    assert trace.losses == [6, 13, 12, 2]
    # trial 1 was evaluated at the largest resource from the beginning, so it stays the incumbent: 1 + 10 / 10
    assert trace.regret == [2, 2, 2, 2]
    assert trace.at("spent", [1.9, 2, 3.5]).tolist() == [math.inf, 2, 2]
    assert trace.at("seconds", [10.9, 1e9]).tolist() == [2, 2]
    check(trace, Line(), 12)


def test_the_incumbent_is_the_best_at_the_largest_resource() -> None:
    trace = simulate(Script((0, 0.0, 1), (1, 5.0, 2), (2, 4.0, 2), (0, 0.0, 2)), Line(), 100, workers=1)
    assert trace.regret == [1, 6, 5, 1]


def test_a_job_beyond_the_budget_is_not_started() -> None:
    trace = simulate(Script((0, 1.0, 5), (1, 1.0, 6), (2, 1.0, 1)), Line(), 10, workers=1)
    assert trace.trials == [0]


@pytest.mark.parametrize("resource", [0, 11, 2.5])
def test_a_resource_out_of_range_does_not_count(resource: float) -> None:
    with pytest.raises(WrongAnswer, match="resource"):
        simulate(Script((0, 1.0, resource)), Line(), 100, workers=1)  # type: ignore[arg-type]


def good_trace() -> Trace:
    return simulate(Script((0, 3.0, 1), (1, 1.0, 2), (1, 1.0, 10)), Line(), 12, workers=1)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.losses.__setitem__(1, 5.9), "loss"),
        (lambda t: t.configurations.__setitem__(1, {"x": 9.5}), "outside the space"),
        (lambda t: t.configurations.__setitem__(1, {"x": 0.5}), "loss"),
        (lambda t: t.regret.__setitem__(2, 0.1), "regret"),
        (lambda t: t.spent.__setitem__(2, 9.0), "spent"),
        (lambda t: t.trials.clear(), "nothing"),
    ],
    ids=["loss", "outside", "configuration", "regret", "spent", "empty"],
)
def test_a_spoilt_result_is_found(spoil: Any, message: str) -> None:
    trace = good_trace()
    check(trace, Line(), 12)
    spoil(trace)
    with pytest.raises(WrongAnswer, match=message):
        check(trace, Line(), 12)


def test_a_budget_that_was_exceeded_is_found() -> None:
    with pytest.raises(WrongAnswer, match="budget"):
        check(good_trace(), Line(), 10)


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("name", ours.TABLE)
def test_each_of_our_searches_passes_the_check_and_repeats_itself(name: str, workers: int) -> None:
    chosen = task("counting-ones-8")
    traces = []
    for _ in range(2):
        try:
            searcher = CONTENDERS[name].start(chosen, 1, 6)
        except Unavailable as reason:
            pytest.skip(str(reason))
        traces.append(simulate(searcher, chosen, 6.0 * chosen.max_resource, workers, levels(chosen)))
        check(traces[-1], chosen, 6.0 * chosen.max_resource)
    assert traces[0] == traces[1]
    assert traces[0].spent[-1] > 4.5 * chosen.max_resource


seeds = st.lists(st.integers(0, 3), min_size=1, max_size=4)


@settings(max_examples=60)
@given(st.lists(st.tuples(seeds, seeds, seeds), min_size=1, max_size=3))
def test_mean_ranks_are_those_of_all_combinations_of_seeds(drawn: list[tuple[list[int], ...]]) -> None:
    tasks = [{n: np.array(v, dtype=float)[:, None] for n, v in zip("abc", values, strict=True)} for values in drawn]
    expected = dict.fromkeys("abc", 0.0)
    for values in drawn:
        grid = np.array(np.meshgrid(*values)).reshape(3, -1)
        for i, name in enumerate("abc"):
            ranks = 0.5 + (grid < grid[i]).sum(axis=0) + 0.5 * (grid == grid[i]).sum(axis=0)
            expected[name] += ranks.mean() / len(drawn)
    found = mean_ranks(tasks, 0, replicates=50)
    for name, rank in found.items():
        assert rank.mean == pytest.approx(expected[name])
        assert 1 <= rank.low <= rank.high <= 3
    assert sum(rank.mean for rank in found.values()) == pytest.approx(6)


def test_an_interval_covers_the_mean_and_shrinks_with_seeds() -> None:
    draws = np.random.default_rng(0)
    few, many = (
        better_of([{n: draws.normal(size=(size, 1)) - (n == "a") for n in "ab"}] * 3, "a", "b", 0)
        for size in (5, 500)
    )  # fmt: skip
    assert few.low <= few.mean <= few.high
    assert many.high - many.low < 0.3 * (few.high - few.low)
    assert many.mean == pytest.approx(0.76, abs=0.03)  # P(N(-1, 1) < N(0, 1))


def test_quartiles_and_first_points_know_infinity() -> None:
    regrets = np.array([[math.inf, 3.0, 1.0], [math.inf, math.inf, 2.0], [5.0, 4.0, 3.0]])
    assert quartiles(regrets)[1].tolist() == [math.inf, 4.0, 2.0]
    grid = np.array([1.0, 2.0, 4.0])
    assert reached(regrets, grid, 4.0) == 2.0
    assert reached(regrets, grid, 1.5) == math.inf


def test_search_quality_writes_its_tables(tmp_path: Path) -> None:
    chosen = ("--tasks", "counting-ones-8,hartmann-3", "--contenders", "random,Hyperband")
    record = measure(tmp_path, "search-quality", *chosen, "--seeds", "2", "--full", "5")
    assert "Mean rank over 2 tasks" in record["output"]
    assert [r["workers"] for r in record["runs"]] == [1, 8]
    one = record["runs"][0]
    assert one["contenders"]["Hyperband"]["seeds"] == 2
    assert sum(rank[-1][0] for rank in one["ranks"]["resource"].values()) == pytest.approx(3)
    low, middle, high = one["contenders"]["random"]["tasks"]["hartmann-3"]["resource"][-1]
    assert 0 <= low <= middle <= high < 3.9


def test_a_contender_that_cheats_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cheat(ours.Ours):
        def ask(self) -> Asked | None:
            asked = super().ask()
            return None if asked is None else asked._replace(configuration=dict.fromkeys(asked.configuration, 2))

    kind = type(search_quality.CONTENDERS["random"])
    cheat = kind("cheat", lambda t, s, n: Cheat(hb.RandomSearch(729, n=n), t, s))
    monkeypatch.setitem(search_quality.CONTENDERS, "cheat", cheat)
    work = Work("cheat", "counting-ones-8", 1, (0,), 5, grid_of(5))
    outcome = search_quality.carry_out(work)
    assert "outside the space" in outcome.wrong
    assert search_quality._good([outcome]) == []


def test_the_benchmarks_import_no_optional_package() -> None:
    code = (
        "import sys, benchmarks.quality.benchmark, benchmarks.bookkeeping.rungs, benchmarks.quality.figure; "
        "print(sorted({'optuna', 'smac', 'dehb', 'ray', 'syne_tune', 'onnxruntime', 'matplotlib', 'ConfigSpace'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.stdout.strip() == "[]", done.stderr
