"""The network evaluator: one member per trial, continued and never retrained, in waves when memory is short."""

from __future__ import annotations

import math
import sys
import tempfile
from functools import cache

import numpy as np
import pytest

import hyperband as hb
from hyperband._common.philox import member_seed
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Member, Split
from hyperband.errors import InputError
from hyperband.evaluation.networks.datasets import OneDataset
from hyperband.evaluation.networks.evaluator import NetworkEvaluator
from hyperband.evaluation.networks.resources import Resource
from hyperband.evaluation.networks.training import Training
from hyperband.model import Model
from hyperband.tables import prepare

WIDTHS = (4, 8, 16, 24)
FAST = [name for name in ("native", "numba") if not registry.available()[name]]


class Spy:
    """An engine that remembers which members were added, trained and exported."""

    def __init__(self, engine):
        self.engine, self.added, self.trained, self.exported = engine, [], [], []

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def add(self, members):
        self.added += members
        return self.engine.add(members)

    def train(self, members, until, **options):
        self.trained.append((members.tolist(), np.asarray(until).tolist(), options))
        return self.engine.train(members, until, **options)

    def export_state(self, member):
        self.exported.append(member)
        return self.engine.export_state(member)


class SpyBackend:
    def __init__(self, name):
        self.backend = registry.get(name)

    def engine(self, *arguments, **options):
        self.spy = Spy(self.backend.engine(*arguments, **options))
        return self.spy


@cache
def data(name="sklearn:wine"):
    return prepare(name, seed=1)


def configuration(k):
    return {"widths": [WIDTHS[k]], "learning_rate": 0.01}


@pytest.fixture(params=FAST)
def backend(request):
    return SpyBackend(request.param)


@pytest.fixture(autouse=True)
def plain_architectures(monkeypatch):
    """Configurations of these tests are the fields of `Architecture`, whatever the default space looks like."""
    module = sys.modules["hyperband.evaluation.networks.trial_networks"]
    monkeypatch.setattr(module, "to_architecture", lambda c: hb.Architecture(**c))


def jobs(trials, rung, resource, previous):
    return [hb.Job(t, 0, rung, configuration(t), resource, previous) for t in trials]


def finish(evaluator, listed):
    evaluator.submit(listed)
    results = {}
    while len(results) < len(listed):
        results |= {result.trial: result for result in evaluator.collect()}
    return results


def climb(backend, rungs=(3, 9), **settings):
    """All trials through all rungs; results by rung, and the evaluator."""
    evaluator = NetworkEvaluator(OneDataset(data()), backend, max_resource=rungs[-1], seed=5, **settings)
    previous, results = 0, []
    for rung, resource in enumerate(rungs):
        results.append(finish(evaluator, jobs(range(len(WIDTHS)), rung, resource, previous)))
        previous = resource
    return results, evaluator


def test_a_promoted_network_continues_with_the_paused_weights(backend):
    evaluator = NetworkEvaluator(OneDataset(data()), backend, max_resource=9, seed=5)
    finish(evaluator, jobs(range(4), 0, 3, 0))
    spy = backend.spy
    paused = spy.engine.export_state(int(evaluator.residency.ids([2])[0]))
    evaluator.release([0, 1, 3])
    spy.trained.clear()
    finish(evaluator, jobs([2], 1, 9, 3))
    assert len(spy.added) == 4, "a promoted trial must not get a second network"
    steps = math.ceil(len(data().x_train) / 64)
    assert paused["counters"][0] == 3 * steps
    assert spy.trained[0][1] == [9 * steps]
    state = spy.engine.export_state(int(evaluator.residency.ids([2])[0]))
    assert state["counters"][0] == 9 * steps
    # The same network trained in one go: the pause left no trace, so nothing was trained twice or anew.
    fresh = backend.backend.engine(
        Split(data().x_train, data().y_train), Split(data().x_validation, data().y_validation), data().loss, 3
    )
    member = fresh.add([Member(hb.Architecture(**configuration(2)), member_seed(5, 2), 9 * steps)])
    while not fresh.train(member, np.array([9 * steps])).all():
        pass
    assert all(np.array_equal(v, state[k]) for k, v in fresh.export_state(int(member[0])).items())


def test_the_schedules_of_a_network_end_with_the_highest_rung_of_its_bracket(backend):
    """A bracket that ends at 3 epochs within a search to 9 trains the networks of a search to 3."""
    configurations = [{**configuration(trial), "schedule": "cosine"} for trial in range(4)]
    losses = []
    for most, highest in ((3, None), (9, lambda bracket: (9.0, 3.0)[bracket]), (9, None)):
        evaluator = NetworkEvaluator(OneDataset(data()), backend, max_resource=most, seed=5, highest=highest)
        listed = [hb.Job(trial, 1, 0, configurations[trial], 3.0, 0.0) for trial in range(4)]
        results = finish(evaluator, listed)
        losses.append([results[trial].loss for trial in range(4)])
        evaluator.close()
    assert losses[0] == losses[1] != losses[2]


def test_results_are_the_best_validation_so_far_and_cost_is_what_was_added(backend):
    (first, last), evaluator = climb(backend)
    for trial in range(4):
        assert last[trial].loss <= first[trial].loss
        assert (first[trial].cost, last[trial].cost) == (3, 6)
        for result in (first[trial], last[trial]):
            assert result.metrics["validation_loss"] == result.loss <= result.metrics["current_loss"]
        assert 0 <= first[trial].metrics["accuracy"] <= 1
    assert evaluator.partial() == {}, "no job is open"


def test_the_loss_at_a_resource_can_rise(backend):
    evaluator = NetworkEvaluator(OneDataset(data()), backend, max_resource=30, seed=5)
    wild = {**configuration(0), "learning_rate": 0.5}
    found = [finish(evaluator, [hb.Job(0, 0, 0, wild, r, r - 1.0)])[0].metrics for r in range(1, 31)]
    evaluator.close()
    losses = [metrics["current_loss"] for metrics in found]
    assert max(np.diff(losses)) > 0
    assert [metrics["validation_loss"] for metrics in found] == np.minimum.accumulate(losses).tolist()


@pytest.mark.parametrize("kind, top", [("epochs", 500_000), ("rows", 142)])
def test_networks_say_how_far_their_open_jobs_are(backend, kind, top):
    training = hb.Training(resource=kind, epochs=None if kind == "epochs" else 500_000)
    evaluator = NetworkEvaluator(OneDataset(data()), backend, max_resource=top, training=training, seed=5)
    assert evaluator.partial() == {}
    finish(evaluator, jobs([0], 0, 1, 0))
    evaluator.submit(jobs([0], 1, top, 1))
    evaluator.submit(jobs([1], 0, top, 0))
    seen = [{}]
    for _ in range(3):
        assert evaluator.collect() == []
        seen.append(evaluator.partial())
    evaluator.close()
    assert set(seen[-1]) == {0, 1}
    for trial in (0, 1):
        gained = [one.get(trial, 0.0) for one in seen]
        assert gained == sorted(gained) and 0 < gained[-1] < top - (trial == 0)


def test_waves_give_the_same_results(backend, monkeypatch, tmp_path):
    plenty, _ = climb(backend)
    size = backend.spy.engine.bytes_per_member(hb.Architecture(**configuration(3)))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scarce, evaluator = climb(backend, compute=hb.Compute(memory_limit=int(1.2 * size)))
    assert scarce == plenty
    assert max(len(ids) for ids, _, _ in backend.spy.trained) < 4, "they were meant to come in waves"
    assert len(backend.spy.added) > 4, "paused networks were meant to leave the engine and come back"
    evaluator.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("quantum", [0.0005, 5.0])
def test_the_length_of_slices_changes_nothing(backend, monkeypatch, quantum):
    usual, _ = climb(backend)
    monkeypatch.setattr(sys.modules["hyperband.evaluation.networks.evaluator"], "QUANTUM", quantum)
    other, _ = climb(backend)
    assert other == usual


def test_one_network_that_does_not_fit_is_an_error_with_both_numbers(backend):
    with pytest.raises(hb.InsufficientMemory, match=r"widths \[4\] need [\d,]+ bytes, 100 are free"):
        climb(backend, compute=hb.Compute(memory_limit=100))


@pytest.mark.parametrize("kind", ["epochs", "rows", "features"])
def test_kept_weights_give_the_reported_loss(backend, kind):
    top = {"epochs": 9, "rows": len(data().x_train), "features": data().n_features}[kind]
    results, evaluator = climb(backend, (max(1, top // 3), top), training=hb.Training(resource=kind))
    best = min(results[1].values(), key=lambda r: (r.loss, r.trial))
    evaluator.close()
    (network,) = evaluator.networks(best.trial, best.resource)
    model = Model.of_one(data().preprocessing, network.architecture, network.weights)
    scored = model.score(data().x_validation, data().y_validation)
    assert scored["loss"] == pytest.approx(best.loss, rel=1e-4)
    assert scored["accuracy"] == pytest.approx(best.metrics["accuracy"])


def worsening(monkeypatch):
    """Networks that are best early and lose later."""
    monkeypatch.setitem(globals(), "configuration", lambda k: {"widths": [WIDTHS[k]], "learning_rate": 0.2})


def test_the_kept_weights_are_the_best_and_not_the_last(backend, monkeypatch):
    worsening(monkeypatch)
    results, evaluator = climb(backend, (1, 40))
    best = min(results[1].values(), key=lambda r: (r.loss, r.trial))
    progress = backend.spy.engine.progress(np.arange(len(WIDTHS)))
    assert (progress.best_step < progress.step).any(), "no network of this test lost again"
    assert progress.best_step[best.trial] < progress.step[best.trial]
    (network,) = evaluator.networks(best.trial, best.resource)
    model = Model.of_one(data().preprocessing, network.architecture, network.weights)
    assert model.score(data().x_validation, data().y_validation)["loss"] == pytest.approx(best.loss, rel=1e-4)


def test_with_more_rows_the_best_weights_are_those_of_this_rung(backend, monkeypatch):
    worsening(monkeypatch)
    n = len(data().x_train)
    evaluator = NetworkEvaluator(
        OneDataset(data()), backend, max_resource=n, training=hb.Training(resource="rows", epochs=40), seed=5
    )
    finish(evaluator, jobs(range(len(WIDTHS)), 0, n // 3, 0))
    before = backend.spy.engine.progress(np.arange(len(WIDTHS)))
    finish(evaluator, jobs(range(len(WIDTHS)), 1, n, n // 3))
    after = backend.spy.engine.progress(np.arange(len(WIDTHS)))
    assert (after.best_step > before.step).all()
    assert (after.best_loss > before.best_loss).any(), "no network of this test lost again: it proves nothing"


def test_columns_never_seen_have_no_weight(backend):
    low = NetworkEvaluator(
        OneDataset(data()), backend, max_resource=13, training=hb.Training(resource="features"), seed=5
    )
    results = finish(low, jobs(range(4), 0, 4, 0))
    best = min(range(4), key=lambda t: results[t].loss)
    (network,) = low.networks(best, 4)
    assert np.count_nonzero(np.abs(network.weights[0][0]).sum(axis=1)) == 4


def test_rows_and_features_train_the_same_networks_on_more(backend):
    n = len(data().x_train)
    climb(backend, (n // 3, n), training=hb.Training(resource="rows", epochs=6))
    seen = {options["rows"] for _, _, options in backend.spy.trained}
    assert seen == {n // 3, n}
    climb(backend, (4, 13), training=hb.Training(resource="features", epochs=6))
    assert {options["inputs"] for _, _, options in backend.spy.trained} == {4, 13}


def test_a_network_that_diverges_has_loss_nan_and_changes_no_other(backend, monkeypatch):
    healthy, _ = climb(backend)
    plain = configuration(1)
    wild = {"widths": [8], "optimizer": "sgd", "learning_rate": 1e6}
    monkeypatch.setitem(globals(), "configuration", lambda k: wild if k == 1 else {**plain, "widths": [WIDTHS[k]]})
    results, _ = climb(backend)
    assert math.isnan(results[0][1].loss) and math.isnan(results[1][1].loss)
    assert results[0][1].metrics == {}
    assert [results[1][t] for t in (0, 2, 3)] == [healthy[1][t] for t in (0, 2, 3)]


def test_ranking_by_error(backend):
    (by_loss, _), _ = climb(backend)
    (by_error, _), _ = climb(backend, training=hb.Training(rank_by="error"))
    for trial, result in by_error.items():
        assert result.loss == pytest.approx(1 - by_loss[trial].metrics["accuracy"])


def test_regression_is_reported_in_original_units(backend):
    diabetes = data("sklearn:diabetes")
    evaluator = NetworkEvaluator(OneDataset(diabetes), backend, max_resource=9)
    result = finish(evaluator, jobs([0], 0, 9, 0))[0]
    (network,) = evaluator.networks(0, 9)
    model = Model.of_one(diabetes.preprocessing, network.architecture, network.weights)
    scored = model.score(diabetes.x_validation, diabetes.y_validation)
    assert result.metrics["rmse"] == pytest.approx(scored["rmse"], rel=1e-4)
    assert result.metrics["r2"] == pytest.approx(scored["r2"], abs=1e-4)
    assert result.metrics["rmse"] > 30  # units of the target, whose standard deviation is 77


def test_resource_goals():
    a = hb.Architecture(batch_size=100)
    assert Resource(hb.Training(), 81, 1000, 4).goal(a, 3).step == 30
    assert Resource(hb.Training(), 81, 1001, 4).total_steps(a) == 81 * 11
    rows = Resource(hb.Training(resource="rows", epochs=10), 1000, 1000, 4)
    assert [(g.step, g.rows) for g in (rows.goal(a, 100), rows.goal(a, 1000))] == [(10, 100), (100, 1000)]
    columns = Resource(hb.Training(resource="features", epochs=10), 4, 1000, 4)
    assert (columns.goal(a, 1).step, columns.goal(a, 1).inputs) == (25, 1)


@pytest.mark.parametrize("resource, top", [("epochs", 81), ("rows", 1000), ("features", 4)])
def test_what_a_network_has_reached_is_the_inverse_of_its_goal(resource, top):
    a = hb.Architecture(batch_size=100)
    one = Resource(hb.Training(resource=resource), top, 1000, 4)
    for part in (top / 4, top / 2, top):
        assert one.reached(a, one.goal(a, part).step) == pytest.approx(part, rel=0.02)


@pytest.mark.parametrize(
    "training, maximum, message",
    [
        ({"resource": "steps"}, 9, "`resource` must be one of epochs, rows, features; got 'steps'"),
        ({"resource": "rows"}, 101, r"at most the number of training rows \(100\).*got 101"),
        ({"resource": "features"}, 9, r"at most the number of columns \(4\).*got 9"),
        ({"epochs": 5}, 9, "`epochs` is for resource='rows' or 'features'"),
        ({"resource": "rows", "epochs": 0}, 9, "`epochs` must be a number greater than 0; got 0"),
        ({"resource": "rows", "epochs": math.nan}, 9, "`epochs` must be a number greater than 0; got nan"),
        ({"rank_by": "f1"}, 9, "`rank_by` must be one of auto, loss, error, metric; got 'f1'"),
    ],
)
def test_bad_resources_name_the_rule(training, maximum, message):
    with pytest.raises(hb.InputError, match=message):
        Resource(hb.Training(**training), maximum, n_rows=100, n_inputs=4)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"precision": "fp8"}, "`precision` must be one of float32, tf32, bf16; got 'fp8'"),
        ({"threads": 0}, "`threads` must be a whole number from 1 to 1024; got 0"),
        ({"memory_limit": 0}, "`memory_limit` must be a whole number of bytes, at least 1, or None; got 0"),
        ({"device_memory": 1.5}, "`device_memory` must be a whole number of bytes, at least 1, or None; got 1.5"),
        ({"device_memory": True}, "`device_memory` must be .* got True"),
    ],
)
def test_bad_compute_settings_name_the_rule(settings, message):
    with pytest.raises(hb.InputError, match=message):
        hb.Compute(**settings)


def test_embeddings_of_numbers_need_all_columns(backend):
    """Columns come in another order, of which a part is seen: components would belong to other columns."""
    training = Training(resource="features", epochs=3)
    evaluator = NetworkEvaluator(OneDataset(data()), backend, max_resource=data().n_features, seed=5, training=training)
    job = hb.Job(0, 0, 0, {**configuration(0), "number_embedding": "pbld"}, data().n_features, 0)
    with pytest.raises(InputError, match="must see all columns.*got 'pbld'"):
        evaluator.submit([job])


def test_engines_know_which_columns_are_numbers(backend):
    evaluator = NetworkEvaluator(OneDataset(data()), backend, max_resource=1, seed=5)
    evaluator.submit([hb.Job(0, 0, 0, {**configuration(0), "number_embedding": "cosine"}, 1, 0)])
    while not evaluator.collect():
        pass
    state = backend.spy.engine.export_state(int(evaluator.residency.ids([0])[0]))
    assert state["frequency.0"].shape == (data().n_numbers, 3)


def test_ranking_by_the_metric_needs_one(backend):
    with pytest.raises(hb.InputError, match="rank_by='metric' needs a `library`"):
        NetworkEvaluator(OneDataset(data()), backend, max_resource=3, training=hb.Training(rank_by="metric"))
