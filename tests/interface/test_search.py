"""`hyperband.search` end to end, on small data sets that scikit-learn ships."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_diabetes, load_iris, load_wine

import hyperband as hb
from hyperband.cli.report import as_text, to_json

IRIS = load_iris(return_X_y=True)


def search(X=IRIS[0], y=IRIS[1], **options):
    return hb.search(X, y, **{"algorithm": hb.Hyperband(9), "seed": 0, "validation": 0.2, **options})


def test_the_best_network_predicts():
    result = search(test=0.2)
    assert (result.n_evaluations, result.n_configurations, result.cost, result.unit) == (22, 17, 69, "epochs")
    assert result.stopped == "finished" and not result.interrupted
    model = result.best.network
    assert (model.predict(IRIS[0]) == IRIS[1]).mean() > 0.9
    assert model.predict_proba(IRIS[0]).sum(axis=1) == pytest.approx(1.0)
    assert result.test["accuracy"] > 0.8
    assert result.best.loss == np.nanmin(result.trials["loss"])
    assert result.best_at_full.resource == 9
    assert model.provenance["seed"] == 0
    assert model.provenance["configuration"] == dict(result.best.configuration)


def test_the_reported_loss_is_that_of_the_network():
    X, y = load_wine(return_X_y=True)
    result = search(X[::2], y[::2], validation=(X[1::2], y[1::2]))
    for incumbent in (result.best, result.best_at_full):
        scored = incumbent.network.evaluate(X[1::2], y[1::2])
        assert scored["loss"] == pytest.approx(incumbent.loss, rel=1e-4)
        assert scored["accuracy"] == pytest.approx(incumbent.metrics["accuracy"])


def test_test_rows_do_not_touch_the_search():
    X, y = IRIS
    train, test = np.arange(150) % 5 > 0, np.arange(150) % 5 == 0
    spoilt = np.roll(y[test], 1)
    one = search(X[train], y[train], test=(X[test], y[test]))
    two = search(X[train], y[train], test=(X[test], spoilt))
    assert one.test != two.test
    assert np.array_equal(one.trials["loss"], two.trials["loss"])
    assert one.test == pytest.approx(one.model.evaluate(X[test], y[test]))
    assert one.test_of_best == pytest.approx(one.best.network.evaluate(X[test], y[test]))


def test_seed_decides_everything():
    one, two, other = search(), search(compute=hb.Compute(threads=1)), search(seed=1)
    assert np.array_equal(one.trials["loss"], two.trials["loss"], equal_nan=True)
    assert one.best.configuration == two.best.configuration
    assert not np.array_equal(one.trials["loss"], other.trials["loss"], equal_nan=True)
    of_algorithm = hb.search(*IRIS, algorithm=hb.Hyperband(9, seed=1), validation=0.2)
    assert np.array_equal(of_algorithm.trials["loss"], other.trials["loss"], equal_nan=True)


def test_tables_and_regression():
    X, y = load_diabetes(return_X_y=True)
    frame = pl.DataFrame({f"c{j}": X[:, j] for j in range(X.shape[1])} | {"y": y, "city": ["a", "b"] * 221})
    result = hb.search(frame, target="y", algorithm=hb.RandomSearch(9, n=5), test=0.2)
    assert result.best.network.predict(frame).shape == (442,)
    assert 30 < result.test["rmse"] < 100
    assert result.best.metrics["rmse"] > 30


def test_several_targets():
    X, y = load_diabetes(return_X_y=True)
    result = search(X, np.column_stack([y, -2 * y]), algorithm=hb.RandomSearch(9, n=3))
    assert result.best.network.predict(X).shape == (442, 2)


@pytest.mark.parametrize("resource, top", [("rows", 120), ("features", 4)])
def test_other_resources_end_with_everything(resource, top):
    result = hb.search(*IRIS, training=hb.Training(resource=resource, epochs=3))
    assert result.best.resource == top == result.plan.max_resource
    assert result.best.trial == result.best_at_full.trial


def test_own_space():
    space = hb.Space({"learning_rate": hb.Float(1e-3, 1e-1, log=True), "activation": hb.Choice(["tanh", "relu"])})
    result = search(space=space)
    assert set(result.best.configuration) == {"learning_rate", "activation"}
    assert set(np.unique(result.trials["activation"])) <= {"tanh", "relu"}


def test_a_memory_limit_changes_nothing():
    from hyperband.engine.backends import registry
    from hyperband.engine.backends.base import Split

    space = hb.Space({"learning_rate": hb.Float(1e-3, 1e-1, log=True), "batch_size": hb.Int(8, 64)})
    plenty = search(space=space)
    engine = registry.get("auto").engine(
        Split(np.zeros((120, 4), np.float32), np.arange(120, dtype=np.int32) % 3), None, "cross_entropy", 3
    )
    size = engine.bytes_per_member(plenty.best.network.members[0].architecture)
    scarce = search(space=space, compute=hb.Compute(memory_limit=3 * size))
    assert np.array_equal(plenty.trials["loss"], scarce.trials["loss"], equal_nan=True)
    with pytest.raises(hb.InsufficientMemory, match="are free"):
        search(space=space, compute=hb.Compute(memory_limit=size // 2))


def test_progress_function_sees_the_plan():
    seen = []
    search(progress=seen.append)
    last = seen[-1]
    assert (last.planned, last.done, last.unit) == (69, 69, "epochs")
    assert [b.n_rungs for b in last.brackets] == [3, 2, 1]
    assert last.brackets[0].trials_left == 0


def test_progress_lines(capsys):
    search(progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "bracket 2: rung 1 of 1" in captured.err


def test_ctrl_c_returns_the_best_so_far():
    calls = []

    def press(status):
        calls.append(status)
        if any(b.best == b.best for b in status.brackets):  # not NaN: something was evaluated
            raise KeyboardInterrupt  # as a signal handler does

    result = search(algorithm=hb.Hyperband(2187), progress=press)
    assert result.interrupted and calls
    assert result.best.loss == min(b.best for b in calls[-1].brackets if b.best == b.best)
    assert result.best.network.evaluate(*IRIS)["loss"] < 2


def test_networks_that_diverge_are_counted():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    options = {"algorithm": hb.GridSearch(3), "compute": hb.Compute(threads=1)}
    rates = hb.Choice([1e6, 1e-2])
    result = search(X, X[:, 0], space=hb.Space({"learning_rate": rates, "optimizer": "sgd"}), **options)
    assert result.best.configuration["learning_rate"] == 1e-2
    assert result.trials["learning_rate"][result.not_finite].tolist() == [1e6]
    assert "NaN or infinite: 1 of 2 losses" in repr(result)
    prepared = SimpleNamespace(task="regression", target=SimpleNamespace(names=("y",)))
    assert "\n1 of 2 evaluations diverged" in as_text(result, prepared, "model", "command")
    assert json.loads(to_json(result, prepared, "model", "command"))["n_not_finite"] == 1
    with pytest.warns(RuntimeWarning, match=r"no best: of 1, 1 gave NaN or an infinite loss\.$") as seen:
        result = search(X, X[:, 0], space=hb.Space({"learning_rate": 1e6, "optimizer": "sgd"}), **options)
    assert [one.filename for one in seen] == [__file__]
    assert (result.best, result.model) == (None, None)


def test_budget_of_time():
    algorithm = hb.Hyperband(2187)
    result = search(algorithm=algorithm, budget=hb.Budget(seconds=1.0))
    assert result.stopped == "time" and result.seconds > 0.9
    assert 0 < result.n_evaluations < algorithm.plan().n_evaluations
    assert result.best.network is not None


def test_an_event_stops_the_search():
    heard = []

    def stop(run, results):
        heard.extend(results)
        return run.n_evaluations >= 5

    result = search(on_event=stop)
    assert result.stopped == "callback"
    assert len(heard) == result.n_evaluations >= 5
    assert result.best.network is not None


X, Y = IRIS
INFINITE = np.where(np.arange(150)[:, None] == 7, np.inf, X)

BAD = {
    "inf": ({"X": INFINITE}, "inf"),
    "rows": ({"y": Y[:-1]}, "same number of rows"),
    "one class": ({"y": Y * 0}, "at least two classes"),
    "constant": ({"y": Y * 0.0 + 0.5, "table": hb.TableOptions(task="regression")}, "must vary"),
    "nan target": ({"y": np.where(Y == 1, np.nan, 0.5 + Y)}, "must have a target"),
    "empty": ({"X": X[:0], "y": Y[:0]}, "row"),
    "one row": ({"X": X[:1], "y": Y[:1]}, "row"),
    "no columns": ({"X": X[:, :0]}, "feature|column|shape"),
    "durations": ({"X": pl.DataFrame({"d": [dt.timedelta(1)] * 150, "a": X[:, 0]})}, "Duration"),
    "target absent": ({"X": pl.DataFrame({"a": X[:, 0]}), "y": None, "target": "income"}, "income"),
    "both targets": ({"target": "a"}, "not both"),
    "no rows left": ({"validation": 1.0}, "validation"),
    "algorithm": ({"algorithm": "hyperband"}, r"must be an algorithm such as hb\.Hyperband\(81\)"),
    "training": ({"training": "rows"}, r"`training` must be a Training: hb.Training\(...\); got 'rows'"),
    "compute": ({"compute": {"threads": 2}}, "`compute` must be a Compute"),
    "table": ({"table": ["income"]}, "`table` must be a TableOptions"),
    "budget": ({"budget": 60}, r"`budget` must be a Budget such as Budget\(seconds=60\), or None; got 60"),
    "no end": ({"algorithm": hb.ASHA(9)}, "`budget` must have a limit when the algorithm has no end"),
    "event": ({"on_event": "stop"}, r"`on_event` must be a function of \(run, results\)"),
    "progress": ({"progress": "yes"}, "`progress` must be True, False or a function"),
    "seed": ({"seed": -1}, "`seed`"),
    "half a seed": ({"seed": 0.5}, "`seed`"),
    "backend": ({"compute": hb.Compute(backend="fast")}, "`backend` must be one of"),
    "unknown parameter": ({"space": lambda: hb.Space({"depth_of_thought": hb.Int(1, 3)})}, "depth_of_thought"),
}


@pytest.mark.parametrize("options, message", BAD.values(), ids=BAD.keys())
def test_bad_input_names_the_rule(options, message):
    made = {name: value() if name == "space" else value for name, value in options.items()}
    with pytest.raises(hb.InputError, match=message):
        search(**made)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: hb.Hyperband(81, eta=1), "`eta` must be greater than 1; got 1"),
        (lambda: hb.Hyperband(3, min_resource=9), "`max_resource` must be at least `min_resource`"),
        (lambda: hb.Space({}), "at least one"),
        (lambda: hb.Float(1.0, 0.0), "must"),
        (lambda: hb.Choice([]), "must"),
    ],
)
def test_bad_settings_name_the_rule(make, message):
    with pytest.raises(hb.InputError, match=message):
        make()


def test_more_rows_than_memory(monkeypatch):
    monkeypatch.setattr("hyperband._common.memory.USABLE", 1e-9)
    with pytest.raises(hb.InsufficientMemory, match=r"need [\d,]+ bytes, [\d,]+ are free"):
        search()


def test_cuda_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(
        "hyperband.engine.backends.registry._MODULES", {"cuda": "hyperband.engine.backends.nothing_here"}
    )
    monkeypatch.setattr("hyperband.engine.backends.registry.made", {})
    with pytest.raises(hb.BackendUnavailable, match="HYPERBAND_CUDA=ON"):
        search(compute=hb.Compute(backend="cuda"))
