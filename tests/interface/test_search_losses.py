"""What the networks of a search minimise: `hb.Training(loss=...)`."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import make_scorer, roc_auc_score

import hyperband as hb

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1200, 3)).astype(np.float32)
Y = 2.0 * X[:, 0] + 5.0 * RNG.exponential(size=1200)  # errors with a long tail on one side
SPACE = hb.Space({"width": hb.Int(8, 32), "learning_rate": hb.Float(3e-3, 3e-2, log=True)})


def search(loss="auto", y=Y, **options):
    return hb.search(
        X, y, space=SPACE, algorithm=hb.SuccessiveHalving(27), validation=0.2, test=0.2, seed=3,
        training=hb.Training(loss=loss), **options,
    )  # fmt: skip


def test_a_quantile_is_what_so_many_rows_lie_below():
    for level in (0.1, 0.9):
        result = search(f"quantile:{level}")
        below = (result.model.predict(X) >= Y).mean()
        assert below == pytest.approx(level, abs=0.04)
        assert result.ensemble.metric == f"quantile:{level}"


def test_the_metric_of_the_search_is_a_figure_on_the_test_rows():
    result = search("quantile:0.9")
    test = result.test["quantile:0.9"]
    error = Y - result.model.predict(X)
    everywhere = np.mean(np.maximum(0.9 * error, -0.1 * error))
    assert test == pytest.approx(everywhere, rel=0.2)
    named = search(metric="mae")
    assert named.test["mae"] == pytest.approx(np.abs(Y - named.model.predict(X)).mean(), rel=0.2)


def test_a_metric_with_the_name_of_another_figure_has_its_own():
    def loss(y, prediction):
        return 123.0

    test = search(metric=loss).test
    assert test["metric loss"] == 123.0 and test["loss"] < 100.0


def test_a_metric_that_fails_on_the_test_rows_loses_nothing():
    X, y = load_iris(return_X_y=True)
    ovr = make_scorer(roc_auc_score, response_method="predict_proba", multi_class="ovr")
    two = y < 2
    with pytest.warns(UserWarning, match="The metric of the search is not among the figures on the test rows"):
        result = hb.search(X, y, algorithm=hb.SuccessiveHalving(3), test=(X[two], y[two]), metric=ovr)
    assert "roc_auc_score" not in result.test and result.test["accuracy"] > 0.3


def test_huber_is_between_the_mean_and_the_median():
    mean, huber, median = (search(loss).model.predict(X).mean() for loss in ("mse", "huber:0.2", "quantile"))
    assert median < huber < mean
    assert mean == search().model.predict(X).mean()


def test_classes_have_their_own_loss():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(hb.errors.InputError, match="`loss` is for a target of values; got 'mse'"):
        hb.search(X, y, algorithm=hb.SuccessiveHalving(3), training=hb.Training(loss="mse"))


@pytest.mark.parametrize("loss", ["cross_entropy", "absolute", "quantile:1", "mse:2", None])
def test_bad_names(loss):
    with pytest.raises(hb.errors.InputError, match="`loss`"):
        hb.Training(loss=loss)
