"""Earlier trials come back from every table and file with the options that they had, whatever types those have."""

from __future__ import annotations

import datetime
import enum
import io
import json
import math
import warnings

import numpy as np
import pytest

import hyperband as hb
from hyperband.cli.report import trials_csv
from hyperband.errors import InputError
from hyperband.space import Choice, Float, Int, Space, When
from hyperband.tuning import samplers
from hyperband.tuning.samplers import IterableSampler, RandomSampler, WarmStartSampler
from hyperband.tuning.samplers.prior_trials import read
from hyperband.tuning.samplers.table_values import TableValues, is_missing, spelling

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Kind(enum.StrEnum):
    TREE = "tree"
    NET = "net"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


OPTIONS = {
    "none and whole numbers": [None, 3, 5],
    "none and numbers": [None, 0.1, 1e-5, 1 / 3],
    "none and texts": [None, "a", "b"],
    "none and a truth value": [None, True],
    "truth values": [True, False],
    "truth values and none": [True, False, None],
    "truth value and number": [True, 3],
    "all of it": [None, True, 3, 0.5, "auto", (32, 16)],
    "number and text": [0.5, "sqrt"],
    "digits in texts": ["3", "05", "1e3"],
    "numbers in texts that are no numbers": ["1_000", "3 cm", " x "],
    "tuples": [(32, 16), (64,), ()],
    "tuples and none": [None, (32, 16), (64,)],
    "tuples of fractions": [(1, 2), (0.5,)],
    "tuples of texts": [("relu", "tanh"), ("a, b",), ("it's",), ('say "a"',)],
    "mixed tuples": [("relu", 64), ("tanh", 32)],
    "tuples with truth values": [(True, 1), (2, False)],
    "tuples with none": [(None, 1), (2, 3)],
    "nested tuples": [((1, 2), 3), ((4,), 5)],
    "tuple and number": [5, (1, 2)],
    "tuple and text": ["a", (1, 2)],
    "texts like lists": ["[a]", "(b", "{c}", r"[\d+]"],
    "a text that means missing": ["None", "l1", "l2"],
    "an empty text": ["", "x"],
    "infinite": [math.inf, 1.0, None],
    "large numbers": [2**60 + 1, 2**60 + 2],
    "mappings": [{"a": 1}, {"b": 2}, {"a": 1, "c": 3}],
    "mixed mappings": [{"a": True}, {"a": 1}, {"b": "x"}],
    "members of an enumeration": [Colour.RED, Colour.BLUE],
    "members of an enumeration and none": [Colour.RED, None],
    "texts of an enumeration": [Kind.TREE, Kind.NET],
    "numbers of an enumeration": [Level.LOW, Level.HIGH],
    "members in tuples": [(Colour.RED, 1), (Colour.BLUE, 2)],
    "classes": [int, str],
    "dates": [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)],
    "a constant": [(64, 64)],
    "no option but none": [None],
}


def csv_of_pandas(trials):
    return trials.to_pandas().to_csv(index=False)


def csv_of_search(result):
    return trials_csv(result)


WAYS = {
    "result": lambda r: r,
    "trials": lambda r: r.trials,
    "mapping": lambda r: dict(r.trials),
    "lists": lambda r: {name: column.tolist() for name, column in r.trials.items()},
    "pandas": lambda r: r.trials.to_pandas(),
    "pandas, nullable": lambda r: r.trials.to_pandas().convert_dtypes(),
    "polars": lambda r: r.trials.to_polars(),
    "csv of pandas, pandas": lambda r: pd.read_csv(io.StringIO(csv_of_pandas(r.trials))),
    "csv of pandas, polars": lambda r: pl.read_csv(io.StringIO(csv_of_pandas(r.trials)), infer_schema_length=None),
    "csv of a search, pandas": lambda r: pd.read_csv(io.StringIO(csv_of_search(r))),
    "csv of a search, polars": lambda r: pl.read_csv(io.StringIO(csv_of_search(r)), infer_schema_length=None),
    "csv, nullable": lambda r: pd.read_csv(io.StringIO(csv_of_search(r)), dtype_backend="numpy_nullable"),
    "csv, pyarrow in pandas": lambda r: pd.read_csv(io.StringIO(csv_of_search(r)), dtype_backend="pyarrow"),
    "csv, all texts, pandas": lambda r: pd.read_csv(io.StringIO(csv_of_search(r)), dtype=str),
    "csv, all texts, polars": lambda r: pl.read_csv(io.StringIO(csv_of_search(r)), infer_schema=False),
    "csv, empty fields are texts": lambda r: pd.read_csv(io.StringIO(csv_of_search(r)), keep_default_na=False),
    "csv, pyarrow": lambda r: pa.Table.from_pandas(pd.read_csv(io.StringIO(csv_of_search(r)))),
}


def searched(options, seed=0):
    space = Space({"k": Choice(options), "x": Float(0.0, 1.0)})
    return space, hb.minimize(lambda c, r: c["x"], space, hb.RandomSearch(1, n=12), seed=seed)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_options_come_back_from_every_table(options):
    space, result = searched(options)
    expected = space.decode(read(result, space).points)
    assert [(type(c["k"]), repr(c["k"])) for c in expected] == [
        (type(c["k"]), repr(c["k"])) for c in space.decode(_points(result, space))
    ]
    for way, table in WAYS.items():
        found = read(table(result), space)
        assert [repr(c["k"]) for c in space.decode(found.points)] == [repr(c["k"]) for c in expected], way
        assert found.losses == pytest.approx([c["x"] for c in expected]), way


def _points(result, space):
    """Of the draws themselves, which no table was between."""
    return RandomSampler().start(space, 0).propose(range(result.n_evaluations))


@pytest.mark.parametrize("options", [[2**60 + 1, 2**60 + 2, None], [2**70, 2**70 + 1], [2**60 + 1, 0.5]])
def test_numbers_that_a_reader_rounds_are_refused_and_not_taken_for_others(options):
    space, result = searched(options)
    expected = space.decode(read(result, space).points)
    assert expected == space.decode(_points(result, space))
    for way in ("mapping", "pandas", "polars", "csv of a search, polars", "csv of a search, pandas"):
        try:
            found = space.decode(read(WAYS[way](result), space).points)
        except InputError as error:
            found = None
            assert way.startswith("csv")
            assert "must be one of" in str(error)
        assert found is None or [c["k"] for c in found] == [c["k"] for c in expected], way


@pytest.mark.parametrize("way", WAYS)
def test_inactive_is_not_an_option(way):
    """Of ``m`` None is an option where the kind is "a", and of ``t`` "NA" where it is None; else they are inactive."""
    space = Space(
        {
            "kind": Choice(["a", None, (1, 2)]),
            "m": Choice([None, 1]),
            "t": Choice(["NA", "b"]),
            "n": Int(1, 9),
            "x": Float(0.0, 1.0),
        },
        conditions=[When("m", "kind", "a"), When("t", "kind", [None]), When("n", "kind", [(1, 2)])],
    )
    result = hb.minimize(lambda c, r: c["x"], space, hb.RandomSearch(1, n=40), seed=0)
    found = space.decode(read(WAYS[way](result), space).points)
    expected = space.decode(_points(result, space))
    assert [{**c, "x": 0} for c in found] == [{**c, "x": 0} for c in expected]
    kinds = {(c["kind"], c.get("m", "inactive"), c.get("t", "inactive")) for c in found}
    assert kinds == {
        ("a", None, "inactive"),
        ("a", 1, "inactive"),
        (None, "inactive", "NA"),
        (None, "inactive", "b"),
        ((1, 2), "inactive", "inactive"),
    }


@pytest.mark.parametrize(
    ("options", "values", "message"),
    [
        (["1", "1.0"], [1], "Row 0 of `trials`: Parameter 'k': the value must stand for one option; 1 is how a table"),
        ([(1, 2), "[1, 2]"], ["(1,2)"], r"writes \(1, 2\) and '\[1, 2\]'. Give the trials as a list of"),
        (["NA", "null"], [math.nan], "nan is how a table writes 'NA' and 'null'"),
        ([None, "NA"], [math.nan], "nan is how a table writes None and 'NA'"),
        ([None, 3], [4], "Row 0 of `trials`: Parameter 'k': The value must be one of None, 3; got 4"),
        ([True, False], [1], "must be one of True, False; got 1"),
        ([3, 5], [None], "Row 0 of `trials`: Parameter 'k' must have a value"),
    ],
)
def test_a_value_that_stands_for_no_option_or_several_is_refused(options, values, message):
    table = {"resource": [1], "loss": [0.5], "k": values}
    with pytest.raises(InputError, match=message):
        read(table, Space({"k": Choice(options)}))


@pytest.mark.parametrize(
    "options", [["1", "1.0"], [3, "3"], [None, "NA"], [1, True], ["None", None], [(1, 2), "(1, 2)"], ["", None]]
)
def test_what_is_an_option_as_it_stands_needs_no_spelling(options):
    space = Space({"k": Choice(options)})
    found = space.decode(read({"resource": [1, 1], "loss": [0.5, 0.5], "k": options}, space).points)
    assert [repr(c["k"]) for c in found] == [repr(option) for option in options]


def test_texts_of_numbers_are_numbers():
    space = Space({"x": Float(0.0, 1.0), "n": Int(1, 9)})
    found = read({"resource": ["1"], "loss": ["0.5"], "x": ["0.25"], "n": ["3"]}, space)
    assert space.decode(found.points) == [{"x": 0.25, "n": 3}]
    assert (found.resources, found.losses) == ([1.0], [0.5])
    with pytest.raises(InputError, match="must be numbers from 1 to 9; got 'three'"):
        read({"resource": ["1"], "loss": ["0.5"], "x": ["0.25"], "n": ["three"]}, space)


def test_a_loss_that_a_frame_has_as_missing_is_a_failed_trial():
    frame = pd.DataFrame({"resource": [1, 1], "loss": [0.5, math.nan], "k": ["a", "b"]}).convert_dtypes()
    losses = read(frame, Space({"k": Choice(["a", "b"])})).losses
    assert losses[0] == 0.5
    assert math.isnan(losses[1])


@pytest.mark.parametrize("way", ["result", "pandas", "polars", "csv of a search, pandas", "csv, nullable"])
@pytest.mark.parametrize("name", ["none and whole numbers", "all of it", "tuples and none", "mixed tuples"])
def test_a_search_and_its_settings_start_from_them(name, way):
    """Also when the settings were written as JSON and read back."""
    space, first = searched(OPTIONS[name])
    sampler = WarmStartSampler(RandomSampler(), WAYS[way](first))
    again = samplers.from_dict(json.loads(json.dumps(sampler.to_dict())))
    draws = [s.start(space, 1).propose(range(5)) for s in (sampler, again)]
    np.testing.assert_array_equal(*draws)
    result = hb.minimize(lambda c, r: c["x"], space, hb.RandomSearch(1, n=3, sampler=sampler), seed=1)
    assert result.n_evaluations == 3


@pytest.mark.parametrize("way", ["pandas", "polars", "csv of a search, pandas"])
def test_what_is_known_is_not_run_again(way):
    options = [None, 3, (1, 2), "a", True]
    space = Space({"k": Choice(options)})
    listed = IterableSampler([{"k": option} for option in options[:3]])
    first = hb.minimize(lambda c, r: 0.5, space, hb.RandomSearch(1, n=3, sampler=listed), seed=0)
    proposer = WarmStartSampler(RandomSampler(), WAYS[way](first)).start(space, 0)
    assert sorted(repr(c["k"]) for c in space.decode(proposer.propose(range(5)))) == ["'a'", "True"]


def test_values_that_are_missing_in_each_library():
    holes = [None, math.nan, np.float64("nan"), pd.NA, pd.NaT, np.datetime64("NaT")]
    assert all(map(is_missing, holes))
    assert not any(map(is_missing, [0, "", "nan", (), [math.nan], (math.nan,), False, np.array([1.0, 2.0])]))
    values = TableValues(Choice([None, 1]))
    assert [values.value(hole) for hole in [*holes, "", "None", "nan", "NULL"]] == [None] * 10


def test_a_text_that_begins_like_a_list_says_nothing_to_the_user():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert spelling(r"[\d+]") == r"[\d+]"
        assert spelling("(" * 3000) == "(" * 3000
        assert spelling("[1, null, true]") == spelling((1.0, None, True))
