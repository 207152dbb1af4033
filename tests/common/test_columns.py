"""Growing columns: whatever is written and read across the borders of blocks is what an ordinary array would hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband._common.columns import BLOCK_COLUMNS as BLOCK
from hyperband._common.columns import GrowingColumns
from hyperband.errors import InputError
from hyperband.tuning.run.evaluation_log import EvaluationLog
from hyperband.tuning.run.point_store import PointStore
from hyperband.tuning.trial import Result


@given(
    parts=st.lists(st.integers(1, 2 * BLOCK), min_size=1, max_size=4),
    fill=st.sampled_from([0.0, np.nan]),
    seed=st.integers(0, 99),
)
@settings(max_examples=20)
def test_growing_columns_hold_what_an_array_holds(parts, fill, seed):
    rng = np.random.default_rng(seed)
    columns, plain = GrowingColumns(2, np.float64, fill), rng.random((2, sum(parts)))
    first = 0
    for part in parts:
        columns.put(first, plain[:, first : first + part])
        first += part
    start, end = sorted(rng.integers(0, first + 1, 2).tolist())
    np.testing.assert_array_equal(columns.between(start, end), plain[:, start:end])
    chosen = rng.integers(0, first, 50)
    np.testing.assert_array_equal(columns.take(chosen), plain[:, chosen])
    assert columns[int(chosen[0])] == plain[:, chosen[0]].tolist()
    np.testing.assert_array_equal(columns.between(first, first + 3), np.full((2, 3), fill))


def test_records_and_points_cross_the_border_of_a_block():
    records, points = EvaluationLog(), PointStore(2)
    n = BLOCK + 5
    whole = np.stack([np.arange(n), np.zeros(n, np.int64), np.zeros(n, np.int64)])
    real = np.stack([np.ones(n), np.arange(n, 0.0, -1.0), np.ones(n)])
    records.extend(whole[:, : BLOCK - 1], real[:, : BLOCK - 1], {}, None, float(BLOCK - 1))
    records.extend(whole[:, BLOCK - 1 :], real[:, BLOCK - 1 :], {"twice": 2 * real[1, BLOCK - 1 :]}, None, 6.0)
    row = records.append(Result(n, 0, 0, 1, 0.5, {"twice": 1.0}, 1.0), 1.0)
    assert (row, len(records), records.best(0), records.best(BLOCK)) == (n, n + 1, n, n)
    assert records.result(BLOCK).trial == BLOCK
    assert np.isnan(records.columns()["twice"]).sum() == BLOCK - 1
    values = np.random.default_rng(0).random((n, 2))
    points.add(range(n), values)
    points.add([n + 1], values[:1])
    np.testing.assert_array_equal(points.of([BLOCK - 1, BLOCK, 0, n + 1]), values[[BLOCK - 1, BLOCK, 0, 0]])
    with pytest.raises(InputError, match=f"handed out; got {n}"):
        points.of([0, n])
