"""Model files of strangers: whatever stands in them, they are refused, or they predict."""

from __future__ import annotations

import copy
import datetime as dt
import json
import warnings
import zipfile

import numpy as np
import polars as pl
import pytest
from odd_table import odd

from hyperband.engine.architecture import Architecture
from hyperband.engine.parameters import shapes
from hyperband.errors import HyperbandError, ModelFileError
from hyperband.model import Model
from hyperband.model.member import MemberNetwork
from hyperband.tables import prepare_table
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.views import VIEWS

ODD = [
    None, True, -1, 0, 7, 1.5, -1e308, 1e-320, float("nan"), float("inf"), 10**30, 2**63, "", "x", "nan", "\ud800",
    "number", "fourier", [], {}, [1, 2], ["a", "a"], [[]], {"x": 1},
]  # fmt: skip


def table(n=200):
    start = dt.datetime(2020, 1, 1)
    return odd(n).with_columns(when=pl.Series([start + dt.timedelta(hours=7 * k) for k in range(n)]))


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """`meta.json` and the weights of a model with every view, each with a network that depends on its features."""
    prepared = prepare_table(table(), target="y")
    preprocessings = [prepared.dataset(name).preprocessing for name, view in VIEWS.items() if not view.selects]
    rng, members = np.random.default_rng(0), []
    for number, preprocessing in enumerate(preprocessings):
        architecture = Architecture(widths=[3])
        of_layers = shapes(architecture, preprocessing.n_features, 1, None)
        layers = [tuple(rng.normal(size=shape).astype(np.float32) for shape in layer) for layer in of_layers]
        members.append(MemberNetwork(1.0 + number, number, architecture, layers))
    path = tmp_path_factory.mktemp("hostile") / "m.hb"
    found = {"trial": 3, "metric": "rmse", "cross_score": 0.5, "members": [{"trial": 3}]}
    Model(preprocessings, members, 1.0, {"seed": 1, "ensemble": found, "resource": 3, "unit": "epochs"}).save(path)
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("meta.json")), archive.read("weights.safetensors"), path.with_name("other.hb")


def values_below(node, path=()):
    """Paths of all values below a value, in lists and dicts; of long lists the first ones and the last."""
    items = list(node.items() if isinstance(node, dict) else enumerate(node)) if isinstance(node, (dict, list)) else []
    for key, value in items if len(items) < 30 else [*items[:4], items[-1]]:
        yield (*path, key)
        yield from values_below(value, (*path, key))


def load(parts, *descriptions):
    """The model with these texts in place of its description, and its own weights."""
    path = parts[2]
    with zipfile.ZipFile(path, "w") as archive:
        for text in descriptions:
            archive.writestr("meta.json", text.encode("utf-8", "surrogatepass"))
        archive.writestr("weights.safetensors", parts[1])
    return Model.load(path)


def check_it_predicts(model):
    """What it says of itself; predictions for the table, one of texts, and one without values."""
    assert len(repr(model).splitlines()) <= 5
    rows = table(5).drop("y")
    empty = rows.clear(5)
    for other in (rows, rows.with_columns(pl.all().cast(pl.String)), empty):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            try:
                assert len(model.predict(other, backend="numpy")) == 5
            except HyperbandError:
                continue  # it wants other columns


@pytest.mark.parametrize("seed", range(200))
def test_any_value_anywhere_is_refused_or_predicts(parts, seed):
    rng = np.random.default_rng(seed)
    meta = copy.deepcopy(parts[0])
    changes = []
    for _ in range(rng.integers(1, 3)):
        paths = list(values_below(meta))
        path = paths[rng.integers(len(paths))]
        node = meta
        for key in path[:-1]:
            node = node[key]
        value = copy.deepcopy(ODD[rng.integers(len(ODD))])
        changes.append((path, value))
        node[path[-1]] = value
    print(changes)  # shown where it fails
    try:
        model = load(parts, json.dumps(meta))
    except ModelFileError as error:
        assert len(str(error)) < 600
        return
    check_it_predicts(model)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{}", "[]", "null", '{"format":4}', '{"format":4,"hyperband":"1"', "\x00" * 9]
)
def test_texts_that_are_no_description(parts, text):
    with pytest.raises(ModelFileError):
        load(parts, text)


def test_deep_nesting_in_the_description(parts):
    meta = json.dumps(parts[0])
    deep = meta.replace('"seed": 1', '"seed": ' + "[" * 100_000 + "]" * 100_000)
    assert deep != meta
    with pytest.raises(ModelFileError):
        load(parts, deep)


def test_the_same_part_twice(parts):
    text = json.dumps(parts[0]).replace(": ", ":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of zipfile, that the name is used twice
        with pytest.raises(ModelFileError, match="must hold meta.json and weights"):
            load(parts, text, text)
