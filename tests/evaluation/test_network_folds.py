"""Networks of several views and folds: each as if it were alone on its data; losses are means over the folds."""

from __future__ import annotations

import numpy as np
import pytest

import hyperband as hb
from hyperband._common.philox import member_seed
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Member, Split
from hyperband.evaluation.networks.evaluator import NetworkEvaluator
from hyperband.tables import prepare_table

FOLDS = 3
BACKEND = registry.get("numba" if registry.available()["native"] else "native")


def table(**options):
    return prepare_table("sklearn:wine", target="target", validation=FOLDS, seed=2, **options)


def job(trial, view=None, resource=4, previous=0, rung=0, bracket=0):
    configuration = {"widths": [8], "learning_rate": 0.01} | ({} if view is None else {"view": view})
    return hb.Job(trial, bracket, rung, configuration, resource, previous)


def finish(evaluator, jobs):
    evaluator.submit(jobs)
    results = {}
    while len(results) < len(jobs):
        results |= {result.trial: result for result in evaluator.collect()}
    return results


def alone(data, trial, fold, epochs=4):
    """Best validation loss of one network in an engine of its own."""
    engine = BACKEND.engine(
        Split(data.x_train, data.y_train), Split(data.x_validation, data.y_validation), data.loss, data.n_outputs
    )
    seed = member_seed(5, trial)
    steps = epochs * -(-len(data.x_train) // 64)
    member = Member(hb.Architecture(widths=[8], learning_rate=0.01), member_seed(seed, fold) if fold else seed, steps)
    ids = engine.add([member])
    while not engine.train(ids, np.array([steps])).all():
        pass
    return float(engine.progress(ids).best_loss[0])


def evaluator(made, **options):
    return NetworkEvaluator(made, BACKEND, max_resource=4, seed=5, **options)


def test_a_loss_is_the_mean_over_the_folds_of_the_view_that_the_configuration_names():
    made = table()
    results = finish(evaluator(made), [job(0), job(1, "robust"), job(2, "bins")])
    for trial, view in enumerate((made.views[0], "robust", "bins")):
        losses = [alone(made.dataset(view, fold), trial, fold) for fold in range(FOLDS)]
        assert len(set(losses)) == FOLDS, "folds that train alike prove nothing"
        assert results[trial].loss == pytest.approx(np.mean(losses), rel=1e-12)
        assert results[trial].cost == 4


def test_the_kept_networks_are_one_a_fold_and_give_the_loss():
    made = table()
    trained = evaluator(made)
    results = finish(trained, [job(0, "robust"), job(1, "bins")])
    best = min(results.values(), key=lambda result: result.loss)
    networks = trained.networks(best.trial, best.resource)
    assert [trained.datasets.of(n.dataset).fold for n in networks] == list(range(FOLDS))
    losses = []
    for network in networks:
        dataset = trained.datasets.of(network.dataset)
        data = made.dataset(dataset.view, dataset.fold)
        model = hb.Model.of_one(data.preprocessing, network.architecture, network.weights)
        losses.append(model.score(data.x_validation, data.y_validation)["loss"])
    assert np.mean(losses) == pytest.approx(best.loss, rel=1e-5)


def test_a_paused_trial_continues_in_all_of_its_folds():
    straight = finish(evaluator(table()), [job(0, "robust")])[0]
    paused = evaluator(table())
    finish(paused, [job(0, "robust", resource=2)])
    assert finish(paused, [job(0, "robust", previous=2, rung=1)])[0].loss == straight.loss


def test_the_library_is_offered_the_outputs_of_all_folds():
    made, offers = table(), []

    class Library:
        def offer(self, trial, resource, outputs, networks):
            offers.append((trial, resource, outputs, networks()))
            return True

    finish(evaluator(made, library=lambda datasets: Library()), [job(0, "bins")])
    rows = np.concatenate([made.validation_rows(fold) for fold in range(FOLDS)])
    assert sorted(rows.tolist()) == list(range(made.n_rows))
    assert 1 <= len(offers) <= 2, "the best weights, and the newest where they are others"
    for trial, _, outputs, networks in offers:
        assert (trial, outputs.shape, len(networks)) == (0, (made.n_rows, 3), FOLDS)
    resources = [resource for _, resource, _, _ in offers]
    assert resources == sorted(resources) and resources[-1] == pytest.approx(4.0)


def test_the_newest_weights_are_offered_beside_the_best():
    made, offers = table(), []

    class Library:
        def offer(self, trial, resource, outputs, networks):
            offers.append((resource, outputs, networks()))

    jobs = [hb.Job(0, 0, 0, {"widths": [24], "learning_rate": 0.3, "view": "bins"}, 40, 0)]
    trained = NetworkEvaluator(made, BACKEND, max_resource=40, seed=5, library=lambda datasets: Library())
    finish(trained, jobs)
    (early, _, _), (late, outputs, networks) = offers
    assert early < late == pytest.approx(40.0)
    data = made.dataset("bins", 0)
    model = hb.Model.of_one(data.preprocessing, networks[0].architecture, networks[0].weights)
    first = outputs[: len(data.y_validation)]
    assert (
        model.score(data.x_validation, data.y_validation)["accuracy"] == (first.argmax(1) == data.y_validation).mean()
    )


def test_the_first_bracket_ends_first():
    trained = evaluator(table(), compute=hb.Compute(threads=1))
    late = [job(trial, bracket=1) for trial in range(4)]
    early = [job(trial) for trial in range(4, 8)]
    trained.submit([*late, *early])
    order = []
    while len(order) < 8:
        order += [result.bracket for result in trained.collect()]
    assert order[:3] == [0, 0, 0]


def test_a_view_that_the_table_lacks_is_an_error():
    with pytest.raises(hb.InputError, match=r"`view` must be one of .*; got 'sideways'"):
        evaluator(table()).submit([job(0, "sideways")])


def test_columns_are_counted_in_one_fold():
    with pytest.raises(hb.InputError, match="resource='features' needs one fold"):
        evaluator(table(), training=hb.Training(resource="features"))
