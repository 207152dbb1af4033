"""Metrics agree with scikit-learn, and refuse what they cannot measure."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from hyperband.errors import InputError
from hyperband.metrics import Metric, default_metric, figures, log_probabilities, metric, probabilities


def classes(k, n=200, seed=0, rounded=False):
    """Class numbers, and probabilities that are somewhat right; rounded ones have many ties."""
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n)
    z = rng.normal(size=(n, k))
    z[np.arange(n), y] += 1.0
    if rounded:
        z = np.round(z)
    p = np.exp(z)
    return y, p / p.sum(axis=1, keepdims=True), rng.uniform(0.1, 3.0, size=n)


def values(targets, n=200, seed=0):
    rng = np.random.default_rng(seed)
    shape = (n,) if targets == 1 else (n, targets)
    y = 50.0 + 10.0 * rng.normal(size=shape)
    return y, y + 3.0 * rng.normal(size=shape), rng.uniform(0.1, 3.0, size=n)


def sk_auc(y, p, w):
    if p.shape[1] == 2:
        return sk.roc_auc_score(y, p[:, 1], sample_weight=w)
    return np.mean([sk.roc_auc_score(y == k, p[:, k], sample_weight=w) for k in range(p.shape[1])])


SK_CLASSES = {
    "accuracy": lambda y, p, w: sk.accuracy_score(y, p.argmax(1), sample_weight=w),
    "balanced_accuracy": lambda y, p, w: sk.balanced_accuracy_score(y, p.argmax(1), sample_weight=w),
    "log_loss": lambda y, p, w: sk.log_loss(y, p, sample_weight=w, labels=range(p.shape[1])),
    "auc": sk_auc,
    "f1": lambda y, p, w: sk.f1_score(
        y, p.argmax(1), sample_weight=w, average="binary" if p.shape[1] == 2 else "macro", zero_division=0
    ),
}
SK_VALUES = {
    "rmse": lambda y, p, w: sk.root_mean_squared_error(y, p, sample_weight=w),
    "mae": lambda y, p, w: sk.mean_absolute_error(y, p, sample_weight=w),
    "r2": lambda y, p, w: sk.r2_score(y, p, sample_weight=w),
    "quantile:0.9": lambda y, p, w: sk.mean_pinball_loss(y, p, alpha=0.9, sample_weight=w),
    "quantile:0.25": lambda y, p, w: sk.mean_pinball_loss(y, p, alpha=0.25, sample_weight=w),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("k", [2, 3, 7])
@pytest.mark.parametrize("name", SK_CLASSES)
def test_classification_as_scikit_learn(name, k, rounded, weighted):
    y, p, w = classes(k, rounded=rounded)
    w = w if weighted else None
    assert metric(name, "classification").score(y, p, w) == pytest.approx(SK_CLASSES[name](y, p, w), rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("name", SK_VALUES)
def test_regression_as_scikit_learn(name, targets, weighted):
    y, p, w = values(targets)
    w = w if weighted else None
    assert metric(name, "regression").score(y, p, w) == pytest.approx(SK_VALUES[name](y, p, w), rel=1e-12)


def test_multiclass_auc_as_scikit_learn():
    y, p, _ = classes(4)
    assert metric("auc", "classification").score(y, p) == pytest.approx(sk.roc_auc_score(y, p, multi_class="ovr"))


def test_classes_that_do_not_occur():
    y, p, _ = classes(4)
    p, y = p[y < 2], y[y < 2]
    areas = [sk.roc_auc_score(y == k, p[:, k]) for k in (0, 1)]
    assert metric("auc", "classification").score(y, p) == pytest.approx(np.mean(areas))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("balanced_accuracy", "f1"):
            expected = SK_CLASSES[name](y, p, None)
            assert metric(name, "classification").score(y, p) == pytest.approx(expected)


def test_undefined_figures_are_nan_and_rank_last():
    only = np.ones(3, np.int64)
    p = np.full((3, 2), 0.5)
    auc = metric("auc", "classification")
    assert np.isnan(auc.score(only, p))
    assert auc.loss(only, p) == np.inf
    assert metric("f1", "classification").score(np.zeros(3, int), np.array([[1.0, 0.0]] * 3)) == 0.0
    r2 = metric("r2", "regression")
    assert np.isnan(r2.score(np.ones(4), np.zeros(4)))


def test_log_loss_of_impossible_classes_is_finite():
    y, p = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])
    assert metric("log_loss", "classification").score(y, p) == pytest.approx(sk.log_loss(y, p))


def test_rows_in_another_order():
    y, p, w = classes(3, rounded=True)
    order = np.random.default_rng(1).permutation(len(y))
    for name, value in figures("classification", y, p, w).items():
        assert figures("classification", y[order], p[order], w[order])[name] == pytest.approx(value, rel=1e-12)


def test_the_first_of_equals_is_predicted():
    accuracy = metric("accuracy", "classification")
    assert accuracy.score(np.array([0, 1]), np.full((2, 2), 0.5)) == 0.5


def test_losses_have_one_direction():
    y, p, _ = classes(3)
    assert metric("accuracy", "classification").loss(y, p) == -metric("accuracy", "classification").score(y, p)
    assert metric("log_loss", "classification").loss(y, p) == metric("log_loss", "classification").score(y, p)
    assert [default_metric(task).name for task in ("classification", "regression")] == ["accuracy", "rmse"]
    assert default_metric("regression", quantile=0.1).level == 0.1


@pytest.mark.parametrize("name", ["accuracy", "roc_auc_ovr", "neg_log_loss", "f1_macro", "matthews_corrcoef"])
def test_scorers_of_classes_by_name(name):
    y, p, w = classes(3)
    found = metric(name, "classification", classes=("a", "b", "c"))
    labels = np.array(["a", "b", "c"])
    expected = {
        "accuracy": lambda: sk.accuracy_score(y, p.argmax(1), sample_weight=w),
        "roc_auc_ovr": lambda: sk.roc_auc_score(y, p, multi_class="ovr", sample_weight=w),
        "neg_log_loss": lambda: -sk.log_loss(y, p, sample_weight=w),
        "f1_macro": lambda: sk.f1_score(labels[y], labels[p.argmax(1)], average="macro", sample_weight=w),
        "matthews_corrcoef": lambda: sk.matthews_corrcoef(y, p.argmax(1), sample_weight=w),
    }[name]()
    assert found.greater_is_better
    assert found.score(y, p, w) == pytest.approx(expected)


def test_scorers_see_original_labels():
    y, p, _ = classes(2)
    labels = np.array(["no", "yes"])
    scorer = sk.make_scorer(sk.f1_score, pos_label="no")
    found = metric(scorer, "classification", classes=("no", "yes"))
    assert found.name == "f1_score"
    assert found.score(y, p) == pytest.approx(sk.f1_score(labels[y], labels[p.argmax(1)], pos_label="no"))
    proba = sk.make_scorer(
        sk.brier_score_loss, response_method="predict_proba", greater_is_better=False, pos_label="yes"
    )
    found = metric(proba, "classification", classes=("no", "yes"))
    assert found.name == "neg_brier_score_loss"
    assert found.score(y, p) == pytest.approx(-np.mean((y - p[:, 1]) ** 2))


@pytest.mark.parametrize("name", ["r2", "neg_mean_absolute_percentage_error", "max_error", "neg_median_absolute_error"])
def test_scorers_of_values(name):
    y, p, _ = values(1)
    expected = {
        "r2": sk.r2_score(y, p),
        "neg_mean_absolute_percentage_error": -sk.mean_absolute_percentage_error(y, p),
        "max_error": -sk.max_error(y, p),
        "neg_median_absolute_error": -sk.median_absolute_error(y, p),
    }[name]
    assert metric("neg_max_error" if name == "max_error" else name, "regression").score(y, p) == pytest.approx(expected)


def test_functions():
    y, p, w = values(1)

    def worst(y, prediction):
        return np.abs(y - prediction).max()

    def weighted(y, prediction, weight=None):
        return np.average(np.abs(y - prediction), weights=weight)

    def scorer(estimator, X, y):
        return -np.abs(estimator.predict(X) - y).max()

    found = metric(worst, "regression", greater_is_better=False)
    assert (found.name, found.score(y, p, w)) == ("worst", np.abs(y - p).max())
    assert metric(weighted, "regression").score(y, p, w) == metric("mae", "regression").score(y, p, w)
    assert metric(scorer, "regression").score(y, p, w) == -np.abs(y - p).max()
    assert metric(found, "regression") is found


def test_metrics_of_standardised_values_are_in_original_units():
    y, p, w = values(2)
    mean, scale = y.mean(axis=0), y.std(axis=0)
    for name in ("rmse", "mae", "r2", "quantile:0.3", "neg_mean_absolute_percentage_error"):
        plain = metric(name, "regression")
        standard = plain.of_standardised(mean, scale)
        assert standard.score((y - mean) / scale, (p - mean) / scale, w) == pytest.approx(plain.score(y, p, w))
    one = metric("neg_max_error", "regression").of_standardised(mean[:1], scale[:1])
    found = one.score((y[:, :1] - mean[0]) / scale[0], (p[:, :1] - mean[0]) / scale[0])
    assert found == pytest.approx(-np.abs(y - p)[:, 0].max())


BAD = {
    "unknown name": (("acuracy", "classification"), "`metric` must be one of accuracy, .*got 'acuracy'"),
    "other task": (("rmse", "classification"), "must be one of classification; 'rmse' is one of regression"),
    "other task, values": (("auc", "regression"), "must be one of regression; 'auc' is one of classification"),
    "scorer of the other task": (("neg_mean_squared_error", "classification"), "is one of regression"),
    "scorer of the other task, values": (("f1_macro", "regression"), "is one of classification"),
    "clusters": (("rand_score", "classification"), "is one of clusters"),
    "level": (("quantile:1.5", "regression"), r"must lie in \(0, 1\)"),
    "no level": (("quantile:", "regression"), r"must lie in \(0, 1\)"),
    "quantile of classes": (("quantile:0.5", "classification"), "is one of regression"),
    "no metric": ((3, "regression"), "a name, a scorer of scikit-learn or a function; got 3"),
    "no task": (("rmse", "ranking"), "`task` must be"),
    "metric of the other task": ((default_metric("regression"), "classification"), "'rmse' is one of regression"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_metrics(case):
    arguments, message = BAD[case]
    with pytest.raises(InputError, match=message):
        metric(*arguments)


BAD_ROWS = {
    "no rows": (np.zeros(0, int), np.zeros((0, 2)), None),
    "other rows": (np.zeros(3, int), np.zeros((2, 2)), None),
    "one column": (np.zeros(3, int), np.zeros((3, 1)), None),
    "flat": (np.zeros(3, int), np.zeros(3), None),
    "other weights": (np.zeros(3, int), np.zeros((3, 2)), np.ones(2)),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows(case):
    with pytest.raises(InputError, match="needs at least one row"):
        metric("accuracy", "classification").score(*BAD_ROWS[case])
    with pytest.raises(InputError, match="needs at least one row"):
        metric("rmse", "regression").score(np.zeros(3), np.zeros((3, 1)))


def test_scorers_and_functions_that_fail():
    y, p, _ = classes(3)
    with pytest.raises(InputError, match="'f1' cannot be computed|cannot be computed: Target is multiclass"):
        metric(sk.get_scorer("f1"), "classification").score(y, p)
    with pytest.raises(InputError, match="must return one number; got 'good'"):
        metric(lambda y, p: "good", "classification").score(y, p)


def test_probabilities():
    z = np.array([[-800.0], [0.0], [3.0], [800.0]], np.float32)
    p = probabilities(z)
    assert p.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-15)
    assert p[:, 1] == pytest.approx([0.0, 0.5, 1 / (1 + np.exp(-3.0)), 1.0], rel=1e-12)
    assert (probabilities(-z)[:, ::-1] == p).all()
    many = np.random.default_rng(0).normal(size=(50, 5)) * 10
    assert np.exp(log_probabilities(many)) == pytest.approx(probabilities(many))
    assert np.exp(log_probabilities(z)) == pytest.approx(p)
    assert np.isfinite(log_probabilities(np.array([[1e6, -1e6]]))).all()


def test_a_row_has_the_same_bits_in_any_company():
    z = np.random.default_rng(0).normal(size=(1000, 7)).astype(np.float32) * 5
    for part in (z, z[:, :1], z[:, :2]):
        whole = probabilities(part)
        for size in (1, 3, 17, 999):
            pieces = np.concatenate([probabilities(part[start : start + size]) for start in range(0, 1000, size)])
            assert np.array_equal(pieces, whole)


def test_metric_is_a_plain_record():
    assert metric("rmse", "regression") == metric("rmse", "regression")
    assert isinstance(metric("rmse", "regression"), Metric)
