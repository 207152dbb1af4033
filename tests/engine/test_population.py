"""`Population`: training, pausing, state, and every kind of bad input."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest

import hyperband as hb

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3))
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int)
SHAPES = [hb.Architecture(widths=[w], learning_rate=0.02, batch_size=16) for w in (2, 8, 16)]


def population(**changes):
    return hb.Population(**{"architectures": SHAPES, "X": X, "y": Y, "seed": 3, "epochs": 6, **changes})


def same(a, b):
    return all(np.array_equal(x, y) for pair in zip(a, b, strict=True) for x, y in zip(*pair, strict=True))


def test_pauses_and_other_members_do_not_change_a_curve():
    whole, pieces, alone = population(), population(), population(architectures=SHAPES[1:2], seeds=None)
    whole.train()
    pieces.train([1], until=2.5)
    pieces.train([2, 0], until=1)
    pieces.train(until=4)
    pieces.train()
    for member in range(3):
        assert same(whole.weights(member), pieces.weights(member))
    assert whole.progress().epoch.tolist() == [6, 6, 6]
    from hyperband._common.philox import member_seed

    alone = population(architectures=SHAPES[1:2], seeds=[member_seed(3, 1)])
    alone.train()
    assert same(whole.weights(1), alone.weights(0))


def test_training_learns_and_best_is_the_best_validation():
    trained = population(epochs=40, validation=(X[:30], Y[:30]))
    before, _ = trained.evaluate(None, X, Y)
    trained.train()
    after, error = trained.evaluate(None, X, Y)
    assert (after < before).all() and error.min() < 0.2
    validated, _ = trained.evaluate(None, X[:30], Y[:30], weights="best")
    assert validated == pytest.approx(trained.progress().best_loss)


def test_fractions_of_an_epoch_are_whole_steps():
    half = population()
    half.train(until=0.5)
    assert half.progress().step.tolist() == [3, 3, 3]  # 6 steps an epoch


def test_predict_gives_raw_outputs_of_the_weights():
    trained = population()
    trained.train()
    (first, bias), (second, last) = trained.weights(2)
    hidden = np.maximum(X @ first + bias, 0.0)
    assert trained.predict(2, X) == pytest.approx(hidden @ second + last, abs=1e-4)


def test_state_continues_in_another_population():
    there, here = population(), population()
    there.train(1, until=3)
    here.load_state(1, there.state(1))
    there.train(1)
    here.train(1)
    assert same(there.weights(1), here.weights(1))


def test_loss_is_found_out_from_y():
    assert population().loss == "logistic"
    assert population(y=np.arange(90) % 3).loss == "cross_entropy"
    assert population(y=X[:, 0]).loss == "mse"
    assert population(y=X[:, :2]).n_outputs == 2


def test_rows_of_weight_zero_have_no_influence():
    kept = np.arange(90) < 60
    spoilt = np.where(kept, Y, 1 - Y)
    clean, other = (population(y=y, sample_weight=kept.astype(float)) for y in (Y, spoilt))
    everything = population(y=spoilt)
    for trained in (clean, other, everything):
        trained.train(until=2)
    assert same(clean.weights(0), other.weights(0))
    assert not same(clean.weights(0), everything.weights(0))


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals need the main thread")
def test_ctrl_c_stops_within_a_second_and_harms_nothing():
    long = hb.Architecture(widths=[256, 256], batch_size=1)
    rows = RNG.normal(size=(4000, 64))
    trained = hb.Population([long] * 4, rows, rows[:, 0], epochs=10_000)
    pressed = []

    def press():
        pressed.append(time.monotonic())
        signal.raise_signal(signal.SIGINT)

    timer = threading.Timer(0.5, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        trained.train()
    assert time.monotonic() - pressed[0] < 1.0
    timer.join()
    trained.train(until=0.001)
    assert np.isfinite(trained.predict(0, rows[:2])).all()


def nan_x():
    bad = X.copy()
    bad[4, 1] = np.nan
    return bad


BAD = {
    "nan": ({"X": nan_x()}, r"`X` must be finite.*got nan at \(4, 1\)"),
    "inf in y": ({"y": np.where(Y, np.inf, 0.0)}, "`y` must be finite"),
    "too large for float32": ({"X": X * 1e300}, "must be finite .in float32"),
    "rows differ": ({"y": Y[:-1]}, r"`y` must have one entry per row of X \(90\)"),
    "one dimension": ({"X": X[:, 0]}, r"shape \(n_rows, n_columns\).*reshape"),
    "empty": ({"X": X[:0], "y": Y[:0]}, r"at least one of each; got \(0, 3\)"),
    "ragged": ({"X": [[1, 2], [3]]}, "`X` must be"),
    "text": ({"X": [["a", "b"]] * 90}, "must be an array of numbers"),
    "labels from 1": ({"y": Y + 1}, "every class from 0 to 2; class 0 is absent"),
    "negative labels": ({"y": Y - 1}, r"classes 0 to K-1; got -1"),
    "a gap in the labels": ({"y": Y * 2}, "class 1 is absent"),
    "fractions as labels": ({"y": Y + 0.5, "loss": "cross_entropy"}, "whole class numbers"),
    "one class": ({"y": Y * 0}, "at least two classes"),
    "three classes for logistic": ({"y": np.arange(90) % 3, "loss": "logistic"}, "Use loss='cross_entropy'"),
    "unknown loss": ({"loss": "hinge"}, "`loss` must be 'auto' or one of"),
    "no networks": ({"architectures": []}, "at least one network"),
    "one network without a list": ({"architectures": SHAPES[0]}, "must be a sequence of Architecture"),
    "not networks": ({"architectures": [(8, 8)]}, "must hold Architecture objects"),
    "negative seed": ({"seed": -1}, "`seed` must be"),
    "too few seeds": ({"seeds": [1]}, r"one seed per architecture \(3\); got 1"),
    "no epochs": ({"epochs": 0}, "`epochs` must be a finite number greater than 0"),
    "nan epochs": ({"epochs": float("nan")}, "`epochs` must be a finite number"),
    "validation of other width": ({"validation": (X[:, :2], Y)}, "must have 3 columns"),
    "validation of unknown class": ({"validation": (X, Y + 1)}, "classes 0 to 1 like the training data"),
    "validation is no pair": ({"validation": X}, r"`validation` must be a pair \(X, y\)"),
    "weights of other length": ({"sample_weight": [1.0]}, "`sample_weight` must have the shape"),
    "negative weights": ({"sample_weight": -np.ones(90)}, "not negative"),
    "weights all zero": ({"sample_weight": np.zeros(90)}, "not all zero"),
    "class weight of no class": ({"class_weight": {5: 1.0}}, "must name classes 0 to 1"),
    "class weight word": ({"class_weight": "heavy"}, "'balanced' or a mapping"),
    "class weight of values": ({"y": X[:, 0], "class_weight": "balanced"}, "needs classes"),
    "unknown backend": ({"backend": "fast"}, "`backend` must be one of"),
    "threads": ({"threads": 0}, "threads"),
}


@pytest.mark.parametrize("changes, message", BAD.values(), ids=BAD.keys())
def test_bad_arguments_name_the_rule(changes, message):
    with pytest.raises(hb.InputError, match=message):
        population(**changes)


BAD_CALLS = {
    "outside": (lambda p: p.train([3]), "between 0 and 2; got 3"),
    "negative": (lambda p: p.train(-1), "between 0 and 2; got -1"),
    "twice": (lambda p: p.train([1, 1]), "each member once"),
    "not whole": (lambda p: p.train([0.5]), "whole numbers"),
    "backwards": (lambda p: p.train(until=-1), "`until` must be a finite number of at least 0"),
    "endless": (lambda p: p.train(until=float("inf")), "`until` must be finite"),
    "no time": (lambda p: p.train(seconds=0), "`seconds` must be a finite number greater than 0"),
    "best without validation": (lambda p: p.predict(0, X, weights="best"), "Give `validation` to the population"),
    "unknown weights": (lambda p: p.weights(0, weights="last"), "`weights` must be 'current' or 'best'"),
    "all members at once": (lambda p: p.predict(None, X), "`member` must be one whole number"),
    "columns": (lambda p: p.predict(0, X[:, :1]), "must have 3 columns"),
    "rows": (lambda p: p.evaluate(0, X, Y[:-1]), "one entry per row"),
    "state of another shape": (lambda p: p.load_state(0, p.state(1)), "same architecture"),
    "no state": (lambda p: p.load_state(0, {}), "is missing"),
}


@pytest.mark.parametrize("call, message", BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_bad_calls_name_the_rule(call, message):
    with pytest.raises(hb.InputError, match=message):
        call(population())
