"""A model owns its schema: a row means the same alone or among others, in a file or in a frame."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from hyperband.errors import DataError
from hyperband.tables import Preprocessing, TableOptions, as_table, prepare, read_table
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.readings import NUMBER, TEXT, TRUTH
from hyperband.tables.schema import Schema, find_schema

ROWS = 120
CODES = ["01", "02", "A1", "03"]
WORDS = ["TRUE", "FALSE", "maybe", "other"]
COLOURS = [" red", "?", "green", "1.0"]


def write(path, columns):
    names = list(columns)
    lines = [",".join(names), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


def columns(n=ROWS):
    return {
        "code": [CODES[k % 4] for k in range(n)],
        "word": [WORDS[k % 4] for k in range(n)],
        "colour": [COLOURS[k % 4] for k in range(n)],
        "price": [f"$ {k}.50" for k in range(n)],
        "flag": ["true" if k % 3 else "false" for k in range(n)],
        "n": [str(k * 0.25) if k % 50 else "n.d." for k in range(n)],
        "y": ["no" if k % 2 else "yes" for k in range(n)],
    }


@pytest.fixture
def trained(tmp_path):
    path = write(tmp_path / "train.csv", columns())
    return path, prepare(path, target="y")


def test_what_training_decided_is_written_down(trained):
    _, prepared = trained
    readings = prepared.preprocessing.schema.readings
    assert {name: reading.form for name, reading in readings.items()} == {
        "code": TEXT, "word": TEXT, "colour": TEXT, "price": NUMBER, "flag": TRUTH, "n": NUMBER,
    }  # fmt: skip
    assert readings["price"].signs and readings["n"].words == ("n.d.",)
    assert "Column 'price' is read as numbers: '$ 0.50' is 0.5." in prepared.notes
    assert "Column 'n' is read as numbers; missing there: 'n.d.' (3 rows)." in prepared.notes


def test_a_row_means_the_same_alone_and_among_others(trained, tmp_path):
    path, prepared = trained
    fitted = prepared.preprocessing
    together = fitted.transform(path)
    for row in range(0, ROWS, 7):
        alone = {name: [values[row]] for name, values in columns().items() if name != "y"}
        assert np.array_equal(fitted.transform(write(tmp_path / "one.csv", alone)), together[row : row + 1])


def test_a_row_means_the_same_in_files_and_frames(trained, tmp_path):
    path, prepared = trained
    fitted = prepared.preprocessing
    expected = fitted.transform(path)
    texts = pl.DataFrame(columns())
    texts.write_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.tsv").write_text(path.read_text().replace(",", "\t"))
    as_pandas = pd.read_csv(path, dtype=str, keep_default_na=False)
    for other in (texts, texts.to_pandas(), as_pandas, tmp_path / "t.parquet", tmp_path / "t.tsv"):
        assert np.array_equal(fitted.transform(other), expected)
    typed = texts.with_columns(
        flag=pl.col("flag") == "true", n=pl.col("n").cast(pl.Float64, strict=False),
        price=pl.col("price").str.slice(2).cast(pl.Float64),
    )  # fmt: skip
    assert np.array_equal(fitted.transform(typed), expected)


def test_texts_of_a_frame_stay_texts_and_lose_blanks_and_missing_markers():
    frame = pl.DataFrame({"a": [" 1", "2 ", "?", "NA"], "b": pl.Series(["x ", "y", "x ", "y"], dtype=pl.Categorical)})
    schema, table, notes = find_schema(as_table(frame))
    assert table.frame.rows() == [("1", "x"), ("2", "y"), (None, "x"), (None, "y")]
    assert {r.form for r in schema.readings.values()} == {TEXT} and notes == []
    (other,) = schema.read(as_table({"a": [2], "b": ["y "]}), "ab").frame.rows()
    assert other == (2, "y")


def test_which_texts_are_missing_can_be_said(tmp_path):
    rows = {"a": ["NA", "EU", "", "x"] * 20, "b": ["1.5", "2.5"] * 40, "y": ["NA", "EU"] * 40}
    path = write(tmp_path / "t.csv", rows)
    assert read_table(path)["a"].null_count() == 40
    with pytest.raises(DataError, match=r"'y' is missing .* If 'NA' is a class, pass na_values=\(\) \(--keep-na\)"):
        prepare(path, target="y")
    prepared = prepare(path, target="y", na_values=())
    assert prepared.classes == ("EU", "NA")
    assert prepared.preprocessing.feature_names[1:] == ("a=EU", "a=NA", "a=x", "a=None")
    assert prepared.preprocessing.schema.missing == ()
    assert prepare(path, target="y", na_values=["x"]).preprocessing.feature_names[1:] == ("a=EU", "a=NA", "a=None")
    for wrong in ("NA", [1]):
        with pytest.raises(DataError, match="`na_values` must be a list of texts"):
            TableOptions(na_values=wrong)


def test_texts_where_training_had_numbers(trained, tmp_path):
    _, prepared = trained
    fitted = prepared.preprocessing
    rows = {name: values[:10] for name, values in columns().items() if name != "y"}
    missing = fitted.transform(write(tmp_path / "a.csv", {**rows, "n": [*rows["n"][:7], "", "", ""]}))
    with pytest.warns(DataWarning, match="'n' holds numbers in training; 3 of its values .* instance 'low', 'high'"):
        found = fitted.transform(write(tmp_path / "b.csv", {**rows, "n": [*rows["n"][:7], "low", "high", "low"]}))
    assert np.array_equal(found, missing)
    with pytest.raises(DataError, match="'n' must hold numbers, as in training; it holds 'low'"):
        fitted.transform(write(tmp_path / "c.csv", {**rows, "n": ["low"] * 10}))


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (("001", "002"), ("001", "002")),
        (("FALSE", "TRUE"), ("FALSE", "TRUE")),
        (("true", "false"), ("false", "true")),
        (("-1", "+1"), ("+1", "-1")),
        (("1.0", "2.0"), ("1.0", "2.0")),
        (("12345678901234567890", "12345678901234567891"), ("12345678901234567890", "12345678901234567891")),
        (("0", "1"), (0, 1)),
        (("-1", "1"), (-1, 1)),
    ],
)
def test_labels_come_back_as_they_are_written(tmp_path, labels, classes):
    path = write(tmp_path / "t.csv", {"a": [str(k / 7) for k in range(60)], "y": [labels[k % 2] for k in range(60)]})
    prepared = prepare(path, target="y", test=path)
    assert prepared.classes == classes and [type(c) for c in prepared.classes] == [type(c) for c in classes]
    assert prepared.y_test.tolist() == [classes.index(type(classes[0])(labels[k % 2])) for k in range(60)]


def test_labels_are_known_however_they_are_written():
    target = prepare({"a": [1.5, 2.5, 3.5, 4.5] * 5}, ["001", "TRUE", "+2", "x"] * 5).target
    assert [target.classes[k] for k in target.encode(np.array([1, 2]))] == ["001", "+2"]
    assert [target.classes[k] for k in target.encode(np.array([True]))] == ["TRUE"]
    both = prepare({"a": [1.5, 2.5, 3.5, 4.5] * 5}, ["1.0", "1", "2", "3"] * 5).target
    assert both.classes[both.encode(np.array(["1.0"], dtype=object))[0]] == "1.0"
    with pytest.raises(DataError, match="must hold classes"):
        both.encode(np.array(["2.0"], dtype=object))  # 1 and 1.0 are two classes, so a number is none


@pytest.mark.parametrize("target", ["first", 1, "last"])
def test_tables_without_a_header_are_matched_by_position(tmp_path, target):
    rng = np.random.default_rng(0)
    values = np.round(rng.normal(size=(80, 3)), 3)
    at = {"first": 0, 1: 1, "last": 2}[target]
    rows = [[f"{v}" for v in row] for row in values]
    for row, k in zip(rows, range(80), strict=True):
        row[at] = "pn"[k % 2]
    whole, without = tmp_path / "whole.csv", tmp_path / "without.csv"
    whole.write_text("".join(",".join(row) + "\n" for row in rows))
    without.write_text("".join(",".join(row[:at] + row[at + 1 :]) + "\n" for row in rows))
    fitted = prepare(whole, target=target).preprocessing
    assert np.array_equal(fitted.transform(whole), fitted.transform(without))
    assert np.array_equal(fitted.transform(np.delete(values, at, axis=1)), fitted.transform(without))
    with pytest.raises(DataError, match="2 columns, as in training; got 1"):
        fitted.transform(values[:, :1])


def test_a_schema_is_plain_data(trained):
    _, prepared = trained
    schema = prepared.preprocessing.schema
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
    plain = json.loads(json.dumps(prepared.preprocessing.to_dict()))
    assert Preprocessing.from_dict(plain).schema == schema


def test_regression_targets_are_numbers_however_they_are_written(tmp_path):
    path = write(tmp_path / "t.csv", {"a": [str(k) for k in range(60)], "y": [f"${k}.25" for k in range(60)]})
    prepared = prepare(path, target="y", test=path)
    assert prepared.task == "regression"
    assert prepared.target.low[0] >= 0.25 and prepared.target.high[0] <= 59.25
    assert len(prepared.y_test) == 60


def test_a_target_is_read_as_in_training(tmp_path):
    def rows(n, form):
        lines = [f"{k / 4};{k % 5};" + form.format(1 + k % 50, 100 + k) for k in range(n)]
        return "a;b;y\n" + "\n".join(lines) + "\n"

    (tmp_path / "t.csv").write_text(rows(200, "{}.{},5"))  # 1.100,5 is 1100.5
    (tmp_path / "v.csv").write_text(rows(50, "{}.{}"))
    prepared = prepare(tmp_path / "t.csv", target="y", validation=tmp_path / "v.csv")
    assert prepared.target.values(prepared.y_validation)[:2] == pytest.approx([1100.0, 2101.0], rel=1e-4)


def test_names_of_training_are_a_header_in_any_file(tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 4)).round(3))
    frame[0] = frame[0] > 0
    frame.to_csv(tmp_path / "t.csv", index=False)  # names 0, 1, 2, 3
    fitted = prepare(tmp_path / "t.csv", target="0").preprocessing
    frame.drop(columns=0).head(3).to_csv(tmp_path / "new.csv", index=False)  # 1, 2, 3 could be values
    assert np.array_equal(fitted.transform(tmp_path / "new.csv"), fitted.transform(frame.head(3)))


def test_a_column_that_looks_like_an_index_in_one_file_alone(tmp_path):
    head, rows = ",a,y\n", [f"{k % 50},{k / 7},{'pn'[k % 2]}\n" for k in range(100)]
    (tmp_path / "t.csv").write_text(head + "".join(rows))
    (tmp_path / "two.csv").write_text(head + "".join(rows[:2]))
    fitted = prepare(tmp_path / "t.csv", target="y").preprocessing
    assert [column.name for column in fitted.inputs] == ["column_1", "a"]
    assert np.array_equal(fitted.transform(tmp_path / "two.csv"), fitted.transform(tmp_path / "t.csv")[:2])


def test_positions_count_the_column_of_weights(tmp_path):
    lines = [f"{k / 7},{k % 9 * 1.5},1.0,{'pn'[k % 2]}\n" for k in range(60)]
    (tmp_path / "t.csv").write_text("".join(lines))
    (tmp_path / "new.csv").write_text("".join(",".join(line.split(",")[:2]) + "\n" for line in lines))
    fitted = prepare(tmp_path / "t.csv", target=-1, sample_weight="column_3").preprocessing
    assert np.array_equal(fitted.transform(tmp_path / "t.csv"), fitted.transform(tmp_path / "new.csv"))
    (tmp_path / "three.csv").write_text("".join(",".join(line.split(",")[:3]) + "\n" for line in lines))
    for wide in (tmp_path / "three.csv", np.zeros((3, 3)), np.zeros((3, 4))):
        with pytest.raises(DataError, match="2 columns, as in training"):
            fitted.transform(wide)


def test_whole_numbers_beyond_floats_are_categories_of_their_own(tmp_path):
    ids = [9007199254740993, 9007199254740995, 9007199254740997, 1234567890123456789]
    path = write(tmp_path / "t.csv", {"id": [str(ids[k % 4]) for k in range(80)], "y": ["p", "n"] * 40})
    fitted = prepare(path, target="y", categorical=["id"]).preprocessing
    assert np.array_equal(
        fitted.transform({"id": ids}), np.eye(4, dtype=np.float32)[np.argsort(np.argsort(list(map(str, ids))))]
    )
    assert np.array_equal(fitted.transform(path)[:4], fitted.transform({"id": ids}))


def test_truth_values_are_ones_and_zeros(tmp_path):
    truth = {"f": [k % 3 == 0 for k in range(90)], "a": [k / 7 for k in range(90)]}
    numbers = {"f": [int(v) for v in truth["f"]], "a": truth["a"]}
    words = write(tmp_path / "w.csv", {"f": [str(v) for v in truth["f"]], "a": list(map(str, truth["a"]))})
    digits = write(tmp_path / "d.csv", {"f": [str(v) for v in numbers["f"]], "a": list(map(str, truth["a"]))})
    for trained in (truth, numbers, words, digits):
        fitted = prepare(trained, ["p", "n"] * 45).preprocessing
        for other in (truth, numbers, words, digits):
            assert np.array_equal(fitted.transform(other), fitted.transform(trained))
    with pytest.raises(DataError, match="'f' must hold truth values, as in training; it holds 'x'"):
        prepare(words, ["p", "n"] * 45).preprocessing.transform({"f": ["x"], "a": [1.0]})


def test_objects_of_a_frame_are_the_same_texts_alone():
    mixed_values = [True, False, "unknown", 1.0, 2.5, np.float64(3.0)] * 20
    frame = pd.DataFrame({"f": pd.Series(mixed_values, dtype=object), "a": np.arange(120) / 7})
    fitted = prepare(frame, ["p", "n"] * 60).preprocessing
    together = fitted.transform(frame)
    for row in range(6):
        assert np.array_equal(fitted.transform(frame[row : row + 1]), together[row : row + 1])


def test_weights_in_a_file(tmp_path):
    rows = {"a": [str(k / 7) for k in range(60)], "w": ["1"] * 59 + ["NA"], "y": ["p", "n"] * 30}
    with pytest.raises(DataError, match="`sample_weight` must be finite and >= 0; row 59"):
        prepare(write(tmp_path / "t.csv", rows), target="y", sample_weight="w")
    text = "a;w;y\n" + "".join(f"{k};{1 + k % 2},5;{'pn'[k % 2]}\n" for k in range(60))
    (tmp_path / "c.csv").write_text(text)
    weight = prepare(tmp_path / "c.csv", target="y", sample_weight="w").weight_train
    assert weight.max() / weight.min() == pytest.approx(2.5 / 1.5)


def test_names_that_polars_takes_for_patterns(tmp_path):
    path = write(tmp_path / "t.csv", {"^a$": ["x", "y"] * 30, "*": ["$1", "$2"] * 30, "y": ["p", "n"] * 30})
    prepared = prepare(path, target="y")
    assert read_table(path).columns == ["^a$", "*", "y"]
    assert np.array_equal(prepared.preprocessing.transform(path), prepared.preprocessing.transform(read_table(path)))
