"""Dates and times: how they are read, and the columns of numbers that they become."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

import hyperband as hb
from hyperband.errors import DataError
from hyperband.tables import prepare_table
from hyperband.tables.dates import as_instants, find_date, is_ambiguous, looks_like_dates
from hyperband.tables.readings import TEXT, TIME, find_reading
from hyperband.tables.time_parts import find_parts, instants_of

NOON = dt.datetime(1999, 1, 31, 12, 5)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1999-01-31", dt.datetime(1999, 1, 31)),
        ("1999/1/31", dt.datetime(1999, 1, 31)),
        ("1999-01-31T12:05", NOON),
        ("1999-01-31T12:05:00Z", NOON),
        ("1999-01-31 12:05:00.000", NOON),
        ("1999-01-31 12:05:00,000 UTC", NOON),
        ("1999-01-31 12:05:00+02:00", NOON),
        ("1999-01-31T12:05-0530", NOON),
        ("1/31/1999 12:05 PM", NOON),
        ("1/31/99 12:05:00pm", NOON),
        ("31.01.1999 12:05", NOON),
        ("31.01.99", dt.datetime(1999, 1, 31)),
        ("31/1/1999", dt.datetime(1999, 1, 31)),
        ("31-JAN-1999", dt.datetime(1999, 1, 31)),
        ("31 January 1999", dt.datetime(1999, 1, 31)),
        ("Jan 31, 1999 12:05", NOON),
        ("12:05", dt.datetime(1970, 1, 1, 12, 5)),
        ("1:05:30 pm", dt.datetime(1970, 1, 1, 13, 5, 30)),
    ],
)
def test_dates_as_people_write_them(text, instant):
    texts = pl.Series([text, None, text])
    date = find_date(texts.drop_nulls(), 1.0)
    assert date is not None
    assert as_instants(texts, date).to_list() == [instant, None, instant]
    assert looks_like_dates(texts)
    assert not looks_like_dates(pl.Series([text, "unknown"]))


@pytest.mark.parametrize("text", ["2013", "1.2.34", "a-b-c", "10", "12-34", "3/4", "N14228", "45:30", "2013-02-30"])
def test_what_is_no_date(text):
    assert not looks_like_dates(pl.Series([text]))
    assert find_reading(pl.Series([text]), False).form != TIME


def test_the_order_that_fits_every_row_is_taken():
    assert find_date(pl.Series(["1/2/2020", "3/4/2020", "13/4/2020"]), 1.0) == "%d/%m/%Y"
    assert find_date(pl.Series(["1/2/2020", "3/4/2020", "3/14/2020"]), 1.0) == "%m/%d/%Y"
    assert is_ambiguous(pl.Series(["1/2/2020"]), "%m/%d/%Y")
    assert not is_ambiguous(pl.Series(["1/13/2020"]), "%m/%d/%Y")
    assert not is_ambiguous(pl.Series(["2020-01-02"]), "%Y-%m-%d")


def test_some_dates_have_a_time_of_day_and_some_have_none():
    texts = pl.Series(["2020-01-01", "2020-01-01 06:00", "2020-01-01 06:00:30"])
    hours = [value.hour for value in as_instants(texts, find_date(texts, 1.0)).to_list()]
    assert hours == [0, 6, 6]


def test_a_few_words_among_dates_are_missing_values():
    days = [f"2020-{1 + k // 28:02d}-{1 + k % 28:02d}" for k in range(100)]
    reading = find_reading(pl.Series([*days, "unknown"]), False)
    assert (reading.form, reading.words) == (TIME, ("unknown",))
    assert find_reading(pl.Series([*days, *["closed"] * 50]), False).form == TEXT


def test_parts_that_do_not_vary_are_left_out():
    days = pl.Series("d", [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2)])
    assert list(find_parts(days, {"d"}).names) == ["day", "weekday", "days"]
    hours = pl.Series("d", [dt.datetime(2020, 1, 1, 6), dt.datetime(2020, 1, 1, 18, 30)])
    parts = find_parts(hours, {"d"})
    assert [column.to_list() for column in parts.of(hours)] == [[6.0, 18.5]]
    years = pl.Series("d", [dt.datetime(2019, 1, 1), dt.datetime(2020, 1, 1)])
    assert list(find_parts(years, {"d"}).names) == ["year", "weekday", "days"]
    assert find_parts(days, {"d", "d: day"}).names["day"] == "d: day_"


def test_an_instant_before_1970_has_its_own_hour():
    early = pl.Series("d", [dt.datetime(1950, 5, 1, 6), dt.datetime(1950, 5, 1, 7)])
    assert find_parts(early, ()).of(early)[0].to_list() == [6.0, 7.0]


def test_instants_keep_the_time_on_the_wall():
    berlin = pl.Series([NOON]).dt.replace_time_zone("Europe/Berlin")
    assert instants_of(berlin).to_list() == [NOON]


def _table(n=120):
    rng = np.random.default_rng(0)
    start = dt.datetime(2019, 1, 1)
    when = [start + dt.timedelta(hours=int(h)) for h in rng.integers(0, 24 * 700, n)]
    goal = np.where([w.weekday() >= 5 for w in when], "weekend", "week")
    return pd.DataFrame({"when": when, "a": rng.normal(size=n).round(3), "goal": goal})


def test_file_and_frame_of_the_same_dates_give_the_same_model(tmp_path):
    frame = _table()
    frame.assign(when=frame.when.dt.strftime("%d.%m.%Y %H:%M")).to_csv(tmp_path / "t.csv", index=False)
    texts = frame.assign(when=frame.when.dt.strftime("%Y-%m-%d %H:%M"))
    tables = [prepare_table(data, target="goal") for data in (frame, texts, pl.from_pandas(frame), tmp_path / "t.csv")]
    first, *others = [table.dataset("standard") for table in tables]
    assert any("when (year, month, day, weekday, hour, days)" in note for note in first.notes)
    for other in others:
        assert np.array_equal(other.x_train, first.x_train)
    assert any("day first: " in note for note in others[-1].notes)


def test_a_model_reads_dates_by_its_own_schema(tmp_path):
    frame = _table()
    path = tmp_path / "t.csv"
    frame.assign(when=frame.when.dt.strftime("%d/%m/%Y %H:%M")).to_csv(path, index=False)
    model = hb.search(path, target="goal", algorithm=hb.RandomSearch(n=2, max_resource=3), seed=0).model
    model.save(tmp_path / "model.hyperband")
    model = hb.Model.load(tmp_path / "model.hyperband")
    whole = model.predict_proba(path)
    assert np.array_equal(model.predict_proba(frame), whole)
    lines = path.read_text().splitlines()
    (tmp_path / "one.csv").write_text(f"{lines[0]}\n{next(line for line in lines[1:] if line < '13')}\n")
    row = next(k for k, line in enumerate(lines[1:]) if line < "13")
    assert np.array_equal(model.predict_proba(tmp_path / "one.csv")[0], whole[row]), "alone, the day could be the month"
    assert len(model.predict(frame.assign(when=None))) == len(frame)
    for wrong in (1.5, "x", [[1]] * len(frame), frame.when - frame.when[0]):
        with pytest.raises(DataError, match="'when' must hold dates or times, as in training"):
            model.predict(frame.assign(when=wrong))
    with pytest.raises(DataError, match="'a' holds Datetime"):
        model.predict(frame.assign(a=frame.when))


def test_a_missing_date_is_missing_alone_too():
    """pandas makes a column of NaN of it."""
    fitted = prepare_table(_table(), target="goal").dataset("standard").preprocessing
    row = _table().drop(columns="goal").head(1)
    alone = fitted.transform(row.assign(when=float("nan")))
    both = fitted.transform(pd.concat([row.assign(when=pd.NaT), row]))
    assert np.array_equal(alone[0], both[0])


def test_standard_dates_are_read_where_training_had_others():
    frame = _table()
    texts = frame.assign(when=frame.when.dt.strftime("%d/%m/%Y %H:%M"))
    fitted = prepare_table(texts, target="goal").dataset("standard").preprocessing
    standard = frame.assign(when=frame.when.dt.strftime("%Y-%m-%dT%H:%M:%S"))
    assert np.array_equal(fitted.transform(standard), fitted.transform(texts))


def test_a_zone_is_the_same_in_a_frame_and_its_file(tmp_path):
    frame = _table()
    frame["when"] = frame.when.dt.tz_localize("Europe/Berlin", ambiguous=True, nonexistent="shift_forward")
    frame.to_csv(tmp_path / "t.csv", index=False)
    fitted = prepare_table(frame, target="goal").dataset("standard").preprocessing
    assert np.array_equal(fitted.transform(tmp_path / "t.csv"), fitted.transform(frame))


def test_times_of_day_of_a_frame_and_of_its_file(tmp_path):
    frame = pl.DataFrame({"at": [dt.time(k % 24, 30) for k in range(60)], "a": [0.5 * k for k in range(60)]})
    fitted = prepare_table(frame, [k % 2 for k in range(60)]).dataset("standard").preprocessing
    frame.write_csv(tmp_path / "t.csv")
    assert np.array_equal(fitted.transform(tmp_path / "t.csv"), fitted.transform(frame))


def test_parts_have_names_that_no_other_column_has():
    frame = _table().assign(**{"when: day": 1.5})
    fitted = prepare_table(frame, target="goal", options=hb.TableOptions(drop=["when: day"])).dataset("standard")
    assert "when: day_" in fitted.feature_names
    plain = prepare_table(_table(), target="goal").dataset("standard").preprocessing
    assert np.array_equal(plain.transform(frame), plain.transform(_table())), "a column that training has not had"


def test_times_of_day_of_a_frame_and_dates_of_objects():
    frame = pd.DataFrame(
        {"at": [dt.time(6), dt.time(18, 30), None] * 20, "on": [dt.date(2020, 1, 1 + k % 9) for k in range(60)]}
    )
    data = prepare_table(frame, [0.5 * k for k in range(60)]).dataset("standard")
    assert set(data.preprocessing.feature_names) >= {"at: hour", "on: day", "on: weekday", "on: days"}


def test_a_date_can_be_a_category_the_time_of_a_split_or_dropped():
    frame = _table()
    frame["when"] = frame.when.dt.normalize()
    category = prepare_table(frame, target="goal", options=hb.TableOptions(categorical=["when"]))
    assert not any("Dates and times" in note for note in category.notes)
    assert len(category.dataset("standard").preprocessing.transform(frame)) == len(frame)
    split = prepare_table(frame, target="goal", validation=hb.TimeSplit("when"))
    assert split.dataset("standard").preprocessing.used == ["a"]
    dropped = prepare_table(frame, target="goal", options=hb.TableOptions(drop=["when"]))
    assert dropped.dataset("standard").preprocessing.used == ["a"]


def test_a_constant_date_is_ignored():
    frame = _table().assign(when=NOON)
    data = prepare_table(frame, target="goal").dataset("standard")
    assert data.preprocessing.used == ["a"]
    assert data.preprocessing.sources == ("when", "a")


def test_rows_without_names_match_by_position(tmp_path):
    frame = _table()
    frame.to_csv(tmp_path / "t.csv", index=False, header=False)
    model = hb.search(
        tmp_path / "t.csv", target=-1, algorithm=hb.RandomSearch(n=1, max_resource=2), seed=0
    ).best.network
    frame[["when", "a"]].to_csv(tmp_path / "rows.csv", index=False, header=False)
    assert np.array_equal(model.predict_proba(tmp_path / "rows.csv"), model.predict_proba(tmp_path / "t.csv"))
