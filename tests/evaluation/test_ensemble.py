"""Greedy selection does what it says, step by step, and chooses well on new rows."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest

from hyperband.errors import InputError
from hyperband.evaluation.networks.ensemble import FIRST, FOLDS, cross_predict, select
from hyperband.evaluation.networks.ensemble_losses import selection_losses
from hyperband.metrics import metric, probabilities

CLASSES = ("accuracy", "balanced_accuracy", "log_loss", "auc", "f1")
VALUES = ("rmse", "mae", "r2", "quantile:0.3")


def class_candidates(n_candidates, n_rows, k, seed=0, signal=1.0):
    """Networks of different worth whose errors have a common part."""
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n_rows)
    z = rng.normal(size=(n_candidates, n_rows, k)) + rng.normal(size=(n_rows, k))
    z[:, np.arange(n_rows), y] += signal + 0.3 * rng.normal(size=(n_candidates, 1))
    return np.stack([probabilities(part) for part in z]).astype(np.float32), y, rng.uniform(0.2, 2.0, size=n_rows)


def value_candidates(n_candidates, n_rows, targets=1, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(n_rows, targets))
    common = 0.3 * rng.normal(size=(n_rows, targets))
    noise = rng.normal(size=(n_candidates, n_rows, targets)) * rng.uniform(0.4, 1.0, size=(n_candidates, 1, 1))
    return (y + common + noise).astype(np.float32), y, rng.uniform(0.2, 2.0, size=n_rows)


def slow_loss(name, y, mean, w):
    """The table of `selection_losses`, from its definition."""
    w = np.ones(len(y)) if w is None else w
    if name in ("log_loss", "auc", "f1"):
        return -np.average(np.log(np.clip(mean[np.arange(len(y)), y], 2.3e-16, 1)), weights=w)
    if name in ("accuracy", "balanced_accuracy"):
        if name == "balanced_accuracy":
            w = w / np.bincount(y, weights=w)[y]
        return np.average(((mean - np.eye(mean.shape[1])[y]) ** 2).sum(axis=1), weights=w)
    score = metric(name, "regression").loss(y, mean, w)
    return score if name != "mse" else np.average((mean - y) ** 2, weights=w)


def slow_select(name, task, predictions, y, w, size):
    """The algorithm in the plainest form."""
    exact = metric(name, task)
    candidates = range(len(predictions))

    def key(order):
        mean = predictions[list(order)].astype(np.float64).mean(axis=0)
        smooth = slow_loss(name, y, mean, w)
        return (exact.loss(y, mean, w) if name == "f1" else smooth), smooth

    singles = sorted(candidates, key=lambda i: (key([i]), i))
    order, keys = [], []
    for first in singles[: min(FIRST, -(-len(predictions) // 10), size)]:
        order.append(first)
        keys.append(key(order))
    while len(order) < size:
        best = min(candidates, key=lambda i: (key([*order, i]), i))
        if not key([*order, best]) < keys[-1]:
            break
        order.append(best)
        keys.append(key(order))
    return order[: keys.index(min(keys)) + 1]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CLASSES)
def test_classes_as_a_slow_loop(name, weighted):
    predictions, y, w = class_candidates(30, 150, 3)
    w = w if weighted else None
    found = select(predictions, y, metric(name, "classification"), w, size=9)
    order = slow_select(name, "classification", predictions, y, w, 9)
    assert [index for index, _ in found.path[: len(order)]] == order
    assert found.chosen == tuple(dict.fromkeys(order))
    assert found.weights == tuple(order.count(i) / len(order) for i in found.chosen)
    mean = predictions[order].astype(np.float64).mean(axis=0)
    assert found.score == pytest.approx(metric(name, "classification").score(y, mean, w), rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("name", VALUES)
def test_values_as_a_slow_loop(name, targets, weighted):
    predictions, y, w = value_candidates(30, 150, targets)
    w = w if weighted else None
    found = select(predictions, y, metric(name, "regression"), w, size=9)
    order = slow_select(name, "regression", predictions, y, w, 9)
    assert [index for index, _ in found.path[: len(order)]] == order
    mean = predictions[order].astype(np.float64).mean(axis=0)
    assert found.score == pytest.approx(metric(name, "regression").score(y, mean, w), rel=1e-6)


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "log_loss", *VALUES])
@pytest.mark.parametrize("n_rows", [10, 4095, 4096, 9000])
def test_losses_by_their_definition(name, n_rows):
    """Also where sums are formed in parts."""
    task = "classification" if name in CLASSES else "regression"
    predictions, y, w = (class_candidates if name in CLASSES else value_candidates)(3, n_rows, 3)
    for weight in (None, w):
        losses = selection_losses(predictions, y, weight, metric(name, task))
        total = predictions[:2].astype(np.float64).sum(axis=0)
        expected = [slow_loss(name, y, (total + p) / 3, weight) for p in predictions]
        assert losses(total, 3) == pytest.approx(expected, rel=3e-6)


@pytest.mark.parametrize("name", ["log_loss", "accuracy"])
def test_a_small_case_against_all_ensembles(name):
    """Of all ensembles of up to three additions none that contains the greedy steps before is better."""
    predictions, y, _ = class_candidates(6, 60, 2, seed=4)
    measured = {
        order: slow_loss(name, y, predictions[list(order)].astype(np.float64).mean(axis=0), None)
        for size in (1, 2, 3)
        for order in combinations_with_replacement(range(6), size)
    }
    found = select(predictions, y, metric(name, "classification"), size=3)
    order = tuple(sorted(index for index, _ in found.path))
    best_pair = min((o for o in measured if len(o) == 2 and found.path[0][0] in o), key=measured.get)
    assert found.path[0][0] == min((o for o in measured if len(o) == 1), key=measured.get)[0]
    assert tuple(sorted(index for index, _ in found.path[:2])) == best_pair
    assert measured[order] == min(v for o, v in measured.items() if len(o) == 3 and set(best_pair) <= set(o))
    assert measured[order] <= 1.02 * min(measured.values())  # and not far from the best of all


def test_a_metric_of_ones_own():
    predictions, y, _ = class_candidates(40, 200, 2)
    cost = metric(lambda y, p: (5.0 * ((p[:, 1] > 0.2) < y) + ((p[:, 1] > 0.2) > y)).mean(), "classification",
                  greater_is_better=False)  # fmt: skip
    found = select(predictions, y, cost, size=12)
    assert found.score <= min(cost.score(y, p.astype(float)) for p in predictions)
    assert found.score == min(score for _, score in found.path)


def test_bits_do_not_depend_on_other_candidates():
    predictions, y, w = class_candidates(25, 5000, 4)
    for name in ("accuracy", "log_loss"):
        whole = selection_losses(predictions, y, w, metric(name, "classification"))(predictions[0].astype(float), 2)
        some = selection_losses(predictions[7:9], y, w, metric(name, "classification"))(predictions[0].astype(float), 2)
        assert np.array_equal(whole[7:9], some)


def test_equal_candidates_and_a_perfect_one():
    predictions, y, _ = class_candidates(3, 50, 2)
    same = np.stack([predictions[1]] * 4)
    assert select(same, y, metric("log_loss", "classification")).chosen == (0,)
    perfect = np.eye(2, dtype=np.float32)[y]
    found = select(np.stack([*predictions, perfect, perfect]), y, metric("accuracy", "classification"))
    assert (found.chosen, found.weights, found.score) == ((3,), (1.0,), 1.0)
    assert select(predictions[:1], y, metric("auc", "classification")).chosen == (0,)


def test_size_and_start():
    predictions, y, _ = class_candidates(40, 200, 3)
    log_loss = metric("log_loss", "classification")
    losses = [log_loss.score(y, p.astype(float)) for p in predictions]
    one = select(predictions, y, log_loss, size=1)
    assert (one.chosen, one.weights) == ((int(np.argmin(losses)),), (1.0,))
    best = np.argsort(losses)[:4].tolist()
    assert [index for index, _ in select(predictions, y, log_loss).path[:4]] == best
    assert [index for index, _ in select(predictions, y, log_loss, start=[7, 7, 3]).path[:3]] == [7, 7, 3]
    assert len(select(predictions, y, log_loss, size=6).path) <= 6
    wide = select(predictions, y, log_loss, size=64)
    assert sum(wide.weights) == pytest.approx(1.0)
    assert wide.score <= min(losses)


def test_a_sequence_of_arrays_is_as_good():
    predictions, y, _ = class_candidates(12, 100, 3)
    assert select(list(predictions), y, metric("auc", "classification")) == select(
        predictions, y, metric("auc", "classification")
    )


def test_units_of_several_targets():
    """A target with a hundred times the deviation decides an RMSE in original units."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(500, 2))
    good_first, good_second = y + [[0.1, 1.0]] * rng.normal(size=(500, 2)), y + [[1.0, 0.1]] * rng.normal(size=(500, 2))
    predictions = np.stack([good_first, good_second]).astype(np.float32)
    for scale, best in (((100.0, 1.0), 0), ((1.0, 100.0), 1)):
        found = select(predictions, y, metric("rmse", "regression").of_standardised((5.0, 7.0), scale), size=1)
        assert found.chosen == (best,)
        expected = (np.sqrt(((predictions[best] - y) ** 2).mean(axis=0)) * scale).mean()
        assert found.score == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["accuracy", "log_loss"])
def test_new_rows_gain(name):
    """Chosen on 300 rows, the ensemble beats the best single one on 5,000 others, whatever the seed."""
    for seed in range(4):
        predictions, y, _ = class_candidates(60, 5300, 3, seed=seed)
        found = metric(name, "classification")
        ensemble = select(predictions[:, :300], y[:300], found)
        single = select(predictions[:, :300], y[:300], found, size=1)
        weights = zip(ensemble.chosen, ensemble.weights)
        mean = np.sum([w * predictions[i, 300:].astype(np.float64) for i, w in weights], axis=0)
        alone = predictions[single.chosen[0], 300:].astype(np.float64)
        assert found.loss(y[300:], mean) < found.loss(y[300:], alone)


@pytest.mark.parametrize("name", ["accuracy", "f1", "rmse"])
def test_rows_are_predicted_by_ensembles_that_they_did_not_choose(name):
    """A row's own class or value has no influence on its prediction."""
    task = "regression" if name == "rmse" else "classification"
    predictions, y, w = (value_candidates if name == "rmse" else class_candidates)(20, 60, 2)
    cross = cross_predict(predictions, y, metric(name, task), w)
    order = np.lexsort(y.reshape(len(y), -1).T[::-1])
    for part in range(FOLDS):
        held = order[part::FOLDS]
        seen = np.setdiff1d(np.arange(len(y)), held)
        found = select(predictions[:, seen], y[seen], metric(name, task), w[seen])
        mean = np.tensordot(found.weights, predictions[list(found.chosen)][:, held].astype(float), 1)
        assert cross[held] == pytest.approx(mean, rel=1e-12)


def test_the_score_of_chance_is_not_taken_for_worth():
    chance = np.random.default_rng(0).dirichlet([1, 1, 1], size=(200, 90)).astype(np.float32)
    y, accuracy = np.arange(90) % 3, metric("accuracy", "classification")
    assert select(chance, y, accuracy).score > 0.5
    assert accuracy.score(y, cross_predict(chance, y, accuracy)) < 0.45
    few = cross_predict(chance[:, :3], y[:3], accuracy)
    assert few.shape == (3, 3)


P, Y = np.full((2, 3, 2), 0.5, np.float32), np.array([0, 1, 1])
BAD = {
    "nobody": ((P[:0], Y), {}, "at least one candidate"),
    "other rows": ((P[:, :2], Y), {}, r"shape \(3, 2\); that of candidate 0 is \(2, 2\)"),
    "other classes": (([P[0], np.ones((3, 3), np.float32)], Y), {}, "that of candidate 1"),
    "no rows": ((P[:, :0], Y[:0]), {}, "shape"),
    "flat": ((P[:, :, 0], Y), {}, "that of candidate 0"),
    "not finite": (([P[0], P[1] * np.nan], Y), {}, "finite; those of candidate 1"),
    "other weights": ((P, Y), {"weight": np.ones(2)}, "`weight` must"),
    "no weight": ((P, Y), {"weight": np.zeros(3)}, "`weight` must"),
    "negative weight": ((P, Y), {"weight": np.array([-1.0, 1.0, 1.0])}, "`weight` must"),
    "size": ((P, Y), {"size": 0}, "`size` must"),
    "start": ((P, Y), {"start": [2]}, "`start` must"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    (predictions, y), more, message = BAD[case]
    with pytest.raises(InputError, match=message):
        select(predictions, y, metric("accuracy", "classification"), **more)


def test_bad_values():
    with pytest.raises(InputError, match=r"shape \(3, 2\)"):
        select(np.zeros((2, 3, 1), np.float32), np.zeros((3, 2)), metric("rmse", "regression"))
