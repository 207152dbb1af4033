"""Folds: every form of `validation=` is a set of partitions, keyed, with a training row for every class."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, ShuffleSplit, StratifiedKFold, TimeSeriesSplit

import hyperband as hb
from hyperband.errors import DataError
from hyperband.tables import prepare, prepare_table
from hyperband.tables.fold_assignment import group_folds, group_hold_out, stratified_folds, time_folds
from hyperband.tables.holdout import VALIDATION

RNG = np.random.default_rng(0)
X60 = RNG.normal(size=(60, 2))
Y60 = np.repeat(["a", "b", "c"], [30, 20, 10])
GROUP = np.arange(60) % 12
TIME = RNG.permutation(60)


def parts(table):
    """Row numbers of the training (by their x) and validation parts of every fold."""
    found = []
    for fold in range(table.n_folds):
        held = table.validation_rows(fold)
        train = np.setdiff1d(np.arange(table.n_rows), held)
        if table.test_rows is not None:
            train = np.setdiff1d(train, table.test_rows)
        assert len(table.dataset("standard", fold).x_train) == len(train)
        assert len(table.dataset("standard", fold).x_validation) == len(held)
        found.append((train, held))
    return found


counts = st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(lambda c: sum(x for x in c if x > 1) >= 5)


@given(counts=counts, k=st.integers(2, 5), repeats=st.integers(1, 3), seed=st.integers(0, 2**63))
def test_stratified_folds(counts, k, repeats, seed):
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    n = len(labels)
    folds, _ = stratified_folds(n, labels, k, repeats, seed)
    assert len(folds) == k * repeats
    dealt = sum(c for c in counts if c > 1)
    for repeat in range(repeats):
        of_repeat = folds[repeat * k : (repeat + 1) * k]
        together = np.concatenate(of_repeat)
        assert len(together) == len(set(together.tolist())) == dealt
        sizes = [len(rows) for rows in of_repeat]
        assert max(sizes) - min(sizes) <= 1
        for c, count in enumerate(counts):
            inside = [int((labels[rows] == c).sum()) for rows in of_repeat]
            assert sum(inside) == (count if count > 1 else 0)
            assert max(inside) - min(inside) <= 1
            assert count == 0 or max(inside) < count  # a training row in every fold


def test_folds_are_keyed_and_fixed():
    """A fixed expectation: a change of the keys would silently change every split."""
    folds, _ = stratified_folds(8, None, 2, 2, seed=0)
    assert [rows.tolist() for rows in folds] == [[3, 4, 6, 7], [0, 1, 2, 5], [1, 5, 6, 7], [0, 2, 3, 4]]
    again, other = stratified_folds(8, None, 2, 2, seed=0)[0], stratified_folds(8, None, 2, 2, seed=1)[0]
    assert all(np.array_equal(a, b) for a, b in zip(folds, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(folds, other, strict=True))


@pytest.mark.parametrize("validation", [3, "3", 3.0, np.int64(3), hb.KFold(3)])
def test_k_folds_of_a_table(validation):
    table = prepare_table(X60, Y60, validation=validation, test=0.1)
    assert table.n_folds == 3
    assert len(table.test_rows) == 6
    held = np.concatenate([rows for _, rows in parts(table)])
    assert sorted([*held, *table.test_rows]) == list(range(60))


def test_the_training_rows_have_the_same_random_order_in_every_view():
    table = prepare_table(X60, Y60, validation=2)
    standard, robust = table.dataset("standard", 1), table.dataset("robust", 1)
    assert np.array_equal(standard.y_train, robust.y_train)
    assert np.array_equal(np.argsort(standard.x_train[:, 0]), np.argsort(robust.x_train[:, 0]))
    other = table.dataset("standard", 0)
    assert standard.y_train.tolist() != sorted(standard.y_train.tolist())
    assert not np.array_equal(standard.y_train, other.y_train)


def test_a_hold_out_is_one_fold_with_the_rows_of_prepare():
    table = prepare_table(X60, Y60, validation=0.25, seed=3)
    one = prepare(X60, Y60, validation=0.25, seed=3)
    data = table.dataset("standard")
    assert table.n_folds == 1
    assert np.array_equal(data.x_train, one.x_train)
    assert np.array_equal(data.y_validation, one.y_validation)
    rows = table.validation_rows(0)
    assert np.array_equal(data.target.labels(data.y_validation), Y60[rows])
    with pytest.raises(DataError, match="`prepare` makes the rows of one fold; `validation` has 3 folds"):
        prepare(X60, Y60, validation=3)


@pytest.mark.parametrize(
    "validation", [0.3, hb.KFold(3, 2), hb.GroupSplit(GROUP, 3), hb.GroupSplit(GROUP, 0.3), ShuffleSplit(2)]
)
def test_each_part_has_the_rows_that_it_says(validation):
    numbers = np.arange(60.0)
    table = prepare_table(X60, numbers + 0.5, validation=validation, test=0.2)

    def rows_of(data, y):
        return np.round(data.target.values(y) - 0.5).astype(int).tolist()

    for fold in range(table.n_folds):
        data = table.dataset("standard", fold)
        held, test = table.validation_rows(fold).tolist(), table.test_rows.tolist()
        assert rows_of(data, data.y_validation) == held
        assert rows_of(data, data.y_test) == test
        assert not set(rows_of(data, data.y_train)) & {*held, *test}
        assert len(set(rows_of(data, data.y_train))) == len(data.y_train) >= 30
        assert np.array_equal(data.x_validation, data.preprocessing.transform(X60, table.validation_rows(fold)))


def test_small_classes_always_train():
    y = np.array(["a"] * 40 + ["b"] * 3 + ["c"])
    x = RNG.normal(size=(44, 2))
    table = prepare_table(x, y, validation=5)
    for fold in range(5):
        data = table.dataset("standard", fold)
        assert set(data.y_train.tolist()) == {0, 1, 2}
    held = np.concatenate([table.validation_rows(fold) for fold in range(5)])
    assert sorted(held.tolist()) == list(range(43))
    assert "2 classes have fewer rows than the 5 folds" in table.notes[-1]


@pytest.mark.parametrize(("n", "n_folds"), [(4, 12), (150, 15), (201, 10), (501, 5), (5000, 5), (5001, 1)])
def test_auto(n, n_folds):
    x = np.random.default_rng(0).normal(size=(n, 1))
    table = prepare_table(x, x[:, 0], validation="auto")
    assert table.n_folds == n_folds
    assert f"{n:,} rows" in table.notes[-1]
    if n_folds == 1:
        assert np.array_equal(table.validation_rows(0), prepare_table(x, x[:, 0]).validation_rows(0))


# ---- groups -------------------------------------------------------------------


@given(
    groups=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), min_size=20, max_size=80),
    k=st.integers(2, 3),
    seed=st.integers(0, 2**63),
)
def test_no_group_is_in_both_parts(groups, k, seed):
    keys = np.array([g for g, _ in groups])
    labels = np.array([c for _, c in groups], dtype=np.int32)
    try:
        folds, _ = group_folds(keys, labels, k, seed)
    except DataError:
        return
    for rows in folds:
        train = np.setdiff1d(np.arange(len(keys)), rows)
        assert len(rows)
        assert not set(keys[rows]) & set(keys[train])
        assert set(labels[train]) == set(labels)
    together = np.concatenate(folds)
    assert len(together) == len(set(together.tolist()))


def test_group_folds_are_balanced():
    sizes = RNG.integers(1, 30, 60)
    keys = np.repeat(np.arange(60), sizes)
    labels = (keys % 3 == 0).astype(np.int32)
    folds, notes = group_folds(keys, labels, 5, seed=0)
    assert notes == []
    assert sorted(np.concatenate(folds).tolist()) == list(range(len(keys)))
    for c in (0, 1):
        inside = np.array([(labels[rows] == c).sum() for rows in folds])
        assert np.ptp(inside) <= 0.15 * inside.mean()


@given(
    sizes=st.lists(st.integers(1, 20), min_size=2, max_size=30),
    fraction=st.floats(0.05, 0.6),
    seed=st.integers(0, 2**63),
)
def test_groups_held_out(sizes, fraction, seed):
    keys = np.repeat(np.arange(len(sizes)), sizes)
    held = group_hold_out(keys, None, fraction, seed, VALIDATION)
    train = np.setdiff1d(np.arange(len(keys)), held)
    assert len(held)
    assert len(train)
    assert not set(keys[held]) & set(keys[train])
    assert len(held) == min(sizes) or len(held) < 2 * fraction * len(keys)


@pytest.mark.parametrize("given_as", ["name", "index", "array", "series", "text"])
@pytest.mark.parametrize("folds", [4, 0.25])
def test_group_split(given_as, folds):
    frame = pl.DataFrame({"a": X60[:, 0], "who": GROUP, "b": X60[:, 1], "y": Y60})
    groups = {
        "name": "who",
        "index": 1,
        "array": GROUP,
        "series": pl.Series(GROUP),
        "text": [f"p{g}" for g in GROUP],
    }[given_as]
    source = frame if given_as in ("name", "index") else frame.drop("who")
    table = prepare_table(source, target="y", validation=hb.GroupSplit(groups, folds), test=0.2)
    assert table.n_folds == (4 if folds == 4 else 1)
    assert table.dataset("standard").feature_names == ("a", "b")
    for train, held in parts(table):
        seen = [set(GROUP[rows]) for rows in (train, held, table.test_rows)]
        assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
    # The column need not be there at prediction.
    assert table.dataset("standard").preprocessing.transform(frame.select("a", "b")).shape == (60, 2)


def test_a_group_column_can_be_a_feature():
    frame = pl.DataFrame({"a": X60[:, 0], "who": GROUP, "y": Y60})
    table = prepare_table(frame, target="y", validation=hb.GroupSplit("who", 3, as_feature=True))
    assert table.dataset("standard").feature_names == ("a", "who")


def test_a_group_that_alone_has_a_class_always_trains():
    y = np.where(GROUP == 3, "rare", np.where(GROUP % 2 == 0, "a", "b"))
    table = prepare_table(X60, y, validation=hb.GroupSplit(GROUP, 4), test=0.2)
    for train, _ in parts(table):
        assert 3 in GROUP[train]
    assert "1 group trains in every fold" in table.notes[-1]


# ---- time ---------------------------------------------------------------------


@given(
    times=st.lists(st.integers(0, 12), min_size=6, max_size=60),
    n_folds=st.integers(1, 4),
    fraction=st.floats(0.02, 0.24),
)
def test_time_folds(times, n_folds, fraction):
    keys = np.array(times)
    if len(set(times)) <= n_folds:
        with pytest.raises(DataError, match=f"needs at least {n_folds + 1} different times; got {len(set(times))}"):
            time_folds(keys, fraction, n_folds)
        return
    before = None
    for train, held in time_folds(keys, fraction, n_folds):
        assert len(train)
        assert len(held)
        assert keys[train].max() < keys[held].min()
        assert before is None or np.array_equal(train, before)
        before = np.sort(np.concatenate([train, held]))
    assert len(before) == len(keys)


DAYS = [dt.date(2020, 1, 1) + dt.timedelta(days=int(t)) for t in TIME]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("t", TIME),
        pl.Series("t", TIME / 7.0),
        pl.Series("t", DAYS),
        pl.Series("t", [d.isoformat() for d in DAYS]),
        pl.Series("t", [f"{d.isoformat()}T10:00:00Z" for d in DAYS]),
        pl.Series("t", [dt.datetime(d.year, d.month, d.day, 3) for d in DAYS]),
    ],
)
def test_time_split(column):
    frame = pl.DataFrame({"a": X60[:, 0], "t": column, "y": X60[:, 1]})
    table = prepare_table(frame, target="y", validation=hb.TimeSplit("t", 0.1, folds=3), test=0.2)
    assert TIME[table.test_rows].min() == 48
    assert [(len(train), len(held)) for train, held in _time_parts(table)] == [(30, 6), (36, 6), (42, 6)]
    for train, held in _time_parts(table):
        assert TIME[train].max() + 1 == TIME[held].min()
    assert table.dataset("standard").feature_names == ("a",)
    single = prepare_table(frame.drop("t"), target="y", validation=hb.TimeSplit(column))
    assert TIME[single.validation_rows(0)].min() == 48


def _time_parts(table):
    for fold in range(table.n_folds):
        held = table.validation_rows(fold)
        train = np.flatnonzero(TIME[held].min() > TIME)
        assert len(table.dataset("standard", fold).x_train) == len(train)
        yield train, held


# ---- the user's own -----------------------------------------------------------


@pytest.mark.parametrize(
    "splitter",
    [StratifiedKFold(4), ShuffleSplit(3, random_state=0), TimeSeriesSplit(2)],
    ids=["stratified", "shuffle", "time"],
)
def test_splitters_of_scikit_learn(splitter):
    table = prepare_table(X60, Y60[RNG.permutation(60)], validation=splitter)
    labels = table.dataset("standard").target.encode(Y60)
    assert table.n_folds == splitter.get_n_splits()
    if not isinstance(splitter, StratifiedKFold):
        expected = splitter.split(np.zeros((60, 1)), labels)
        for fold, (train, held) in enumerate(expected):
            assert np.array_equal(table.validation_rows(fold), np.sort(held))
            assert len(table.dataset("standard", fold).x_train) == len(train)


@pytest.mark.parametrize("wrap", [list, iter, lambda pairs: [tuple(map(list, pair)) for pair in pairs]])
def test_pairs_of_row_numbers(wrap):
    pairs = [(np.arange(0, 40), np.arange(50, 60)), (np.arange(20, 60), np.arange(3))]
    table = prepare_table(X60, X60[:, 0], validation=wrap(pairs))
    assert [table.validation_rows(fold).tolist() for fold in (0, 1)] == [list(range(50, 60)), [0, 1, 2]]
    assert [len(table.dataset("standard", fold).x_train) for fold in (0, 1)] == [40, 40]
    tested = prepare_table(X60, X60[:, 0], validation=wrap(pairs), test=0.2)
    for fold in (0, 1):
        assert not set(tested.validation_rows(fold)) & set(tested.test_rows)
        x = tested.dataset("standard", fold)
        assert len(x.x_train) == len(np.setdiff1d(pairs[fold][0], tested.test_rows))


def test_row_numbers_are_those_of_the_given_table():
    """Rows without a target are left out of pairs, groups and times; `validation_rows` counts the labelled rows."""
    y = np.where(np.arange(60) % 10 == 0, np.nan, X60[:, 0])
    pairs = [(np.arange(0, 40), np.arange(40, 60))]
    options = hb.TableOptions(missing_target="drop")
    kept = np.flatnonzero(~np.isnan(y))
    table = prepare_table(X60, y, validation=pairs, options=options)
    assert kept[table.validation_rows(0)].tolist() == [r for r in range(40, 60) if r % 10]
    grouped = prepare_table(X60, y, validation=hb.GroupSplit(GROUP, 3), options=options)
    for fold in range(3):
        held = set(GROUP[kept[grouped.validation_rows(fold)]])
        assert len(grouped.validation_rows(fold)) == sum(g in held for g in GROUP[kept])
    timed = prepare_table(X60, y, validation=hb.TimeSplit(TIME, 0.2), options=options)
    assert TIME[kept[timed.validation_rows(0)]].min() > np.delete(TIME[kept], timed.validation_rows(0)).max()


HOLES = [None if i == 7 else float(t) for i, t in enumerate(TIME)]


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (1, "`validation` must be a fraction of the rows between 0 and 1"),
        (float("inf"), "`validation` must be a fraction"),
        (True, "`validation` must be a fraction"),
        (61, "by 61 folds needs at least 61 rows in classes|by 61 folds needs at least 61 rows"),
        (hb.GroupSplit(GROUP, 13), "by group into 13 folds needs at least 13 groups; got 12"),
        (hb.GroupSplit(np.zeros(60), 2), "needs at least 2 groups"),
        (hb.GroupSplit(np.zeros(60), 0.5), "needs two groups"),
        (hb.GroupSplit(GROUP[:50]), "one value a row in its groups; got 50 for 60 rows"),
        (hb.GroupSplit(X60), r"one value a row; got shape \(60, 2\)"),
        (hb.GroupSplit("patient"), "`validation` must name a column of the table; got 'patient'"),
        (
            hb.GroupSplit(HOLES),
            "by group needs a value in every row; the array of groups is missing in 1 rows, first i",
        ),
        (
            hb.TimeSplit(HOLES),
            "by time needs a value in every row; the array of times is missing in 1 rows, first in ro",
        ),
        (
            hb.TimeSplit(["31.1.2020"] * 60),
            "dates as text in the form 2013-01-31; the array of times holds '31.1.2020'",
        ),
        (hb.TimeSplit(["Monday"] * 60), "holds 'Monday'"),
        (hb.TimeSplit(np.ones(60)), "needs at least 2 different times; got 1"),
        (hb.TimeSplit(5), "`validation` must name a column"),
        (GroupKFold(3), "GroupKFold.split failed: .*use hb.GroupSplit"),
        (StratifiedKFold(70), "StratifiedKFold.split failed"),
        ([(np.arange(5), np.arange(4, 9))], "pair 0 of `validation` has 1 rows in both, first row 4"),
        ([(np.arange(5), np.arange(5, 5))], "the validation part of pair 0 has none"),
        ([(np.arange(5), np.array([60]))], "row numbers from 0 to 59; the validation part of pair 0 has 60"),
        ([(np.arange(5), np.array([-1]))], "the validation part of pair 0 has -1"),
        ([([0, 1, 1], [2])], "row 1 2 times"),
        (iter([(np.ones(60, bool), np.arange(3))]), "has dtype bool .*Use np.flatnonzero"),
        (iter([]), "at least one pair"),
        (iter([3]), "item 0 is 3"),
    ],
)
def test_bad_validation(validation, message):
    with pytest.raises(DataError, match=message):
        prepare_table(X60, Y60, validation=validation)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hb.KFold(1), "`k` must be a whole number from 2 on; got 1."),
        (lambda: hb.KFold(2.5), "`k` must be a whole number"),
        (lambda: hb.KFold(3, 0), "`repeats` must be a whole number from 1 on; got 0."),
        (lambda: hb.GroupSplit("g", 1), "`folds` must be a number of folds from 2 on, or a fraction"),
        (lambda: hb.GroupSplit("g", 1.5), "`folds` must be"),
        (lambda: hb.GroupSplit("g", True), "`folds` must be"),
        (lambda: hb.TimeSplit("t", 0.0), "`fraction` must be between 0 and 1; got 0.0."),
        (lambda: hb.TimeSplit("t", "x"), "`fraction` must be"),
        (lambda: hb.TimeSplit("t", 0.2, folds=5), "must be below 1, or the first fold has no training rows"),
        (lambda: hb.TimeSplit("t", 0.2, folds=0), "`folds` must be a whole number from 1 on; got 0."),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(DataError, match=message):
        make()


def test_fractions_must_leave_rows():
    for validation in (hb.GroupSplit(GROUP, 0.6), hb.TimeSplit(TIME, 0.3, folds=2)):
        with pytest.raises(DataError, match="sum is 1 or more"):
            prepare_table(X60, Y60, validation=validation, test=0.5)
