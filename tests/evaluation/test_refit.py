"""Training an ensemble again on all rows: each network as if it were alone on them, and as many as the time allows."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

import hyperband as hb
from hyperband._common.philox import member_seed
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Member, Split
from hyperband.engine.datasets import DatasetEngines
from hyperband.engine.parameters import layered
from hyperband.evaluation.networks import refit as module
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.datasets import Datasets
from hyperband.evaluation.networks.library import Candidate, ChosenCandidates
from hyperband.evaluation.networks.refit import RefitTrial, refit
from hyperband.evaluation.networks.trained_network import TrainedNetwork
from hyperband.evaluation.networks.training import Training
from hyperband.tables import prepare_table

BACKEND = registry.get("numba" if registry.available()["native"] else "native")
CANCER, DIABETES = load_breast_cancer(return_X_y=True), load_diabetes(return_X_y=True)
TABLE = prepare_table(*DIABETES, validation=0.2, test=0.1, seed=2)
LAYERS = {"widths": [8], "learning_rate": 0.01, "schedule": "cosine", "weight_average": 0.5}
TRIALS = [
    RefitTrial(7, {**LAYERS, "view": "robust"}, (2.0, 6.0)),
    RefitTrial(3, {**LAYERS, "view": "standard", "weight_average": 0.0}, (4.5,), lifetime=0.5),
    RefitTrial(5, {**LAYERS, "view": "robust", "batch_size": 32}, (1.0, 3.0, 9.0)),
]


def again(trials=TRIALS, table=TABLE, **options):
    defaults = {"training": Training(), "compute": Compute(threads=2), "max_resource": 9.0, "seed": 5}
    return refit(trials, table, BACKEND, **{**defaults, **options})


def alone(trial, resource):
    """Weights of a network that trains by itself on all rows."""
    data = TABLE.refit(trial.configuration["view"])
    made = hb.Architecture(**{name: value for name, value in trial.configuration.items() if name != "view"})
    steps = -(-len(data.x_train) // made.batch_size)
    engine = BACKEND.engine(Split(data.x_train, data.y_train), None, data.loss, data.n_outputs)
    member = Member(made, member_seed(5, trial.trial), round(trial.lifetime * 9 * steps))
    ids = engine.add([member])
    while not engine.train(ids, np.array([round(resource * steps)])).all():
        pass
    return layered(engine.export_state(int(ids[0])), "average." if made.weight_average else "")


def same(one, other):
    return all(np.array_equal(a, b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True))


def test_a_network_is_what_it_would_be_alone_at_every_moment():
    done = again()
    assert done.trials == (7, 3, 5)
    assert set(done.networks) == {(trial.trial, moment) for trial in TRIALS for moment in trial.resources}
    for trial in TRIALS:
        for moment in trial.resources:
            network = done.networks[trial.trial, moment]
            assert same(network.weights, alone(trial, moment))
            assert done.datasets.of(network.dataset).view == trial.configuration["view"]
    rows = done.datasets.of(done.networks[7, 2.0].dataset).data
    assert len(rows.x_train) == len(DIABETES[0]) - len(TABLE.test_rows)


def test_views_are_made_once_and_only_those_in_use():
    class Counting:
        views, made = TABLE.views, []

        def refit(self, view):
            self.made.append(view)
            return TABLE.refit(view)

    again([TRIALS[0], TRIALS[2]], Counting(), deadline=1e12)
    assert Counting.made == ["robust"]


class Clock:
    """Seconds that pass when somebody looks."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        self.now += 1.0
        return self.now


@pytest.fixture
def whole_slices(monkeypatch):
    """A slice trains until its members arrive, however long that takes: what happens depends on the clock's ticks."""
    train = DatasetEngines.train
    monkeypatch.setattr(
        DatasetEngines, "train", lambda self, ids, until, seconds=None, **others: train(self, ids, until, **others)
    )


def test_what_the_time_allows_is_a_beginning_of_the_list_with_the_same_networks(monkeypatch, whole_slices):
    whole, counts = again(), set()
    for deadline in (*range(0, 40, 2), 1e9):
        monkeypatch.setattr(module, "time", Clock())
        part = again(deadline=deadline, compute=Compute(threads=1))
        assert part.trials == whole.trials[: len(part.trials)]
        assert {trial for trial, _ in part.networks} == set(part.trials)
        for key, network in part.networks.items():
            assert same(network.weights, whole.networks[key].weights)
        counts.add(len(part.trials))
    assert counts == {0, 1, 2, 3}


def test_a_trial_that_does_not_fit_does_not_begin(monkeypatch, whole_slices):
    monkeypatch.setattr(module, "time", Clock())
    long = RefitTrial(9, LAYERS, (500.0,), work=1e15)
    done = again([TRIALS[1], long, TRIALS[0]], max_resource=500.0, deadline=1000.0, compute=Compute(threads=1))
    assert done.trials == (3,), "one that is after it in the list does not overtake it"
    assert again([long], deadline=1000.0, speed=1.0).trials == (), "at this speed it would not be done"
    for unknown in (0.0, np.nan):
        assert again(TRIALS, deadline=1000.0, speed=unknown).trials == (7, 3, 5)


@pytest.mark.parametrize(("seconds", "done"), [(400.0, (7,)), (100.0, (7, 3, 5))])
def test_a_view_is_expected_to_take_as_long_as_the_one_before(monkeypatch, whole_slices, seconds, done):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)

    class Slow:
        views = TABLE.views

        def refit(self, view):
            clock.now += seconds
            return TABLE.refit(view)

    assert again(TRIALS, Slow(), deadline=700.0, compute=Compute(threads=1)).trials == done


def test_memory_that_is_short_in_the_middle_keeps_what_is_done(monkeypatch):
    class Short:
        views = TABLE.views

        def refit(self, view):
            if view == "standard":
                raise hb.errors.InsufficientMemory("The table must fit.")
            return TABLE.refit(view)

    done = again(TRIALS, Short(), deadline=1e12, compute=Compute(threads=1))
    assert done.trials == (7,)
    with pytest.raises(hb.errors.InsufficientMemory):
        again(TRIALS[1:], Short())


def test_a_trial_that_diverges_has_no_network_and_ends():
    wild = RefitTrial(1, {**LAYERS, "optimizer": "sgd", "learning_rate": 1e6}, (3.0, 9.0))
    done = again([wild, *TRIALS[:1]])
    assert done.trials == (1, 7)
    assert set(done.networks) == {(7, 2.0), (7, 6.0)}


def test_ctrl_c_keeps_what_is_done(monkeypatch):
    calls = []

    def interrupt(self, *arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(self, *arguments)

    original = module._Work._arrive
    monkeypatch.setattr(module._Work, "_arrive", interrupt)
    done = again(TRIALS[1:], compute=Compute(threads=1), deadline=1e12)
    assert done.trials == (3,)
    assert set(done.networks) == {(3, 4.5)}


def test_the_heaviest_trials_come_first_and_their_work_is_known():
    candidates = []
    for trial, resource in ((4, 2.0), (1, 3.0), (4, 6.0), (2, 1.0)):
        network = TrainedNetwork(hb.Architecture(widths=[8 * trial]), [])
        candidates.append(Candidate((0.0, 0.0, trial, resource), 0.0, np.zeros((1, 1), np.float32), (network,)))
    weights = (0.2, 0.3, 0.2, 0.3)
    chosen = ChosenCandidates(tuple(candidates), weights, 0.0, 0.0, np.zeros((1, 1)), ())
    assert list(module.moments_by_weight(chosen).items()) == [(4, (2.0, 6.0)), (1, (3.0,)), (2, (1.0,))]
    (heaviest, most), (_, middle), (_, least) = module.refit_work(chosen, Datasets(TABLE, Training(), 9.0, 0))
    assert heaviest == pytest.approx(0.4)
    assert most > middle > least > 0


# The search that uses it.

SPACE = hb.Space({"width": hb.Int(4, 16), "view": hb.Choice(["standard", "robust"])})


def search(X=CANCER[0], y=CANCER[1], *, refit="auto", **options):
    given = {"space": SPACE, "algorithm": hb.SuccessiveHalving(9), "validation": 0.2, "seed": 1}
    given["training"] = hb.Training(refit=refit)
    return hb.search(X, y, **{**given, **options})


def test_held_out_rows_train_in_the_end():
    result, without = search(test=0.2), search(test=0.2, refit=False)
    trials = {member.trial for member in result.ensemble.members}
    assert result.ensemble.refit == len(trials)
    assert all(member.refit for member in result.ensemble.members)
    assert not any(member.refit for member in without.ensemble.members)
    assert result.ensemble.to_dict()["members"][0]["refit"] is True
    assert result.ensemble.score == without.ensemble.score
    assert result.cost == without.cost
    assert not np.array_equal(result.model.predict_proba(CANCER[0]), without.model.predict_proba(CANCER[0]))
    assert np.array_equal(result.best.network.predict_proba(CANCER[0]), without.best.network.predict_proba(CANCER[0]))
    table = prepare_table(*CANCER, validation=0.2, test=0.2, seed=1)
    X, y = CANCER[0][table.test_rows], CANCER[1][table.test_rows]
    assert result.test == pytest.approx(result.model.evaluate(X, y))


def test_the_model_predicts_with_the_networks_that_were_trained_again():
    result = search(ensemble=1, test=0.2)
    (member,) = result.ensemble.members
    table = prepare_table(*CANCER, validation=0.2, test=0.2, seed=1)
    trial = RefitTrial(member.trial, result.configurations[member.trial], (member.resource,))
    done = again([trial], table, seed=1)
    network = done.networks[member.trial, member.resource]
    assert same(result.model.members[0].weights, network.weights)
    (used,), data = result.model.preprocessings, done.datasets.of(network.dataset).data
    assert np.array_equal(used.transform(CANCER[0]), data.preprocessing.transform(CANCER[0]))


@pytest.mark.parametrize("refit", [1, np.int64(2)])
def test_a_number_is_that_of_the_heaviest_trials(refit):
    X, y = CANCER
    y = np.where(np.random.default_rng(0).random(len(y)) < 0.25, 1 - y, y)  # so that no network is good alone
    result = search(X, y, refit=refit, algorithm=hb.RandomSearch(9, n=12), metric="log_loss", test=0.2)
    weights = {}
    for member in result.ensemble.members:
        weights[member.trial] = weights.get(member.trial, 0.0) + member.weight
    heaviest = sorted(weights, key=lambda trial: (-weights[trial], trial))[:refit]
    assert {member.trial for member in result.ensemble.members if member.refit} == set(heaviest)
    assert result.ensemble.refit == result.training.refit == len(heaviest) < len(weights)
    rows = prepare_table(X, y, validation=0.2, test=0.2, seed=1).test_rows
    assert result.test == pytest.approx(result.model.evaluate(X[rows], y[rows])), "old and new views are not mixed up"


def test_folds_and_given_rows_are_not_trained_again_unless_asked_for():
    X, y = CANCER
    given = {"X": X[::2], "y": y[::2], "validation": (X[1::2], y[1::2])}
    assert search(validation=3).ensemble.refit == 0
    assert search(**given).ensemble.refit == 0
    one = search(validation=3, refit=True)
    assert len(one.model.members) == len(one.ensemble.members), "one network on all rows instead of three"
    assert search(**given, refit=True).ensemble.refit >= 1


def test_copies_of_a_population_stay_as_they_are():
    space = hb.Space({"learning_rate": hb.Float(1e-4, 1e-1, log=True)})
    result = search(algorithm=hb.PBT(6, n=6, interval=2), space=space)
    first = {member.trial for member in result.ensemble.members if member.trial < 6}
    assert any(member.trial >= 6 for member in result.ensemble.members), "no copy is in the ensemble"
    assert {member.trial for member in result.ensemble.members if member.refit} == first


def test_no_memory_for_all_rows_leaves_the_model(monkeypatch):
    def refuse(self, view):
        raise hb.errors.InsufficientMemory("The table must fit.")

    monkeypatch.setattr("hyperband.tables.PreparedTable.refit", refuse)
    with pytest.warns(UserWarning, match="not trained again on all rows. The table must fit."):
        result = search()
    assert result.ensemble.refit == 0
    assert len(result.model.predict(CANCER[0])) == len(CANCER[0])


def test_a_search_that_was_stopped_ends_at_once():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert search(on_event=lambda run, results: True).ensemble.refit == 0


@pytest.mark.parametrize("value", [-1, 1.5, "yes", None])
def test_bad_values(value):
    with pytest.raises(hb.errors.InputError, match="`refit` must be"):
        hb.Training(refit=value)
    with pytest.raises(hb.errors.InputError, match="`refit` is for resource='epochs'"):
        hb.Training(resource="rows", refit=True)
