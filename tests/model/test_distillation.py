"""One network instead of an ensemble."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import numpy as np
import polars as pl
import pytest

import hyperband as hb
from hyperband.errors import DataError, InputError
from hyperband.model.distillation import LIMIT, centred_logits

RNG = np.random.default_rng(0)


def rows(task, n=600, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    label = {
        "two": np.where(x[:, 0] * x[:, 1] + 0.3 * rng.normal(size=n) > 0, "up", "down"),
        "three": np.array(["a", "b", "c"])[(x[:, :2] + rng.normal(size=(n, 2)) > 0).sum(axis=1)],
        "value": 100.0 + 20.0 * x[:, 0] * x[:, 1] + rng.normal(size=n),
        "values": None,
    }[task]
    frame = pl.DataFrame(
        {"first": x[:, 0], "second": x[:, 1], "third": np.exp(x[:, 2]), "kind": rng.choice(["p", "q"], n)}
    )
    if task == "values":
        return frame.with_columns(one=pl.Series(x[:, 0] * x[:, 1]), other=pl.Series(1000.0 * np.abs(x[:, 2])))
    return frame.with_columns(label=pl.Series(label))


@cache
def ensemble(task):
    targets = ["one", "other"] if task == "values" else "label"
    space = hb.Space(
        {"width": hb.Choice([16, 32]), "n_layers": hb.Int(1, 2), "learning_rate": hb.Float(0.005, 0.02, log=True),
         "view": hb.Choice(["standard", "robust", "bins"])}
    )  # fmt: skip
    algorithm = hb.RandomSearch(40, n=8)
    model = hb.search(rows(task), target=targets, space=space, algorithm=algorithm, validation=0.2, seed=1).model
    return model


@pytest.mark.parametrize("task", ["two", "three"])
def test_it_gives_the_probabilities_of_the_ensemble(task):
    model, new = ensemble(task), rows(task, seed=1)
    small = hb.distil(model, rows(task, 3000, seed=2), epochs=60)
    assert len(small.members) == 1 < len(model.members) and small.classes == model.classes
    assert (small.predict(new) == model.predict(new)).mean() > 0.93
    assert np.abs(small.predict_proba(new) - model.predict_proba(new)).mean() < 0.06


@pytest.mark.parametrize("task", ["value", "values"])
def test_it_gives_the_values_of_the_ensemble(task):
    model, new = ensemble(task), rows(task, seed=1)
    small = hb.distil(model, rows(task, 3000, seed=2), epochs=60)
    theirs, ours = model.predict(new), small.predict(new)
    assert ours.shape == theirs.shape
    assert (((ours - theirs) ** 2).mean(axis=0) < 0.05 * theirs.var(axis=0)).all()


def test_it_needs_no_target_and_depends_on_the_seed_alone():
    model, table = ensemble("two"), rows("two").drop("label")
    one, same, other = (
        hb.distil(model, table, epochs=3, **options) for options in ({"threads": 1}, {"threads": 2}, {"seed": 1})
    )
    assert np.array_equal(one.predict_proba(table), same.predict_proba(table))
    assert not np.array_equal(one.predict_proba(table), other.predict_proba(table))
    assert one.provenance["distilled"] == {"members": len(model.members), "epochs": 3, "seed": 0}


def test_the_likeliest_of_many_classes_keep_their_ratio():
    p = np.array([[0.7, 0.3, *[1e-5] * 8], [0.01, 0.99, *[0.0] * 8]])
    goal = centred_logits(np.log(np.maximum(p, 1e-300)), 10)
    assert goal[:, 1] - goal[:, 0] == pytest.approx(np.log([3 / 7, 99.0]))
    assert goal.sum(axis=1) == pytest.approx(0.0)
    assert np.ptp(goal, axis=1).max() <= LIMIT + 1e-9
    assert centred_logits(np.log(p[:1, :2]), 1) == pytest.approx(np.log(3 / 7))


def test_an_architecture_can_be_given():
    small = hb.distil(ensemble("two"), rows("two"), architecture=hb.Architecture(widths=[]), epochs=2)
    assert small.members[0].architecture.widths == ()
    default = hb.distil(ensemble("two"), rows("two"), epochs=1).members[0].architecture
    assert default.dropout == 0.0 and default.label_smoothing == 0.0


def test_bad_input():
    model = ensemble("two")
    with pytest.raises(DataError, match="at least 10 rows to learn from; got 9"):
        hb.distil(model, rows("two", 9))
    with pytest.raises(DataError, match="third"):
        hb.distil(model, rows("two").drop("third"))
    with pytest.raises(InputError, match="`epochs`"):
        hb.distil(model, rows("two"), epochs=0)
    with pytest.raises(InputError, match="`seed`"):
        hb.distil(model, rows("two"), seed=1.5)
    with pytest.raises(InputError, match="`model` must be a Model; got None"):
        hb.distil(None, rows("two"))
    wild = hb.Architecture(widths=[8], optimizer="sgd", learning_rate=1e6)
    with pytest.raises(InputError, match="diverged with learning rate 1e"):
        hb.distil(model, rows("two"), architecture=wild, epochs=2)
    with pytest.raises(InputError, match="`architecture` must be an Architecture or None; got 'wide'"):
        hb.distil(model, rows("two"), architecture="wide")


def test_the_command(tmp_path):
    model, table = tmp_path / "m.hyperband", tmp_path / "t.csv"
    ensemble("two").save(model)
    rows("two").write_csv(table)
    command = [sys.executable, "-m", "hyperband", "distil", str(model), str(table)]
    out = tmp_path / "small.hyperband"
    done = subprocess.run([*command, "--out", str(out), "--epochs", "5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"one network instead of {len(ensemble('two').members)}, written to ")
    loaded, again = hb.Model.load(out), hb.distil(ensemble("two"), rows("two"), epochs=5)
    assert np.array_equal(loaded.predict_proba(rows("two")), again.predict_proba(rows("two")))
    refused = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True)
    assert refused.returncode == 2 and "Traceback" not in refused.stderr
