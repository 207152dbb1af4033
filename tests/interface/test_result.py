"""What a search hands back: columns in a fixed order, of the right kinds, and the right incumbent."""

from __future__ import annotations

import enum
import math

import numpy as np
import pytest
from toy import Algorithm, Line, result_of

import hyperband as hb
from hyperband.interface.result import SearchResult, TrialTable, _column
from hyperband.tuning.run.run import Run
from hyperband.tuning.schedulers import FullScheduler, HyperbandScheduler, SuccessiveHalvingScheduler


def finished(scheduler, loss=lambda job: job.configuration["x"], **others):
    run = Algorithm(scheduler).start()
    while not run.done:
        run.tell([result_of(job, loss(job), **others) for job in reversed(run.ask())])
    return run


def test_the_table_of_trials():
    run = finished(HyperbandScheduler(9, 3), metrics={"accuracy": 0.5})
    table = TrialTable.of(run)
    assert list(table) == ["trial", "bracket", "rung", "resource", "loss", "cost", "accuracy", "x", "deep"]
    assert table.n_rows == 22
    assert {len(column) for column in table.values()} == {22}
    order = list(zip(table["bracket"].tolist(), table["rung"].tolist(), table["trial"].tolist(), strict=True))
    assert order == sorted(order)
    np.testing.assert_array_equal(table["loss"], table["x"])
    np.testing.assert_array_equal(np.isnan(table["deep"]), table["x"] <= 0.5)
    assert [table[name].dtype.kind for name in table] == list("iiifffff" + "f")


def test_data_frames():
    table = TrialTable.of(finished(SuccessiveHalvingScheduler(9, 3)))
    for frame in (pytest.importorskip("pandas") and table.to_pandas(), table.to_polars()):
        assert list(frame.columns) == list(table)
        np.testing.assert_array_equal(frame["trial"].to_numpy(), table["trial"])


def test_a_parameter_named_like_a_column_is_renamed():
    class Clash(Line):
        names = ("loss", "trial")

        def decode(self, points):
            return [{"loss": float(x), "trial": "a"} for x, _ in points]

    run = Run(Clash(), FullScheduler(3, 1), Algorithm(None).sampler)
    run.tell([result_of(job, 7.0) for job in run.ask()])
    table = TrialTable.of(run)
    assert table["loss"].tolist() == [7.0] * 3
    assert table["parameter_loss"].tolist() == [job["loss"] for job in run.configurations([0, 1, 2])]
    assert table["parameter_trial"].tolist() == ["a"] * 3


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2], np.int64, [1, 2]),
        ([1, 2.5], np.float64, [1.0, 2.5]),
        ([1, None], np.float64, [1.0, math.nan]),
        ([True, False], np.bool_, [True, False]),
        ([True, None], object, [True, None]),
        (["relu", None], object, ["relu", None]),
        ([1, "auto"], object, [1, "auto"]),
        ([None, None], object, [None, None]),
        ([(1, 2), (3, 4)], object, [(1, 2), (3, 4)]),
        ([2**70, 1], object, [2**70, 1]),
        ([2**53, None], np.float64, [2.0**53, math.nan]),
        ([2**53 + 1, None], object, [2**53 + 1, None]),
        ([2**53 + 1, 0.5], object, [2**53 + 1, 0.5]),
        ([], object, []),
    ],
)
def test_a_column_takes_the_narrowest_kind(values, dtype, expected):
    column = _column(values)
    assert column.dtype == dtype
    assert [repr(v) for v in column.tolist()] == [repr(v) for v in expected]


def test_columns_of_mixed_values_reach_data_frames():
    table = TrialTable(
        {"trial": np.arange(3), "layers": _column([(1, 2), None, (3,)]), "act": _column(["a", None, "b"])}
    )
    assert table.to_polars()["act"].to_list() == ["a", None, "b"]
    assert table.to_pandas()["act"].dropna().tolist() == ["a", "b"]
    assert len(table.to_polars()) == 3


def test_polars_converts_no_value_to_another():
    class Colour(enum.Enum):
        RED = 1

    columns = {
        "a": ([True, 3, None], ["True", "3", None]),
        "b": ([(1, 2), (0.5,), None], [[1.0, 2.0], [0.5], None]),
        "c": ([("relu", 64), None, None], ["('relu', 64)", None, None]),
        "d": ([True, None, None], [True, None, None]),
        "e": ([Colour.RED, None, None], ["Colour.RED", None, None]),
        "f": ([2**60 + 1, 0.5, None], [str(2**60 + 1), "0.5", None]),
        "g": ([2**60 + 1, 3, None], [2**60 + 1, 3, None]),
    }
    frame = TrialTable({name: _column(values) for name, (values, _) in columns.items()}).to_polars()
    assert {name: frame[name].to_list() for name in columns} == {name: rows for name, (_, rows) in columns.items()}


def test_where_losses_are_not_comparable_the_highest_rung_decides():
    run = finished(SuccessiveHalvingScheduler(9, 3), lambda job: job.trial + 10.0 * job.rung)
    seen, full = SearchResult.of(run), SearchResult.of(run, comparable=False)
    assert (seen.best.loss, seen.best.resource) == (0.0, 1)
    assert (full.best.loss, full.best.resource) == (20.0, 9)
    assert full.best == seen.best_at_full


def test_where_losses_are_not_comparable_and_no_trial_reached_the_top():
    run = Algorithm(SuccessiveHalvingScheduler(9, 3)).start()
    run.tell([result_of(job, float(job.trial)) for job in run.ask()])
    for job, loss in zip(run.ask(), [math.nan, 5.0, 5.0], strict=True):
        run.tell(result_of(job, loss, metrics={"accuracy": loss / 10} if math.isfinite(loss) else {}))
    result = SearchResult.of(run, comparable=False)
    assert (result.best.trial, result.best.loss, result.best.resource, result.best.rung) == (1, 5.0, 3, 1)
    assert result.best.metrics == {"accuracy": 0.5}
    assert result.best.configuration == run.configuration(1)
    assert result.best_at_full is None


def test_nothing_told_is_an_empty_result():
    result = SearchResult.of(Algorithm(FullScheduler(3, 1)).start(), comparable=False)
    assert result.best is None
    assert (result.n_evaluations, result.n_configurations, result.cost) == (0, 0, 0)
    assert "no evaluation gave a finite loss" in repr(result)


def test_repr_says_what_matters():
    result = SearchResult.of(finished(HyperbandScheduler(9, 3)), unit="epochs", seconds=1.5, failures={3: "boom"})
    text = repr(result)
    assert text.startswith(
        "SearchResult: 22 evaluations of 17 configurations, 69 epochs, 1.5 s, finished, 1 failed\n  best: loss "
    )
    assert f"trial {result.best.trial}\n    x = {result.best.configuration['x']:.6g}" in text


def test_repr_says_why_there_is_nothing():
    run = Algorithm(FullScheduler(3, 1)).start()
    result = SearchResult.of(run, failures={0: "", 2: "ValueError: no data\nTraceback ..."})
    assert repr(result).endswith("no evaluation gave a finite loss\n  trial 2: ValueError: no data\n  Traceback ...")


def test_repr_says_that_there_is_a_front():
    space = hb.Space({"x": hb.Float(0.0, 1.0)})
    result = hb.minimize(lambda c, r: (c["x"], 1 - c["x"]), space, hb.RandomSearch(1, n=5), seed=0)
    assert repr(result).endswith("\n  front: 5 trials, in result.front; best is that of the first objective")
    assert "front" not in repr(SearchResult.of(finished(HyperbandScheduler(9, 3))))
