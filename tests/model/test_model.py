"""The model: predictions in original labels and units, and a file that is whole or refused."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from hyperband.engine.architecture import Architecture
from hyperband.errors import DataError, InputError, ModelFileError
from hyperband.model import Model
from hyperband.tables import TableOptions, prepare, read_table
from hyperband.tables.data_warning import DataWarning


class PlainNumpy:
    """A backend of one verb: relu networks in NumPy, so that these tests need no other backend."""

    def __init__(self):
        self.largest = 0

    def forward(self, architecture, weights, x):
        self.largest = max(self.largest, len(x))
        for layer, (w, b) in enumerate(weights):
            x = x @ w + b
            if layer < len(architecture.widths):
                x = np.maximum(x, 0)
        return x


NUMPY = PlainNumpy()


def layers(prepared, widths, seed=0):
    rng = np.random.default_rng(seed)
    dims = (prepared.n_features, *widths, prepared.n_outputs)
    return [
        (rng.normal(size=(a, b)).astype(np.float32) / np.sqrt(a), rng.normal(size=b).astype(np.float32))
        for a, b in pairwise(dims)
    ]


def fitted(prepared):
    """A linear model by least squares: good enough that its scores mean something."""
    x = np.c_[prepared.x_train, np.ones(len(prepared.x_train))].astype(np.float64)
    y = prepared.y_train
    if prepared.task == "classification":
        y = 4.0 * np.eye(len(prepared.classes))[y] if prepared.loss == "cross_entropy" else 4.0 * y[:, None] - 2.0
    solution = np.linalg.lstsq(x, y, rcond=None)[0]
    weights = [(solution[:-1].astype(np.float32), solution[-1].astype(np.float32))]
    return Model.of_one(prepared.preprocessing, Architecture(widths=[]), weights, {"seed": 3})


def mixed(n=80):
    rng = np.random.default_rng(0)
    number = rng.normal(size=n)
    return pl.DataFrame(
        {
            "number": pl.Series(np.where(np.arange(n) % 9 == 0, np.nan, number)).fill_nan(None),
            "colour": rng.choice(["red", "green"], size=n),
            "label": np.where(number > 0, "up", "down"),
        }
    )


@pytest.fixture(scope="module")
def model():
    prepared = prepare(mixed(), target="label")
    return Model.of_one(
        prepared.preprocessing,
        Architecture(widths=[5], activation="relu"),
        layers(prepared, [5]),
        {"seed": np.int64(7), "losses": [0.5, np.float32(0.25)], "configuration": {"lr": 1e-3}},
    )


@pytest.mark.parametrize(("name", "least"), [("iris", 0.8), ("breast_cancer", 0.9), ("digits", 0.85)])
def test_classification(name, least):
    table = read_table(f"sklearn:{name}")
    prepared = prepare(table, target="target", test=0.2)
    model = fitted(prepared)
    labels = model.predict(table, backend=NUMPY)
    probability = model.predict_proba(table, backend=NUMPY)
    truth = table["target"].to_numpy()
    scores = model.evaluate(table, backend=NUMPY)
    assert labels.tolist()[0] in model.classes
    assert scores["accuracy"] == pytest.approx((labels == truth).mean())
    assert scores["accuracy"] > least
    assert probability.shape == (len(table), len(model.classes))
    assert probability.sum(axis=1) == pytest.approx(np.ones(len(table)))
    assert (np.array(model.classes)[probability.argmax(axis=1)] == labels).all()
    picked = probability[np.arange(len(truth)), [model.classes.index(t) for t in truth.tolist()]]
    assert scores["loss"] == pytest.approx(-np.log(picked).mean())
    assert model.evaluate(table.drop("target"), table["target"], backend=NUMPY) == scores


def test_regression():
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

    table = read_table("sklearn:diabetes")
    prepared = prepare(table, target="target")
    model = fitted(prepared)
    values, truth = model.predict(table, backend=NUMPY), table["target"].to_numpy()
    scores = model.evaluate(table, backend=NUMPY)
    assert values.dtype == np.float64
    assert scores["rmse"] == pytest.approx(mean_squared_error(truth, values) ** 0.5, rel=1e-5)
    assert scores["mae"] == pytest.approx(mean_absolute_error(truth, values), rel=1e-5)
    assert scores["r2"] == pytest.approx(r2_score(truth, values), rel=1e-5)
    assert scores["r2"] > 0.4
    assert scores["loss"] == pytest.approx((scores["rmse"] / model.target.scale[0]) ** 2, rel=1e-5)
    with pytest.raises(InputError, match="predicts values"):
        model.predict_proba(table, backend=NUMPY)


def test_several_targets():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 3))
    y = np.c_[x @ [1, 2, 3], 50 + 10 * x[:, 0]]
    model = fitted(prepare(x, y))
    within = np.clip(y, model.target.low, model.target.high)  # the range of the training rows
    assert model.predict(x, backend=NUMPY) == pytest.approx(within, abs=1e-3)
    assert model.evaluate(x, y, backend=NUMPY)["r2"] > 0.99


def test_extreme_logits_stay_finite():
    prepared = prepare([[0.0, 1.0], [1.0, 0.5]] * 10, ["a", "b"] * 10)
    linear = [(np.full((2, 1), 9e4, np.float32), np.zeros(1))]
    model = Model.of_one(prepared.preprocessing, Architecture(widths=[]), linear)
    scores = model.evaluate([[0.0, 1.0], [1.0, 0.5]], ["a", "b"], backend=NUMPY)
    assert np.isfinite(scores["loss"])
    assert np.isfinite(model.predict_proba([[0.0, 1.0], [1.0, 0.5]], backend=NUMPY)).all()


def test_columns_are_matched_by_name(model):
    frame = mixed().drop("label")
    base = model.predict(frame, backend=NUMPY)
    assert (model.predict(frame.select("colour", pl.lit(0).alias("more"), "number"), backend=NUMPY) == base).all()
    assert (model.predict(frame.to_pandas(), backend=NUMPY) == base).all()
    assert (model.predict(frame.to_numpy(), backend=NUMPY) == base).all()
    odd = frame.with_columns(colour=pl.lit("ultraviolet"), number=pl.lit(None, dtype=pl.Float64))
    with pytest.warns(
        DataWarning, match="'colour': 100% of its values were not there in training, for instance 'ultra"
    ):
        assert len(model.predict(odd, backend=NUMPY)) == len(frame)
    with pytest.raises(DataError, match="'colour' is missing"):
        model.predict(frame.drop("colour"), backend=NUMPY)
    with pytest.raises(DataError, match="2 columns, as in training; got 5"):
        model.predict(np.zeros((3, 5)), backend=NUMPY)
    with pytest.raises(DataError, match="target column 'label'"):
        model.evaluate(frame, backend=NUMPY)
    with pytest.raises(DataError, match="classes of the training data"):
        model.evaluate(frame, ["sideways"] * len(frame), backend=NUMPY)


def test_no_rows_and_many_rows(model):
    frame = mixed()
    assert model.predict(frame.head(0), backend=NUMPY).shape == (0,)
    backend = PlainNumpy()
    many = pl.concat([frame] * 500)
    labels = model.predict(many, backend=backend)
    assert backend.largest <= 16384 < len(labels) == 40000
    assert (labels[-80:] == labels[:80]).all()


def test_wrong_shapes_are_refused(model):
    (member,), (preprocessing,) = model.members, model.preprocessings
    with pytest.raises(InputError, match="shapes of the architecture"):
        Model.of_one(preprocessing, member.architecture, [(w.T, b) for w, b in member.weights])
    with pytest.raises(InputError, match="shapes of the architecture"):
        Model.of_one(preprocessing, Architecture(widths=[5, 5]), member.weights)


def test_there_and_back(model, tmp_path):
    path = tmp_path / "model.hb"
    model.save(path)
    back = Model.load(path)
    frame = mixed()
    assert np.array_equal(back.predict_proba(frame, backend=NUMPY), model.predict_proba(frame, backend=NUMPY))
    assert (back.predict(frame, backend=NUMPY) == model.predict(frame, backend=NUMPY)).all()
    assert back.members[0].architecture == model.members[0].architecture
    assert back.preprocessings[0].inputs == model.preprocessings[0].inputs
    assert back.target == model.target
    assert back.provenance == {"seed": 7, "losses": [0.5, 0.25], "configuration": {"lr": 1e-3}}
    assert os.listdir(tmp_path) == ["model.hb"]
    assert path.stat().st_mode & 0o444
    back.save(path)  # over the old one
    assert Model.load(path).provenance == back.provenance


@pytest.mark.parametrize("name", ["digits", "wine", "diabetes"])
def test_file_of_every_kind_of_table(name, tmp_path):
    prepared = prepare(f"sklearn:{name}", target="target", options=TableOptions(scaling="quantile"))
    model = fitted(prepared)
    model.save(tmp_path / "m")
    table = read_table(f"sklearn:{name}")
    assert Model.load(tmp_path / "m").evaluate(table, backend=NUMPY) == model.evaluate(table, backend=NUMPY)


def test_the_file_holds_plain_data(model, tmp_path):
    model.save(tmp_path / "m.hb")
    with zipfile.ZipFile(tmp_path / "m.hb") as archive:
        assert archive.namelist() == ["meta.json", "weights.safetensors"]
        meta = json.loads(archive.read("meta.json"))
    assert meta["format"] == 4
    assert meta["members"][0]["architecture"]["widths"] == [5]
    assert meta["preprocessings"][0]["target"]["classes"] == ["down", "up"]


def edited(path, change, entry="meta.json"):
    """The archive at ``path`` with one entry changed."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content[entry] = change(content.get(entry))
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)


@pytest.mark.parametrize("keep", [0, 1, 10, 0.5, 0.9, 0.999])
def test_truncated_files(model, tmp_path, keep):
    path = tmp_path / "m.hb"
    model.save(path)
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    with pytest.raises(ModelFileError, match="cut off or damaged|written by `Model.save`"):
        Model.load(path)


def test_a_flipped_byte_is_found(model, tmp_path):
    path = tmp_path / "m.hb"
    model.save(path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        begins = [(e.header_offset + 30 + len(e.filename), e.compress_size) for e in archive.infolist()]
    for position in [begin + size * k // 5 for begin, size in begins for k in range(5)]:
        data[position] ^= 0xFF
        path.write_bytes(data)
        with pytest.raises(ModelFileError):
            Model.load(path)
        data[position] ^= 0xFF


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"hello", "something else"), (pickle.dumps([1]), "something else")],
)
def test_other_files(tmp_path, content, message):
    (tmp_path / "m.hb").write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        Model.load(tmp_path / "m.hb")


def test_other_archives_absent_files_and_folders(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "b")
    (tmp_path / "m.hb").write_bytes(buffer.getvalue())
    with pytest.raises(ModelFileError, match="another zip"):
        Model.load(tmp_path / "m.hb")
    with pytest.raises(ModelFileError, match="No such file"):
        Model.load(tmp_path / "none.hb")
    with pytest.raises(ModelFileError, match="holds no model.hyperband"):
        Model.load(tmp_path)
    (tmp_path / "model.hyperband").mkdir()
    with pytest.raises(ModelFileError, match="readable file; .*model.hyperband"):
        Model.load(tmp_path)


def _with(**changes):
    return lambda data: json.dumps({**json.loads(data), **changes})


def _member(**changes):
    """Of `meta.json`, with the only member changed."""

    def change(data):
        meta = json.loads(data)
        return json.dumps({**meta, "members": [{**meta["members"][0], **changes}]})

    return change


@pytest.mark.parametrize(
    ("entry", "change", "message"),
    [
        ("meta.json", _with(format=5, hyperband="9.0"), "format 5, written by hyperband 9.0. Upgrade"),
        ("meta.json", _with(format=1, hyperband="0.1"), "format 1, written by hyperband 0.1. Predict with that"),
        ("meta.json", _with(format="x"), "must say its format"),
        ("meta.json", _with(members=[]), "holds also '0.bias.0'"),
        ("meta.json", _member(architecture={"widths": [5], "colour": 1}), "damaged"),
        ("meta.json", _member(weight=-1.0), "damaged.*`weight`"),
        ("meta.json", _member(view=1), "damaged.*`view`"),
        ("meta.json", _with(temperature=0), "damaged.*`temperature`"),
        ("meta.json", _with(preprocessings=[]), "damaged"),
        ("meta.json", _with(preprocessings=[{"inputs": [], "named": True, "clip": 1, "feature_names": []}]), "damaged"),
        ("meta.json", lambda data: data[:-5], "damaged"),
        ("weights.safetensors", lambda data: data[:-5], "safetensors"),
        ("weights.safetensors", lambda data: None, "damaged"),
        ("weights.safetensors", lambda data: data.replace(data[-4:], np.float32(np.nan).tobytes()), "finite float32"),
        ("code.py", lambda data: b"import os", "must hold meta.json and weights.safetensors"),
    ],
)
def test_damaged_parts(model, tmp_path, entry, change, message):
    path = tmp_path / "m.hb"
    model.save(path)
    edited(path, change, entry)
    with pytest.raises(ModelFileError, match=message):
        Model.load(path)


def test_parts_must_not_be_compressed(model, tmp_path):
    """Else a small file could take more memory than there is."""
    path = tmp_path / "m.hb"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    with pytest.raises(ModelFileError, match="must not be compressed"):
        Model.load(path)


def test_a_pipe_is_no_model(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(ModelFileError, match="a device or a pipe"):
            Model.load(path)


def test_unwritable_paths(model, tmp_path):
    with pytest.raises(InputError, match="must be writable"):
        model.save(tmp_path / "none" / "m.hb")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="must be writable"):
        model.save(tmp_path / "folder")
    assert os.listdir(tmp_path) == ["folder"]


def test_a_failed_write_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / "m.hb"
    model.save(path)
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        model.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["m.hb"]


def test_provenance_must_be_plain(model, tmp_path):
    odd = Model(model.preprocessings, model.members, provenance={"what": object()})
    with pytest.raises(InputError, match="plain data"):
        odd.save(tmp_path / "m.hb")
    assert os.listdir(tmp_path) == []


def test_the_default_backend_agrees(model):
    frame = mixed()
    expected = model.predict_proba(frame, backend=NUMPY)
    assert model.predict_proba(frame) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert (model.predict(frame) == model.predict(frame, backend=NUMPY)).all()


def test_rows_without_a_target_are_told():
    table = read_table("sklearn:iris")
    model = fitted(prepare(table, target="target"))
    holes = table.with_columns(target=pl.when(pl.int_range(150) % 3 == 0).then(None).otherwise("target"))
    with pytest.warns(DataWarning, match="50 rows without a target are left out"):
        found = model.evaluate(holes, backend=NUMPY)
    assert found == model.evaluate(holes.drop_nulls("target"), backend=NUMPY)
    with pytest.raises(DataError, match="missing .* in 50 of 150 rows"):
        model.evaluate(table.drop("target"), holes["target"], backend=NUMPY)
