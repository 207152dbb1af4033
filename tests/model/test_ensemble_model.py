"""Models of several networks that see the table in several ways."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.parameters import shapes
from hyperband.errors import DataError, InputError, ModelFileError
from hyperband.metrics import figures, fit_temperature, probabilities
from hyperband.model import MemberNetwork, Model, predictor
from hyperband.tables import TableOptions, prepare
from hyperband.tables.preprocess import Preprocessing

WEIGHTS = (3.0, 1.0, 4.0)


def mixed(task, n=400):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    label = {
        "two": np.where(x[:, 0] + x[:, 1] > 0, "up", "down"),
        "three": np.array(["a", "b", "c"])[(x[:, :2] > 0).sum(axis=1)],
        "value": 100.0 + 20.0 * x[:, 0] + rng.normal(size=n),
    }[task]
    return pl.DataFrame(
        {"first": x[:, 0], "second": x[:, 1], "third": np.exp(x[:, 2]), "kind": rng.choice(["p", "q", "r"], size=n),
         "label": label}
    )  # fmt: skip


def views(task):
    frame = mixed(task)
    return [prepare(frame, target="label", options=TableOptions(scaling=way)) for way in ("standard", "quantile")]


def network(prepared, widths, seed):
    rng = np.random.default_rng(seed)
    dims = (prepared.n_features, *widths, prepared.n_outputs)
    return [
        (rng.normal(size=(a, b)).astype(np.float32) / np.sqrt(a), rng.normal(size=b).astype(np.float32))
        for a, b in pairwise(dims)
    ]


def ensemble(task, temperature=1.0):
    prepared = views(task)
    shapes = [(0, [8]), (1, [16, 4]), (0, [])]
    members = [
        MemberNetwork(weight, view, Architecture(widths=widths), network(prepared[view], widths, seed))
        for seed, (weight, (view, widths)) in enumerate(zip(WEIGHTS, shapes))
    ]
    return Model([p.preprocessing for p in prepared], members, temperature, {"seed": 1})


def by_hand(model, frame, read):
    outputs = [
        registry.get("auto").forward(m.architecture, m.weights, model.preprocessings[m.view].transform(frame))
        for m in model.members
    ]
    return sum(w * read(o) for w, o in zip(np.array(WEIGHTS) / sum(WEIGHTS), outputs))


@pytest.mark.parametrize("task", ["two", "three"])
def test_probabilities_are_averaged(task):
    model, frame = ensemble(task), mixed(task)
    p = model.predict_proba(frame)
    assert p == pytest.approx(by_hand(model, frame, probabilities), rel=1e-12)
    assert p.sum(axis=1) == pytest.approx(np.ones(len(frame)))
    assert (model.predict(frame) == np.array(model.classes)[p.argmax(axis=1)]).all()


def clipped(target, outputs):
    mean, scale = target.mean[0], target.scale[0]
    return np.clip(outputs.astype(np.float64), (target.low[0] - mean) / scale, (target.high[0] - mean) / scale)


def test_values_are_averaged():
    """Each member stays in the range of the training rows."""
    model, frame = ensemble("value"), mixed("value")
    mean = by_hand(model, frame, lambda outputs: clipped(model.target, outputs))
    values = model.predict(frame)
    assert values == pytest.approx(model.target.values(mean), rel=1e-12)
    assert values.min() >= model.target.low[0] - 1e-9
    assert values.max() <= model.target.high[0] + 1e-9


def test_the_range_limits_members_not_their_mean():
    free, frame = ensemble("value"), mixed("value")
    target = dataclasses.replace(free.target, low=(95.0,), high=(110.0,))
    model = Model([dataclasses.replace(p, target=target) for p in free.preprocessings], free.members)
    mean = by_hand(model, frame, lambda outputs: clipped(target, outputs))
    assert free.predict(frame).min() < 95.0 < 110.0 < free.predict(frame).max()
    assert model.predict(frame) == pytest.approx(model.target.values(mean), rel=1e-12)


def test_temperature_acts_on_the_mean():
    plain, warm, frame = ensemble("three"), ensemble("three", 2.5), mixed("three")
    expected = plain.predict_proba(frame) ** (1 / 2.5)
    assert warm.predict_proba(frame) == pytest.approx(expected / expected.sum(axis=1, keepdims=True))
    assert (warm.predict(frame) == plain.predict(frame)).all()
    share = expected / expected.sum(axis=1, keepdims=True)  # classes as the warm model has them
    y = (share.cumsum(axis=1) > np.random.default_rng(0).uniform(size=(len(frame), 1))).argmax(axis=1).astype(np.int32)
    best = fit_temperature(np.log(plain.predict_proba(frame)), y)
    x = [p.transform(frame.drop("label")) for p in plain.preprocessings]
    losses = [ensemble("three", t).score(x, y)["log_loss"] for t in (best / 1.1, best, best * 1.1)]
    assert 1.5 < best < 5.0
    assert losses[1] == min(losses)


@pytest.mark.parametrize("task", ["two", "three", "value"])
def test_any_chunks_have_the_same_bits(task, monkeypatch):
    model, frame = ensemble(task, 1.0 if task == "value" else 1.7), pl.concat([mixed(task)] * 3)
    ask = model.predict if task == "value" else model.predict_proba
    whole = ask(frame)
    rng = np.random.default_rng(0)
    cuts = [0, *sorted(rng.choice(len(frame) - 1, size=40, replace=False) + 1), len(frame)]
    assert np.array_equal(np.concatenate([ask(frame[a:b]) for a, b in pairwise(cuts)]), whole)
    for size, rows in ((1, 40), (13, 600), (1000, 1200)):
        monkeypatch.setattr(predictor, "_ROWS", size)
        assert np.array_equal(ask(frame[:rows]), whole[:rows])


def test_each_preprocessing_sees_a_chunk_once(monkeypatch):
    calls = []
    transform = Preprocessing.transform
    monkeypatch.setattr(
        Preprocessing,
        "transform",
        lambda self, table, rows=None: calls.append(id(self)) or transform(self, table, rows),
    )
    monkeypatch.setattr(predictor, "_ROWS", 100)
    model, frame = ensemble("two"), mixed("two")
    calls.clear()
    model.predict(frame)
    assert len(calls) == 2 * 4
    assert len(set(calls)) == 2


def test_errors_name_the_row_of_the_whole_table(monkeypatch):
    monkeypatch.setattr(predictor, "_ROWS", 100)
    model = ensemble("two")
    first = mixed("two")["first"].to_numpy().copy()
    first[321] = np.inf
    with pytest.raises(DataError, match=r"'first'.*\b321\b"):
        model.predict(mixed("two").with_columns(first=pl.Series(first)))


@pytest.mark.parametrize("task", ["two", "three", "value"])
def test_all_figures(task):
    model, frame = ensemble(task), mixed(task)
    found = model.evaluate(frame)
    truth = frame["label"].to_numpy()
    if task == "value":
        expected = figures("regression", truth, model.predict(frame))
        assert set(found) == {"rmse", "mae", "r2", "loss"}
        assert found["loss"] == pytest.approx((found["rmse"] / model.target.scale[0]) ** 2, rel=1e-5)
    else:
        y = model.target.encode(truth)
        expected = figures("classification", y, model.predict_proba(frame))
        assert set(found) == {"accuracy", "balanced_accuracy", "log_loss", "auc", "f1", "ece", "loss"}
        assert found["loss"] == pytest.approx(found["log_loss"])
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-5)
    x = [p.transform(frame.drop("label")) for p in model.preprocessings]
    assert model.score(x, model.target.encode(truth)) == found


@pytest.mark.parametrize("task", ["two", "three", "value"])
def test_there_and_back(task, tmp_path):
    model, frame = ensemble(task, 1.0 if task == "value" else 0.7), mixed(task)
    model.save(tmp_path / "m.hb")
    back = Model.load(tmp_path / "m.hb")
    assert np.array_equal(back.predict(frame), model.predict(frame))
    assert back.evaluate(frame) == model.evaluate(frame)
    assert back.temperature == model.temperature
    assert back.provenance == model.provenance
    assert [(m.weight, m.view, m.architecture) for m in back.members] == [
        (m.weight, m.view, m.architecture) for m in model.members
    ]
    assert [p.feature_names for p in back.preprocessings] == [p.feature_names for p in model.preprocessings]
    back.save(tmp_path / "again.hb")
    again = Model.load(tmp_path / "again.hb")
    assert np.array_equal(again.predict(frame), model.predict(frame))


@pytest.mark.parametrize("more", [{}, {"number_embedding": "pbld"}, {"number_embedding": "cosine"}])
def test_every_parameter_of_a_network_is_kept(more, tmp_path):
    preprocessing, rng = views("three")[0].preprocessing, np.random.default_rng(0)
    architecture = Architecture(widths=[6], input_scaling=True, **more)
    sizes = shapes(architecture, preprocessing.n_features, 3, preprocessing.n_numbers)
    weights = [tuple(rng.normal(size=shape).astype(np.float32) for shape in layer) for layer in sizes]
    model, frame = Model.of_one(preprocessing, architecture, weights), mixed("three")
    model.save(tmp_path / "m.hb")
    back = Model.load(tmp_path / "m.hb")
    assert back.members[0].architecture == architecture
    assert np.array_equal(back.predict_proba(frame), model.predict_proba(frame))
    pieces = [model.predict_proba(frame[start : start + 7]) for start in range(0, len(frame), 7)]
    assert np.array_equal(np.concatenate(pieces), model.predict_proba(frame))
    with pytest.raises(InputError, match="`weights` must"):
        Model.of_one(preprocessing, architecture, [weights[0][:-1], *weights[1:]])


def test_more_columns_than_there_are_cannot_be_embedded():
    preprocessing, architecture = views("three")[0].preprocessing, Architecture(widths=[], number_embedding="cosine")
    n = preprocessing.n_features
    weights = [tuple(np.zeros(shape, np.float32) for shape in shapes(architecture, n, 3, n + 1)[0])]
    with pytest.raises(InputError, match=f"at most the {n} features; they embed {n + 1}"):
        Model.of_one(preprocessing, architecture, weights)


def test_what_the_file_holds(tmp_path):
    from safetensors.numpy import load

    ensemble("three").save(tmp_path / "m.hb")
    with zipfile.ZipFile(tmp_path / "m.hb") as archive:
        meta, arrays = json.loads(archive.read("meta.json")), load(archive.read("weights.safetensors"))
    assert [member["weight"] for member in meta["members"]] == list(WEIGHTS)
    assert [member["view"] for member in meta["members"]] == [0, 1, 0]
    assert len(meta["preprocessings"]) == 2
    assert sorted(name for name in arrays if name.startswith("1.")) == [
        f"1.{name}.{layer}" for name in ("bias", "weights") for layer in range(3)
    ]


def test_every_part_of_a_preprocessing_is_written():
    """A field that is added to `Preprocessing` must be added to its plain data."""
    fields = {entry.name for entry in dataclasses.fields(Preprocessing)}
    for preprocessing in ensemble("two").preprocessings:
        assert fields == {*preprocessing.to_dict()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda meta: meta["members"].pop(), "holds also '2.bias.0'"),
        (lambda meta: meta["members"].append(meta["members"][0]), "damaged"),
        (lambda meta: meta["members"][0].update(view=1.0), "damaged"),
        (lambda meta: meta["members"][0].update(view=2), "damaged"),
        (lambda meta: meta["members"][0].update(weight=float("nan")), "damaged"),
        (lambda meta: meta["members"][1].pop("view"), "damaged"),
        (lambda meta: meta["preprocessings"].pop(), "damaged"),
        (lambda meta: meta["preprocessings"][0].pop("clip"), "damaged"),
        (lambda meta: meta["preprocessings"][1].pop("target"), "damaged"),
        (lambda meta: meta.update(temperature="warm"), "damaged"),
    ],
)
def test_damaged_files(tmp_path, change, message):
    path = tmp_path / "m.hb"
    ensemble("two").save(path)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    meta = json.loads(content["meta.json"])
    change(meta)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (content | {"meta.json": json.dumps(meta)}).items():
            archive.writestr(name, data)
    with pytest.raises(ModelFileError, match=message):
        Model.load(path)


def test_cut_and_flipped_files(tmp_path):
    path = tmp_path / "m.hb"
    ensemble("two").save(path)
    data = path.read_bytes()
    for keep in (0.2, 0.5, 0.99):
        path.write_bytes(data[: int(len(data) * keep)])
        with pytest.raises(ModelFileError):
            Model.load(path)


def test_bad_models():
    good, other = ensemble("two"), ensemble("three")
    value = ensemble("value")
    (first, *_), prep = good.members, good.preprocessings
    with pytest.raises(InputError, match="at least one of `members`"):
        Model(prep, [])
    with pytest.raises(InputError, match="at least one of `preprocessings`"):
        Model([], good.members)
    with pytest.raises(InputError, match="`view` of a member.*below 1; got 1"):
        Model(prep[:1], good.members)
    with pytest.raises(InputError, match="same target"):
        Model([prep[0], other.preprocessings[1]], good.members)
    with pytest.raises(InputError, match="shapes of the architecture"):
        Model(prep, [dataclasses.replace(first, weights=good.members[2].weights)])
    for temperature in (0.0, -1.0, np.nan, "warm"):
        with pytest.raises(InputError, match="`temperature` must"):
            Model(prep, good.members, temperature)
    with pytest.raises(InputError, match="`temperature` is for classification"):
        Model(value.preprocessings, value.members, 2.0)
    for weight in (0.0, -1.0, np.inf):
        with pytest.raises(InputError, match="`weight` of a member"):
            dataclasses.replace(first, weight=weight)
    for view in (-1, 1.0, True):
        with pytest.raises(InputError, match="`view` of a member"):
            dataclasses.replace(first, view=view)
    with pytest.raises(InputError, match="2 arrays, one a preprocessing; got 1"):
        good.score(np.zeros((3, 4), np.float32), np.zeros(3, np.int32))


def test_weights_need_not_add_up_to_one():
    model, frame = ensemble("three"), mixed("three")
    scaled = Model(model.preprocessings, [dataclasses.replace(m, weight=m.weight * 2) for m in model.members])
    assert np.array_equal(scaled.predict_proba(frame), model.predict_proba(frame))


def test_one_network_is_an_ensemble_of_one():
    model, frame = ensemble("three"), mixed("three")
    alone = Model.of_one(model.preprocessings[0], model.members[0].architecture, model.members[0].weights)
    outputs = registry.get("auto").forward(
        alone.members[0].architecture, alone.members[0].weights, alone.preprocessings[0].transform(frame)
    )
    assert np.array_equal(alone.predict_proba(frame), probabilities(outputs))
    assert alone.predict(frame[:0]).shape == (0,)
    assert alone.predict_proba(frame[:0]).shape == (0, 3)
    with pytest.raises(DataError, match="'kind' is missing"):
        alone.predict(frame[:0].drop("kind"))
